/* Credential offers, their links, and transaction codes. */
#include "protocol/offer.h"

#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;
static const char *const ids[] = {"EntitlementCredential", "IdCredential"};

static void
test_offer_object(void)
{
	VciIssuer issuer = example_issuer();
	VciTxCode numeric = {VCI_TX_CODE_NUMERIC, 6, "Sent to your phone"};
	VciTxCode text = {VCI_TX_CODE_TEXT, 8, NULL};

	is_json(vci_offer_object(&issuer, ids, 2, &(VciOfferGrants){.pre_authorized_code = "code"}),
			"{\"credential_issuer\":\"https://registry.example\",\"credential_configuration_ids\":"
			"[\"EntitlementCredential\",\"IdCredential\"],\"grants\":{\"urn:ietf:params:oauth:"
			"grant-type:pre-authorized_code\":{\"pre-authorized_code\":\"code\"}}}",
			"an offer of two credentials without transaction code");
	is_json(vci_offer_object(&issuer, ids, 1,
							 &(VciOfferGrants){.pre_authorized_code = "code", .tx_code = &numeric}),
			"{\"credential_issuer\":\"https://registry.example\",\"credential_configuration_ids\":"
			"[\"EntitlementCredential\"],\"grants\":{\"urn:ietf:params:oauth:grant-type:"
			"pre-authorized_code\":{\"pre-authorized_code\":\"code\",\"tx_code\":{\"input_mode\":"
			"\"numeric\",\"length\":6,\"description\":\"Sent to your phone\"}}}}",
			"an offer with a described PIN, in the guide's shape");
	is_json(vci_offer_object(&issuer, ids, 1,
							 &(VciOfferGrants){.pre_authorized_code = "code", .tx_code = &text}),
			"{\"credential_issuer\":\"https://registry.example\",\"credential_configuration_ids\":"
			"[\"EntitlementCredential\"],\"grants\":{\"urn:ietf:params:oauth:grant-type:"
			"pre-authorized_code\":{\"pre-authorized_code\":\"code\",\"tx_code\":{\"input_mode\":"
			"\"text\",\"length\":8}}}}",
			"an offer with a text code and no description");
	is_json(vci_offer_object(&issuer, ids, 1, &(VciOfferGrants){0}),
			"{\"credential_issuer\":\"https://registry.example\",\"credential_configuration_ids\":"
			"[\"EntitlementCredential\"]}",
			"an offer without code has no grants");
}

static void
test_grants(void)
{
	static const char *const servers[] = {"https://login.example"};
	VciIssuer issuer = example_issuer();
	VciOfferGrants grants = {.issuer_state = "state",
							 .authorization_server = "https://login.example"};

	is_json(vci_offer_object(&issuer, ids, 1, &grants),
			"{\"credential_issuer\":\"https://registry.example\",\"credential_configuration_ids\":"
			"[\"EntitlementCredential\"],\"grants\":{\"authorization_code\":{\"issuer_state\":"
			"\"state\"}}}",
			"with no external server there is none to name (section 4.1.1)");
	issuer.authorization_servers = servers;
	issuer.authorization_server_count = 1;
	grants.pre_authorized_code = "code";
	is_json(vci_offer_object(&issuer, ids, 1, &grants),
			"{\"credential_issuer\":\"https://registry.example\",\"credential_configuration_ids\":"
			"[\"EntitlementCredential\"],\"grants\":{\"authorization_code\":{\"issuer_state\":"
			"\"state\",\"authorization_server\":\"https://login.example\"},\"urn:ietf:params:oauth:"
			"grant-type:pre-authorized_code\":{\"pre-authorized_code\":\"code\","
			"\"authorization_server\":\"https://registry.example\"}}}",
			"both grants; a pre-authorized code is good at the issuer alone");
}

static void
test_links(void)
{
	VciIssuer issuer = example_issuer();
	VciJson *offer = json("{\"a\":\"\xc3\xa9 /?&=#%+\\\"~\"}");
	char *uri = vci_offer_uri_by_value(offer);

	is_text(uri,
			"openid-credential-offer://?credential_offer="
			"%7B%22a%22%3A%22%C3%A9%20%2F%3F%26%3D%23%25%2B%5C%22~%22%7D",
			"every character beyond the unreserved ones is escaped in a link");
	free(uri);
	vci_json_free(offer);
	issuer.endpoints[VCI_ENDPOINT_OFFER].url = "http://127.0.0.1:8180/tenant/offers";
	uri = vci_offer_uri_by_reference(&issuer, "AbC-_9");
	is_text(uri,
			"openid-credential-offer://?credential_offer_uri=http%3A%2F%2F127.0.0.1%3A8180%2F"
			"tenant%2Foffers%2FAbC-_9",
			"the link by reference leads to the offer endpoint, wherever that is");
	free(uri);
}

static void
check_code(const char *code, VciTxCodeMode mode, VciStatus expected, int length, const char *what)
{
	int got = -1;

	is_status(vci_tx_code_check(code, mode, &got, &error), expected, &error, what);
	is_number(got, length, "and its length is right");
}

static void
test_given_codes(void)
{
	char code[300];

	check_code("1234", VCI_TX_CODE_NUMERIC, VCI_OK, 4, "four digits are accepted");
	check_code("123", VCI_TX_CODE_NUMERIC, VCI_ERR_REQUEST, 0, "three are refused");
	check_code("", VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "an empty code is refused");
	check_code(NULL, VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "no code is refused");
	check_code("12a4", VCI_TX_CODE_NUMERIC, VCI_ERR_REQUEST, 0, "a letter is not numeric");
	check_code("12 4", VCI_TX_CODE_NUMERIC, VCI_ERR_REQUEST, 0, "nor is a space");
	check_code("\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4", VCI_TX_CODE_NUMERIC, VCI_ERR_REQUEST, 0,
			   "digits of another script are not on a wallet's number pad");
	check_code("\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4", VCI_TX_CODE_TEXT, VCI_OK, 4,
			   "as text they count as four characters");
	check_code("\xf0\x9f\x90\x98pin", VCI_TX_CODE_TEXT, VCI_OK, 4,
			   "four bytes can be one character");
	check_code("blue horse", VCI_TX_CODE_TEXT, VCI_OK, 10, "a space within is text");
	check_code(" 1234", VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "a space in front is refused");
	check_code("1234 ", VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "a space behind is refused");
	check_code("12\n34", VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "a line break is refused");
	check_code("12\x7f"
			   "34",
			   VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "a control character is refused");
	check_code("12\xc2\xa0"
			   "34",
			   VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "a no-break space is refused");
	check_code("12\xc2\xad"
			   "34",
			   VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "a soft hyphen is refused");
	check_code("12\xe2\x80\x8b"
			   "34",
			   VCI_TX_CODE_TEXT, VCI_ERR_REQUEST, 0, "an invisible character is refused");
	check_code("1234\xff", VCI_TX_CODE_TEXT, VCI_ERR_UTF8, 0, "bad UTF-8 is refused");
	memset(code, '7', sizeof(code));
	code[64] = '\0';
	check_code(code, VCI_TX_CODE_NUMERIC, VCI_OK, 64, "64 characters are accepted");
	code[64] = '7';
	code[65] = '\0';
	check_code(code, VCI_TX_CODE_NUMERIC, VCI_ERR_REQUEST, 0, "65 are refused");
	code[65] = '7';
	code[299] = '\0';
	check_code(code, VCI_TX_CODE_NUMERIC, VCI_ERR_REQUEST, 0, "and far more are, too");
}

/*
 * Draws many codes and compares how often each symbol came with what chance gives: the
 * bound is six standard deviations, which an unbiased draw passes but once in a lifetime
 * and a draw by "% 10" of a byte fails at once.
 */
static void
check_distribution(VciTxCodeMode mode, const char *symbols, const char *what)
{
	int counts[256] = {0};
	size_t kinds = strlen(symbols);
	int draws = 0;
	int worst = 0;
	double mean;
	bool known = true;

	while (draws < 6400000)
	{
		char *code = NULL;

		if (vci_tx_code_generate(mode, 64, &code, &error) != VCI_OK || strlen(code) != 64)
			bail_out("cannot draw a transaction code", error.text);
		for (const char *p = code; *p != '\0'; p++)
		{
			known = known && strchr(symbols, *p) != NULL;
			counts[(unsigned char) *p]++;
		}
		draws += 64;
		free(code);
	}
	mean = (double) draws / (double) kinds;
	for (size_t i = 0; i < kinds; i++)
	{
		int off = counts[(unsigned char) symbols[i]] - (int) mean;

		worst = off > worst ? off : -off > worst ? -off : worst;
	}
	ok(known, "%s: no other symbol, so no look-alike", what);
	ok((double) worst * worst < 36 * mean, "%s: each symbol is as likely as any other", what);
}

static void
test_generated_codes(void)
{
	char *code;

	is_status(vci_tx_code_generate(VCI_TX_CODE_NUMERIC, 6, &code, &error), VCI_OK, &error,
			  "a code is drawn");
	check_code(code, VCI_TX_CODE_NUMERIC, VCI_OK, 6, "it passes the check of given codes");
	free(code);
	is_status(vci_tx_code_generate(VCI_TX_CODE_NUMERIC, 3, &code, &error), VCI_ERR_REQUEST, &error,
			  "three digits are too few");
	ok(code == NULL, "and give no code");
	is_status(vci_tx_code_generate(VCI_TX_CODE_TEXT, 65, &code, &error), VCI_ERR_REQUEST, &error,
			  "65 characters are too many");
	is_status(vci_tx_code_generate(VCI_TX_CODE_TEXT, -1, &code, &error), VCI_ERR_REQUEST, &error,
			  "a negative length is refused");
	check_distribution(VCI_TX_CODE_NUMERIC, "0123456789", "numeric codes");
	check_distribution(VCI_TX_CODE_TEXT, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ", "text codes");
}

static char *
derive_code(const VciSecret *key, const char *context, VciTxCodeMode mode, int length)
{
	char *code = NULL;

	if (vci_tx_code_derive(key, context, mode, length, &code, &error) != VCI_OK)
		bail_out("cannot derive a transaction code", error.text);
	return code;
}

/* Is it another code than the one of length 12 for context "7:12" under the key? */
static bool
differs(const VciSecret *key, const char *context, VciTxCodeMode mode, int length)
{
	VciSecret first = {{1}};
	char *usual = derive_code(&first, "7:12", VCI_TX_CODE_NUMERIC, 12);
	char *other = derive_code(key, context, mode, length);
	bool differ = strncmp(usual, other, 12) != 0;

	free(usual);
	free(other);
	return differ;
}

/* Over many contexts each digit has to come as often as any other at each place of the code. */
static void
check_derived_digits(const VciSecret *key)
{
	int counts[10] = {0};
	int worst = 0;
	int codes = 50000;

	for (int i = 0; i < codes; i++)
	{
		char context[32];
		char *code;

		snprintf(context, sizeof(context), "7:%d", i);
		code = derive_code(key, context, VCI_TX_CODE_NUMERIC, 6);
		for (const char *p = code; *p != '\0'; p++)
			counts[*p - '0']++;
		free(code);
	}
	for (int i = 0; i < 10; i++)
	{
		int off = abs(counts[i] - codes * 6 / 10);

		worst = off > worst ? off : worst;
	}
	ok((double) worst * worst < 36.0 * codes * 6 / 10, "each digit is as likely as any other");
}

/* Codes of campaigns: a gateway reads later what nobody has stored. */
static void
test_derived_codes(void)
{
	VciSecret key = {{1}};
	VciSecret other = {{2}};
	char long_context[200];
	char *code;

	ok(!differs(&key, "7:12", VCI_TX_CODE_NUMERIC, 12), "a derived code is the same again");
	ok(differs(&other, "7:12", VCI_TX_CODE_NUMERIC, 12), "under another key it is another one");
	ok(differs(&key, "71:2", VCI_TX_CODE_NUMERIC, 12), "in another context, too");
	ok(differs(&key, "7:12", VCI_TX_CODE_NUMERIC, 13), "and a longer one does not begin with it");
	code = derive_code(&key, "7:12", VCI_TX_CODE_TEXT, 64);
	check_code(code, VCI_TX_CODE_TEXT, VCI_OK, 64, "the longest passes the check of given codes");
	free(code);
	is_status(vci_tx_code_derive(&key, "7:12", VCI_TX_CODE_NUMERIC, 3, &code, &error),
			  VCI_ERR_REQUEST, &error, "three derived digits are too few");
	memset(long_context, 'x', sizeof(long_context));
	long_context[sizeof(long_context) - 1] = '\0';
	is_status(vci_tx_code_derive(&key, long_context, VCI_TX_CODE_TEXT, 6, &code, &error),
			  VCI_ERR_INTERNAL, &error, "a context is never cut off");
	ok(code == NULL, "and gives no code then");
	check_derived_digits(&key);
}

static void
test_mode_names(void)
{
	VciTxCodeMode mode = VCI_TX_CODE_NUMERIC;

	is_status(vci_tx_code_mode_by_name("text", &mode, &error), VCI_OK, &error, "text");
	is_number(mode, VCI_TX_CODE_TEXT, "is text mode");
	is_status(vci_tx_code_mode_by_name("numeric", &mode, &error), VCI_OK, &error, "numeric");
	is_number(mode, VCI_TX_CODE_NUMERIC, "is numeric mode");
	is_status(vci_tx_code_mode_by_name("Text", &mode, &error), VCI_ERR_REQUEST, &error,
			  "another spelling is refused");
	is_status(vci_tx_code_mode_by_name(NULL, &mode, &error), VCI_ERR_REQUEST, &error,
			  "no name is refused");
}

int
main(void)
{
	test_offer_object();
	test_grants();
	test_links();
	test_given_codes();
	test_generated_codes();
	test_derived_codes();
	test_mode_names();
	return done_testing();
}
