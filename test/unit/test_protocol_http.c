/* Request targets and headers as strangers send them. */
#include "protocol/http.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

static void
check_target(const char *target, const char *path, const char *query, const char *what)
{
	VciHttpRequest request = {0};

	is_status(vci_http_target_parse(target, strlen(target), &request, &error), VCI_OK, &error,
			  what);
	is_text(request.path, path, "its path is decoded");
	is_text(request.query, query, "its query is left as it came");
	free(request.path);
}

static void
test_targets(void)
{
	check_target("/", "/", NULL, "the root");
	check_target("/token", "/token", NULL, "a plain path");
	check_target("/token/", "/token/", NULL, "a slash at the end is a path of its own");
	check_target("/token?", "/token", "", "an empty query");
	check_target("/a?b=%00&c?d/../", "/a", "b=%00&c?d/../", "a query is not judged here");
	check_target("/a%20b%C3%A9", "/a b\xc3\xa9", NULL, "escapes are decoded, in both cases");
	check_target("/%61%3a", "/a:", NULL, "escapes of plain characters are decoded");
	check_target("/...", "/...", NULL, "three dots are a name");
	check_target("/a+b", "/a+b", NULL, "a plus is a plus in a path");
	check_target("/\xc3\xa9", "/\xc3\xa9", NULL, "raw UTF-8 is taken");
}

static void
refuse_target(const char *target, size_t len, const char *what)
{
	VciHttpRequest request = {.path = "before", .query = "before"};

	is_status(vci_http_target_parse(target, len, &request, &error), VCI_ERR_HTTP, &error, what);
	ok(request.path == NULL && request.query == NULL, "%s: nothing is left behind", what);
}

static void
test_refused_targets(void)
{
	static const struct
	{
		const char *target;
		const char *what;
	} cases[] = {
		{"", "an empty target"},
		{"token", "a target without slash"},
		{"http://registry.example/token", "absolute form"},
		{"*", "asterisk form"},
		{"//token", "an empty segment in front"},
		{"/a//b", "an empty segment in the middle"},
		{"/a//", "two slashes at the end"},
		{"/./a", "a . segment"},
		{"/a/.", "a . segment at the end"},
		{"/a/..", "a .. segment at the end"},
		{"/a/../b", "a .. segment"},
		{"/%2e%2e/b", "an escaped .. segment"},
		{"/.%2E/b", "a half escaped .. segment"},
		{"/a%2fb", "an escaped slash"},
		{"/a%2Fb", "an escaped slash in capitals"},
		{"/a%00", "an escaped NUL"},
		{"/a%0d%0aX", "an escaped line break"},
		{"/a%7f", "an escaped DEL"},
		{"/a%", "a cut escape"},
		{"/a%4", "a half escape"},
		{"/a%4g", "an escape that is no number"},
		{"/a%-1", "an escape with a sign"},
		{"/a%ff", "an escape that is no UTF-8"},
		{"/a%c0%af", "an overlong slash"},
		{"/a%ed%a0%80", "an escaped surrogate"},
		{"/a\xff", "a raw byte that is no UTF-8"},
		{"/a b", "a space"},
		{"/a\r\nX: y", "a raw line break"},
		{"/a\tb", "a tab"},
		{"/a#b", "a fragment"},
		{"/a?b\x01", "a control character in the query"},
		{"/a?b c", "a space in the query"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuse_target(cases[i].target, strlen(cases[i].target), cases[i].what);
	refuse_target("/a\0b", 4, "a raw NUL");
	refuse_target("/a?b\0c", 6, "a raw NUL in the query");
	refuse_target(NULL, 0, "no target");
}

static void
test_target_length(void)
{
	VciHttpRequest request = {0};
	char *target = calloc(8194, 1);

	memset(target, 'a', 8193);
	target[0] = '/';
	is_status(vci_http_target_parse(target, 8193, &request, &error), VCI_ERR_HTTP, &error,
			  "8193 bytes are refused");
	target[8192] = '\0';
	is_status(vci_http_target_parse(target, 8192, &request, &error), VCI_OK, &error,
			  "8192 bytes are accepted");
	free(request.path);
	free(target);
}

static void
test_headers(void)
{
	VciHeader headers[] = {{"Host", "a"}, {"X-Twice", "1"}, {"x-tWICE", "2"}};
	VciHttpRequest request = {.headers = headers, .header_count = 3};
	bool repeated;

	is_text(vci_http_header(&request, "hOST", &repeated), "a", "names are found in any case");
	ok(!repeated, "a single header is not repeated");
	is_text(vci_http_header(&request, "X-TWICE", &repeated), "1", "the first of two is given");
	ok(repeated, "a repetition in another case is told");
	is_text(vci_http_header(&request, "Hos", &repeated), NULL, "the start of a name is no match");
	is_text(vci_http_header(&request, "Host2", NULL), NULL, "nor is a longer name");
}

static void
check_content_type(const char *value, bool accepted)
{
	VciHeader headers[] = {{"content-type", value}};
	VciHttpRequest request = {.headers = headers, .header_count = 1};
	VciStatus status = vci_http_content_type_check(&request, "application/json", &error);

	is_status(status, accepted ? VCI_OK : VCI_ERR_MEDIA_TYPE, &error, value);
}

static void
test_content_types(void)
{
	static const char *const good[] = {
		"application/json",
		"Application/JSON",
		" application/json ",
		"application/json; charset=utf-8",
		"application/json;charset=UTF-8",
		"application/json ; charset=\"utf-8\"",
		"application/json; profile=x; charset=utf-8",
		"application/json; profile=\"a;b\"",
		"application/json;",
	};
	static const char *const bad[] = {
		"",
		"application/jsonx",
		"application/json+x",
		"text/json",
		"application/json, text/plain",
		"application/json text/plain",
		"application/json; charset=iso-8859-1",
		"application/json; charset=utf-16",
		"application/json; charset=utf-8; charset=utf-7",
		"application/json; charset=",
		"application/json; charset",
		"application/json; charset=\"utf-8",
		"application/json; charset=utf-80",
		"application/x-www-form-urlencoded",
		"multipart/form-data; boundary=x",
	};
	VciHeader twice[] = {{"Content-Type", "application/json"}, {"content-type", "text/plain"}};
	VciHttpRequest request = {.headers = twice, .header_count = 2};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_content_type(good[i], true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_content_type(bad[i], false);
	is_status(vci_http_content_type_check(&request, "application/json", &error), VCI_ERR_MEDIA_TYPE,
			  &error, "two headers are refused");
	request.header_count = 0;
	is_status(vci_http_content_type_check(&request, "application/json", &error), VCI_ERR_MEDIA_TYPE,
			  &error, "no header is refused");
}

/* scheme counts only where a token is expected. */
static void
check_authorization(const char *value, VciStatus expected, VciAuthScheme scheme, const char *token,
					const char *what)
{
	VciHeader headers[] = {{"authorization", value}};
	VciHttpRequest request = {.headers = headers, .header_count = 1};
	VciAuthScheme got_scheme;
	const char *got;
	size_t len;

	is_status(vci_http_authorization(&request, &got_scheme, &got, &len, &error), expected, &error,
			  what);
	if (token == NULL)
		ok(got == NULL && len == 0, "%s: no token", what);
	else
		ok(got_scheme == scheme && len == strlen(token) && memcmp(got, token, len) == 0,
		   "%s: scheme and token", what);
}

static void
check_refused(const char *value, VciStatus expected, const char *what)
{
	check_authorization(value, expected, VCI_AUTH_BEARER, NULL, what);
}

static void
test_authorization(void)
{
	check_authorization("Bearer abc-._~+/9==", VCI_OK, VCI_AUTH_BEARER,
						"abc-._~+/9==", "every character of token68");
	check_authorization("bEARER abc", VCI_OK, VCI_AUTH_BEARER, "abc", "the scheme in any case");
	check_authorization("Bearer   abc  ", VCI_OK, VCI_AUTH_BEARER, "abc",
						"blanks around the token");
	check_authorization("DPoP a.b.c", VCI_OK, VCI_AUTH_DPOP, "a.b.c", "a JWT under DPoP");
	check_authorization("dpop abc", VCI_OK, VCI_AUTH_DPOP, "abc", "DPoP in any case");
	check_refused("Basic abc", VCI_ERR_TOKEN_MISSING, "another scheme");
	check_refused("Bearerabc", VCI_ERR_TOKEN_MISSING, "no blank behind the scheme");
	check_refused("DPoPabc", VCI_ERR_TOKEN_MISSING, "no blank behind DPoP");
	check_refused("", VCI_ERR_TOKEN_MISSING, "an empty header");
	check_refused("Bearer", VCI_ERR_TOKEN, "no token");
	check_refused("DPoP ", VCI_ERR_TOKEN, "a blank for a token");
	check_refused("Bearer a b", VCI_ERR_TOKEN, "two tokens");
	check_refused("Bearer a,b", VCI_ERR_TOKEN, "a comma");
	check_refused("Bearer a, DPoP b", VCI_ERR_TOKEN, "two schemes");
	check_refused("Bearer =", VCI_ERR_TOKEN, "padding alone");
	check_refused("Bearer a=b", VCI_ERR_TOKEN, "padding within");
	check_refused("Bearer a\xc3\xa9", VCI_ERR_TOKEN, "a character beyond ASCII");
}

static void
test_authorization_bounds(void)
{
	char value[VCI_ACCESS_TOKEN_MAX + 100] = "Bearer ";
	VciHeader twice[] = {{"Authorization", "Bearer a"}, {"authorization", "DPoP a"}};
	VciHttpRequest request = {.headers = twice, .header_count = 2};
	VciAuthScheme scheme;
	const char *got;
	size_t len;

	memset(value + 7, 'a', VCI_ACCESS_TOKEN_MAX + 1);
	check_refused(value, VCI_ERR_TOKEN, "a character too many");
	value[7 + VCI_ACCESS_TOKEN_MAX] = '\0';
	check_authorization(value, VCI_OK, VCI_AUTH_BEARER, value + 7, "the longest token");

	is_status(vci_http_authorization(&request, &scheme, &got, &len, &error), VCI_ERR_REQUEST,
			  &error, "two headers are refused");
	request.header_count = 0;
	is_status(vci_http_authorization(&request, &scheme, &got, &len, &error), VCI_ERR_TOKEN_MISSING,
			  &error, "no header");
}

static void
test_etags(void)
{
	ok(vci_http_etag_matches("\"a\"", "\"a\""), "the same tag matches");
	ok(vci_http_etag_matches("W/\"a\"", "\"a\""), "weakly, too");
	ok(vci_http_etag_matches("\"a\"", "W/\"a\""), "on either side");
	ok(vci_http_etag_matches("\"x\" , W/\"y\",\"a\"", "\"a\""), "anywhere in a list");
	ok(vci_http_etag_matches("\"x,y\", \"a\"", "\"a\""), "a comma within a tag is no border");
	ok(vci_http_etag_matches("*", "\"a\""), "an asterisk matches all");
	ok(!vci_http_etag_matches("\"b\"", "\"a\""), "another tag does not match");
	ok(!vci_http_etag_matches("\"ab\"", "\"a\""), "nor does a longer one");
	ok(!vci_http_etag_matches("a", "\"a\""), "nor one without quotation marks");
	ok(!vci_http_etag_matches("\"a", "\"a\""), "nor an open one");
	ok(!vci_http_etag_matches("", "\"a\""), "nor nothing");
	ok(!vci_http_etag_matches(NULL, "\"a\""), "nor no header");
}

static void
test_percent_encoding(void)
{
	char all[256];
	char *encoded;
	bool exact = true;
	const char *p;

	for (int i = 1; i < 256; i++)
		all[i - 1] = (char) i;
	all[255] = '\0';
	encoded = vci_percent_encode(all);
	p = encoded;
	for (int i = 1; i < 256; i++)
	{
		char escape[4];
		bool plain = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z') ||
					 i == '-' || i == '.' || i == '_' || i == '~';

		snprintf(escape, sizeof(escape), plain ? "%c" : "%%%02X", i);
		exact = exact && strncmp(p, escape, strlen(escape)) == 0;
		p += strlen(escape);
	}
	ok(exact && *p == '\0', "each of 255 bytes is escaped, but for RFC 3986's unreserved ones");
	free(encoded);
	encoded = vci_percent_encode("");
	is_text(encoded, "", "nothing stays nothing");
	free(encoded);
}

int
main(void)
{
	test_targets();
	test_refused_targets();
	test_target_length();
	test_headers();
	test_content_types();
	test_authorization();
	test_authorization_bounds();
	test_etags();
	test_percent_encoding();
	return done_testing();
}
