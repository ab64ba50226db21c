#include "text.h"

#include <string.h>

/* Length of the UTF-8 sequence at text, 0 when it is none. */
static size_t
sequence_length(const unsigned char *text, size_t len)
{
	unsigned char first = text[0];
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		size = 2;
	else if (first >= 0xe0 && first <= 0xef)
		size = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		size = 4;
	else
		return 0;
	if (len < size)
		return 0;

	/* The second byte tells overlong forms, surrogates and what lies above U+10FFFF. */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
	{
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

bool
text_is_utf8(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len)
	{
		size_t size = sequence_length((const unsigned char *) text + at, len - at);

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

/* What field names have most stands first. */
static bool
is_token_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || c == '-' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		   (c != '\0' && strchr("!#$%&'*+.^_`|~", c) != NULL);
}

bool
text_is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (!is_token_char((unsigned char) text[i]))
			return false;
	}
	return len > 0;
}

bool
text_is_field_value(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
		all |= c;
	}
	return all < 0x80 || text_is_utf8(text, len);
}

bool
text_is_target(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c <= ' ' || c == 0x7f)
			return false;
		all |= c;
	}
	return len > 0 && (all < 0x80 || text_is_utf8(text, len));
}
