#include "locale.h"

#include <string.h>

#include "ascii.h"

#define RANGES_MAX	  32
#define HEADER_MAX	  4096
#define QUALITY_WHOLE 1000

typedef struct Range
{
	char text[VCI_LOCALE_SIZE];
	int quality; /* thousandths */
} Range;

static bool
is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The length of the language range at text; 0 when it is none, or the wildcard. */
static size_t
range_length(const char *text)
{
	size_t len = 0;
	size_t subtag = 0;

	for (; is_alphanumeric(text[len]) || (text[len] == '-' && subtag > 0); len++)
	{
		subtag = text[len] == '-' ? 0 : subtag + 1;
		if (subtag > 8)
			return 0;
	}
	return subtag == 0 || len >= VCI_LOCALE_SIZE ? 0 : len;
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* qvalue (RFC 9110 section 12.4.2) in thousandths; -1 when malformed. Moves *cursor on. */
static int
read_quality(const char **cursor)
{
	const char *text = *cursor;
	int quality;
	int unit = QUALITY_WHOLE / 10;

	if (*text != '0' && *text != '1')
		return -1;
	quality = (*text++ - '0') * QUALITY_WHOLE;
	if (*text == '.')
	{
		for (text++; *text >= '0' && *text <= '9' && unit > 0; text++, unit /= 10)
			quality += (*text - '0') * unit;
	}
	*cursor = text;
	return quality > QUALITY_WHOLE ? -1 : quality;
}

/* One "range;q=0.5" up to a comma or the end. False when it is nothing to look for. */
static bool
read_range(const char *text, Range *range)
{
	size_t len = range_length(text);
	const char *cursor = skip_blanks(text + len);

	if (len == 0)
		return false;
	memcpy(range->text, text, len);
	range->text[len] = '\0';
	range->quality = QUALITY_WHOLE;
	if (*cursor == ';')
	{
		cursor = skip_blanks(cursor + 1);
		if ((*cursor != 'q' && *cursor != 'Q') || cursor[1] != '=')
			return false;
		cursor += 2;
		range->quality = read_quality(&cursor);
		cursor = skip_blanks(cursor);
	}
	return range->quality > 0 && (*cursor == ',' || *cursor == '\0');
}

static size_t
read_ranges(const char *header, Range ranges[RANGES_MAX])
{
	size_t count = 0;
	const char *cursor = header;

	while (count < RANGES_MAX && cursor < header + HEADER_MAX)
	{
		cursor = skip_blanks(cursor);
		if (read_range(cursor, &ranges[count]))
			count++;
		cursor += strcspn(cursor, ",");
		if (*cursor == '\0')
			break;
		cursor++;
	}
	return count;
}

/* Cuts the last subtag off, and a single character before it (RFC 4647 section 3.4). */
static bool
shorten(char *range)
{
	char *hyphen = strrchr(range, '-');

	if (hyphen == NULL)
		return false;
	*hyphen = '\0';
	hyphen = strrchr(range, '-');
	if (hyphen != NULL && hyphen[1] != '\0' && hyphen[2] == '\0')
		*hyphen = '\0';
	return true;
}

static int
find_tag(const char *range, const char *const *tags, size_t count)
{
	char shorter[VCI_LOCALE_SIZE];

	strcpy(shorter, range);
	do
	{
		for (size_t i = 0; i < count; i++)
		{
			if (vci_ascii_equal(tags[i], shorter))
				return (int) i;
		}
	} while (shorten(shorter));
	return -1;
}

int
vci_locale_lookup(const char *accept_language, const char *const *tags, size_t count,
				  char range[VCI_LOCALE_SIZE])
{
	Range ranges[RANGES_MAX];
	size_t range_count = accept_language == NULL ? 0 : read_ranges(accept_language, ranges);
	int found = -1;
	int best = 0;

	range[0] = '\0';
	for (size_t i = 0; i < range_count; i++)
	{
		int tag = ranges[i].quality > best ? find_tag(ranges[i].text, tags, count) : -1;

		if (tag < 0)
			continue;
		found = tag;
		best = ranges[i].quality;
		strcpy(range, ranges[i].text);
	}
	return found;
}

bool
vci_locale_same_language(const char *a, const char *b)
{
	size_t len = strcspn(a, "-");
	char language[VCI_LOCALE_SIZE];

	if (len >= VCI_LOCALE_SIZE)
		return false;
	memcpy(language, a, len);
	language[len] = '\0';
	return vci_ascii_starts_with(b, language) && (b[len] == '-' || b[len] == '\0');
}

/* The first entry whose locale is this tag, or, loosely, of its language. */
static const VciJson *
entry_of_locale(const VciJson *display, const char *tag, bool loosely)
{
	for (size_t i = 0; i < vci_json_array_length(display); i++)
	{
		const VciJson *entry = vci_json_array_at(display, i);
		const char *locale = vci_json_get_string(entry, "locale");

		if (locale != NULL &&
			(loosely ? vci_locale_same_language(tag, locale) : vci_ascii_equal(tag, locale)))
			return entry;
	}
	return NULL;
}

static const VciJson *
entry_without_locale(const VciJson *display)
{
	for (size_t i = 0; i < vci_json_array_length(display); i++)
	{
		const VciJson *entry = vci_json_array_at(display, i);

		if (vci_json_get_string(entry, "locale") == NULL)
			return entry;
	}
	return NULL;
}

const VciJson *
vci_locale_display(const VciJson *display, const char *range)
{
	const VciJson *entry = NULL;
	char shorter[VCI_LOCALE_SIZE] = "";

	strncat(shorter, range, sizeof(shorter) - 1);
	do
		entry = entry_of_locale(display, shorter, false);
	while (entry == NULL && shorten(shorter));
	if (entry == NULL)
		entry = entry_of_locale(display, range, true);
	if (entry == NULL)
		entry = entry_without_locale(display);
	if (entry == NULL)
		entry = entry_of_locale(display, "en", true);
	return entry != NULL ? entry : vci_json_array_at(display, 0);
}
