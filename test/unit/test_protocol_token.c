/* The token endpoint's decisions. */
#include "protocol/token.h"

#include "protocol_fixture.h"

#define GRANT "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code"
#define CODE  "&pre-authorized_code=abc"

#define ISSUER "https://registry.example"

static VciError error = VCI_ERROR_INIT;

static VciStatus
parse(const char *body, VciTokenRequest *request)
{
	return vci_token_request_parse(body, strlen(body), ISSUER, request, &error);
}

static void
test_requests(void)
{
	VciTokenRequest request;
	const char *body = GRANT CODE "&tx_code=123456&client_id=w&unknown=1&authorization_details="
								  "%5B%7B%22type%22%3A%22openid_credential%22%2C%22credential_"
								  "configuration_id%22%3A%22A%22%2C%22claims%22%3A%5B%5D%7D%5D";

	is_status(parse(body, &request), VCI_OK, &error, "a request with everything in it");
	is_number(request.grant, VCI_BY_PRE_AUTHORIZED_CODE, "the grant");
	is_text(request.credential, "abc", "the code");
	is_text(request.client_id, "w", "the client");
	is_text(request.tx_code, "123456", "the transaction code");
	is_number((int64_t) vci_json_array_length(request.authorization_details), 1, "the details");
	vci_token_request_free(&request);
	is_status(parse(GRANT CODE, &request), VCI_OK, &error, "the guide's request without PIN");
	is_text(request.tx_code, NULL, "no transaction code");
	ok(request.authorization_details == NULL, "no details");
	vci_token_request_free(&request);
	is_status(parse(GRANT CODE "&tx_code=", &request), VCI_OK, &error, "an empty transaction code");
	is_text(request.tx_code, NULL, "counts as none");
	vci_token_request_free(&request);
	vci_token_request_free(&request);
	ok(true, "freeing twice is harmless");
}

static void
refuse(const char *body, VciStatus expected, const char *what)
{
	VciTokenRequest request;

	is_status(parse(body, &request), expected, &error, what);
}

static void
test_refused_requests(void)
{
	refuse("", VCI_ERR_REQUEST, "an empty body");
	refuse("pre-authorized_code=abc", VCI_ERR_REQUEST, "no grant type");
	refuse("grant_type=" CODE, VCI_ERR_REQUEST, "an empty grant type");
	refuse("grant_type=password", VCI_ERR_GRANT_TYPE, "a password");
	refuse(GRANT, VCI_ERR_REQUEST, "no code");
	refuse(GRANT "&pre-authorized_code=", VCI_ERR_REQUEST, "an empty code");
	refuse(GRANT CODE CODE, VCI_ERR_FORM_DUPLICATE, "a code twice");
	refuse(GRANT CODE "&tx_code=1&tx_code=2", VCI_ERR_FORM_DUPLICATE, "two guesses in one request");
	refuse(GRANT CODE "&tx_code=%00", VCI_ERR_FORM, "a NUL");
	refuse(GRANT CODE "&tx_code=%ff", VCI_ERR_UTF8, "bad UTF-8");
	refuse(GRANT CODE "&client_id=a%0ab", VCI_ERR_REQUEST, "a line break in client_id");
	refuse(GRANT CODE "&client_id=%c3%a9", VCI_ERR_REQUEST, "a client_id beyond ASCII");
}

#define DETAIL(locations)                                                                          \
	("[{\"type\":\"openid_credential\",\"credential_configuration_id\":\"A\","                     \
	 "\"locations\":" locations "}]")

static void
test_refused_details(void)
{
	static const char *const details[] = {
		"x",
		"{}",
		"[]",
		"null",
		"[1]",
		"[null]",
		"[{}]",
		"[{\"type\":\"openid_credential\"}]",
		"[{\"credential_configuration_id\":\"A\"}]",
		"[{\"type\":\"payment\",\"credential_configuration_id\":\"A\"}]",
		"[{\"type\":7,\"credential_configuration_id\":\"A\"}]",
		"[{\"type\":\"openid_credential\",\"credential_configuration_id\":\"\"}]",
		"[{\"type\":\"openid_credential\",\"credential_configuration_id\":7}]",
		"[{\"type\":\"openid_credential\",\"format\":\"vc+sd-jwt\",\"vct\":\"x\"}]",
		"[{\"type\":\"openid_credential\",\"type\":\"x\",\"credential_configuration_id\":\"A\"}]",
		"[{\"type\":\"openid_credential\",\"credential_configuration_id\":\"A\"}]x",
		DETAIL("[]"),
		DETAIL("\"" ISSUER "\""),
		DETAIL("[\"https://other.example\"]"),
	};
	char many[8192];

	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
	{
		char body[1024];

		snprintf(body, sizeof(body), GRANT CODE "&authorization_details=%s", details[i]);
		refuse(body, VCI_ERR_AUTHORIZATION_DETAILS, details[i]);
	}
	strcpy(many, GRANT CODE "&authorization_details=[");
	for (int i = 0; i < 33; i++)
		strcat(many, "{\"type\":\"openid_credential\",\"credential_configuration_id\":\"A\"},");
	many[strlen(many) - 1] = ']';
	refuse(many, VCI_ERR_AUTHORIZATION_DETAILS, "33 details are too many");
}

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CODE_GRANT                                                                                 \
	"grant_type=authorization_code&code=abc&client_id=w&redirect_uri=https%3A%2F%2Fw.example%2Fcb"

static void
test_authorization_code_requests(void)
{
	VciTokenRequest request;
	char body[512];

	is_status(parse(CODE_GRANT "&code_verifier=" VERIFIER "&tx_code=1&scope=s", &request), VCI_OK,
			  &error, "a code with its verifier");
	is_number(request.grant, VCI_BY_AUTHORIZATION_CODE, "the grant");
	is_text(request.credential, "abc", "the code");
	is_text(request.redirect_uri, "https://w.example/cb", "the redirect URI");
	is_text(request.code_verifier, VERIFIER, "the verifier");
	is_text(request.tx_code, NULL, "a transaction code belongs to the other grant");
	is_text(request.scope, NULL, "scope is no parameter of this grant");
	vci_token_request_free(&request);
	is_status(parse(CODE_GRANT, &request), VCI_OK, &error, "a code without verifier");
	vci_token_request_free(&request);
	refuse("grant_type=authorization_code&client_id=w&redirect_uri=x", VCI_ERR_REQUEST, "no code");
	refuse("grant_type=authorization_code&code=x&redirect_uri=x", VCI_ERR_REQUEST, "no client_id");
	refuse("grant_type=authorization_code&code=x&client_id=w", VCI_ERR_REQUEST, "no redirect_uri");
	refuse(CODE_GRANT "&code_verifier=short", VCI_ERR_PKCE, "a short verifier");
	refuse(CODE_GRANT "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r%2BwW1gFWFOEjXk", VCI_ERR_PKCE,
		   "a verifier with another character");
	strcpy(body, CODE_GRANT "&code_verifier=" VERIFIER VERIFIER
							"123456789012345678901234567890123456789012");
	is_status(parse(body, &request), VCI_OK, &error, "a verifier of 128 characters");
	vci_token_request_free(&request);
	strcat(body, "3");
	refuse(body, VCI_ERR_PKCE, "one of 129");
}

static void
test_refresh_requests(void)
{
	VciTokenRequest request;

	is_status(parse("grant_type=refresh_token&refresh_token=abc&scope=a+b", &request), VCI_OK,
			  &error, "a refresh token");
	is_number(request.grant, VCI_BY_REFRESH_TOKEN, "the grant");
	is_text(request.credential, "abc", "the token");
	is_text(request.scope, "a b", "the scope");
	vci_token_request_free(&request);
	refuse("grant_type=refresh_token", VCI_ERR_REQUEST, "no refresh token");
}

static const VciOfferFacts pending = {.generation = 3, .expires_at = NOW + 60};

/* Decides on an offer with a request that brings this transaction code. */
static VciStatus
decide(const VciOfferFacts *facts, const char *tx_code, bool matches, int32_t generation)
{
	VciTokenRequest request = {.tx_code = tx_code};
	VciIssuer issuer = example_issuer();

	return vci_token_check_offer(&request, facts, &issuer, generation, matches, NOW, &error);
}

static void
test_offer_states(void)
{
	VciOfferFacts facts = pending;

	is_status(decide(&facts, NULL, false, 3), VCI_OK, &error, "a pending offer is redeemed");
	is_status(decide(&facts, NULL, false, 2), VCI_ERR_GRANT, &error, "an older link is dead");
	is_status(decide(&facts, NULL, false, 4), VCI_ERR_GRANT, &error, "so is one of the future");
	facts.expires_at = NOW + 1;
	is_status(decide(&facts, NULL, false, 3), VCI_OK, &error, "the last second counts");
	facts.expires_at = NOW;
	is_status(decide(&facts, NULL, false, 3), VCI_ERR_GRANT, &error, "expiry itself does not");
	facts = pending;
	facts.cancelled = true;
	is_status(decide(&facts, NULL, false, 3), VCI_ERR_GRANT, &error, "a cancelled offer");
	facts = pending;
	facts.redeemed = true;
	is_status(decide(&facts, NULL, false, 3), VCI_ERR_GRANT, &error, "a redeemed offer");
	facts = pending;
	facts.authorization_only = true;
	is_status(decide(&facts, NULL, false, 3), VCI_ERR_GRANT, &error, "an offer without this grant");
	facts = pending;
	facts.client_id = "wallet";
	is_status(decide(&facts, NULL, false, 3), VCI_ERR_CLIENT, &error, "an offer for one client");
}

/* A refusal says which one it is. */
static void
check_text(const VciOfferFacts *facts, int32_t generation, const char *needle)
{
	(void) decide(facts, NULL, false, generation);
	ok(strstr(error.text, needle) != NULL, "the text says: %s", needle);
	memset(&error, 0, sizeof(error));
}

static void
test_texts(void)
{
	VciOfferFacts facts = pending;

	check_text(&facts, 2, "replaced by a newer one");
	facts.expires_at = NOW - 1;
	check_text(&facts, 3, "expired");
	facts.redeemed = true;
	check_text(&facts, 3, "redeemed already");
	facts.cancelled = true;
	check_text(&facts, 3, "cancelled");
}

static void
test_transaction_codes(void)
{
	VciOfferFacts facts = pending;

	is_status(decide(&facts, "123456", true, 3), VCI_ERR_TX_CODE_UNEXPECTED, &error,
			  "a code that nobody asked for is an error of the request");
	facts.has_tx_code = true;
	is_status(decide(&facts, "123456", true, 3), VCI_OK, &error, "the right code is accepted");
	is_status(decide(&facts, "123457", false, 3), VCI_ERR_TX_CODE_WRONG, &error, "a wrong one not");
	is_status(decide(&facts, NULL, true, 3), VCI_ERR_TX_CODE_MISSING, &error,
			  "a missing one is told apart, as it does not count");
	facts.tx_code_failures = 4;
	is_status(decide(&facts, "123456", true, 3), VCI_OK, &error, "the fifth guess may be right");
	facts.tx_code_failures = 5;
	is_status(decide(&facts, "123456", true, 3), VCI_ERR_OFFER_LOCKED, &error,
			  "after five wrong ones, not even the right code opens");
	is_status(decide(&facts, NULL, true, 3), VCI_ERR_OFFER_LOCKED, &error, "nor a missing one");
	facts.expires_at = NOW;
	is_status(decide(&facts, "123456", true, 3), VCI_ERR_GRANT, &error,
			  "an expired offer says so, before its code is looked at");
	facts = pending;
	facts.tx_code_failures = 5;
	is_status(decide(&facts, NULL, true, 3), VCI_OK, &error,
			  "without a code, a counter of former days locks nothing");
}

/* What does not count comes before what does. */
static void
test_waiting(void)
{
	VciOfferFacts facts = pending;

	facts.has_tx_code = true;
	facts.tx_code_wait = 3;
	is_status(decide(&facts, "123457", false, 3), VCI_ERR_TOO_MANY, &error,
			  "too soon after a wrong code, another wrong one does not count");
	is_status(decide(&facts, "123456", true, 3), VCI_ERR_TOO_MANY, &error,
			  "and the right one is not taken");
	is_status(decide(&facts, NULL, false, 3), VCI_ERR_TX_CODE_MISSING, &error,
			  "a missing one is told at once");
	facts.client_id = "wallet";
	is_status(decide(&facts, "123456", true, 3), VCI_ERR_CLIENT, &error,
			  "another client learns nothing of the transaction code");
	facts.tx_code_wait = 0;
	is_status(decide(&facts, "123457", false, 3), VCI_ERR_CLIENT, &error, "nor can it lock it");
}

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" /* RFC 7636 appendix B */

static void
test_pkce(void)
{
	is_status(vci_pkce_check(CHALLENGE, VERIFIER, &error), VCI_OK, &error,
			  "the example of RFC 7636 appendix B");
	is_status(vci_pkce_check(NULL, NULL, &error), VCI_OK, &error, "neither");
	is_status(vci_pkce_check(CHALLENGE, NULL, &error), VCI_ERR_PKCE, &error, "no verifier");
	is_status(vci_pkce_check(NULL, VERIFIER, &error), VCI_ERR_PKCE, &error,
			  "a verifier without challenge (a downgrade)");
	is_status(vci_pkce_check(CHALLENGE, CHALLENGE, &error), VCI_ERR_PKCE, &error,
			  "the challenge itself is no verifier");
	is_status(vci_pkce_check("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", VERIFIER, &error),
			  VCI_ERR_PKCE, &error, "a cut challenge");
	is_status(vci_pkce_check("", VERIFIER, &error), VCI_ERR_PKCE, &error, "an empty challenge");
}

static const VciAuthorizationFacts approved = {.generation = 3,
											   .client_id = "w",
											   .redirect_uri = "https://w.example/cb",
											   .code_challenge = CHALLENGE,
											   .approved = true,
											   .code_expires_at = NOW + 60};

/* Decides on an authorization code, with what the right wallet would send but for changes. */
static void
check_code(const VciAuthorizationFacts *facts, VciTokenRequest request, int32_t generation,
		   const char *jkt, VciStatus expected, bool expect_replayed, const char *what)
{
	bool replayed = !expect_replayed;

	is_status(
		vci_token_check_authorization(&request, facts, generation, jkt, NOW, &replayed, &error),
		expected, &error, what);
	ok(replayed == expect_replayed, "%s", replayed ? "that revokes" : "that revokes nothing");
}

static void
test_authorization_codes(void)
{
	VciTokenRequest right = {
		.client_id = "w", .redirect_uri = "https://w.example/cb", .code_verifier = VERIFIER};
	VciTokenRequest other_client = right;
	VciTokenRequest other_uri = right;
	VciTokenRequest no_verifier = right;
	VciAuthorizationFacts facts = approved;

	other_client.client_id = "v";
	other_uri.redirect_uri = "https://w.example/cb/";
	no_verifier.code_verifier = NULL;
	check_code(&facts, right, 3, NULL, VCI_OK, false, "the right wallet");
	check_code(&facts, right, 3, "key", VCI_OK, false, "also with a DPoP proof");
	check_code(&facts, right, 2, NULL, VCI_ERR_GRANT, false, "another generation");
	facts.code_expires_at = NOW;
	check_code(&facts, right, 3, NULL, VCI_ERR_GRANT, false, "an expired code");
	facts = approved;
	facts.approved = false;
	check_code(&facts, right, 3, NULL, VCI_ERR_GRANT, false, "nobody approved");
	facts = approved;
	facts.denied = true;
	check_code(&facts, right, 3, NULL, VCI_ERR_GRANT, false, "somebody denied");
	facts = approved;
	facts.redeemed = true;
	facts.code_expires_at = NOW;
	check_code(&facts, right, 3, NULL, VCI_ERR_GRANT, true, "the code again, also when expired");
	check_code(&facts, other_client, 3, NULL, VCI_ERR_GRANT, false, "again, by another client");
	check_code(&facts, other_uri, 3, NULL, VCI_ERR_GRANT, false, "again, another redirect_uri");
	check_code(&facts, no_verifier, 3, NULL, VCI_ERR_PKCE, false, "again, without verifier");
	check_code(&facts, right, 2, NULL, VCI_ERR_GRANT, false, "again, another generation");
	facts.jkt = "key";
	check_code(&facts, right, 3, NULL, VCI_ERR_DPOP, false, "again, bound and without proof");
	check_code(&facts, right, 3, "other", VCI_ERR_GRANT, false, "again, by another key");
	check_code(&facts, right, 3, "key", VCI_ERR_GRANT, true, "again, by the bound key");
	facts.redeemed = false;
	facts.code_expires_at = NOW + 60;
	check_code(&facts, right, 3, "key", VCI_OK, false, "bound, with its key");
	check_code(&facts, right, 3, NULL, VCI_ERR_DPOP, false, "bound, without proof");
	check_code(&facts, right, 3, "other", VCI_ERR_GRANT, false, "bound, by another key");
}

static void
check_refresh(const VciRefreshFacts *facts, const char *client_id, int32_t generation,
			  const char *jkt, VciStatus expected, bool expect_replayed, const char *what)
{
	VciTokenRequest request = {.client_id = client_id};
	bool replayed = !expect_replayed;

	is_status(vci_token_check_refresh(&request, facts, generation, jkt, NOW, &replayed, &error),
			  expected, &error, what);
	ok(replayed == expect_replayed, "%s", replayed ? "that revokes" : "that revokes nothing");
}

static void
test_refresh_tokens(void)
{
	VciRefreshFacts facts = {.generation = 3, .expires_at = NOW + 60};

	check_refresh(&facts, NULL, 3, NULL, VCI_OK, false, "a good token");
	check_refresh(&facts, "any", 3, "key", VCI_OK, false, "client and key don't matter");
	check_refresh(&facts, NULL, 4, NULL, VCI_ERR_GRANT, false, "another generation");
	facts.expires_at = NOW;
	check_refresh(&facts, NULL, 3, NULL, VCI_ERR_GRANT, false, "an expired one");
	facts.replaced = true;
	check_refresh(&facts, NULL, 3, NULL, VCI_ERR_GRANT, true,
				  "one whose successor was used, also when expired");
	facts.client_id = "w";
	check_refresh(&facts, NULL, 3, NULL, VCI_ERR_GRANT, false, "the same without its client_id");
	check_refresh(&facts, "v", 3, NULL, VCI_ERR_GRANT, false, "the same from another client");
	facts = (VciRefreshFacts){.generation = 3, .jkt = "key", .expires_at = NOW + 60};
	check_refresh(&facts, NULL, 3, "key", VCI_OK, false, "a bound one with its key");
	check_refresh(&facts, NULL, 3, NULL, VCI_ERR_DPOP, false, "without proof");
	check_refresh(&facts, NULL, 3, "other", VCI_ERR_GRANT, false, "by another key");
}

static const char *const offered[] = {"A", "B"};

static void
check_selection(const char *details, const char *scope, VciStatus expected, const char *selected,
				const char *what)
{
	static const VciConfiguration configurations[] = {{.id = "A", .scope = "a"},
													  {.id = "B", .scope = "b"},
													  {.id = "C", .scope = "b"},
													  {.id = "D"}};
	VciTokenRequest request = {.authorization_details = json(details), .scope = scope};
	VciJson *got;

	is_status(
		vci_token_select_configurations(&request, offered, 2, configurations, 4, &got, &error),
		expected, &error, what);
	is_json(got, selected, "the token covers");
	vci_json_free(request.authorization_details);
}

static void
test_selection(void)
{
	check_selection("null", NULL, VCI_OK, "[\"A\",\"B\"]", "without details, all of it");
	check_selection("[{\"credential_configuration_id\":\"B\"}]", NULL, VCI_OK, "[\"B\"]",
					"details narrow it");
	check_selection("[{\"credential_configuration_id\":\"B\"},"
					"{\"credential_configuration_id\":\"B\"}]",
					NULL, VCI_OK, "[\"B\"]", "one named twice is one");
	check_selection("[{\"credential_configuration_id\":\"B\"},"
					"{\"credential_configuration_id\":\"C\"}]",
					NULL, VCI_ERR_AUTHORIZATION_DETAILS, NULL,
					"one that was not granted is refused");
	check_selection("null", "b", VCI_OK, "[\"B\"]", "scope narrows it, and never widens");
	check_selection("null", "x  b a", VCI_OK, "[\"A\",\"B\"]", "unknown values are ignored");
	check_selection("null", "x", VCI_ERR_SCOPE_UNKNOWN, NULL, "nothing known");
	check_selection("null", "ab", VCI_ERR_SCOPE_UNKNOWN, NULL, "values are whole words");
	check_selection("null", " ", VCI_ERR_SCOPE_UNKNOWN, NULL, "no value at all");
	check_selection("[{\"credential_configuration_id\":\"A\"}]", "b", VCI_OK, "[\"A\"]",
					"details win over scope");
}

static void
test_scopes(void)
{
	static const VciConfiguration configurations[] = {{.id = "A", .scope = "a"},
													  {.id = "B", .scope = "b"},
													  {.id = "C", .scope = "b"},
													  {.id = "D"}};
	VciJson *selected;

	is_status(vci_scope_select("b openid", configurations, 4, &selected, &error), VCI_OK, &error,
			  "one value may name two configurations");
	is_json(selected, "[\"B\",\"C\"]", "both are meant");
	is_status(vci_scope_select("openid", configurations, 4, &selected, &error),
			  VCI_ERR_SCOPE_UNKNOWN, &error, "none is meant");
	ok(selected == NULL, "and nothing selected");
}

static void
test_responses(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *selected = json("[\"A\",\"B\"]");
	VciJson *datasets = json("[{\"configuration_id\":\"B\",\"claims\":{}},"
							 "{\"configuration_id\":\"B\",\"claims\":{}}]");
	VciTokenGrant grant = {.access_token = "tok", .expires_in = 300, .selected = selected};

	issuer.c_nonce_lifetime = 86400;
	is_json(vci_token_response(&issuer, &grant),
			"{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":300}",
			"the response of 1.0");
	grant.identifiers = true;
	is_json(vci_token_response(&issuer, &grant),
			"{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":300,"
			"\"authorization_details\":[{\"type\":\"openid_credential\","
			"\"credential_configuration_id\":\"A\",\"credential_identifiers\":[\"A#1\"]},"
			"{\"type\":\"openid_credential\",\"credential_configuration_id\":\"B\","
			"\"credential_identifiers\":[\"B#1\"]}]}",
			"details are answered with identifiers (section 6.2)");
	grant = (VciTokenGrant){.access_token = "tok", .expires_in = 86400, .c_nonce = "nonce"};
	is_json(vci_token_response(&issuer, &grant),
			"{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":86400,"
			"\"c_nonce\":\"nonce\",\"c_nonce_expires_in\":86400}",
			"the guide's response");
	grant = (VciTokenGrant){.access_token = "tok",
							.bound = true,
							.expires_in = 3600,
							.refresh_token = "ref",
							.selected = selected,
							.datasets = datasets,
							.identifiers = true};
	is_json(vci_token_response(&issuer, &grant),
			"{\"access_token\":\"tok\",\"token_type\":\"DPoP\",\"expires_in\":3600,"
			"\"refresh_token\":\"ref\",\"authorization_details\":[{\"type\":"
			"\"openid_credential\",\"credential_configuration_id\":\"A\","
			"\"credential_identifiers\":[\"A#1\"]},{\"type\":\"openid_credential\","
			"\"credential_configuration_id\":\"B\",\"credential_identifiers\":[\"B#1\",\"B#2\"]}]}",
			"a bound token with a refresh token and several datasets");
	ok(vci_token_needs_identifiers(selected, datasets, false), "several datasets need identifiers");
	ok(!vci_token_needs_identifiers(selected, NULL, false), "one each does not");
	ok(vci_token_needs_identifiers(selected, NULL, true), "unless they were asked for");
	vci_json_free(datasets);
	datasets = json("[{\"configuration_id\":\"C\",\"claims\":{}},"
					"{\"configuration_id\":\"C\",\"claims\":{}}]");
	ok(!vci_token_needs_identifiers(selected, datasets, false),
	   "datasets of what the token does not cover don't matter");
	vci_json_free(datasets);
	vci_json_free(selected);
}

int
main(void)
{
	test_requests();
	test_refused_requests();
	test_refused_details();
	test_authorization_code_requests();
	test_refresh_requests();
	test_offer_states();
	test_texts();
	test_transaction_codes();
	test_waiting();
	test_pkce();
	test_authorization_codes();
	test_refresh_tokens();
	test_selection();
	test_scopes();
	test_responses();
	return done_testing();
}
