#include "landing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_SIZE 32

char *
vci_landing_link(const VciIssuer *issuer, const char *ticket)
{
	const char *url = issuer->endpoints[VCI_ENDPOINT_LANDING].url;
	size_t size = strlen(url) + strlen(ticket) + 2;
	char *link = malloc(size);

	if (link != NULL)
		snprintf(link, size, "%s/%s", url, ticket);
	return link;
}

VciLandingState
vci_landing_state(const VciSituation *situation)
{
	static const struct
	{
		const char *name;
		VciLandingState state;
	} states[] = {
		{"pending", VCI_LANDING_OPEN},
		{"delayed", VCI_LANDING_OPEN}, /* the wallet tells when the next code is taken */
		{"locked", VCI_LANDING_LOCKED},
		{"expired", VCI_LANDING_EXPIRED},
		{"lapsed", VCI_LANDING_EXPIRED},
		{"deferred", VCI_LANDING_WAITING},
		{"ready", VCI_LANDING_WAITING},
		{"redeemed", VCI_LANDING_USED},
		{"issued", VCI_LANDING_USED},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].name, situation->name) == 0)
			return states[i].state;
	return VCI_LANDING_UNAVAILABLE;
}

/* A sentence of ours with the issuer's name, or a time, where it has its brace. */
static void
write_sentence(VciHtml *html, const char *sentence, const VciPageLanguage *language,
			   const VciIssuer *issuer, const char *time)
{
	const char *brace;

	while ((brace = strchr(sentence, '{')) != NULL)
	{
		vci_html_text_len(html, sentence, (size_t) (brace - sentence));
		if (strncmp(brace, "{issuer}", 8) == 0)
			vci_page_element(html, "bdi", vci_page_issuer_name(issuer, language), language);
		else
			vci_page_text(html, "<bdi dir=\"ltr\">", time, "</bdi>");
		sentence = brace + strcspn(brace, "}") + 1;
	}
	vci_html_text(html, sentence);
}

static void
write_paragraph(VciHtml *html, const char *sentence, const VciLandingPage *page)
{
	vci_html_markup(html, "<p>");
	write_sentence(html, sentence, page->language, page->issuer, NULL);
	vci_html_markup(html, "</p>\n");
}

/* The same for everybody, whatever their clock shows: pages without scripts know no zone. */
static void
write_until(VciHtml *html, const VciLandingPage *page, const VciLandingWords *words)
{
	char text[TIME_SIZE] = "";
	time_t until = (time_t) page->until;
	struct tm parts;

	if (gmtime_r(&until, &parts) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts) == 0)
		return;
	vci_html_markup(html, "<p class=\"quiet\">");
	write_sentence(html, words->until, page->language, page->issuer, text);
	vci_html_text(html, " ");
	vci_html_text(html, words->caution);
	vci_html_markup(html, "</p>\n");
}

/* A logo that is in the display data itself: the page fetches nothing from anywhere. */
static void
write_logo(VciHtml *html, const VciJson *display, const VciPageLanguage *language)
{
	const VciJson *logo = vci_json_get(vci_locale_display(display, language->range), "logo");
	const char *uri = vci_json_get_string(logo, "uri");
	const char *alt_text = vci_json_get_string(logo, "alt_text");

	if (uri == NULL || strncmp(uri, "data:image/", 11) != 0)
		return;
	vci_html_markup(html, "<img class=\"logo\"");
	vci_page_attribute(html, "src", uri);
	vci_page_attribute(html, "alt", alt_text == NULL ? "" : alt_text);
	vci_html_markup(html, ">\n");
}

static void
write_credential(VciHtml *html, const VciConfiguration *configuration,
				 const VciPageLanguage *language)
{
	const VciJson *entry = vci_locale_display(configuration->display, language->range);
	const char *description = vci_json_get_string(entry, "description");

	vci_html_markup(html, "<div class=\"credential\">\n");
	write_logo(html, configuration->display, language);
	vci_html_markup(html, "<h3>");
	vci_page_element(html, "bdi",
					 vci_page_display_name(configuration->display, language, configuration->id),
					 language);
	vci_html_markup(html, "</h3>\n");
	if (description != NULL)
	{
		vci_html_markup(html, "<p>");
		vci_page_element(html, "bdi",
						 (VciPageName){description, vci_json_get_string(entry, "locale")},
						 language);
		vci_html_markup(html, "</p>\n");
	}
	vci_html_markup(html, "</div>\n");
}

static void
write_code(VciHtml *html, const VciLandingPage *page, const VciLandingWords *words)
{
	if (page->needs_login)
		write_paragraph(html, words->login, page);
	if (!page->has_tx_code)
		return;
	write_paragraph(html, words->tx_code, page);
	if (page->tx_code_description != NULL)
		vci_page_text(html, "<p class=\"quiet\"><bdi>", page->tx_code_description, "</bdi></p>\n");
}

/*
 * The button is a form's, so that only a person's press counts, and no preview of the link. It
 * has no action: it goes to the page's own address, whatever name the server has for it.
 */
static void
write_ways(VciHtml *html, const VciLandingPage *page, const VciLandingWords *words)
{
	vci_page_text(html, "<div class=\"ways\">\n<section>\n<h2>", words->this_device, "</h2>\n");
	vci_page_text(html, "<form method=\"post\">\n<div class=\"buttons\"><button class=\"primary\">",
				  words->open, "</button></div>\n</form>\n");
	vci_page_text(html, "<p class=\"quiet\">", words->nothing_happens, " <a");
	vci_page_attribute(html, "href", page->link);
	vci_page_text(html, ">", words->plain_link, "</a>.</p>\n</section>\n");
	if (page->qr == NULL)
	{
		vci_html_markup(html, "</div>\n");
		return;
	}
	vci_page_text(html, "<section class=\"other\">\n<h2>", words->other_device, "</h2>\n");
	vci_page_text(html, "<p>", words->scan, "</p>\n<div class=\"qr\">");
	vci_html_markup(html, page->qr);
	vci_html_markup(html, "</div>\n</section>\n</div>\n");
}

static void
write_no_wallet(VciHtml *html, const VciLandingPage *page, const VciLandingWords *words)
{
	vci_page_text(html, "<h2>", words->no_wallet, "</h2>\n");
	if (page->wallet_url == NULL)
	{
		write_paragraph(html, words->ask_wallet, page);
		return;
	}
	write_paragraph(html, words->get_wallet, page);
	vci_html_markup(html, "<p><a");
	vci_page_attribute(html, "href", page->wallet_url);
	vci_page_text(html, " rel=\"noreferrer\">", words->get_wallet_link, "</a></p>\n");
}

VciStatus
vci_landing_page(const VciLandingPage *page, char **text, VciError *error)
{
	const VciLandingWords *words = vci_landing_words(page->language->words->language);
	VciHtml html = {0};

	vci_page_head(&html, page->language, page->issuer, page->language->words->title, false);
	write_logo(&html, page->issuer->display, page->language);
	write_paragraph(&html, words->offers, page);
	for (size_t i = 0; i < page->configuration_count; i++)
		write_credential(&html, page->configurations[i], page->language);
	write_code(&html, page, words);
	write_ways(&html, page, words);
	write_no_wallet(&html, page, words);
	write_until(&html, page, words);
	vci_page_foot(&html);
	return vci_html_take(&html, text, error);
}

VciStatus
vci_landing_notice(const VciPageLanguage *language, const VciIssuer *issuer, VciLandingState state,
				   char **text, VciError *error)
{
	const VciLandingWords *words = vci_landing_words(language->words->language);
	VciHtml html = {0};

	vci_page_head(&html, language, issuer, words->notices[state].title, false);
	write_logo(&html, issuer->display, language);
	vci_html_markup(&html, "<p>");
	write_sentence(&html, words->notices[state].text, language, issuer, NULL);
	vci_html_markup(&html, "</p>\n");
	vci_page_foot(&html);
	return vci_html_take(&html, text, error);
}
