#include "json_write.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_object.h>

#define ESCAPE_SIZE 6							 /* \u001f */
#define LANE		UINT64_C(0x0101010101010101) /* 1 in each byte */

/* What stands for a character that must not stand for itself (RFC 8259 section 7); NULL: itself. */
static const char *
escape_of(unsigned char c, char escape[ESCAPE_SIZE + 1])
{
	switch (c)
	{
		case '"':
			return "\\\"";
		case '\\':
			return "\\\\";
		case '\b':
			return "\\b";
		case '\f':
			return "\\f";
		case '\n':
			return "\\n";
		case '\r':
			return "\\r";
		case '\t':
			return "\\t";
		default:
			break;
	}
	if (c >= 0x20)
		return NULL;
	snprintf(escape, ESCAPE_SIZE + 1, "\\u%04x", c);
	return escape;
}

/* What of the string is behind the characters that stand for themselves. */
static void
write_escaped(const char *string, size_t len, VciText *text)
{
	char escape[ESCAPE_SIZE + 1];
	size_t written = 0;

	for (size_t i = 0; i < len; i++)
	{
		const char *escaped = escape_of((unsigned char) string[i], escape);

		if (escaped == NULL)
			continue;
		vci_text_append(text, string + written, i - written);
		vci_text_put(text, escaped);
		written = i + 1;
	}
	vci_text_append(text, string + written, len - written);
	vci_text_append(text, "\"", 1);
}

/* Does one of eight characters have to be escaped? Each is a lane of its own. */
static bool
has_escape(uint64_t lanes)
{
	uint64_t quote = lanes ^ '"' * LANE;
	uint64_t backslash = lanes ^ '\\' * LANE;

	/* a lane's top bit comes on below 0x20, and for 0; a borrow runs on only from such a one */
	return ((((lanes - 0x20 * LANE) & ~lanes) | ((quote - LANE) & ~quote) |
			 ((backslash - LANE) & ~backslash)) &
			0x80 * LANE) != 0;
}

/* In nearly all strings each character stands for itself: they are copied as they are looked at. */
void
vci_json_write_string(const char *string, size_t len, VciText *text)
{
	char *out = vci_text_room(text, len + 2);
	size_t plain = 0;

	if (out == NULL)
		return;
	*out++ = '"';
	for (uint64_t lanes; len - plain >= sizeof(lanes); plain += sizeof(lanes))
	{
		memcpy(&lanes, string + plain, sizeof(lanes));
		if (has_escape(lanes))
			break;
		memcpy(out + plain, &lanes, sizeof(lanes));
	}
	for (; plain < len; plain++)
	{
		unsigned char c = (unsigned char) string[plain];

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		out[plain] = (char) c;
	}
	if (plain == len)
		out[plain++] = '"';
	out[plain] = '\0';
	text->len += 1 + plain;
	if (plain < len)
		write_escaped(string + plain, len - plain, text);
}

/* By its own text when it was read with one that json-c would not keep. */
static void
write_number(const VciJson *json, VciText *text)
{
	const char *literal = json_object_get_userdata((VciJson *) json);
	char digits[24];

	if (literal == NULL)
	{
		snprintf(digits, sizeof(digits), "%lld", (long long) json_object_get_int64(json));
		literal = digits;
	}
	vci_text_put(text, literal);
}

static void
write_object(const VciJson *object, VciText *text)
{
	const char *before = "{";

	for (VciJsonIter i = vci_json_iter(object); vci_json_next(&i); before = ",")
	{
		vci_text_append(text, before, 1);
		vci_json_write_string(i.name, strlen(i.name), text);
		vci_text_append(text, ":", 1);
		vci_json_write(i.value, text);
	}
	vci_text_put(text, *before == '{' ? "{}" : "}");
}

static void
write_array(const VciJson *array, VciText *text)
{
	size_t length = vci_json_array_length(array);

	vci_text_append(text, "[", 1);
	for (size_t i = 0; i < length; i++)
	{
		if (i > 0)
			vci_text_append(text, ",", 1);
		vci_json_write(vci_json_array_at(array, i), text);
	}
	vci_text_append(text, "]", 1);
}

/* Recursion is as deep as the tree, which its parser or maker bounds. */
void
vci_json_write(const VciJson *json, VciText *text)
{
	switch (vci_json_kind(json))
	{
		case VCI_JSON_NULL:
			vci_text_put(text, "null");
			break;
		case VCI_JSON_BOOLEAN:
			vci_text_put(text, json_object_get_boolean(json) ? "true" : "false");
			break;
		case VCI_JSON_NUMBER:
			write_number(json, text);
			break;
		case VCI_JSON_STRING:
			vci_json_write_string(vci_json_string(json), (size_t) json_object_get_string_len(json),
								  text);
			break;
		case VCI_JSON_ARRAY:
			write_array(json, text);
			break;
		case VCI_JSON_OBJECT:
			write_object(json, text);
			break;
	}
}
