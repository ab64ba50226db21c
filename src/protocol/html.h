/*
 * HTML text that grows piece by piece. A failed allocation is remembered, so that pieces
 * can be added without looking at each; whoever takes the text learns of it.
 */
#ifndef VCI_HTML_H
#define VCI_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "../jose/status.h"
#include "../jose/text.h"

typedef struct VciHtml
{
	VciText text;
} VciHtml;

/* Markup of our own, as it stands. */
extern void vci_html_markup(VciHtml *html, const char *markup);

/*
 * Text from anywhere, for element content and quoted attribute values: markup characters
 * become character references, and what no HTML document may hold becomes U+FFFD.
 */
extern void vci_html_text(VciHtml *html, const char *text);
extern void vci_html_text_len(VciHtml *html, const char *text, size_t len);

/* Hands over the text, malloc'd, and empties html. VCI_ERR_MEMORY. */
extern VciStatus vci_html_take(VciHtml *html, char **text, VciError *error);

#endif
