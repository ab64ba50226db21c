/* The token endpoint's decisions. */
#include "protocol/token.h"

#include "protocol_fixture.h"

#define GRANT "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code"
#define CODE  "&pre-authorized_code=abc"

static VciError error = VCI_ERROR_INIT;

static void
test_requests(void)
{
	VciTokenRequest request;
	const char *body = GRANT CODE "&tx_code=123456&client_id=w&unknown=1&authorization_details="
								  "%5B%7B%22type%22%3A%22openid_credential%22%2C%22credential_"
								  "configuration_id%22%3A%22A%22%2C%22claims%22%3A%5B%5D%7D%5D";

	is_status(vci_token_request_parse(body, strlen(body), &request, &error), VCI_OK, &error,
			  "a request with everything in it");
	is_text(request.pre_authorized_code, "abc", "the code");
	is_text(request.tx_code, "123456", "the transaction code");
	is_number((int64_t) vci_json_array_length(request.authorization_details), 1, "the details");
	vci_token_request_free(&request);
	is_status(vci_token_request_parse(GRANT CODE, strlen(GRANT CODE), &request, &error), VCI_OK,
			  &error, "the guide's request without PIN");
	is_text(request.tx_code, NULL, "no transaction code");
	ok(request.authorization_details == NULL, "no details");
	vci_token_request_free(&request);
	is_status(vci_token_request_parse(GRANT CODE "&tx_code=", strlen(GRANT CODE "&tx_code="),
									  &request, &error),
			  VCI_OK, &error, "an empty transaction code");
	is_text(request.tx_code, NULL, "counts as none");
	vci_token_request_free(&request);
	vci_token_request_free(&request);
	ok(true, "freeing twice is harmless");
}

static void
refuse(const char *body, VciStatus expected, const char *what)
{
	VciTokenRequest request;

	is_status(vci_token_request_parse(body, strlen(body), &request, &error), expected, &error,
			  what);
}

static void
test_refused_requests(void)
{
	refuse("", VCI_ERR_REQUEST, "an empty body");
	refuse("pre-authorized_code=abc", VCI_ERR_REQUEST, "no grant type");
	refuse("grant_type=" CODE, VCI_ERR_REQUEST, "an empty grant type");
	refuse("grant_type=authorization_code&code=x", VCI_ERR_GRANT_TYPE, "another grant type");
	refuse("grant_type=password", VCI_ERR_GRANT_TYPE, "a password");
	refuse(GRANT, VCI_ERR_REQUEST, "no code");
	refuse(GRANT "&pre-authorized_code=", VCI_ERR_REQUEST, "an empty code");
	refuse(GRANT CODE CODE, VCI_ERR_FORM_DUPLICATE, "a code twice");
	refuse(GRANT CODE "&tx_code=1&tx_code=2", VCI_ERR_FORM_DUPLICATE, "two guesses in one request");
	refuse(GRANT CODE "&tx_code=%00", VCI_ERR_FORM, "a NUL");
	refuse(GRANT CODE "&tx_code=%ff", VCI_ERR_UTF8, "bad UTF-8");
}

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

static const char *const offered[] = {"A", "B"};

static void
check_selection(const char *details, VciStatus expected, const char *selected, const char *what)
{
	VciTokenRequest request = {.authorization_details = json(details)};
	VciJson *got;

	is_status(vci_token_select_configurations(&request, offered, 2, &got, &error), expected, &error,
			  what);
	is_json(got, selected, "the token covers");
	vci_json_free(request.authorization_details);
}

static void
test_selection(void)
{
	check_selection("null", VCI_OK, "[\"A\",\"B\"]", "without details, all that was offered");
	check_selection("[{\"credential_configuration_id\":\"B\"}]", VCI_OK, "[\"B\"]",
					"details narrow it");
	check_selection("[{\"credential_configuration_id\":\"B\"},"
					"{\"credential_configuration_id\":\"B\"}]",
					VCI_OK, "[\"B\"]", "one named twice is one");
	check_selection("[{\"credential_configuration_id\":\"B\"},"
					"{\"credential_configuration_id\":\"C\"}]",
					VCI_ERR_AUTHORIZATION_DETAILS, NULL, "one that was not offered is refused");
}

static void
test_responses(void)
{
	VciIssuer issuer = example_issuer();
	VciTokenRequest request = {0};
	VciJson *selected = json("[\"A\",\"B\"]");

	issuer.c_nonce_lifetime = 86400;
	is_json(vci_token_response(&issuer, &request, selected, "tok", 86400, "nonce"),
			"{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":86400,"
			"\"c_nonce\":\"nonce\",\"c_nonce_expires_in\":86400}",
			"the guide's response");
	is_json(vci_token_response(&issuer, NULL, selected, "tok", 300, NULL),
			"{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":300}",
			"the response of 1.0");
	request.authorization_details = json("[{}]");
	is_json(vci_token_response(&issuer, &request, selected, "tok", 300, NULL),
			"{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":300,"
			"\"authorization_details\":[{\"type\":\"openid_credential\","
			"\"credential_configuration_id\":\"A\",\"credential_identifiers\":[\"A#1\"]},"
			"{\"type\":\"openid_credential\",\"credential_configuration_id\":\"B\","
			"\"credential_identifiers\":[\"B#1\"]}]}",
			"details are answered with identifiers (section 6.2)");
	vci_json_free(request.authorization_details);
	vci_json_free(selected);
}

int
main(void)
{
	test_requests();
	test_refused_requests();
	test_refused_details();
	test_offer_states();
	test_texts();
	test_transaction_codes();
	test_selection();
	test_responses();
	return done_testing();
}
