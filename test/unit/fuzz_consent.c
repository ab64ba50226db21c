/*
 * The consent page: login fields as an operator gives them in the first line, a Cookie header, an
 * Origin header and an Accept-Language header in the next, names that the page shows in the
 * fifth, and the rest is the form that a browser sent. No text that is shown can become markup.
 */
#include "fuzz.h"
#include "protocol/consent.h"

typedef struct Arrival
{
	const char *language;
	char *name;
	const char *form;
	VciHttpRequest http;
	VciHeader headers[2];
} Arrival;

static size_t
count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

/* As many tags with the strange names as with a plain one: nothing opened or closed a tag. */
static void
same_markup(const char *html, const char *plain)
{
	static const char *const parts[] = {"<", ">", "\"", "'", "<script", "<input", "</main>"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		must(count_of(html, parts[i]) == count_of(plain, parts[i]));
	must(vci_utf8_valid(html, strlen(html)));
}

static char *
page_of(const Arrival *arrival, const char *name, const VciJson *fields, const VciForm *entered)
{
	VciPageLanguage language = vci_page_language(arrival->language);
	VciIssuer issuer = {.url = "https://registry.example"};
	VciConfiguration configuration = {.id = "A", .format = "dc+sd-jwt", .vct = "urn:a"};
	const VciConfiguration *configurations[] = {&configuration};
	VciConsentPage page = {.language = &language,
						   .issuer = &issuer,
						   .client_id = "wallet",
						   .client_name = name,
						   .returns_to = name,
						   .configurations = configurations,
						   .configuration_count = 1,
						   .login_fields = fields,
						   .action = "https://registry.example/consent",
						   .request = "R",
						   .csrf = "C",
						   .entered = entered,
						   .problem = VCI_CONSENT_INCOMPLETE};
	char *html;

	must(language.words != NULL);
	must(vci_consent_page(&page, &html, NULL) == VCI_OK);
	return html;
}

static void
use_form(const Arrival *arrival, const VciJson *fields)
{
	VciError errors[2] = {VCI_ERROR_INIT, VCI_ERROR_INIT};
	VciForm form;
	VciJson *values = NULL;
	bool complete;
	char *html;
	char *plain;

	if (!succeeded(vci_form_parse(arrival->form, strlen(arrival->form), &form, &errors[0]),
				   &errors[0]))
		return;
	if (succeeded(vci_consent_entered(fields, &form, &values, &complete, &errors[1]), &errors[1]))
	{
		must(vci_json_kind(values) == VCI_JSON_OBJECT);
		must(vci_json_member_count(values) <= VCI_LOGIN_FIELDS_MAX);
		/* what comes back into the fields stands between the same quotes as an "x" does */
		html = page_of(arrival, arrival->name, fields, &form);
		plain = page_of(arrival, "x", fields, &form);
		same_markup(html, plain);
		free(html);
		free(plain);
	}
	vci_json_free(values);
	vci_form_free(&form);
}

static void
use_headers(const Arrival *arrival)
{
	VciError error = VCI_ERROR_INIT;
	char cookie[VCI_CONSENT_COOKIE_SIZE];

	if (vci_consent_cookie(&arrival->http, cookie))
		must(strlen(cookie) == VCI_CONSENT_COOKIE_SIZE - 1);
	(void) succeeded(
		vci_consent_check_origin(&arrival->http, "https://registry.example/consent", &error),
		&error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError error = VCI_ERROR_INIT;
	char *text = text_of(data, size);
	char *rest = text;
	VciJson *fields = json_line(next_line(&rest));
	const char *cookie = next_line(&rest);
	const char *origin = next_line(&rest);
	Arrival arrival = {.language = next_line(&rest)};

	arrival.name = next_line(&rest);
	arrival.form = rest == NULL ? "" : rest;
	arrival.headers[0] = (VciHeader){"Cookie", cookie == NULL ? "" : cookie};
	arrival.headers[1] = (VciHeader){"Origin", origin == NULL ? "" : origin};
	arrival.http.headers = arrival.headers;
	arrival.http.header_count = 2;
	use_headers(&arrival);
	if (arrival.name != NULL && arrival.name[0] != '\0' &&
		vci_utf8_valid(arrival.name, strlen(arrival.name)) &&
		(fields == NULL || succeeded(vci_login_fields_check(fields, &error), &error)))
		use_form(&arrival, fields);
	vci_json_free(fields);
	free(text);
	return 0;
}
