#include "html.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 4096

/* Room for len more bytes and a NUL. */
static bool
make_room(VciHtml *html, size_t len)
{
	size_t capacity = html->capacity == 0 ? FIRST_CAPACITY : html->capacity;
	char *text;

	if (html->failed)
		return false;
	if (len < html->capacity - html->len)
		return true;
	while (capacity - html->len <= len && capacity <= (size_t) -1 / 2)
		capacity *= 2;
	text = capacity - html->len > len ? realloc(html->text, capacity) : NULL;
	if (text == NULL)
	{
		html->failed = true;
		return false;
	}
	html->text = text;
	html->capacity = capacity;
	return true;
}

static void
append(VciHtml *html, const char *bytes, size_t len)
{
	if (!make_room(html, len))
		return;
	memcpy(html->text + html->len, bytes, len);
	html->len += len;
	html->text[html->len] = '\0';
}

void
vci_html_markup(VciHtml *html, const char *markup)
{
	append(html, markup, strlen(markup));
}

/* What stands for a byte that can't stand for itself; NULL: it can. */
static const char *
reference(unsigned char c)
{
	switch (c)
	{
		case '&':
			return "&amp;";
		case '<':
			return "&lt;";
		case '>':
			return "&gt;";
		case '"':
			return "&quot;";
		case '\'':
			return "&#39;";
		case '\t':
		case '\n':
			return NULL;
		default:
			return c < 0x20 || c == 0x7f ? "\xef\xbf\xbd" : NULL;
	}
}

void
vci_html_text_len(VciHtml *html, const char *text, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++)
	{
		const char *instead = reference((unsigned char) text[i]);

		if (instead == NULL)
			continue;
		append(html, text + start, i - start);
		vci_html_markup(html, instead);
		start = i + 1;
	}
	append(html, text + start, len - start);
}

void
vci_html_text(VciHtml *html, const char *text)
{
	vci_html_text_len(html, text, strlen(text));
}

VciStatus
vci_html_take(VciHtml *html, char **text, VciError *error)
{
	append(html, "", 0); /* never NULL, not even when empty */
	*text = html->failed ? NULL : html->text;
	if (html->failed)
		free(html->text);
	memset(html, 0, sizeof(*html));
	return *text == NULL ? vci_error(error, VCI_ERR_MEMORY, "out of memory") : VCI_OK;
}
