/* What a browser sends to the consent page: its cookie, where the form comes from, the login. */
#include "consent.h"

#include <string.h>

#include "../jose/base64url.h"
#include "ascii.h"

/* One cookie-pair of RFC 6265 section 4.2.1: ours, with a value that we could have made? */
static bool
read_pair(const char *pair, size_t len, char value[VCI_CONSENT_COOKIE_SIZE])
{
	static const char name[] = VCI_CONSENT_COOKIE_NAME "=";
	unsigned char bytes[VCI_CONSENT_COOKIE_SIZE];
	size_t size;

	if (len != sizeof(name) - 1 + VCI_CONSENT_COOKIE_SIZE - 1 ||
		memcmp(pair, name, sizeof(name) - 1) != 0)
		return false;
	memcpy(value, pair + sizeof(name) - 1, VCI_CONSENT_COOKIE_SIZE - 1);
	value[VCI_CONSENT_COOKIE_SIZE - 1] = '\0';
	return vci_base64url_decode(value, VCI_CONSENT_COOKIE_SIZE - 1, bytes, &size, NULL) == VCI_OK;
}

bool
vci_consent_cookie(const VciHttpRequest *http, char value[VCI_CONSENT_COOKIE_SIZE])
{
	for (size_t i = 0; i < http->header_count; i++)
	{
		const char *cursor = http->headers[i].value;

		if (!vci_ascii_equal(http->headers[i].name, "Cookie"))
			continue;
		while (*cursor != '\0')
		{
			size_t len;

			cursor += strspn(cursor, "; \t");
			len = strcspn(cursor, "; \t");
			if (read_pair(cursor, len, value))
				return true;
			cursor += len;
		}
	}
	return false;
}

/* The length of scheme and authority of an absolute URL. */
static size_t
origin_length(const char *url)
{
	const char *authority = strstr(url, "://");

	return authority == NULL ? 0 : (size_t) (authority + 3 - url) + strcspn(authority + 3, "/?#");
}

VciStatus
vci_consent_check_origin(const VciHttpRequest *http, const char *url, VciError *error)
{
	bool repeated;
	const char *origin = vci_http_header(http, "Origin", &repeated);
	const char *site;
	size_t len = origin_length(url);

	if (repeated || (origin != NULL && strcmp(origin, "null") != 0 &&
					 (strlen(origin) != len || !vci_ascii_starts_with(url, origin))))
		return vci_error(error, VCI_ERR_REQUEST,
						 "the form was sent by a page of another site, not by this one");
	site = vci_http_header(http, "Sec-Fetch-Site", &repeated);
	if (repeated || (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0))
		return vci_error(error, VCI_ERR_REQUEST,
						 "the browser says that another site sent the form");
	return VCI_OK;
}

/* HTML's name for what belongs into a field, so that the browser can help. */
static const char *
autocomplete_of(const char *name, const char *type)
{
	static const struct
	{
		const char *name;
		const char *hint;
	} by_name[] = {
		{"username", "username"},		{"user", "username"},
		{"login", "username"},			{"otp", "one-time-code"},
		{"code", "one-time-code"},		{"birthdate", "bday"},
		{"birth_date", "bday"},			{"date_of_birth", "bday"},
		{"given_name", "given-name"},	{"family_name", "family-name"},
		{"postal_code", "postal-code"}, {"name", "name"},
	};

	if (strcmp(type, "password") == 0)
		return "current-password";
	if (strcmp(type, "email") == 0 || strcmp(type, "tel") == 0)
		return type;
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
	{
		if (strcmp(by_name[i].name, name) == 0)
			return by_name[i].hint;
	}
	return NULL;
}

static bool
is_reserved(const char *name)
{
	return strcmp(name, VCI_CONSENT_FIELD_REQUEST) == 0 ||
		   strcmp(name, VCI_CONSENT_FIELD_CSRF) == 0 ||
		   strcmp(name, VCI_CONSENT_FIELD_DECISION) == 0;
}

/* False for what can't be a field. */
static bool
read_field(const VciJson *object, const VciPageLanguage *language, VciLoginField *field)
{
	const VciJson *display = vci_locale_display(vci_json_get(object, "display"), language->range);
	const char *name = vci_json_get_string(display, "name");

	memset(field, 0, sizeof(*field));
	field->name = vci_json_get_string(object, "name");
	if (field->name == NULL || is_reserved(field->name))
		return false;
	field->type = vci_json_get_string(object, "type");
	if (field->type == NULL)
		field->type = "text";
	field->label = name;
	field->label_language = vci_json_get_string(display, "locale");
	if (name == NULL)
		field->label = vci_json_get_string(object, "label");
	if (field->label == NULL)
		field->label = field->name;
	field->autocomplete = autocomplete_of(field->name, field->type);
	field->required = true;
	(void) vci_json_get_boolean(object, "required", &field->required);
	return true;
}

size_t
vci_consent_login_fields(const VciJson *login_fields, const VciPageLanguage *language,
						 VciLoginField fields[VCI_LOGIN_FIELDS_MAX])
{
	size_t count = 0;

	if (login_fields == NULL)
	{
		const char *own = language->words->language;

		fields[0] =
			(VciLoginField){"username", "text", language->words->username, own, "username", true};
		fields[1] = (VciLoginField){"password", "password",			language->words->password,
									own,		"current-password", true};
		return 2;
	}
	for (size_t i = 0; count < VCI_LOGIN_FIELDS_MAX && i < vci_json_array_length(login_fields); i++)
	{
		if (read_field(vci_json_array_at(login_fields, i), language, &fields[count]))
			count++;
	}
	return count;
}

VciStatus
vci_consent_entered(const VciJson *login_fields, const VciForm *form, VciJson **values,
					bool *complete, VciError *error)
{
	VciPageLanguage language = vci_page_language(NULL);
	VciLoginField fields[VCI_LOGIN_FIELDS_MAX];
	size_t count = vci_consent_login_fields(login_fields, &language, fields);
	VciJson *entered = vci_json_new_object();
	VciStatus status = entered == NULL ? vci_error(error, VCI_ERR_MEMORY, "out of memory") : VCI_OK;

	*values = NULL;
	*complete = true;
	for (size_t i = 0; status == VCI_OK && i < count; i++)
	{
		const char *value = vci_form_get(form, fields[i].name);

		if (value == NULL)
			*complete = *complete && !fields[i].required;
		else if (strlen(value) > VCI_LOGIN_VALUE_MAX)
			status = vci_error(error, VCI_ERR_TOO_LARGE,
							   "what was entered as %.60s is longer than %d bytes", fields[i].name,
							   VCI_LOGIN_VALUE_MAX);
		else if (!vci_json_set_string(entered, fields[i].name, value))
			status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	}
	if (status == VCI_OK)
		*values = entered;
	else
		vci_json_free(entered);
	return status;
}
