/* Content negotiation: which media types and codings a client takes. */
#include "protocol/http_accept.h"
#include "tap.h"

#define JWT "application/statuslist+jwt"
#define CWT "application/statuslist+cwt"

static void
media_types(void)
{
	static const struct
	{
		const char *accept; /* NULL: no header */
		bool jwt;
		bool cwt;
	} cases[] = {
		{NULL, true, true},
		{"", true, true},
		{"nonsense", true, true},
		{"*/*", true, true},
		{JWT, true, false},
		{"Application/StatusList+JWT", true, false},
		{CWT, false, true},
		{CWT ", " JWT ";q=0.1", true, true},
		{CWT ", */*;q=0.1", true, true},
		{CWT ",*/*;q=0", false, true},
		{JWT ";q=0, */*", false, true},
		{"application/*;q=0, " JWT, true, false},
		{"application/*", true, true},
		{"text/*, text/html", false, false},
		{JWT ";q=0.000", false, false},
		{JWT ";Q=0", false, false},
		{JWT ";q=0.001", true, false},
		{"text/html;level=\"a,b;q=0\", " CWT, false, true},
		{"text/html;x=\"", false, false},
		{" , ," CWT " ; q=1 , ", false, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciHeader header = {"accept", cases[i].accept};
		VciHttpRequest request = {.headers = &header, .header_count = cases[i].accept != NULL};

		ok(vci_http_accepts(&request, JWT) == cases[i].jwt, "JWT: %s",
		   cases[i].accept == NULL ? "(none)" : cases[i].accept);
		ok(vci_http_accepts(&request, CWT) == cases[i].cwt, "and CWT");
	}
}

/* A list may stand in several headers (RFC 9110 section 5.3). */
static void
several_headers(void)
{
	VciHeader headers[] = {{"Accept", CWT}, {"Host", JWT}, {"Accept", "application/*;q=0.5"}};
	VciHttpRequest request = {.headers = headers, .header_count = 2};

	ok(!vci_http_accepts(&request, JWT), "another header is not looked at");
	request.header_count = 3;
	ok(vci_http_accepts(&request, JWT), "a second one is");
}

static void
codings(void)
{
	static const struct
	{
		const char *accept;
		bool gzip;
	} cases[] = {
		{NULL, false},		{"", false},		 {"gzip", true},		{"GZip", true},
		{"br, gzip", true}, {"gzip;q=0", false}, {"gzip;q=0.5", true},	{"x-gzip", false},
		{"*", false},		{"identity", false}, {"deflate,br", false}, {"gzip ;q=0.0", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciHeader header = {"Accept-Encoding", cases[i].accept};
		VciHttpRequest request = {.headers = &header, .header_count = cases[i].accept != NULL};

		ok(vci_http_accepts_coding(&request, "gzip") == cases[i].gzip, "gzip: %s",
		   cases[i].accept == NULL ? "(none)" : cases[i].accept);
	}
}

int
main(void)
{
	media_types();
	several_headers();
	codings();
	return done_testing();
}
