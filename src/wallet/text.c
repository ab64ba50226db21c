#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

char *
wallet_format_list(const char *format, va_list args)
{
	va_list again;
	int len;
	char *text;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return NULL;
	text = malloc((size_t) len + 1);
	if (text != NULL)
		vsnprintf(text, (size_t) len + 1, format, args);
	return text;
}

char *
wallet_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = wallet_format_list(format, args);
	va_end(args);
	return text;
}

/* Bytes of the UTF-8 character at text, 0 when it is not valid there. */
static size_t
character_at(const char *text, uint32_t *code_point)
{
	const unsigned char *byte = (const unsigned char *) text;
	size_t len = byte[0] < 0x80 ? 1 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	uint32_t value = byte[0];

	if (strnlen(text, len) < len || !vci_utf8_valid(text, len))
		return 0;
	if (len > 1)
		value &= 0xffu >> (len + 1);
	for (size_t i = 1; i < len; i++)
		value = value << 6 | (byte[i] & 0x3f);
	*code_point = value;
	return len;
}

/*
 * Controls, line and paragraph separators, bidirectional marks and overrides, invisible
 * format characters and tags. Zero-width joiner and non-joiner pass: names in Sinhala,
 * Persian and other scripts are misspelt without them.
 */
static bool
is_unsafe(uint32_t code_point)
{
	static const uint32_t ranges[][2] = {{0x00, 0x1f},	   {0x7f, 0x9f},	 {0xad, 0xad},
										 {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200b},
										 {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
										 {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
	{
		if (code_point >= ranges[i][0] && code_point <= ranges[i][1])
			return true;
	}
	return false;
}

void
wallet_put_text(FILE *out, const char *text)
{
	while (*text != '\0')
	{
		uint32_t code_point = 0;
		size_t len = character_at(text, &code_point);

		if (len == 0)
			fprintf(out, "\\x%02x", (unsigned char) *text);
		else if (is_unsafe(code_point))
			fprintf(out, "\\u{%x}", code_point);
		else
			fwrite(text, 1, len, out);
		text += len == 0 ? 1 : len;
	}
}

size_t
wallet_text_width(const char *text)
{
	size_t width = 0;

	while (*text != '\0')
	{
		uint32_t code_point = 0;
		size_t len = character_at(text, &code_point);

		if (len == 0)
			width += 4;
		else if (is_unsafe(code_point))
			width += (size_t) snprintf(NULL, 0, "\\u{%x}", code_point);
		else
			width++;
		text += len == 0 ? 1 : len;
	}
	return width;
}

/* A \u escape, as a surrogate pair above the basic plane (RFC 8259 section 7). */
static void
put_json_escape(FILE *out, uint32_t code_point)
{
	if (code_point > 0xffff)
	{
		fprintf(out, "\\u%04x", 0xd800 + ((code_point - 0x10000) >> 10));
		code_point = 0xdc00 + (code_point & 0x3ff);
	}
	fprintf(out, "\\u%04x", code_point);
}

bool
wallet_put_json(FILE *out, const VciJson *json)
{
	char *printed = vci_json_print(json);

	if (printed == NULL)
		return false;
	/* compact JSON holds unsafe characters only within strings, where an escape may stand */
	for (const char *text = printed; *text != '\0';)
	{
		uint32_t code_point = 0;
		size_t len = character_at(text, &code_point);

		if (len > 0 && is_unsafe(code_point))
			put_json_escape(out, code_point);
		else
			fwrite(text, 1, len == 0 ? 1 : len, out);
		text += len == 0 ? 1 : len;
	}
	free(printed);
	return true;
}

void
wallet_note(VciJson *notes, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = wallet_format_list(format, args);
	va_end(args);
	if (text != NULL && !vci_json_array_has_string(notes, text))
		vci_json_append_string(notes, text);
	free(text);
}
