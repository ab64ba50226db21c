/*
 * The landing page: an Accept-Language header in the first line, display data of the issuer and of
 * a configuration in the next two, and a text in the fourth that stands for the offer's link, the
 * description of its code and the wallet's URL. No text that is shown can become markup.
 */
#include "fuzz.h"
#include "protocol/landing.h"

static size_t
count_of(const char *text, char c)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == c;
	return count;
}

static char *
page_of(const VciPageLanguage *language, const VciIssuer *issuer,
		const VciConfiguration *configuration, const char *text)
{
	const VciConfiguration *configurations[] = {configuration};
	VciLandingPage page = {.language = language,
						   .issuer = issuer,
						   .configurations = configurations,
						   .configuration_count = 1,
						   .link = text,
						   .qr = "",
						   .has_tx_code = true,
						   .tx_code_description = text,
						   .wallet_url = text};
	char *html;

	must(vci_landing_page(&page, &html, NULL) == VCI_OK);
	return html;
}

static bool
is_display(const VciJson *display)
{
	VciError error = VCI_ERROR_INIT;

	return display == NULL || succeeded(vci_issuer_display_check(display, &error), &error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *input = text_of(data, size);
	char *rest = input;
	VciPageLanguage language = vci_page_language(next_line(&rest));
	VciIssuer issuer = {.url = "https://registry.example", .display = json_line(next_line(&rest))};
	VciConfiguration configuration = {.id = "A", .display = json_line(next_line(&rest))};
	const char *text = rest == NULL ? "" : rest;

	if (is_display(issuer.display) && is_display(configuration.display) &&
		vci_utf8_valid(text, strlen(text)))
	{
		char *html = page_of(&language, &issuer, &configuration, text);
		char *plain = page_of(&language, &issuer, &configuration, "x");

		for (const char *c = "<>\"'"; *c != '\0'; c++)
			must(count_of(html, *c) == count_of(plain, *c));
		must(vci_utf8_valid(html, strlen(html)) && strstr(html, "<script") == NULL);
		free(html);
		free(plain);
	}
	vci_json_free(issuer.display);
	vci_json_free(configuration.display);
	free(input);
	return 0;
}
