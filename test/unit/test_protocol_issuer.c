/* Issuer identifiers: one spelling that wallets can compare byte by byte. */
#include "protocol/issuer.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

static void
test_accepted_urls(void)
{
	static const char *const urls[] = {
		"https://registry.example",
		"https://registry.example:8443",
		"https://registry.example/tenant",
		"https://registry.example/tenant/1-a_b~c.d",
		"https://registry.example/a:b@c;d=e",
		"https://10.0.0.1",
		"https://[2001:db8::1]:8443/x",
		"http://localhost",
		"http://localhost:8180/tenant",
		"http://127.0.0.1:8180",
		"http://127.1.2.3",
		"http://[::1]:8180",
		"https://a-b.example",
		"https://registry.example/...",
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		is_status(vci_issuer_url_check(urls[i], &error), VCI_OK, &error, urls[i]);
}

static void
test_refused_urls(void)
{
	static const struct
	{
		const char *url;
		const char *what;
	} cases[] = {
		{NULL, "no URL at all is refused"},
		{"", "an empty URL is refused"},
		{"registry.example", "a URL without scheme is refused"},
		{"ftp://registry.example", "a URL of another scheme is refused"},
		{"HTTPS://registry.example", "a scheme in capitals is refused"},
		{"https://", "a URL without host is refused"},
		{"https:///tenant", "an empty host before a path is refused"},
		{"http://registry.example", "http beyond loopback is refused"},
		{"http://127.0.0.1.example.org", "a host that only starts like loopback is refused"},
		{"http://127.example.org", "a name under 127 is no loopback address"},
		{"http://127.0.0.0.1", "five numbers are no address"},
		{"http://127.100.100", "nor are three"},
		{"http://128.0.0.1", "http on another address is refused"},
		{"http://localhost.example.org", "a host that only starts with localhost is refused"},
		{"http://[::2]", "http on another IPv6 address is refused"},
		{"https://Registry.example", "capitals in the host are refused"},
		{"https://registry.example/", "a slash at the end is refused"},
		{"https://registry.example/tenant/", "a slash behind the path is refused"},
		{"https://registry.example//tenant", "an empty segment is refused"},
		{"https://registry.example/./tenant", "a . segment is refused"},
		{"https://registry.example/a/..", "a .. segment is refused"},
		{"https://registry.example?x=1", "a query is refused"},
		{"https://registry.example/a?", "an empty query is refused"},
		{"https://registry.example#x", "a fragment is refused"},
		{"https://user@registry.example", "user info is refused"},
		{"https://user:pass@registry.example", "user info with a password is refused"},
		{"https://registry.example:", "an empty port is refused"},
		{"https://registry.example:0", "port 0 is refused"},
		{"https://registry.example:08443", "a port with a leading zero is refused"},
		{"https://registry.example:65536", "a port beyond 65535 is refused"},
		{"https://registry.example:99999999999", "a port that overflows is refused"},
		{"https://registry.example:80a", "a port with letters is refused"},
		{"https://registry.example/a%20b", "a percent escape is refused"},
		{"https://registry.example/a%2fb", "an escaped slash is refused"},
		{"https://registry.example/a b", "a space is refused"},
		{"https://registry.example/\xc3\xa9", "a byte beyond ASCII is refused"},
		{"https://registry.example/a\\b", "a backslash is refused"},
		{"https://registry.example/a\"b", "a quotation mark is refused"},
		{"https://registry.example\r\nX: y", "a line break is refused"},
		{"https://-a.example", "a label that starts with a hyphen is refused"},
		{"https://a-.example", "a label that ends with a hyphen is refused"},
		{"https://registry..example", "an empty label is refused"},
		{"https://registry.example.", "a dot at the end is refused"},
		{"https://[2001:db8::1", "an open bracket is refused"},
		{"https://[nonsense]", "a bracket without an address is refused"},
		{"https://[abcd]", "a bracket without a colon is refused"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(vci_issuer_url_check(cases[i].url, &error), VCI_ERR_CONFIGURATION, &error,
				  cases[i].what);
}

static void
test_url_length(void)
{
	char url[1100];
	int head = snprintf(url, sizeof(url), "https://registry.example/");

	memset(url + head, 'a', sizeof(url) - (size_t) head);
	url[1024] = '\0';
	is_status(vci_issuer_url_check(url, &error), VCI_OK, &error, "1024 characters are accepted");
	url[1024] = 'a';
	url[1025] = '\0';
	is_status(vci_issuer_url_check(url, &error), VCI_ERR_CONFIGURATION, &error,
			  "1025 characters are refused");
	snprintf(url, sizeof(url), "https://%063d.example", 0);
	is_status(vci_issuer_url_check(url, &error), VCI_OK, &error, "a label of 63 is accepted");
	snprintf(url, sizeof(url), "https://%064d.example", 0);
	is_status(vci_issuer_url_check(url, &error), VCI_ERR_CONFIGURATION, &error,
			  "a label of 64 is refused");
}

static void
test_base_paths(void)
{
	static const char *const good[] = {"", "/api/v1/openid4vci", "/vci"};
	static const char *const bad[] = {NULL,		 "api",	 "/",	 "/api/", "//api",
									  "/a/../b", "/a?b", "/a b", "/a%2fb"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is_status(vci_issuer_base_path_check(good[i], &error), VCI_OK, &error,
				  "a base path is accepted");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_status(vci_issuer_base_path_check(bad[i], &error), VCI_ERR_CONFIGURATION, &error,
				  bad[i] == NULL ? "no base path is refused" : bad[i]);
}

static void
check_authority(const char *url, const char *expected, const char *what)
{
	char *authority = vci_issuer_url_authority(url);

	is_text(authority, expected, what);
	free(authority);
}

static void
test_url_parts(void)
{
	is_text(vci_issuer_url_path("https://registry.example"), "", "no path is empty");
	is_text(vci_issuer_url_path("https://registry.example:8443/a/b"), "/a/b",
			"the path starts behind the port");
	check_authority("https://registry.example/a", "registry.example", "host alone");
	check_authority("http://127.0.0.1:8180/a", "127.0.0.1:8180", "host and port");
	check_authority("http://[::1]:8180", "[::1]:8180", "an IPv6 host keeps its brackets");
	check_authority("https://registry.example:443/a", "registry.example",
					"clients leave port 443 of https out of Host");
	check_authority("http://localhost:80", "localhost", "and port 80 of http");
	check_authority("https://registry.example:80", "registry.example:80", "port 80 of https stays");
}

static void
test_iss(void)
{
	VciIssuer issuer = example_issuer();
	char *iss = vci_issuer_iss(&issuer);

	is_text(iss, "https://registry.example", "iss is the issuer URL");
	free(iss);
	issuer.iss_did_web = true;
	issuer.url = "http://127.0.0.1:8180/tenant";
	iss = vci_issuer_iss(&issuer);
	is_text(iss, "did:web:127.0.0.1%3A8180:tenant", "iss is a did:web when the issuer says so");
	free(iss);
}

static void
test_switch_names(void)
{
	is_number(vci_older_by_name("format_request"), VCI_OLDER_FORMAT_REQUEST, "format_request");
	is_number(vci_older_by_name("singular_proof"), VCI_OLDER_SINGULAR_PROOF, "singular_proof");
	is_number(vci_older_by_name("untyped_proof"), VCI_OLDER_UNTYPED_PROOF, "untyped_proof");
	is_number(vci_older_by_name("vc_sd_jwt"), VCI_OLDER_VC_SD_JWT, "vc_sd_jwt");
	is_number(vci_older_by_name("metadata"), VCI_OLDER_METADATA, "metadata");
	is_number(vci_older_by_name("holder_without_proof"), VCI_OLDER_HOLDER_WITHOUT_PROOF,
			  "holder_without_proof");
	is_number(vci_older_by_name("credential_definition"), VCI_OLDER_CREDENTIAL_DEFINITION,
			  "credential_definition");
	is_number(vci_older_by_name("Metadata"), 0, "another spelling is no switch");
	is_number(vci_older_by_name(""), 0, "an empty name is no switch");
	is_number(vci_older_by_name(NULL), 0, "no name is no switch");
}

static void
test_page_urls(void)
{
	static const char *const good[] = {
		"https://portal.example/login",
		"https://portal.example",
		"https://portal.example:8443/a/b.php?x=1&y=%20",
		"https://portal.example?next=1",
		"http://127.0.0.1:8080/login",
		"http://localhost/login/",
	};
	static const struct
	{
		const char *url;
		const char *what;
	} bad[] = {
		{"", "an empty page URL is refused"},
		{"/login", "a relative page URL is refused"},
		{"javascript:alert(1)", "a script is no page"},
		{"http://portal.example/login", "http beyond loopback is refused for a page"},
		{"https://portal.example/login#x", "a fragment would swallow the request id"},
		{"https://user@portal.example/", "user info in a page URL is refused"},
		{"https://portal.example/\r\nSet-Cookie: a=b", "a line break in a page URL is refused"},
		{"https://portal.example/a b", "a space in a page URL is refused"},
		{"https://portal.example/\"", "a quotation mark in a page URL is refused"},
		{"https://portal.example/\xc3\xa9", "a byte beyond ASCII in a page URL is refused"},
		{"https://", "a page URL without host is refused"},
	};
	char url[2100];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		is_status(vci_page_url_check(good[i], "a page", &error), VCI_OK, &error, good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_status(vci_page_url_check(bad[i].url, "a page", &error), VCI_ERR_CONFIGURATION, &error,
				  bad[i].what);
	snprintf(url, sizeof(url), "https://portal.example/%02026d", 0);
	is_status(vci_page_url_check(url, "a page", &error), VCI_ERR_CONFIGURATION, &error,
			  "2049 characters are too many");
}

static void
check_fields(const char *text, VciStatus expected, const char *what)
{
	VciJson *fields = json(text);

	is_status(vci_login_fields_check(fields, &error), expected, &error, what);
	vci_json_free(fields);
}

static void
test_login_fields(void)
{
	check_fields("[{\"name\":\"id\",\"label\":\"Number\"}]", VCI_OK, "name and label are enough");
	check_fields(
		"[{\"name\":\"id\",\"type\":\"tel\",\"required\":false,\"display\":"
		"[{\"name\":\"Number\",\"locale\":\"en\"},{\"name\":\"Nummer\",\"locale\":\"de\"}]},"
		"{\"name\":\"pin\",\"type\":\"password\",\"label\":\"PIN\"}]",
		VCI_OK, "a field by language, and a password");
	check_fields("[]", VCI_ERR_CONFIGURATION, "no field is refused");
	check_fields("{\"name\":\"id\",\"label\":\"x\"}", VCI_ERR_CONFIGURATION, "no array");
	check_fields("[{\"label\":\"x\"}]", VCI_ERR_CONFIGURATION, "a field without name");
	check_fields("[{\"name\":\"a b\",\"label\":\"x\"}]", VCI_ERR_CONFIGURATION,
				 "a name with a space");
	check_fields("[{\"name\":\"csrf\",\"label\":\"x\"}]", VCI_ERR_CONFIGURATION,
				 "a name that the page's form has itself");
	check_fields("[{\"name\":\"id\"}]", VCI_ERR_CONFIGURATION, "a field that nobody can read");
	check_fields("[{\"name\":\"id\",\"label\":\"\"}]", VCI_ERR_CONFIGURATION, "an empty label");
	check_fields("[{\"name\":\"id\",\"label\":\"x\",\"type\":\"file\"}]", VCI_ERR_CONFIGURATION,
				 "another type");
	check_fields("[{\"name\":\"id\",\"label\":\"x\",\"required\":1}]", VCI_ERR_CONFIGURATION,
				 "required that is no boolean");
	check_fields("[{\"name\":\"id\",\"label\":\"x\",\"pattern\":\"x\"}]", VCI_ERR_CONFIGURATION,
				 "an unknown member");
	check_fields("[{\"name\":\"id\",\"display\":[{\"locale\":\"en\"}]}]", VCI_ERR_CONFIGURATION,
				 "a display without name");
	check_fields("[{\"name\":\"id\",\"label\":\"x\"},{\"name\":\"id\",\"label\":\"y\"}]",
				 VCI_ERR_CONFIGURATION, "one name twice");
	check_fields("[{\"name\":\"a\",\"label\":\"x\"},{\"name\":\"b\",\"label\":\"x\"},"
				 "{\"name\":\"c\",\"label\":\"x\"},{\"name\":\"d\",\"label\":\"x\"},"
				 "{\"name\":\"e\",\"label\":\"x\"},{\"name\":\"f\",\"label\":\"x\"},"
				 "{\"name\":\"g\",\"label\":\"x\"},{\"name\":\"h\",\"label\":\"x\"},"
				 "{\"name\":\"i\",\"label\":\"x\"}]",
				 VCI_ERR_CONFIGURATION, "nine fields are too many");
}

int
main(void)
{
	test_accepted_urls();
	test_refused_urls();
	test_url_length();
	test_base_paths();
	test_url_parts();
	test_iss();
	test_switch_names();
	test_page_urls();
	test_login_fields();
	return done_testing();
}
