/*
 * What every page that people see shares: its language, its style, its frame, and how names
 * from outside stand in it.
 */
#ifndef VCI_PAGE_H
#define VCI_PAGE_H

#include "consent_words.h"
#include "html.h"
#include "issuer.h"
#include "locale.h"

/* A page in one language: its words, and the range that the visitor asked for. */
typedef struct VciPageLanguage
{
	const VciConsentWords *words;
	char range[VCI_LOCALE_SIZE]; /* chooses among display objects */
} VciPageLanguage;

/* accept_language: of the header, or NULL. */
extern VciPageLanguage vci_page_language(const char *accept_language);

/* The one style of every page, as it stands between <style> and </style>. */
extern const char *vci_page_style(void);

/* A name from outside: kept apart from the text's direction, and in its own language. */
typedef struct VciPageName
{
	const char *text;
	const char *locale; /* NULL: unknown */
} VciPageName;

/* The name of a display array for this language; without any, otherwise. Lent. */
extern VciPageName vci_page_display_name(const VciJson *display, const VciPageLanguage *language,
										 const char *otherwise);

/* The same of an issuer, or else its host. */
extern VciPageName vci_page_issuer_name(const VciIssuer *issuer, const VciPageLanguage *language);

/* Title and heading, behind the issuer's name unless it is NULL; problem: marked as such. */
extern void vci_page_head(VciHtml *html, const VciPageLanguage *language, const VciIssuer *issuer,
						  const char *title, bool problem);
extern void vci_page_foot(VciHtml *html);

/* An element of text, with a lang attribute when the text is not in the page's language. */
extern void vci_page_element(VciHtml *html, const char *tag, VciPageName name,
							 const VciPageLanguage *language);

/* Markup, text from anywhere, markup. */
extern void vci_page_text(VciHtml *html, const char *before, const char *text, const char *after);

/* ' name="value"', value from anywhere */
extern void vci_page_attribute(VciHtml *html, const char *name, const char *value);

#endif
