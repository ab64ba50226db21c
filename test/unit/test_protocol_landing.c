/* The landing page of an offer: what it says in each state and language, to people alone. */
#include "protocol/landing.h"

#include "protocol_fixture.h"

#define HOSTILE "</title></bdi><script>alert(1)</script>\"'&\x01"
#define HOSTILE_ESCAPED                                                                            \
	"&lt;/title&gt;&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\xef\xbf\xbd"
#define WALLET_LINK "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fregistry.example"

static VciError error = VCI_ERROR_INIT;

typedef struct Scene
{
	VciIssuer issuer;
	VciConfiguration configuration;
	const VciConfiguration *configurations[1];
	VciPageLanguage language;
	VciLandingPage page;
} Scene;

static void
set_scene(Scene *scene, const char *accept_language)
{
	memset(scene, 0, sizeof(*scene));
	scene->issuer = example_issuer();
	scene->issuer.display = json("[{\"name\":\"Social Registry\",\"locale\":\"en\"},"
								 "{\"name\":\"Registro Social\",\"locale\":\"es\"}]");
	scene->configuration = example_configuration();
	scene->configuration.display =
		json("[{\"name\":\"Food Aid\",\"locale\":\"en\",\"description\":\"For this year\"},"
			 "{\"name\":\"Ajuda Alimentar\",\"locale\":\"pt\"}]");
	scene->configurations[0] = &scene->configuration;
	scene->language = vci_page_language(accept_language);
	scene->page = (VciLandingPage){
		.language = &scene->language,
		.issuer = &scene->issuer,
		.configurations = scene->configurations,
		.configuration_count = 1,
		.link = WALLET_LINK,
		.qr = "<svg></svg>",
		.until = NOW,
	};
}

static void
clear_scene(Scene *scene)
{
	vci_json_free(scene->issuer.display);
	vci_json_free(scene->configuration.display);
}

static char *
end_scene(Scene *scene)
{
	char *html = NULL;

	is_status(vci_landing_page(&scene->page, &html, &error), VCI_OK, &error, "a page is made");
	clear_scene(scene);
	return html;
}

static bool
holds(const char *html, const char *part, const char *what)
{
	bool found = html != NULL && strstr(html, part) != NULL;

	if (!ok(found, "%s", what))
		printf("# not found: %s\n", part);
	return found;
}

static bool
lacks(const char *html, const char *part, const char *what)
{
	return ok(html != NULL && strstr(html, part) == NULL, "%s", what);
}

static void
test_open(void)
{
	Scene scene;
	char *html;

	set_scene(&scene, "en");
	html = end_scene(&scene);
	holds(html, "<html lang=\"en\" dir=\"ltr\">", "it says its language and direction");
	holds(html, "<title>Add to your wallet – Social Registry</title>", "and a title");
	holds(html, "<bdi>Social Registry</bdi> has this for you:", "who offers");
	holds(html, "<h3><bdi>Food Aid</bdi></h3>\n<p><bdi>For this year</bdi></p>",
		  "what, and its description");
	holds(html, "<form method=\"post\">\n<div class=\"buttons\"><button class=\"primary\">",
		  "a button that posts to the page's own address, whatever it is");
	holds(html, "<a href=\"" WALLET_LINK "\">this link</a>", "the link itself");
	holds(html, "<div class=\"qr\"><svg></svg></div>", "the QR code");
	holds(html, "Ask <bdi>Social Registry</bdi> which one to install", "who knows of wallets");
	holds(html, "before <bdi dir=\"ltr\">2026-01-01 00:00 UTC</bdi>.", "until when");
	lacks(html, "will ask", "no code and no login is spoken of where none is asked for");
	lacks(html, "<script", "no script");
	lacks(html, "http://", "nothing is fetched");
	lacks(html, "src=", "from anywhere");
	free(html);
}

static void
test_options(void)
{
	Scene scene;
	char *html;

	set_scene(&scene, "es-MX, en;q=0.5");
	scene.page.has_tx_code = true;
	scene.page.tx_code_description = "On the letter";
	scene.page.needs_login = true;
	scene.page.wallet_url = "https://wallets.example/?a=1&b=2";
	html = end_scene(&scene);
	holds(html, "<bdi>Registro Social</bdi> tiene esto para usted:", "in the visitor's language");
	holds(html,
		  "<h3><bdi lang=\"en\">Food Aid</bdi></h3>\n<p><bdi lang=\"en\">For this year</bdi></p>",
		  "names that are not in it say so");
	holds(html, "Su billetera le pedirá un código. <bdi>Registro Social</bdi> se lo da",
		  "that a code will be asked for, and where it comes from");
	holds(html, "<p class=\"quiet\"><bdi>On the letter</bdi></p>", "the issuer's own words of it");
	holds(html, "que inicie sesión en <bdi>Registro Social</bdi>", "that one must log in");
	holds(html, "<a href=\"https://wallets.example/?a=1&amp;b=2\" rel=\"noreferrer\">Obtener",
		  "where wallets are");
	free(html);
}

static void
test_logos(void)
{
	Scene scene;
	char *html;

	set_scene(&scene, "en");
	vci_json_free(scene.issuer.display);
	scene.issuer.display = json("[{\"name\":\"R\",\"logo\":{\"uri\":\"data:image/png;base64,AA==\","
								"\"alt_text\":\"A tree\"}}]");
	vci_json_free(scene.configuration.display);
	scene.configuration.display =
		json("[{\"name\":\"C\",\"logo\":{\"uri\":\"https://elsewhere.example/logo.png\"}}]");
	html = end_scene(&scene);
	holds(html, "<img class=\"logo\" src=\"data:image/png;base64,AA==\" alt=\"A tree\">",
		  "a logo in the display data is shown");
	lacks(html, "elsewhere.example", "one that would be fetched is not");
	free(html);
}

static void
test_hostile(void)
{
	Scene scene;
	char *html;

	set_scene(&scene, "en");
	vci_json_free(scene.issuer.display);
	scene.issuer.display = vci_json_new_array();
	vci_json_append(scene.issuer.display, vci_json_new_object());
	vci_json_set_string(vci_json_array_at(scene.issuer.display, 0), "name", HOSTILE);
	vci_json_free(scene.configuration.display);
	scene.configuration.display = vci_json_copy(scene.issuer.display);
	vci_json_set_string(vci_json_array_at(scene.configuration.display, 0), "description", HOSTILE);
	scene.page.link = HOSTILE;
	scene.page.has_tx_code = true;
	scene.page.tx_code_description = HOSTILE;
	scene.page.wallet_url = HOSTILE;
	html = end_scene(&scene);
	lacks(html, "<script", "no name breaks out");
	holds(html, "– " HOSTILE_ESCAPED "</title>", "the issuer in the title");
	holds(html, "<h3><bdi>" HOSTILE_ESCAPED "</bdi></h3>\n<p><bdi>" HOSTILE_ESCAPED "</bdi></p>",
		  "the credential and its description");
	holds(html, "<a href=\"" HOSTILE_ESCAPED "\">this link", "the link");
	holds(html, "<bdi>" HOSTILE_ESCAPED "</bdi></p>", "the description of the code");
	holds(html, "<a href=\"" HOSTILE_ESCAPED "\" rel", "the wallet's URL");
	free(html);
}

/* Every word in every language, with the names that it must speak of. */
static void
test_words(void)
{
	static const size_t sentences[] = {
		offsetof(VciLandingWords, offers),
		offsetof(VciLandingWords, this_device),
		offsetof(VciLandingWords, open),
		offsetof(VciLandingWords, nothing_happens),
		offsetof(VciLandingWords, plain_link),
		offsetof(VciLandingWords, other_device),
		offsetof(VciLandingWords, scan),
		offsetof(VciLandingWords, qr_label),
		offsetof(VciLandingWords, tx_code),
		offsetof(VciLandingWords, login),
		offsetof(VciLandingWords, no_wallet),
		offsetof(VciLandingWords, get_wallet),
		offsetof(VciLandingWords, get_wallet_link),
		offsetof(VciLandingWords, ask_wallet),
		offsetof(VciLandingWords, until),
		offsetof(VciLandingWords, caution),
	};

	for (size_t n = 0; n < vci_consent_language_count(); n++)
	{
		const char *language = vci_consent_words(n)->language;
		const VciLandingWords *words = vci_landing_words(language);
		bool complete = true;

		is_text(words->language, language, "a language that pages speak is one of landing pages");
		for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		{
			const char *text = *(const char *const *) ((const char *) words + sentences[i]);

			complete = complete && text != NULL && vci_utf8_valid(text, strlen(text));
		}
		for (int state = VCI_LANDING_OPEN + 1; state < VCI_LANDING_STATES; state++)
			complete = complete && words->notices[state].title != NULL &&
					   words->notices[state].text != NULL &&
					   strstr(words->notices[state].text, "{issuer}") != NULL;
		ok(complete, "%s has every word, in UTF-8, and says whom to ask", language);
		ok(strstr(words->offers, "{issuer}") && strstr(words->tx_code, "{issuer}") &&
			   strstr(words->login, "{issuer}") && strstr(words->ask_wallet, "{issuer}") &&
			   strstr(words->until, "{time}"),
		   "%s has its names", language);
		ok(strpbrk(words->qr_label, "<>&\"") == NULL, "%s labels the QR code plainly", language);
	}
}

static void
test_notices(void)
{
	Scene scene;

	set_scene(&scene, "ar");
	for (int state = VCI_LANDING_OPEN + 1; state < VCI_LANDING_STATES; state++)
	{
		char *html = NULL;

		is_status(vci_landing_notice(&scene.language, &scene.issuer, (VciLandingState) state, &html,
									 &error),
				  VCI_OK, &error, "a notice is made");
		holds(html, "<html lang=\"ar\" dir=\"rtl\">", "from right to left");
		holds(html, vci_landing_words("ar")->notices[state].title, "with its title");
		holds(html, "<bdi lang=\"en\">Social Registry</bdi>", "and whom to ask");
		lacks(html, "<form", "and nothing to press");
		lacks(html, "openid-credential-offer", "nor a way to the offer");
		free(html);
	}
	clear_scene(&scene);
}

static void
test_states(void)
{
	static const struct
	{
		const char *situation;
		VciLandingState state;
	} states[] = {
		{"pending", VCI_LANDING_OPEN},			{"delayed", VCI_LANDING_OPEN},
		{"locked", VCI_LANDING_LOCKED},			{"expired", VCI_LANDING_EXPIRED},
		{"lapsed", VCI_LANDING_EXPIRED},		{"deferred", VCI_LANDING_WAITING},
		{"ready", VCI_LANDING_WAITING},			{"redeemed", VCI_LANDING_USED},
		{"issued", VCI_LANDING_USED},			{"denied", VCI_LANDING_UNAVAILABLE},
		{"cancelled", VCI_LANDING_UNAVAILABLE}, {"what comes later", VCI_LANDING_UNAVAILABLE},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		is_number(vci_landing_state(&(VciSituation){.name = states[i].situation}), states[i].state,
				  states[i].situation);
}

static void
test_link(void)
{
	VciIssuer issuer = example_issuer();
	char *link = vci_landing_link(&issuer, "TICKET");

	is_text(link, "https://registry.example/o/TICKET", "a short link");
	free(link);
}

int
main(void)
{
	test_open();
	test_options();
	test_logos();
	test_hostile();
	test_words();
	test_notices();
	test_states();
	test_link();
	return done_testing();
}
