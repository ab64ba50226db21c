#include "consent.h"

#include <string.h>

#include "claims_path.h"

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
	"li bdi{font-weight:400}"
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
	"button[value=approve]{background:var(--accent);color:var(--on-accent)}"
	":focus-visible{outline:3px solid var(--accent);outline-offset:3px}";

const char *
vci_consent_style(void)
{
	return style;
}

VciConsentLanguage
vci_consent_language(const char *accept_language)
{
	const char *tags[16];
	size_t count = vci_consent_language_count();
	VciConsentLanguage language;
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

/* A name from outside: kept apart from the text's direction, and in its own language. */
typedef struct Name
{
	const char *text;
	const char *locale; /* NULL: unknown */
} Name;

static Name
display_name(const VciJson *display, const VciConsentLanguage *language, const char *otherwise)
{
	const VciJson *entry = vci_locale_display(display, language->range);
	const char *name = vci_json_get_string(entry, "name");

	if (name == NULL)
		return (Name){otherwise, NULL};
	return (Name){name, vci_json_get_string(entry, "locale")};
}

static void
write_attribute(VciHtml *html, const char *name, const char *value)
{
	vci_html_markup(html, " ");
	vci_html_markup(html, name);
	vci_html_markup(html, "=\"");
	vci_html_text(html, value);
	vci_html_markup(html, "\"");
}

/* An element of text, with a lang attribute when the text is not in the page's language. */
static void
write_element(VciHtml *html, const char *tag, Name name, const VciConsentLanguage *language)
{
	vci_html_markup(html, "<");
	vci_html_markup(html, tag);
	if (name.locale != NULL && !vci_locale_same_language(name.locale, language->words->language))
		write_attribute(html, "lang", name.locale);
	vci_html_markup(html, ">");
	vci_html_text(html, name.text);
	vci_html_markup(html, "</");
	vci_html_markup(html, tag);
	vci_html_markup(html, ">");
}

static Name
issuer_name(const VciIssuer *issuer, const VciConsentLanguage *language)
{
	const char *host = strstr(issuer->url, "://");

	return display_name(issuer->display, language, host == NULL ? issuer->url : host + 3);
}

static Name
wallet_name(const VciConsentPage *page)
{
	return (Name){page->client_name != NULL ? page->client_name : page->client_id, NULL};
}

/* A sentence of ours with names for {wallet} and {issuer}. */
static void
write_sentence(VciHtml *html, const char *sentence, const VciConsentPage *page)
{
	const char *brace;

	while ((brace = strchr(sentence, '{')) != NULL)
	{
		bool wallet = strncmp(brace, "{wallet}", 8) == 0;

		vci_html_text_len(html, sentence, (size_t) (brace - sentence));
		write_element(html, "bdi",
					  wallet ? wallet_name(page) : issuer_name(page->issuer, page->language),
					  page->language);
		sentence = brace + strcspn(brace, "}") + 1;
	}
	vci_html_text(html, sentence);
}

static void
write_own(VciHtml *html, const char *before, const char *text, const char *after)
{
	vci_html_markup(html, before);
	vci_html_text(html, text);
	vci_html_markup(html, after);
}

static void
write_head(VciHtml *html, const VciConsentLanguage *language, const VciIssuer *issuer,
		   const char *title, bool problem)
{
	vci_html_markup(html, "<!DOCTYPE html>\n<html");
	write_attribute(html, "lang", language->words->language);
	write_attribute(html, "dir", language->words->right_to_left ? "rtl" : "ltr");
	vci_html_markup(html, ">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
						  "content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
						  "href=\"data:,\">\n<title>");
	if (problem)
		write_own(html, "", language->words->problem, ": ");
	vci_html_text(html, title);
	if (issuer != NULL)
		write_own(html, " – ", issuer_name(issuer, language).text, "");
	vci_html_markup(html, "</title>\n<style>");
	vci_html_markup(html, style);
	vci_html_markup(html, "</style>\n</head>\n<body>\n<main>\n");
	write_own(html, "<h1>", title, "</h1>\n");
}

static void
write_foot(VciHtml *html)
{
	vci_html_markup(html, "</main>\n</body>\n</html>\n");
}

/* Is inner the path of something within what outer leads to? */
static bool
lies_within(const VciJson *inner, const VciJson *outer)
{
	size_t length = vci_json_array_length(outer);

	if (length >= vci_json_array_length(inner))
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (!vci_json_equal(vci_json_array_at(inner, i), vci_json_array_at(outer, i)))
			return false;
	}
	return true;
}

/* "Amount: " before the currency within it, for each claim around path that is described. */
static void
write_claims_around(VciHtml *html, const VciJson *path, const VciConfiguration *configuration,
					const VciConsentLanguage *language)
{
	for (size_t i = 0; i < vci_json_array_length(configuration->claims); i++)
	{
		const VciJson *claim = vci_json_array_at(configuration->claims, i);
		Name name = display_name(vci_json_get(claim, "display"), language, NULL);

		if (name.text == NULL || !lies_within(path, vci_json_get(claim, "path")))
			continue;
		write_element(html, "bdi", name, language);
		vci_html_markup(html, ": ");
	}
}

static void
write_claim(VciHtml *html, const VciJson *path, const VciJson *display, bool mandatory,
			const VciConfiguration *configuration, const VciConsentLanguage *language)
{
	char text[VCI_CLAIMS_PATH_TEXT_SIZE];
	Name name = display_name(display, language, NULL);

	vci_html_markup(html, "<li>");
	if (name.text != NULL)
		write_claims_around(html, path, configuration, language);
	else
	{
		vci_claims_path_text(path, text);
		name.text = text;
	}
	write_element(html, "bdi", name, language);
	if (mandatory)
		write_own(html, " <span class=\"quiet\">(", language->words->always_included, ")</span>");
	vci_html_markup(html, "</li>\n");
}

/* The claims that the configuration describes, or else those that it lists. */
static void
write_claims(VciHtml *html, const VciConfiguration *configuration,
			 const VciConsentLanguage *language)
{
	const VciJson *lists[] = {configuration->always_disclosed,
							  configuration->selectively_disclosable};

	for (size_t i = 0; i < vci_json_array_length(configuration->claims); i++)
	{
		const VciJson *claim = vci_json_array_at(configuration->claims, i);
		bool mandatory = false;

		(void) vci_json_get_boolean(claim, "mandatory", &mandatory);
		write_claim(html, vci_json_get(claim, "path"), vci_json_get(claim, "display"), mandatory,
					configuration, language);
	}
	if (vci_json_array_length(configuration->claims) > 0)
		return;
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < vci_json_array_length(lists[list]); i++)
			write_claim(html, vci_json_array_at(lists[list], i), NULL, false, configuration,
						language);
}

static bool
names_claims(const VciConfiguration *configuration)
{
	return vci_json_array_length(configuration->claims) > 0 ||
		   vci_json_array_length(configuration->always_disclosed) > 0 ||
		   vci_json_array_length(configuration->selectively_disclosable) > 0;
}

static void
write_credential(VciHtml *html, const VciConfiguration *configuration,
				 const VciConsentLanguage *language)
{
	vci_html_markup(html, "<div class=\"credential\">\n<h3>");
	write_element(html, "bdi", display_name(configuration->display, language, configuration->id),
				  language);
	vci_html_markup(html, "</h3>\n");
	if (names_claims(configuration))
	{
		vci_html_markup(html, "<ul>\n");
		write_claims(html, configuration, language);
		vci_html_markup(html, "</ul>\n");
	}
	vci_html_markup(html, "</div>\n");
}

static void
write_hidden(VciHtml *html, const char *name, const char *value)
{
	vci_html_markup(html, "<input type=\"hidden\"");
	write_attribute(html, "name", name);
	write_attribute(html, "value", value);
	vci_html_markup(html, ">\n");
}

static void
write_field(VciHtml *html, const VciLoginField *field, size_t number, const VciConsentPage *page)
{
	const char *value = page->entered == NULL || strcmp(field->type, "password") == 0
							? NULL
							: vci_form_get(page->entered, field->name);
	char id[] = {'f', 'i', 'e', 'l', 'd', '-', (char) ('1' + number), '\0'};

	vci_html_markup(html, "<label");
	write_attribute(html, "for", id);
	vci_html_markup(html, ">");
	write_element(html, "span", (Name){field->label, field->label_language}, page->language);
	if (!field->required)
		write_own(html, " <span class=\"quiet\">(", page->language->words->optional, ")</span>");
	vci_html_markup(html, "</label>\n<input");
	write_attribute(html, "id", id);
	write_attribute(html, "type", field->type);
	write_attribute(html, "name", field->name);
	write_attribute(html, "maxlength", "1000");
	if (field->autocomplete != NULL)
		write_attribute(html, "autocomplete", field->autocomplete);
	if (strcmp(field->type, "text") == 0)
	{
		write_attribute(html, "autocapitalize", "none");
		write_attribute(html, "spellcheck", "false");
		write_attribute(html, "dir", "auto");
	}
	if (value != NULL && strlen(value) <= VCI_LOGIN_VALUE_MAX)
		write_attribute(html, "value", value);
	if (page->problem != VCI_CONSENT_FIRST_TIME)
	{
		write_attribute(html, "aria-invalid", "true");
		write_attribute(html, "aria-describedby", "problem");
	}
	vci_html_markup(html, field->required ? " required>\n" : ">\n");
}

static void
write_form(VciHtml *html, const VciConsentPage *page)
{
	const VciConsentWords *words = page->language->words;
	VciLoginField fields[VCI_LOGIN_FIELDS_MAX];
	size_t count = vci_consent_login_fields(page->login_fields, page->language, fields);

	vci_html_markup(html, "<form method=\"post\"");
	write_attribute(html, "action", page->action);
	vci_html_markup(html, ">\n");
	write_hidden(html, VCI_CONSENT_FIELD_REQUEST, page->request);
	write_hidden(html, VCI_CONSENT_FIELD_CSRF, page->csrf);
	write_own(html, "<h2>", words->identify, "</h2>\n");
	for (size_t i = 0; i < count; i++)
		write_field(html, &fields[i], i, page);
	vci_html_markup(html, "<p class=\"quiet\">");
	write_sentence(html, words->caution, page);
	vci_html_markup(html, "</p>\n<div class=\"buttons\">\n<button");
	write_attribute(html, "name", VCI_CONSENT_FIELD_DECISION);
	write_own(html, " value=\"approve\">", words->approve, "</button>\n<button");
	write_attribute(html, "name", VCI_CONSENT_FIELD_DECISION);
	write_own(html, " value=\"deny\" formnovalidate>", words->deny, "</button>\n</div>\n</form>\n");
}

static void
write_problem(VciHtml *html, const VciConsentPage *page)
{
	const VciConsentWords *words = page->language->words;

	if (page->problem == VCI_CONSENT_FIRST_TIME)
		return;
	write_own(html, "<p id=\"problem\" class=\"alert\" role=\"alert\">",
			  page->problem == VCI_CONSENT_INCOMPLETE ? words->incomplete : words->not_recognised,
			  "</p>\n");
}

VciStatus
vci_consent_page(const VciConsentPage *page, char **text, VciError *error)
{
	const VciConsentWords *words = page->language->words;
	VciHtml html = {0};

	write_head(&html, page->language, page->issuer, words->title,
			   page->problem != VCI_CONSENT_FIRST_TIME);
	write_problem(&html, page);
	vci_html_markup(&html, "<p>");
	write_sentence(&html, words->request, page);
	vci_html_markup(&html, "</p>\n");
	write_own(&html, "<h2>", words->contents, "</h2>\n");
	for (size_t i = 0; i < page->configuration_count; i++)
		write_credential(&html, page->configurations[i], page->language);
	write_own(&html, "<p class=\"quiet\">", words->returns_to, " <bdi dir=\"ltr\">");
	write_own(&html, "", page->returns_to, "</bdi></p>\n");
	write_form(&html, page);
	write_foot(&html);
	return vci_html_take(&html, text, error);
}

VciStatus
vci_consent_notice_page(const VciConsentLanguage *language, const VciIssuer *issuer,
						VciConsentNotice notice, const char *text, char **html, VciError *error)
{
	const VciConsentWords *words = language->words;
	bool later = notice == VCI_CONSENT_LATER;
	VciHtml page = {0};

	write_head(&page, language, issuer, later ? words->later_title : words->unusable_title, false);
	write_own(&page, "<p>", later ? words->later : words->unusable, "</p>\n");
	write_own(&page, "<p class=\"quiet\" lang=\"en\" dir=\"ltr\">Details: ", text, "</p>\n");
	write_foot(&page);
	return vci_html_take(&page, html, error);
}
