#include "page.h"

#include <string.h>

/*
 * Colours keep a contrast of 4.5 to 1 and borders one of 3 to 1 in both schemes; sizes are
 * relative, so that the page survives 320 pixels and text at twice its size.
 */
static const char style[] =
	":root{color-scheme:light dark;--page:#f3f4f6;--card:#fff;--text:#1b1f24;--quiet:#4b535c;"
	"--line:#c9ced4;--field:#6b737c;--accent:#0b5394;--on-accent:#fff;--alert:#8c1d18;"
	"--alert-card:#fdeceb}"
	"@media(prefers-color-scheme:dark){:root{--page:#121518;--card:#1d2126;--text:#eceff2;"
	"--quiet:#b4bcc5;--line:#3c434b;--field:#929ba5;--accent:#8fc6ff;--on-accent:#0a1b2b;"
	"--alert:#ffb4ab;--alert-card:#3a1614}}"
	"*{box-sizing:border-box}"
	"body{margin:0;padding:min(1rem,3vw);background:var(--page);color:var(--text);"
	"font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
	"main{max-width:34rem;margin:0 auto;padding:min(1.25rem,4vw);background:var(--card);"
	"border:1px solid var(--line);border-radius:.75rem}"
	"h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}"
	"h2{margin:1.5rem 0 .5rem;font-size:1.125rem;line-height:1.3}"
	"h3{margin:0 0 .25rem;font-size:1rem}"
	"p{margin:.5rem 0}"
	"bdi{font-weight:600}"
	".credential{margin:.5rem 0;padding:min(.75rem,3vw);border:1px solid "
	"var(--line);border-radius:.5rem}"
	"ul{margin:0;padding:0;padding-inline-start:1.25rem}"
	"li bdi,.credential p bdi{font-weight:400}"
	".quiet{color:var(--quiet);font-size:.875rem}"
	".alert{padding:.75rem;border:2px solid var(--alert);border-radius:.5rem;"
	"background:var(--alert-card);color:var(--alert);font-weight:600}"
	"label{display:block;margin:.75rem 0 .25rem;font-weight:600}"
	"input{width:100%;min-height:2.75rem;padding:.5rem .75rem;border:1px solid var(--field);"
	"border-radius:.375rem;background:var(--card);color:var(--text);font:inherit}"
	"input[aria-invalid]{border:2px solid var(--alert)}"
	".buttons{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1rem}"
	"button{flex:1 1 8rem;min-height:2.75rem;padding:.5rem 1rem;border:2px solid var(--accent);"
	"border-radius:.375rem;background:var(--card);color:var(--accent);font:inherit;"
	"font-weight:600;cursor:pointer}"
	"button[value=approve],.primary{background:var(--accent);color:var(--on-accent)}"
	"a{color:var(--accent);font-weight:600}"
	".logo{display:block;max-width:60%;max-height:4rem;margin:0 0 .75rem}"
	".ways{display:flex;flex-direction:column}"
	".qr svg{display:block;width:100%;max-width:15rem;height:auto;margin:.75rem auto;"
	"border-radius:.375rem}"
	/* who sits at a desk has the wallet elsewhere */
	"@media(min-width:48rem){.other{order:-1}}"
	":focus-visible{outline:3px solid var(--accent);outline-offset:3px}";

const char *
vci_page_style(void)
{
	return style;
}

VciPageLanguage
vci_page_language(const char *accept_language)
{
	const char *tags[16];
	size_t count = vci_consent_language_count();
	VciPageLanguage language;
	int found;

	if (count > sizeof(tags) / sizeof(tags[0]))
		count = sizeof(tags) / sizeof(tags[0]);
	for (size_t i = 0; i < count; i++)
		tags[i] = vci_consent_words(i)->language;
	found = vci_locale_lookup(accept_language, tags, count, language.range);
	language.words = vci_consent_words(found < 0 ? 0 : (size_t) found);
	if (found < 0)
		strcpy(language.range, language.words->language);
	return language;
}

VciPageName
vci_page_display_name(const VciJson *display, const VciPageLanguage *language,
					  const char *otherwise)
{
	const VciJson *entry = vci_locale_display(display, language->range);
	const char *name = vci_json_get_string(entry, "name");

	if (name == NULL)
		return (VciPageName){otherwise, NULL};
	return (VciPageName){name, vci_json_get_string(entry, "locale")};
}

void
vci_page_attribute(VciHtml *html, const char *name, const char *value)
{
	vci_html_markup(html, " ");
	vci_html_markup(html, name);
	vci_html_markup(html, "=\"");
	vci_html_text(html, value);
	vci_html_markup(html, "\"");
}

void
vci_page_element(VciHtml *html, const char *tag, VciPageName name, const VciPageLanguage *language)
{
	vci_html_markup(html, "<");
	vci_html_markup(html, tag);
	if (name.locale != NULL && !vci_locale_same_language(name.locale, language->words->language))
		vci_page_attribute(html, "lang", name.locale);
	vci_html_markup(html, ">");
	vci_html_text(html, name.text);
	vci_html_markup(html, "</");
	vci_html_markup(html, tag);
	vci_html_markup(html, ">");
}

VciPageName
vci_page_issuer_name(const VciIssuer *issuer, const VciPageLanguage *language)
{
	const char *host = strstr(issuer->url, "://");

	return vci_page_display_name(issuer->display, language, host == NULL ? issuer->url : host + 3);
}

void
vci_page_text(VciHtml *html, const char *before, const char *text, const char *after)
{
	vci_html_markup(html, before);
	vci_html_text(html, text);
	vci_html_markup(html, after);
}

void
vci_page_head(VciHtml *html, const VciPageLanguage *language, const VciIssuer *issuer,
			  const char *title, bool problem)
{
	vci_html_markup(html, "<!DOCTYPE html>\n<html");
	vci_page_attribute(html, "lang", language->words->language);
	vci_page_attribute(html, "dir", language->words->right_to_left ? "rtl" : "ltr");
	vci_html_markup(html, ">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
						  "content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
						  "href=\"data:,\">\n<title>");
	if (problem)
		vci_page_text(html, "", language->words->problem, ": ");
	vci_html_text(html, title);
	if (issuer != NULL)
		vci_page_text(html, " – ", vci_page_issuer_name(issuer, language).text, "");
	vci_html_markup(html, "</title>\n<style>");
	vci_html_markup(html, style);
	vci_html_markup(html, "</style>\n</head>\n<body>\n<main>\n");
	vci_page_text(html, "<h1>", title, "</h1>\n");
}

void
vci_page_foot(VciHtml *html)
{
	vci_html_markup(html, "</main>\n</body>\n</html>\n");
}
