/* Redirect URIs: which a wallet may register, which match, and where codes and errors go. */
#include "protocol/redirect.h"

#include "tap.h"

static VciError error = VCI_ERROR_INIT;

static void
test_registrable(void)
{
	static const char *const good[] = {
		"https://wallet.example/callback",
		"https://wallet.example",
		"https://wallet.example:8443/cb?a=b&c=%20d",
		"https://WALLET.example/cb",
		"https://[2001:db8::1]/cb",
		"http://127.0.0.1/cb",
		"http://127.0.0.1:49152/cb",
		"http://[::1]:49152/cb",
		"http://localhost:3000/cb",
		"com.example.wallet:/callback",
		"com.example.wallet://callback",
		"eudi-openid4ci://authorize",
		"walletapp:callback",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is_status(vci_redirect_uri_check(good[i], &error), VCI_OK, &error, good[i]);
}

static void
refuse(const char *uri, const char *what)
{
	is_status(vci_redirect_uri_check(uri, &error), VCI_ERR_REDIRECT_URI, &error, what);
}

static void
test_not_registrable(void)
{
	char longer[VCI_REDIRECT_URI_MAX + 2] = "https://wallet.example/";

	memset(longer + strlen(longer), 'a', sizeof(longer) - strlen(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	refuse(longer, "one byte over the longest");
	longer[sizeof(longer) - 2] = '\0';
	is_status(vci_redirect_uri_check(longer, &error), VCI_OK, &error, "the longest");
	refuse("", "the empty text");
	refuse("/callback", "a relative reference");
	refuse("wallet.example/callback", "no scheme");
	refuse("wallet.example:443/callback", "a host and a port without a scheme");
	refuse("://wallet.example", "an empty scheme");
	refuse("1app:/cb", "a scheme that begins with a digit");
	refuse("https://wallet.example/cb#", "an empty fragment");
	refuse("https://wallet.example/cb#a", "a fragment");
	refuse("https:///cb", "no host");
	refuse("https:wallet.example", "https without an authority");
	refuse("https://user@wallet.example/cb", "a user name");
	refuse("https://wallet.example:0/cb", "port 0");
	refuse("https://wallet.example:65536/cb", "a port out of range");
	refuse("https://wallet.example:/cb", "a colon without port");
	refuse("https://wallet.example:80a/cb", "a port that is no number");
	refuse("https://[::1/cb", "an open bracket");
	refuse("https://[::1]x/cb", "text behind an IPv6 address");
	refuse("https://-wallet.example/cb", "a host that begins with a hyphen");
	refuse("https://*/cb", "a wildcard host");
	refuse("http://wallet.example/cb", "http for another host");
	refuse("http://127.0.0.1.example/cb", "http for a host that looks like loopback");
	refuse("http://localhost.example/cb", "http for a host that looks like localhost");
	refuse("http://127.0.0.1@evil.example/cb", "a loopback address as user name");
	refuse("HTTP://wallet.example/cb", "http in capitals");
	refuse("app:", "nothing behind the scheme");
}

static void
test_dangerous_schemes(void)
{
	static const char *const schemes[] = {"javascript", "data",		  "file",		 "vbscript",
										  "about",		"blob",		  "view-source", "filesystem",
										  "intent",		"JavaScript", "DATA"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
	{
		char uri[64];

		snprintf(uri, sizeof(uri), "%s:x", schemes[i]);
		refuse(uri, schemes[i]);
	}
}

/* Each would end a header's value, an attribute or a directive of a policy. */
static void
test_characters(void)
{
	static const char bad[] = " \t\r\n\"'<>\\^`{|},;\x7f";
	char uri[] = "https://wallet.example/?x";

	for (size_t i = 0; i < sizeof(bad) - 1; i++)
	{
		uri[sizeof(uri) - 2] = bad[i];
		refuse(uri, "a character that no URI here may hold");
	}
	refuse("https://wallet.example/\xc3\xa9", "UTF-8 that is not percent-encoded");
	refuse("https://wallet.example/%", "a cut escape");
	refuse("https://wallet.example/%zz", "a malformed escape");
	refuse("https://wallet.example/%00", "an escaped NUL");
}

static bool
matches(const char *registered, const char *uri)
{
	return vci_redirect_uri_registered(&registered, 1, uri);
}

static void
test_match(void)
{
	static const char *const two[] = {"https://a.example/cb", "https://b.example/cb"};

	ok(vci_redirect_uri_registered(two, 2, "https://b.example/cb"), "the second of two");
	ok(!vci_redirect_uri_registered(two, 2, "https://c.example/cb"), "none of two");
	ok(!vci_redirect_uri_registered(two, 0, "https://a.example/cb"), "of none, none");
	ok(!matches(two[0], "https://a.example/cb/"), "a slash more");
	ok(!matches(two[0], "https://a.example/cb?x=1"), "a query more");
	ok(!matches(two[0], "https://A.example/cb"), "another case");
	ok(!matches(two[0], "https://a.example:443/cb"), "the default port spelt out");
	ok(!matches(two[0], "https://a.example/c"), "a prefix");
	ok(!matches(two[0], "http://a.example/cb"), "another scheme");
}

/* RFC 8252 section 7.3: any port of a loopback address, and nothing else may differ. */
static void
test_loopback(void)
{
	ok(matches("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"), "a port where none stood");
	ok(matches("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"), "another port");
	ok(matches("http://[::1]:1/cb?a=b", "http://[::1]:2/cb?a=b"), "another port of [::1]");
	ok(!matches("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"), "a port out of range");
	ok(!matches("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"), "a user name");
	ok(!matches("http://127.0.0.1/cb", "http://127.0.0.1:x.example/cb"), "a port that is a name");
	ok(!matches("http://127.0.0.1/cb", "http://127.0.0.1:1/other"), "another path");
	ok(!matches("http://127.0.0.1/cb", "http://127.0.0.1:1/cb?a=b"), "a query more");
	ok(!matches("http://127.0.0.1/cb", "http://[::1]/cb"), "the other loopback address");
	ok(!matches("http://127.0.0.1/cb", "http://127.0.0.2:1/cb"), "an address beside it");
	ok(!matches("http://localhost:1/cb", "http://localhost:2/cb"), "localhost is a name (8.3)");
	ok(!matches("https://127.0.0.1:1/cb", "https://127.0.0.1:2/cb"), "https has a fixed port");
	ok(!matches("http://wallet.example/cb", "http://wallet.example:1/cb"), "another host");
}

static void
check_built(const char *uri, const char *expected, const char *what)
{
	VciRedirectParameter parameters[] = {{"code", "a-b"}, {"state", NULL}, {"iss", "https://i/?&"}};
	char *built = vci_redirect_build(uri, parameters, 3);

	is_text(built, expected, what);
	free(built);
}

static void
test_build(void)
{
	VciRedirectParameter hostile = {"state", "a&code=b#c\r\nX: y \xc3\xa9"};
	char *built;

	check_built("https://w.example/cb",
				"https://w.example/cb?code=a-b&iss=https%3A%2F%2Fi%2F%3F%26",
				"a query is begun; what is NULL is left out");
	check_built("https://w.example/cb?x=1",
				"https://w.example/cb?x=1&code=a-b&iss=https%3A%2F%2Fi%2F%3F%26",
				"a query is continued");
	check_built("https://w.example/cb?",
				"https://w.example/cb?code=a-b&iss=https%3A%2F%2Fi%2F%3F%26",
				"an empty query is filled");
	check_built("app:/cb", "app:/cb?code=a-b&iss=https%3A%2F%2Fi%2F%3F%26", "of an app, too");
	built = vci_redirect_build("app:/cb", &hostile, 1);
	is_text(built, "app:/cb?state=a%26code%3Db%23c%0D%0AX%3A%20y%20%C3%A9",
			"a value can't become a parameter, a fragment or a header");
	free(built);
}

static void
check_place(const char *uri, const char *form_action, const char *place)
{
	char *got_action = vci_redirect_form_action(uri);
	char *got_place = vci_redirect_place(uri);

	is_text(got_action, form_action, uri);
	is_text(got_place, place, "and what a person reads");
	free(got_action);
	free(got_place);
}

static void
test_places(void)
{
	check_place("https://Wallet.example:8443/cb?x", "https://wallet.example:8443",
				"wallet.example:8443");
	check_place("https://wallet.example", "https://wallet.example", "wallet.example");
	check_place("https://wallet.example?x", "https://wallet.example", "wallet.example");
	check_place("http://127.0.0.1:1/cb", "http://127.0.0.1:1", "127.0.0.1:1");
	check_place("http://[::1]:1/cb", "http:", "[::1]:1");
	check_place("Com.Example.Wallet:/cb", "com.example.wallet:", "com.example.wallet:");
	check_place("app://callback/x", "app:", "app:");
}

int
main(void)
{
	test_registrable();
	test_not_registrable();
	test_dangerous_schemes();
	test_characters();
	test_match();
	test_loopback();
	test_build();
	test_places();
	return done_testing();
}
