#include "http_accept.h"

#include <string.h>

#include "ascii.h"

/* How well an element of the list fits; the best one decides (RFC 9110 section 12.5.1). */
typedef enum Fit
{
	FIT_NONE,
	FIT_ANYTHING, /* * / * */
	FIT_KIND,	  /* type / * */
	FIT_EXACT
} Fit;

typedef struct Element
{
	const char *value; /* lent, not terminated */
	size_t len;
	bool refused; /* q=0 */
} Element;

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Where text ends or one of the characters of stop stands; what is quoted is passed over. */
static const char *
find_any(const char *text, const char *stop)
{
	bool quoted = false;

	for (; *text != '\0'; text++)
	{
		if (quoted && *text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted && strchr(stop, *text) != NULL)
			break;
	}
	return text;
}

/* ";q=0", with up to three zeros behind a point */
static bool
is_zero_quality(const char *parameter, const char *end)
{
	parameter = skip_blanks(parameter);
	if (end - parameter < 3 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=')
		return false;
	for (parameter += 2; parameter < end; parameter++)
	{
		if (strchr("0. \t", *parameter) == NULL)
			return false;
	}
	return true;
}

/* The next element of a list from *cursor on; false at its end. */
static bool
next_element(const char **cursor, Element *element)
{
	const char *at = *cursor + strspn(*cursor, " \t,");
	const char *end = find_any(at, ",;");

	if (*at == '\0')
		return false;
	element->value = at;
	element->len = (size_t) (end - at);
	element->refused = false;
	while (element->len > 0 && strchr(" \t", at[element->len - 1]) != NULL)
		element->len--;
	while (*end == ';')
	{
		const char *parameter = end + 1;

		end = find_any(parameter, ",;");
		if (is_zero_quality(parameter, end))
			element->refused = true;
	}
	*cursor = end;
	return true;
}

static bool
names(const Element *element, const char *text)
{
	size_t len = strlen(text);

	return element->len == len && vci_ascii_equal_start(element->value, text, len);
}

static Fit
fit_of(const Element *element, const char *media_type)
{
	size_t kind = strcspn(media_type, "/") + 1; /* with the slash */

	if (names(element, media_type))
		return FIT_EXACT;
	if (names(element, "*/*"))
		return FIT_ANYTHING;
	if (element->len == kind + 1 && element->value[kind] == '*' &&
		vci_ascii_equal_start(element->value, media_type, kind))
		return FIT_KIND;
	return FIT_NONE;
}

bool
vci_http_accepts(const VciHttpRequest *request, const char *media_type)
{
	Fit best = FIT_NONE;
	bool listed = false;
	bool accepted = false;

	for (size_t i = 0; i < request->header_count; i++)
	{
		const char *cursor = request->headers[i].value;
		Element element;

		if (!vci_ascii_equal(request->headers[i].name, "Accept"))
			continue;
		while (next_element(&cursor, &element))
		{
			Fit fit = fit_of(&element, media_type);

			listed = listed || memchr(element.value, '/', element.len) != NULL;
			if (fit > best)
			{
				best = fit;
				accepted = !element.refused;
			}
		}
	}
	return accepted || !listed;
}

bool
vci_http_accepts_coding(const VciHttpRequest *request, const char *coding)
{
	for (size_t i = 0; i < request->header_count; i++)
	{
		const char *cursor = request->headers[i].value;
		Element element;

		if (!vci_ascii_equal(request->headers[i].name, "Accept-Encoding"))
			continue;
		while (next_element(&cursor, &element))
		{
			if (names(&element, coding))
				return !element.refused;
		}
	}
	return false;
}
