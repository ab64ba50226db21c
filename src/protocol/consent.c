#include "consent.h"

#include <string.h>

#include "claims_path.h"

static VciPageName
wallet_name(const VciConsentPage *page)
{
	return (VciPageName){page->client_name != NULL ? page->client_name : page->client_id, NULL};
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
		vci_page_element(html, "bdi",
						 wallet ? wallet_name(page)
								: vci_page_issuer_name(page->issuer, page->language),
						 page->language);
		sentence = brace + strcspn(brace, "}") + 1;
	}
	vci_html_text(html, sentence);
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
					const VciPageLanguage *language)
{
	for (size_t i = 0; i < vci_json_array_length(configuration->claims); i++)
	{
		const VciJson *claim = vci_json_array_at(configuration->claims, i);
		VciPageName name = vci_page_display_name(vci_json_get(claim, "display"), language, NULL);

		if (name.text == NULL || !lies_within(path, vci_json_get(claim, "path")))
			continue;
		vci_page_element(html, "bdi", name, language);
		vci_html_markup(html, ": ");
	}
}

static void
write_claim(VciHtml *html, const VciJson *path, const VciJson *display, bool mandatory,
			const VciConfiguration *configuration, const VciPageLanguage *language)
{
	char text[VCI_CLAIMS_PATH_TEXT_SIZE];
	VciPageName name = vci_page_display_name(display, language, NULL);

	vci_html_markup(html, "<li>");
	if (name.text != NULL)
		write_claims_around(html, path, configuration, language);
	else
	{
		vci_claims_path_text(path, text);
		name.text = text;
	}
	vci_page_element(html, "bdi", name, language);
	if (mandatory)
		vci_page_text(html, " <span class=\"quiet\">(", language->words->always_included,
					  ")</span>");
	vci_html_markup(html, "</li>\n");
}

/* The claims that the configuration describes, or else those that it lists. */
static void
write_claims(VciHtml *html, const VciConfiguration *configuration, const VciPageLanguage *language)
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
				 const VciPageLanguage *language)
{
	vci_html_markup(html, "<div class=\"credential\">\n<h3>");
	vci_page_element(html, "bdi",
					 vci_page_display_name(configuration->display, language, configuration->id),
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
	vci_page_attribute(html, "name", name);
	vci_page_attribute(html, "value", value);
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
	vci_page_attribute(html, "for", id);
	vci_html_markup(html, ">");
	vci_page_element(html, "span", (VciPageName){field->label, field->label_language},
					 page->language);
	if (!field->required)
		vci_page_text(html, " <span class=\"quiet\">(", page->language->words->optional,
					  ")</span>");
	vci_html_markup(html, "</label>\n<input");
	vci_page_attribute(html, "id", id);
	vci_page_attribute(html, "type", field->type);
	vci_page_attribute(html, "name", field->name);
	vci_page_attribute(html, "maxlength", "1000");
	if (field->autocomplete != NULL)
		vci_page_attribute(html, "autocomplete", field->autocomplete);
	if (strcmp(field->type, "text") == 0)
	{
		vci_page_attribute(html, "autocapitalize", "none");
		vci_page_attribute(html, "spellcheck", "false");
		vci_page_attribute(html, "dir", "auto");
	}
	if (value != NULL && strlen(value) <= VCI_LOGIN_VALUE_MAX)
		vci_page_attribute(html, "value", value);
	if (page->problem != VCI_CONSENT_FIRST_TIME)
	{
		vci_page_attribute(html, "aria-invalid", "true");
		vci_page_attribute(html, "aria-describedby", "problem");
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
	vci_page_attribute(html, "action", page->action);
	vci_html_markup(html, ">\n");
	write_hidden(html, VCI_CONSENT_FIELD_REQUEST, page->request);
	write_hidden(html, VCI_CONSENT_FIELD_CSRF, page->csrf);
	vci_page_text(html, "<h2>", words->identify, "</h2>\n");
	for (size_t i = 0; i < count; i++)
		write_field(html, &fields[i], i, page);
	vci_html_markup(html, "<p class=\"quiet\">");
	write_sentence(html, words->caution, page);
	vci_html_markup(html, "</p>\n<div class=\"buttons\">\n<button");
	vci_page_attribute(html, "name", VCI_CONSENT_FIELD_DECISION);
	vci_page_text(html, " value=\"approve\">", words->approve, "</button>\n<button");
	vci_page_attribute(html, "name", VCI_CONSENT_FIELD_DECISION);
	vci_page_text(html, " value=\"deny\" formnovalidate>", words->deny,
				  "</button>\n</div>\n</form>\n");
}

static void
write_problem(VciHtml *html, const VciConsentPage *page)
{
	const VciConsentWords *words = page->language->words;

	if (page->problem == VCI_CONSENT_FIRST_TIME)
		return;
	vci_page_text(html, "<p id=\"problem\" class=\"alert\" role=\"alert\">",
				  page->problem == VCI_CONSENT_INCOMPLETE ? words->incomplete
														  : words->not_recognised,
				  "</p>\n");
}

VciStatus
vci_consent_page(const VciConsentPage *page, char **text, VciError *error)
{
	const VciConsentWords *words = page->language->words;
	VciHtml html = {0};

	vci_page_head(&html, page->language, page->issuer, words->title,
				  page->problem != VCI_CONSENT_FIRST_TIME);
	write_problem(&html, page);
	vci_html_markup(&html, "<p>");
	write_sentence(&html, words->request, page);
	vci_html_markup(&html, "</p>\n");
	vci_page_text(&html, "<h2>", words->contents, "</h2>\n");
	for (size_t i = 0; i < page->configuration_count; i++)
		write_credential(&html, page->configurations[i], page->language);
	vci_page_text(&html, "<p class=\"quiet\">", words->returns_to, " <bdi dir=\"ltr\">");
	vci_page_text(&html, "", page->returns_to, "</bdi></p>\n");
	write_form(&html, page);
	vci_page_foot(&html);
	return vci_html_take(&html, text, error);
}

VciStatus
vci_consent_notice_page(const VciPageLanguage *language, const VciIssuer *issuer,
						VciConsentNotice notice, const char *text, char **html, VciError *error)
{
	const VciConsentWords *words = language->words;
	bool later = notice == VCI_CONSENT_LATER;
	VciHtml page = {0};

	vci_page_head(&page, language, issuer, later ? words->later_title : words->unusable_title,
				  false);
	vci_page_text(&page, "<p>", later ? words->later : words->unusable, "</p>\n");
	vci_page_text(&page, "<p class=\"quiet\" lang=\"en\" dir=\"ltr\">Details: ", text, "</p>\n");
	vci_page_foot(&page);
	return vci_html_take(&page, html, error);
}
