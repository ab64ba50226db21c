#include "json_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* Integers of so few digits pass through int64 unchanged, whatever their sign. */
#define PLAIN_INTEGER_DIGITS 18

/* Length of the UTF-8 sequence at p (RFC 3629 section 4), 0 when it is none. */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
	unsigned char lowest = 0x80;
	unsigned char highest = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;

	if (p[0] == 0xe0)
		lowest = 0xa0;
	else if (p[0] == 0xed)
		highest = 0x9f;
	else if (p[0] == 0xf0)
		lowest = 0x90;
	else if (p[0] == 0xf4)
		highest = 0x8f;

	if (left < len || p[1] < lowest || p[1] > highest)
		return 0;
	for (size_t i = 2; i < len; i++)
	{
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return len;
}

bool
vci_utf8_valid(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *) text;
	size_t at = 0;

	while (at < len)
	{
		size_t step = utf8_sequence(p + at, len - at);

		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_white_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static VciStatus
unexpected(size_t at, const char *what, VciError *error)
{
	return vci_error(error, VCI_ERR_JSON, "malformed JSON at byte %zu: %s", at + 1, what);
}

/* The four digits of a \u escape; -1 when they are not there. */
static int
hex4(const char *text, size_t left)
{
	int value = 0;

	if (left < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char c = text[i];

		if (is_digit(c))
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

/* A \u escape whose digits start at *at: no NUL, no half of a surrogate pair. */
static VciStatus
scan_unicode_escape(const char *text, size_t len, size_t *at, VciError *error)
{
	int unit = hex4(text + *at, len - *at);
	int low;

	if (unit < 0)
		return unexpected(*at, "expected four hexadecimal digits", error);
	if (unit == 0)
		return unexpected(*at, "a string must not hold NUL", error);
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return unexpected(*at, "low surrogate without a high one", error);
	*at += 4;
	if (unit < 0xd800 || unit > 0xdbff)
		return VCI_OK;

	if (len - *at < 6 || text[*at] != '\\' || text[*at + 1] != 'u')
		return unexpected(*at, "high surrogate without a low one", error);
	low = hex4(text + *at + 2, len - *at - 2);
	if (low < 0xdc00 || low > 0xdfff)
		return unexpected(*at, "high surrogate without a low one", error);
	*at += 6;
	return VCI_OK;
}

/* A string whose opening quote stands at *at; leaves *at behind the closing one. */
static VciStatus
scan_string(const char *text, size_t len, size_t *at, VciError *error)
{
	VciStatus status;
	size_t start = *at;

	for (size_t i = start + 1; i < len;)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == '"')
		{
			*at = i + 1;
			return VCI_OK;
		}
		if (c < 0x20)
			return unexpected(i, "control character in a string", error);
		if (c != '\\')
		{
			i++;
			continue;
		}
		if (i + 1 >= len)
			break;
		if (text[i + 1] == 'u')
		{
			i += 2;
			status = scan_unicode_escape(text, len, &i, error);
			if (status != VCI_OK)
				return status;
			continue;
		}
		if (text[i + 1] == '\0' || strchr("\"\\/bfnrt", text[i + 1]) == NULL)
			return unexpected(i, "unknown escape in a string", error);
		i += 2;
	}
	return unexpected(start, "string without end", error);
}

static VciStatus
scan_word(const char *text, size_t len, const char *word, size_t *at, VciError *error)
{
	size_t word_len = strlen(word);

	if (len - *at < word_len || memcmp(text + *at, word, word_len) != 0)
		return unexpected(*at, "expected true, false or null", error);
	*at += word_len;
	return VCI_OK;
}

static size_t
skip_digits(const char *text, size_t len, size_t at)
{
	while (at < len && is_digit(text[at]))
		at++;
	return at;
}

/*
 * Where the number at "at" ends by the grammar of RFC 8259 section 6, or "at" itself when
 * it is malformed. *plain: is it an integer without any choice in how it is written?
 */
static size_t
number_end(const char *text, size_t len, size_t at, bool *plain)
{
	size_t start = at;
	bool negative = text[at] == '-';
	size_t first = at + (negative ? 1 : 0);
	size_t digits;

	at = skip_digits(text, len, first);
	digits = at - first;
	if (digits == 0 || (digits > 1 && text[first] == '0'))
		return start;
	*plain = digits <= PLAIN_INTEGER_DIGITS && !(negative && text[first] == '0');

	if (at < len && text[at] == '.')
	{
		size_t fraction = at + 1;

		*plain = false;
		at = skip_digits(text, len, fraction);
		if (at == fraction)
			return start;
	}
	if (at < len && (text[at] == 'e' || text[at] == 'E'))
	{
		size_t exponent = at + 1;

		*plain = false;
		if (exponent < len && (text[exponent] == '+' || text[exponent] == '-'))
			exponent++;
		at = skip_digits(text, len, exponent);
		if (at == exponent)
			return start;
	}
	return at;
}

static bool
add_literal(VciJsonScan *scan, size_t offset, size_t len)
{
	if (scan->literal_count == scan->literal_capacity)
	{
		size_t capacity = scan->literal_capacity == 0 ? 8 : scan->literal_capacity * 2;
		VciJsonLiteral *literals = realloc(scan->literals, capacity * sizeof(*literals));

		if (literals == NULL)
			return false;
		scan->literals = literals;
		scan->literal_capacity = capacity;
	}
	scan->literals[scan->literal_count++] = (VciJsonLiteral){scan->numbers, offset, len};
	return true;
}

static VciStatus
scan_number(const char *text, size_t len, size_t *at, VciJsonScan *scan, VciError *error)
{
	bool plain = false;
	size_t end = number_end(text, len, *at, &plain);

	if (end == *at)
		return unexpected(*at, "malformed number", error);
	if (!plain && !add_literal(scan, *at, end - *at))
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	scan->numbers++;
	*at = end;
	return VCI_OK;
}

typedef struct Cursor
{
	const char *text;
	size_t len;
	size_t at;
	size_t depth;
	bool after_comma; /* is the token before "at" a comma? */
} Cursor;

static VciStatus
scan_bracket(Cursor *cursor, VciError *error)
{
	char bracket = cursor->text[cursor->at];

	if (bracket == '{' || bracket == '[')
	{
		if (cursor->depth == VCI_JSON_MAX_DEPTH)
			return vci_error(error, VCI_ERR_JSON_DEPTH, "JSON is nested deeper than %d levels",
							 VCI_JSON_MAX_DEPTH);
		cursor->depth++;
	}
	else if (cursor->depth == 0)
		return unexpected(cursor->at, "closing bracket without an opening one", error);
	else if (cursor->after_comma)
		return unexpected(cursor->at, "closing bracket behind a comma", error);
	else
		cursor->depth--;
	cursor->at++;
	return VCI_OK;
}

static VciStatus
scan_token(Cursor *cursor, VciJsonScan *scan, VciError *error)
{
	const char *text = cursor->text;

	switch (text[cursor->at])
	{
		case '{':
		case '[':
		case '}':
		case ']':
			return scan_bracket(cursor, error);
		case ':':
			scan->members++;
			cursor->at++;
			return VCI_OK;
		case ',':
			cursor->at++;
			return VCI_OK;
		case '"':
			return scan_string(text, cursor->len, &cursor->at, error);
		case 't':
			return scan_word(text, cursor->len, "true", &cursor->at, error);
		case 'f':
			return scan_word(text, cursor->len, "false", &cursor->at, error);
		case 'n':
			return scan_word(text, cursor->len, "null", &cursor->at, error);
		default:
			break;
	}
	if (text[cursor->at] == '-' || is_digit(text[cursor->at]))
		return scan_number(text, cursor->len, &cursor->at, scan, error);
	return unexpected(cursor->at, "unexpected character", error);
}

VciStatus
vci_json_scan(const char *text, size_t len, VciJsonScan *scan, VciError *error)
{
	VciStatus status = VCI_OK;
	Cursor cursor = {.text = text};

	memset(scan, 0, sizeof(*scan));
	while (len > 0 && is_white_space(text[len - 1]))
		len--;
	scan->end = len;
	cursor.len = len;
	if (len == 0)
		return vci_error(error, VCI_ERR_JSON, "expected JSON, got nothing");
	if (!vci_utf8_valid(text, len))
		return vci_error(error, VCI_ERR_UTF8, "JSON is not valid UTF-8");

	while (cursor.at < len && status == VCI_OK)
	{
		char first = text[cursor.at];

		if (is_white_space(first))
		{
			cursor.at++;
			continue;
		}
		status = scan_token(&cursor, scan, error);
		if (cursor.depth > scan->depth)
			scan->depth = cursor.depth;
		cursor.after_comma = first == ',';
	}
	return status;
}

void
vci_json_scan_free(VciJsonScan *scan)
{
	free(scan->literals);
	memset(scan, 0, sizeof(*scan));
}
