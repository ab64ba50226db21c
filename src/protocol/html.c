#include "html.h"

#include <string.h>

void
vci_html_markup(VciHtml *html, const char *markup)
{
	vci_text_put(&html->text, markup);
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
		vci_text_append(&html->text, text + start, i - start);
		vci_html_markup(html, instead);
		start = i + 1;
	}
	vci_text_append(&html->text, text + start, len - start);
}

void
vci_html_text(VciHtml *html, const char *text)
{
	vci_html_text_len(html, text, strlen(text));
}

VciStatus
vci_html_take(VciHtml *html, char **text, VciError *error)
{
	vci_text_put(&html->text, ""); /* never NULL, not even when empty */
	*text = NULL;
	if (html->text.out_of_memory)
		vci_text_free(&html->text);
	else
		*text = html->text.data;
	memset(html, 0, sizeof(*html));
	return *text == NULL ? vci_error(error, VCI_ERR_MEMORY, "out of memory") : VCI_OK;
}
