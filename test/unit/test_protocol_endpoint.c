/* Where endpoints lie: defaults, what an operator changes, and what would not work. */
#include "protocol/issuer.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;

static VciStatus
resolve(const VciIssuer *issuer, const char *settings, VciEndpointRule *endpoints)
{
	VciJson *given = settings == NULL ? NULL : json(settings);
	VciStatus status = vci_endpoints_resolve(issuer, given, endpoints, &error);

	vci_json_free(given);
	return status;
}

/* One endpoint under these settings: its URL, "off " before it when it is disabled. */
static void
check(const char *settings, VciEndpoint endpoint, const char *expected, const char *what)
{
	VciIssuer issuer = example_issuer();
	VciEndpointRule endpoints[VCI_ENDPOINT_COUNT];
	char got[2048] = "";

	is_status(resolve(&issuer, settings, endpoints), VCI_OK, &error, what);
	if (endpoints[endpoint].url != NULL)
		snprintf(got, sizeof(got), "%s%s", endpoints[endpoint].enabled ? "" : "off ",
				 endpoints[endpoint].url);
	is_text(got, expected, what);
	vci_endpoints_free(endpoints);
}

static void
refuse(const char *settings, const char *needle, const char *what)
{
	VciIssuer issuer = example_issuer();
	VciEndpointRule endpoints[VCI_ENDPOINT_COUNT];
	VciStatus status = resolve(&issuer, settings, endpoints);
	bool named = strstr(error.text, needle) != NULL;

	if (!named)
		printf("# text: %s\n", error.text);
	ok(named, "the text says %s", needle);
	is_status(status, VCI_ERR_CONFIGURATION, &error, what);
	ok(endpoints[VCI_ENDPOINT_TOKEN].url == NULL, "and nothing is left to be freed");
	vci_endpoints_free(endpoints);
}

static void
test_defaults(void)
{
	static const char *const names[] = {
		"token",		"nonce",	 "credential", "batch_credential", "deferred_credential",
		"notification", "authorize", "par",		   "consent",		   "offer",
		"jwks",			"landing",	 "status_list"};
	static const char *const leaves[VCI_ENDPOINT_COUNT] = {[VCI_ENDPOINT_STATUS_LIST] =
															   "status-lists"};
	VciIssuer issuer = example_issuer();
	VciEndpointRule endpoints[VCI_ENDPOINT_COUNT];
	char expected[256];

	is_number(VCI_ENDPOINT_COUNT, sizeof(names) / sizeof(names[0]), "there are so many endpoints");
	is_status(resolve(&issuer, NULL, endpoints), VCI_OK, &error, "no settings");
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
	{
		snprintf(expected, sizeof(expected), "https://registry.example/api/v1/openid4vci/%s",
				 leaves[i] == NULL ? names[i] : leaves[i]);
		if (i == VCI_ENDPOINT_LANDING)
			strcpy(expected, "https://registry.example/o");
		is_text(vci_endpoint_name(i), names[i], "an endpoint's name");
		is_text(endpoints[i].url, expected,
				"lies below issuer URL and base path, but for the short link");
		is_number(endpoints[i].enabled, i != VCI_ENDPOINT_BATCH_CREDENTIAL,
				  "all are on in profile final but the batch endpoint of the drafts");
	}
	vci_endpoints_free(endpoints);
	ok(endpoints[VCI_ENDPOINT_JWKS].url == NULL, "freeing empties them");

	issuer.profile = VCI_PROFILE_OPENSPP;
	issuer.url = "http://127.0.0.1:8180/tenant";
	issuer.base_path = "";
	is_status(resolve(&issuer, "{}", endpoints), VCI_OK, &error, "empty settings");
	ok(endpoints[VCI_ENDPOINT_BATCH_CREDENTIAL].enabled, "OpenSPP's guide has it");
	is_text(endpoints[VCI_ENDPOINT_PAR].url, "http://127.0.0.1:8180/tenant/par",
			"an issuer with a path, without base path");
	vci_endpoints_free(endpoints);
}

static void
test_settings(void)
{
	check("{\"landing\":{\"base_url\":\"https://go.example\"}}", VCI_ENDPOINT_LANDING,
		  "https://go.example/o", "a shorter host for short links");
	check("{\"landing\":{\"path\":\"/x\"}}", VCI_ENDPOINT_LANDING, "https://registry.example/x",
		  "another path for them");
	check("{\"token\":{\"path\":\"/o/token\"}}", VCI_ENDPOINT_TOKEN,
		  "https://registry.example/o/token", "a path below theirs keeps what it had");
	check("{\"nonce\":{\"enabled\":false}}", VCI_ENDPOINT_NONCE,
		  "off https://registry.example/api/v1/openid4vci/nonce", "switched off");
	check("{\"batch_credential\":{\"enabled\":true}}", VCI_ENDPOINT_BATCH_CREDENTIAL,
		  "https://registry.example/api/v1/openid4vci/batch_credential", "switched on");
	check("{\"nonce\":{\"enabled\":false}}", VCI_ENDPOINT_TOKEN,
		  "https://registry.example/api/v1/openid4vci/token", "others stay");
	check("{\"token\":{\"path\":\"/oauth/token\"}}", VCI_ENDPOINT_TOKEN,
		  "https://registry.example/oauth/token", "a path replaces base path and name");
	check("{\"token\":{\"base_url\":\"https://api.example/x\"}}", VCI_ENDPOINT_TOKEN,
		  "https://api.example/x/api/v1/openid4vci/token", "a base URL replaces the issuer's");
	check("{\"token\":{\"base_url\":\"https://api.example\",\"path\":\"/t\",\"enabled\":true}}",
		  VCI_ENDPOINT_TOKEN, "https://api.example/t", "both");
	check("{\"token\":null}", VCI_ENDPOINT_TOKEN,
		  "https://registry.example/api/v1/openid4vci/token", "null is the default");
	check("{\"token\":{\"path\":null,\"base_url\":null,\"enabled\":null}}", VCI_ENDPOINT_TOKEN,
		  "https://registry.example/api/v1/openid4vci/token", "of each member, too");
	check("{\"token\":{\"path\":\"/x\"},\"credential\":{\"path\":\"/x\",\"base_url\":"
		  "\"https://api.example\"}}",
		  VCI_ENDPOINT_CREDENTIAL, "https://api.example/x", "one path on two hosts is two URLs");
	check("{\"token\":{\"path\":\"/offers\"},\"offer\":{\"path\":\"/off\"}}", VCI_ENDPOINT_TOKEN,
		  "https://registry.example/offers", "a name that only starts like another's");
	check("{\"token\":{\"path\":\"/offer/a/b\"},\"offer\":{\"path\":\"/offer\"}}",
		  VCI_ENDPOINT_TOKEN, "https://registry.example/offer/a/b",
		  "two segments behind the offers' URL are no offer");
}

static void
test_refusals(void)
{
	refuse("[]", "object", "settings that are no object");
	refuse("{\"tokens\":{}}", "tokens", "an endpoint that there is not");
	refuse("{\"token\":true}", "token", "settings of an endpoint that are no object");
	refuse("{\"token\":{\"url\":\"x\"}}", "url", "a member that there is not");
	refuse("{\"token\":{\"enabled\":\"no\"}}", "true or false", "enabled that is no boolean");
	refuse("{\"token\":{\"path\":7}}", "string", "a path that is no string");
	refuse("{\"token\":{\"path\":\"\"}}", "empty", "an empty path");
	refuse("{\"token\":{\"path\":\"token\"}}", "slash", "a path without slash");
	refuse("{\"token\":{\"path\":\"/token/\"}}", "slash", "a slash at the end");
	refuse("{\"token\":{\"path\":\"/a/../token\"}}", "..", "a path that climbs");
	refuse("{\"token\":{\"path\":\"/token?x=1\"}}", "letters", "a query");
	refuse("{\"token\":{\"path\":\"/.well-known/openid-credential-issuer\"}}", ".well-known",
		   "the place of a well-known document");
	refuse("{\"token\":{\"path\":\"/tenant/did.json\"}}", "did.json",
		   "the place of a DID document");
	refuse("{\"token\":{\"base_url\":\"http://api.example\"}}", "https", "a base URL without TLS");
	refuse("{\"token\":{\"base_url\":\"https://api.example/\"}}", "slash", "a slash behind it");
	refuse("{\"token\":{\"path\":\"/x\"},\"par\":{\"path\":\"/x\"}}", "share", "one URL for two");
	refuse("{\"token\":{\"path\":\"/x\"},\"par\":{\"path\":\"/x\",\"enabled\":false}}", "share",
		   "also when one is off, since it may be switched on again");
	refuse("{\"offer\":{\"path\":\"/x\"},\"par\":{\"path\":\"/x/par\"}}", "share",
		   "an endpoint where an offer might be");
	refuse("{\"status_list\":{\"path\":\"/x\"},\"par\":{\"path\":\"/x/abcdefghijklmnopqrstuv\"}}",
		   "share", "an endpoint where a status list might be");
	refuse("{\"offer\":{\"path\":\"/x\"},\"status_list\":{\"path\":\"/x/y\"}}", "share",
		   "the list of status lists where an offer might be");
}

/* Endpoints with more segments lie beside each other as long as no request fits two. */
static void
test_neighbours(void)
{
	static const char *const settings[] = {
		"{\"status_list\":{\"path\":\"/x\"},\"par\":{\"path\":\"/x/par\"}}",
		"{\"status_list\":{\"path\":\"/x\"},\"offer\":{\"path\":\"/x/abcdefghijklmnopqrstuv\"}}",
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
	{
		VciIssuer issuer = example_issuer();
		VciEndpointRule endpoints[VCI_ENDPOINT_COUNT];
		VciError error = VCI_ERROR_INIT;
		VciJson *given = json(settings[i]);

		is_status(vci_endpoints_resolve(&issuer, given, endpoints, &error), VCI_OK, &error,
				  settings[i]);
		vci_endpoints_free(endpoints);
		vci_json_free(given);
	}
}

int
main(void)
{
	test_defaults();
	test_settings();
	test_refusals();
	test_neighbours();
	return done_testing();
}
