#include "display.h"

#include <string.h>

#include "ascii.h"
#include "issuer.h"

#define DISPLAYS_MAX	  100
#define NAME_MAX_LENGTH	  200
#define IMAGE_URI_MAX	  (64 * 1024)
#define LOCALE_MAX_LENGTH 35 /* BCP 47 section 4.4.1 */

/* Subtags of letters and digits, joined by hyphens (BCP 47), the first one of letters. */
static bool
is_language_tag(const char *text)
{
	size_t len = strlen(text);
	size_t subtag = 0;
	bool first = true;

	if (len == 0 || len > LOCALE_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (text[i] == '-' && subtag > 0)
		{
			first = false;
			subtag = 0;
			continue;
		}
		if (!letter && !(digit && !first))
			return false;
		if (++subtag > 8)
			return false;
	}
	return subtag > 0;
}

/* "#rgb" or "#rrggbb" of CSS Color Module Level 3. */
static bool
is_color(const char *text)
{
	size_t len = strlen(text);

	return (len == 4 || len == 7) && text[0] == '#' &&
		   strspn(text + 1, "0123456789abcdefABCDEF") == len - 1;
}

static bool
is_image_uri(const char *text)
{
	if (strlen(text) > IMAGE_URI_MAX)
		return false;
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "data:image/", 11) != 0)
		return false;
	for (const unsigned char *p = (const unsigned char *) text; *p != '\0'; p++)
	{
		if (*p <= 0x20 || *p >= 0x7f)
			return false;
	}
	return text[strcspn(text, "\"\\<>^`{|}")] == '\0';
}

/* A member that must be a string when it is there. *text is NULL when it is not. */
static VciStatus
read_text(const VciJson *object, const char *name, const char *what, const char **text,
		  VciError *error)
{
	*text = vci_json_get_string(object, name);
	if (*text == NULL && vci_json_has(object, name))
		return vci_error(error, VCI_ERR_CONFIGURATION, "%s: %s must be a string", what, name);
	return VCI_OK;
}

static VciStatus
check_name(const VciJson *entry, const char *what, VciError *error)
{
	const char *name;
	VciStatus status = read_text(entry, "name", what, &name, error);

	if (status == VCI_OK && (name == NULL || name[0] == '\0' || strlen(name) > NAME_MAX_LENGTH))
		status = vci_error(error, VCI_ERR_CONFIGURATION,
						   "%s: each entry needs a name of 1 to %d bytes", what, NAME_MAX_LENGTH);
	return status;
}

static VciStatus
check_locale(const VciJson *entry, const char *what, VciError *error)
{
	const char *locale;
	VciStatus status = read_text(entry, "locale", what, &locale, error);

	if (status == VCI_OK && locale != NULL && !is_language_tag(locale))
		status = vci_error(error, VCI_ERR_CONFIGURATION,
						   "%s: a locale must be a language tag such as en-US", what);
	return status;
}

static VciStatus
check_image(const VciJson *entry, const char *name, const char *what, VciError *error)
{
	const VciJson *image = vci_json_get(entry, name);
	const char *uri = vci_json_get_string(image, "uri");
	const char *alt_text;

	if (!vci_json_has(entry, name))
		return VCI_OK;
	if (uri == NULL || !is_image_uri(uri))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "%s: %s must be an object with a uri that starts with https:// or "
						 "data:image/",
						 what, name);
	return read_text(image, "alt_text", what, &alt_text, error);
}

static VciStatus
check_color(const VciJson *entry, const char *name, const char *what, VciError *error)
{
	const char *color;
	VciStatus status = read_text(entry, name, what, &color, error);

	if (status == VCI_OK && color != NULL && !is_color(color))
		status = vci_error(error, VCI_ERR_CONFIGURATION,
						   "%s: %s must be a colour such as #12107c or #fff", what, name);
	return status;
}

static VciStatus
check_entry(const VciJson *entry, const char *what, VciError *error)
{
	const char *description;
	VciStatus status;

	if (vci_json_kind(entry) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_CONFIGURATION, "%s must hold objects", what);
	status = check_name(entry, what, error);
	if (status == VCI_OK)
		status = check_locale(entry, what, error);
	if (status == VCI_OK)
		status = check_image(entry, "logo", what, error);
	if (status == VCI_OK)
		status = check_image(entry, "background_image", what, error);
	if (status == VCI_OK)
		status = check_color(entry, "background_color", what, error);
	if (status == VCI_OK)
		status = check_color(entry, "text_color", what, error);
	if (status == VCI_OK)
		status = read_text(entry, "description", what, &description, error);
	return status;
}

static bool
same_locale(const VciJson *a, const VciJson *b)
{
	const char *a_locale = vci_json_get_string(a, "locale");
	const char *b_locale = vci_json_get_string(b, "locale");

	if (a_locale == NULL || b_locale == NULL)
		return a_locale == b_locale;
	return vci_ascii_equal(a_locale, b_locale);
}

VciStatus
vci_display_check(const VciJson *display, const char *what, VciError *error)
{
	size_t count = vci_json_array_length(display);

	if (count == 0 || count > DISPLAYS_MAX)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "%s must be an array of 1 to %d objects, one a language", what,
						 DISPLAYS_MAX);
	for (size_t i = 0; i < count; i++)
	{
		const VciJson *entry = vci_json_array_at(display, i);
		VciStatus status = check_entry(entry, what, error);

		if (status != VCI_OK)
			return status;
		for (size_t j = 0; j < i; j++)
		{
			if (same_locale(entry, vci_json_array_at(display, j)))
				return vci_error(error, VCI_ERR_CONFIGURATION, "%s has one locale twice", what);
		}
	}
	return VCI_OK;
}

VciStatus
vci_issuer_display_check(const VciJson *display, VciError *error)
{
	return vci_display_check(display, "the display of an issuer", error);
}
