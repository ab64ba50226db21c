/* The consent page's text, and what comes back from a browser. */
#include "protocol/consent.h"

#include "protocol_fixture.h"

#define HOSTILE "</title></bdi><script>alert(1)</script>\"'&\x01"
#define HOSTILE_ESCAPED                                                                            \
	"&lt;/title&gt;&lt;/bdi&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\xef\xbf\xbd"

static VciError error = VCI_ERROR_INIT;

/* Issuer and configuration with display data, for one page. */
typedef struct Scene
{
	VciIssuer issuer;
	VciConfiguration configuration;
	const VciConfiguration *configurations[1];
	VciPageLanguage language;
	VciConsentPage page;
} Scene;

static void
set_scene(Scene *scene, const char *accept_language)
{
	memset(scene, 0, sizeof(*scene));
	scene->issuer = example_issuer();
	scene->issuer.display = json("[{\"name\":\"Social Registry\",\"locale\":\"en\"},"
								 "{\"name\":\"Registro Social\",\"locale\":\"es\"}]");
	scene->configuration = example_configuration();
	scene->configuration.display = json("[{\"name\":\"Food Aid\",\"locale\":\"en\"},"
										"{\"name\":\"Ajuda Alimentar\",\"locale\":\"pt\"}]");
	scene->configuration.claims =
		json("[{\"path\":[\"amount\"],\"mandatory\":true,"
			 "\"display\":[{\"name\":\"Amount\",\"locale\":\"en\"},"
			 "{\"name\":\"Monto\",\"locale\":\"es\"}]},{\"path\":[\"household\",\"size\"]},"
			 "{\"path\":[\"amount\",\"currency\"],\"display\":[{\"name\":\"Currency\"}]}]");
	scene->configurations[0] = &scene->configuration;
	scene->language = vci_page_language(accept_language);
	scene->page = (VciConsentPage){
		.language = &scene->language,
		.issuer = &scene->issuer,
		.client_id = "wallet.example",
		.client_name = "Example Wallet",
		.returns_to = "wallet.example:8443",
		.configurations = scene->configurations,
		.configuration_count = 1,
		.action = "https://registry.example/api/v1/openid4vci/consent",
		.request = "REQUEST",
		.csrf = "CSRF",
	};
}

static char *
end_scene(Scene *scene)
{
	char *html = NULL;

	is_status(vci_consent_page(&scene->page, &html, &error), VCI_OK, &error, "a page is made");
	vci_json_free(scene->issuer.display);
	vci_json_free(scene->configuration.display);
	vci_json_free(scene->configuration.claims);
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
	bool absent = html != NULL && strstr(html, part) == NULL;

	if (!ok(absent, "%s", what))
		printf("# found: %s\n", part);
	return absent;
}

static void
test_contents(void)
{
	Scene scene;
	char *html;

	set_scene(&scene, "en-GB");
	html = end_scene(&scene);
	holds(html, "<html lang=\"en\" dir=\"ltr\">", "it says its language and direction");
	holds(html, "<title>Add to your wallet – Social Registry</title>", "and a title");
	holds(html,
		  "<p><bdi>Example Wallet</bdi> asks <bdi>Social Registry</bdi> for a credential.</p>",
		  "who asks whom");
	holds(html, "<h3><bdi>Food Aid</bdi></h3>", "for which credential");
	holds(html, "<li><bdi>Amount</bdi> <span class=\"quiet\">(always included)</span></li>",
		  "with which claims, by display name, and which of them always");
	holds(html, "<li><bdi>household.size</bdi></li>", "by path when there is no name");
	holds(html, "<li><bdi>Amount</bdi>: <bdi>Currency</bdi></li>", "what lies within another");
	holds(html, "<bdi dir=\"ltr\">wallet.example:8443</bdi>", "and where the browser goes");
	holds(html,
		  "<form method=\"post\" action=\"https://registry.example/api/v1/openid4vci/consent\">",
		  "the form goes to the endpoint");
	holds(html, "name=\"request\" value=\"REQUEST\"", "with the request");
	holds(html, "name=\"csrf\" value=\"CSRF\"", "and the page's token");
	holds(html, "<label for=\"field-1\"><span>User name</span></label>\n<input id=\"field-1\"",
		  "a label belongs to its input");
	holds(html,
		  "type=\"password\" name=\"password\" maxlength=\"1000\" "
		  "autocomplete=\"current-password\" required",
		  "a password is a password");
	holds(html, "value=\"deny\" formnovalidate", "denying needs no login");
	lacks(html, "role=\"alert\"", "nothing is wrong yet");
	lacks(html, "<script", "no script");
	lacks(html, " style=", "no style beside the one that is hashed");
	free(html);
}

static void
test_languages(void)
{
	Scene scene;
	char *html;

	set_scene(&scene, "es-MX,en;q=0.5");
	html = end_scene(&scene);
	holds(html, "<html lang=\"es\" dir=\"ltr\">", "Spanish");
	holds(html, "<bdi>Registro Social</bdi>", "the issuer's name in Spanish");
	holds(html, "<bdi>Monto</bdi> <span class=\"quiet\">(siempre incluido)</span>", "a claim, too");
	holds(html, "<bdi lang=\"en\">Food Aid</bdi>", "what is not in Spanish says what it is in");
	free(html);

	set_scene(&scene, "ar");
	html = end_scene(&scene);
	holds(html, "<html lang=\"ar\" dir=\"rtl\">", "Arabic, from right to left");
	free(html);

	set_scene(&scene, "de-DE,de;q=0.9");
	html = end_scene(&scene);
	holds(html, "<html lang=\"en\" dir=\"ltr\">", "English when our words know no other");
	free(html);
}

/* Every sentence of every language is there, and the placeholders are those that exist. */
static void
test_words(void)
{
	static const size_t sentences[] = {
		offsetof(VciConsentWords, title),			offsetof(VciConsentWords, request),
		offsetof(VciConsentWords, returns_to),		offsetof(VciConsentWords, contents),
		offsetof(VciConsentWords, always_included), offsetof(VciConsentWords, identify),
		offsetof(VciConsentWords, username),		offsetof(VciConsentWords, password),
		offsetof(VciConsentWords, optional),		offsetof(VciConsentWords, caution),
		offsetof(VciConsentWords, approve),			offsetof(VciConsentWords, deny),
		offsetof(VciConsentWords, problem),			offsetof(VciConsentWords, not_recognised),
		offsetof(VciConsentWords, incomplete),		offsetof(VciConsentWords, unusable_title),
		offsetof(VciConsentWords, unusable),		offsetof(VciConsentWords, later_title),
		offsetof(VciConsentWords, later),
	};

	for (size_t n = 0; n < vci_consent_language_count(); n++)
	{
		const VciConsentWords *words = vci_consent_words(n);
		bool complete = true;

		for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		{
			const char *text = *(const char *const *) ((const char *) words + sentences[i]);

			complete = complete && text != NULL && vci_utf8_valid(text, strlen(text));
		}
		ok(complete, "%s has every word, in UTF-8", words->language);
		ok(strstr(words->request, "{wallet}") && strstr(words->request, "{issuer}") &&
			   strstr(words->caution, "{wallet}"),
		   "%s names who asks whom", words->language);
	}
}

static void
test_hostile(void)
{
	static const char form[] = "username=%3C%2Ftitle%3E%3C%2Fbdi%3E%3Cscript%3Ealert(1)"
							   "%3C%2Fscript%3E%22'%26%01&password=topsecret";
	VciForm entered;
	Scene scene;
	char *html;

	is_status(vci_form_parse(form, strlen(form), &entered, &error), VCI_OK, &error, "a form");
	set_scene(&scene, "en");
	vci_json_free(scene.issuer.display);
	scene.issuer.display = vci_json_new_array();
	vci_json_append(scene.issuer.display, vci_json_new_object());
	vci_json_set_string(vci_json_array_at(scene.issuer.display, 0), "name", HOSTILE);
	scene.page.client_name = HOSTILE;
	scene.page.returns_to = HOSTILE;
	scene.page.request = HOSTILE;
	scene.configuration.id = HOSTILE;
	vci_json_free(scene.configuration.display);
	scene.configuration.display = NULL;
	scene.page.entered = &entered;
	scene.page.problem = VCI_CONSENT_NOT_RECOGNISED;
	html = end_scene(&scene);
	lacks(html, "<script", "no name and no value breaks out");
	holds(html, "– " HOSTILE_ESCAPED "</title>", "the issuer in the title");
	holds(html, "<bdi>" HOSTILE_ESCAPED "</bdi> asks", "the wallet");
	holds(html, "<h3><bdi>" HOSTILE_ESCAPED "</bdi></h3>", "the configuration");
	holds(html, "name=\"request\" value=\"" HOSTILE_ESCAPED "\"", "the request");
	holds(html, "dir=\"auto\" value=\"" HOSTILE_ESCAPED "\"", "what was entered comes back");
	lacks(html, "topsecret", "but never into a password");
	holds(html, "<title>Error: Add", "the title tells of the problem");
	holds(html, "<p id=\"problem\" class=\"alert\" role=\"alert\">", "it is announced");
	holds(html, "aria-invalid=\"true\" aria-describedby=\"problem\"", "at the field, too");
	free(html);
	vci_form_free(&entered);
}

static void
test_own_fields(void)
{
	VciJson *fields = json("[{\"name\":\"card\",\"type\":\"number\",\"display\":"
						   "[{\"name\":\"Card\",\"locale\":\"en\"},"
						   "{\"name\":\"Carte\",\"locale\":\"fr\"}]},"
						   "{\"name\":\"csrf\",\"label\":\"Not ours\"},"
						   "{\"name\":\"date_of_birth\",\"type\":\"date\",\"label\":\"Born\","
						   "\"required\":false}]");
	Scene scene;
	char *html;

	set_scene(&scene, "fr");
	scene.page.login_fields = fields;
	html = end_scene(&scene);
	holds(html, "<span>Carte</span>", "a label in the visitor's language");
	holds(html, "type=\"number\" name=\"card\" maxlength=\"1000\" required", "its type");
	holds(html, "<span>Born</span> <span class=\"quiet\">(facultatif)</span>", "an optional one");
	holds(html, "name=\"date_of_birth\" maxlength=\"1000\" autocomplete=\"bday\">",
		  "with the browser's help, and not required");
	lacks(html, "Not ours", "a field with the name of ours is none");
	free(html);
	vci_json_free(fields);
}

/* Compares the values, and tells whether they are complete. */
static void
check_entered(const VciJson *fields, const char *body, const char *expected, bool complete,
			  const char *what)
{
	VciForm form;
	VciJson *values;
	bool is_complete;

	is_status(vci_form_parse(body, strlen(body), &form, &error), VCI_OK, &error, what);
	is_status(vci_consent_entered(fields, &form, &values, &is_complete, &error), VCI_OK, &error,
			  what);
	is_json(values, expected, what);
	ok(is_complete == complete, "%s: it is %scomplete", what, complete ? "" : "in");
	vci_form_free(&form);
}

static void
test_entered(void)
{
	VciJson *fields = json("[{\"name\":\"card\"},{\"name\":\"pin\",\"required\":false}]");
	char body[VCI_LOGIN_VALUE_MAX + 32];
	VciForm form;
	VciJson *values;
	bool complete;

	check_entered(NULL, "username=a&password=b&other=c&csrf=d",
				  "{\"username\":\"a\",\"password\":\"b\"}", true, "only what was asked for");
	check_entered(NULL, "username=a", "{\"username\":\"a\"}", false, "no password");
	check_entered(NULL, "username=a&password=", "{\"username\":\"a\"}", false, "an empty password");
	check_entered(fields, "card=1", "{\"card\":\"1\"}", true, "an optional field left out");
	check_entered(fields, "pin=1", "{\"pin\":\"1\"}", false, "a required one left out");

	memset(body, 'x', sizeof(body));
	memcpy(body, "card=", 5);
	is_status(vci_form_parse(body, 5 + VCI_LOGIN_VALUE_MAX, &form, &error), VCI_OK, &error, "long");
	is_status(vci_consent_entered(fields, &form, &values, &complete, &error), VCI_OK, &error,
			  "the longest value");
	vci_json_free(values);
	vci_form_free(&form);
	is_status(vci_form_parse(body, 6 + VCI_LOGIN_VALUE_MAX, &form, &error), VCI_OK, &error, "more");
	ok(vci_consent_entered(fields, &form, &values, &complete, &error) == VCI_ERR_TOO_LARGE &&
		   values == NULL && strstr(error.text, "xx") == NULL,
	   "one byte more is refused, without its value in words");
	memset(&error, 0, sizeof(error));
	vci_form_free(&form);
	vci_json_free(fields);
}

static void
check_cookie(const char *first, const char *second, const char *expected, const char *what)
{
	VciHeader headers[] = {{"Accept", "*/*"}, {"cookie", first}, {"Cookie", second}};
	VciHttpRequest http = {.headers = headers, .header_count = second == NULL ? 2 : 3};
	char value[VCI_CONSENT_COOKIE_SIZE] = "";
	bool found = vci_consent_cookie(&http, value);

	is_text(found ? value : NULL, expected, what);
}

static void
test_cookie(void)
{
	static const char *const good = "AAAAAAAAAAAAAAAAAAAAAA";

	check_cookie("__Host-vci=AAAAAAAAAAAAAAAAAAAAAA", NULL, good, "our cookie");
	check_cookie("a=b; __Host-vci=AAAAAAAAAAAAAAAAAAAAAA; c=d", NULL, good, "among others");
	check_cookie("a=b", "__Host-vci=AAAAAAAAAAAAAAAAAAAAAA", good, "in a second header");
	check_cookie("__Host-vci=AAAAAAAAAAAAAAAAAAAAA", NULL, NULL, "too short");
	check_cookie("__Host-vci=AAAAAAAAAAAAAAAAAAAAAAA", NULL, NULL, "too long");
	check_cookie("__Host-vci=AAAAAAAAAAAAAAAAAAAAAB", NULL, NULL, "with bits that are too many");
	check_cookie("__Host-vci=AAAAAAAAAAAAAAAAAAAAA/", NULL, NULL, "with another character");
	check_cookie("vci=AAAAAAAAAAAAAAAAAAAAAA", NULL, NULL, "without the prefix");
	check_cookie("x__Host-vci=AAAAAAAAAAAAAAAAAAAAAA", NULL, NULL, "with another name");
	check_cookie("__Host-vci", NULL, NULL, "without value");
	check_cookie("", NULL, NULL, "an empty header");
}

static void
check_origin(const char *origin, const char *site, VciStatus expected, const char *what)
{
	VciHeader headers[2];
	VciHttpRequest http = {.headers = headers};

	if (origin != NULL)
		headers[http.header_count++] = (VciHeader){"Origin", origin};
	if (site != NULL)
		headers[http.header_count++] = (VciHeader){"Sec-Fetch-Site", site};
	is_status(vci_consent_check_origin(&http, "https://registry.example:8443/a/consent", &error),
			  expected, &error, what);
}

static void
test_origin(void)
{
	VciHeader twice[] = {{"Origin", "null"}, {"origin", "null"}};
	VciHttpRequest http = {.headers = twice, .header_count = 2};

	check_origin(NULL, NULL, VCI_OK, "a browser that says nothing");
	check_origin("null", "same-origin", VCI_OK, "no-referrer makes Origin null");
	check_origin("https://registry.example:8443", "same-origin", VCI_OK, "our own page");
	check_origin("https://registry.example", NULL, VCI_ERR_REQUEST, "another port");
	check_origin("https://registry.example:84433", NULL, VCI_ERR_REQUEST, "a longer port");
	check_origin("http://registry.example:8443", NULL, VCI_ERR_REQUEST, "another scheme");
	check_origin("https://evil.example", NULL, VCI_ERR_REQUEST, "another host");
	check_origin("null", "cross-site", VCI_ERR_REQUEST, "another site that hides its origin");
	check_origin(NULL, "same-site", VCI_ERR_REQUEST, "a sibling host");
	is_status(vci_consent_check_origin(&http, "https://registry.example/consent", &error),
			  VCI_ERR_REQUEST, &error, "Origin twice");
}

static void
test_notice(void)
{
	VciPageLanguage language = vci_page_language("fr");
	VciIssuer issuer = example_issuer();
	char *html;

	is_status(vci_consent_notice_page(&language, &issuer, VCI_CONSENT_START_AGAIN, HOSTILE, &html,
									  &error),
			  VCI_OK, &error, "a page without a form");
	holds(html, "– registry.example</title>", "an issuer without display by its host");
	holds(html, "<p class=\"quiet\" lang=\"en\" dir=\"ltr\">Details: " HOSTILE_ESCAPED "</p>",
		  "what happened, in English");
	lacks(html, "<form", "nothing to press");
	free(html);
	is_status(vci_consent_notice_page(&language, NULL, VCI_CONSENT_LATER, "soon", &html, &error),
			  VCI_OK, &error, "without an issuer");
	holds(html, "<h1>Impossible pour le moment</h1>", "later");
	free(html);
}

int
main(void)
{
	test_contents();
	test_languages();
	test_words();
	test_hostile();
	test_own_fields();
	test_entered();
	test_cookie();
	test_origin();
	test_notice();
	return done_testing();
}
