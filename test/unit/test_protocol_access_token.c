/* JWT access tokens of other servers: each rule of RFC 9068 section 4 and of RFC 9449 6.1. */
#include "protocol/access_token.h"

#include "protocol_fixture.h"

#define SERVER "https://login.example"
#define JKT	   "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

static VciError error = VCI_ERROR_INIT;
static VciKey *key;
static VciKey *second_key;
static VciJson *jwks;

static const char *const audiences[] = {"https://registry.example", "registry"};
static const char *const client_ids[] = {"wallet.example", "other-wallet"};

static VciAccessTokenPolicy
policy(void)
{
	return (VciAccessTokenPolicy){.jwks = jwks,
								  .audiences = audiences,
								  .audience_count = 2,
								  .subject_claim = "sub",
								  .now = NOW};
}

static VciJson *
published(const VciKey *public_key, const char *kid, const char *use)
{
	VciJson *jwk = vci_key_public_jwk(public_key);

	if (!vci_json_set_string(jwk, "kid", kid) || !vci_json_set_string(jwk, "use", use))
		bail_out("cannot publish", kid);
	return jwk;
}

/* Two keys to verify with and, as servers publish them too, one for encryption. */
static VciJson *
new_jwks(void)
{
	VciJson *set = vci_json_new_object();
	VciJson *keys = vci_json_new_array();

	(void) vci_json_append(keys, published(second_key, "enc", "enc"));
	(void) vci_json_append(keys, published(key, "one", "sig"));
	(void) vci_json_append(keys, published(second_key, "two", "sig"));
	(void) vci_json_set(set, "keys", keys);
	return set;
}

static char *
sign_with(VciKey *signer, const char *header, const char *payload)
{
	VciJson *parsed_header = json(header);
	VciJson *parsed_payload = json(payload);
	char *jwt;

	if (vci_jws_sign(parsed_header, parsed_payload, signer, &jwt, &error) != VCI_OK)
		bail_out("cannot sign", error.text);
	vci_json_free(parsed_header);
	vci_json_free(parsed_payload);
	return jwt;
}

static VciAccessToken *
check_text(const VciAccessTokenPolicy *demands, const char *jwt, VciStatus expected,
		   const char *what)
{
	VciAccessToken *token;
	VciStatus status = vci_access_token_parse(jwt, strlen(jwt), &token, &error);

	if (status == VCI_OK)
		status = vci_access_token_check(token, demands, &error);
	is_status(status, expected, &error, what);
	return token;
}

static VciAccessToken *
check_jwt(const VciAccessTokenPolicy *demands, const char *header, const char *payload,
		  VciStatus expected, const char *what)
{
	char *jwt = sign_with(key, header, payload);
	VciAccessToken *token = check_text(demands, jwt, expected, what);

	free(jwt);
	return token;
}

#define HEADER "{\"typ\":\"at+jwt\",\"kid\":\"one\"}"
#define ISS	   "\"iss\":\"" SERVER "\""
#define EXP	   ",\"exp\":1767225700"
#define AUD	   ",\"aud\":\"registry\""
#define ID	   ",\"jti\":\"j-1\""
#define SUB	   ",\"sub\":\"person-7\""
#define GOOD   ISS EXP AUD ID SUB

static void
check_with(const VciAccessTokenPolicy *demands, const char *members, VciStatus expected,
		   const char *what)
{
	char payload[1024];

	snprintf(payload, sizeof(payload), "{%s}", members);
	vci_access_token_free(check_jwt(demands, HEADER, payload, expected, what));
}

static void
check(const char *members, VciStatus expected, const char *what)
{
	VciAccessTokenPolicy demands = policy();

	check_with(&demands, members, expected, what);
}

static void
test_shape(void)
{
	VciAccessToken *token;

	ok(vci_access_token_is_jwt("a.b.c", 5), "two dots are a JWT's");
	ok(!vci_access_token_is_jwt("AwAAAAAAAAAqAAAAAw", 18), "a ticket of our own has none");
	ok(!vci_access_token_is_jwt("a.b.c.d.e", 9), "four are an encrypted one's");
	ok(!vci_access_token_is_jwt("", 0), "nothing is none");
	is_status(vci_access_token_parse("a.b.c", 5, &token, &error), VCI_ERR_TOKEN, &error,
			  "what is no JWT is no token");
	ok(token == NULL, "and nothing is left of it");
	check("\"sub\":\"x\"", VCI_ERR_TOKEN, "no iss");
	check("\"iss\":7", VCI_ERR_TOKEN, "iss no string");
}

static void
test_types(void)
{
	VciAccessTokenPolicy demands = policy();
	static const char *const others[] = {"{\"typ\":\"JWT\",\"kid\":\"one\"}", "{\"kid\":\"one\"}",
										 "{\"typ\":\"id+jwt\",\"kid\":\"one\"}",
										 "{\"typ\":\"dpop+jwt\",\"kid\":\"one\"}"};

	vci_access_token_free(check_jwt(&demands, HEADER, "{" GOOD "}", VCI_OK, "at+jwt"));
	vci_access_token_free(check_jwt(&demands, "{\"typ\":\"application/AT+jwt\",\"kid\":\"one\"}",
									"{" GOOD "}", VCI_OK, "application/at+jwt"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		vci_access_token_free(
			check_jwt(&demands, others[i], "{" GOOD "}", VCI_ERR_TOKEN, others[i]));
	demands.accept_typ_jwt = true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		vci_access_token_free(check_jwt(&demands, others[i], "{" GOOD "}",
										i < 2 ? VCI_OK : VCI_ERR_TOKEN, "with accept_typ_jwt"));
}

static void
test_keys(void)
{
	VciAccessTokenPolicy demands = policy();
	char *jwt = sign_with(second_key, HEADER, "{" GOOD "}");

	vci_access_token_free(check_text(&demands, jwt, VCI_ERR_TOKEN, "by another key than its kid"));
	free(jwt);
	jwt = sign_with(second_key, "{\"typ\":\"at+jwt\",\"kid\":\"two\"}", "{" GOOD "}");
	vci_access_token_free(check_text(&demands, jwt, VCI_OK, "by the second key"));
	jwt[strlen(jwt) - 8] ^= 1;
	vci_access_token_free(check_text(&demands, jwt, VCI_ERR_TOKEN, "with a broken signature"));
	free(jwt);
	jwt = sign_with(second_key, "{\"typ\":\"at+jwt\",\"kid\":\"enc\"}", "{" GOOD "}");
	vci_access_token_free(check_text(&demands, jwt, VCI_ERR_TOKEN, "by a key for encryption"));
	free(jwt);
	vci_access_token_free(check_jwt(&demands, "{\"typ\":\"at+jwt\",\"kid\":\"three\"}",
									"{" GOOD "}", VCI_ERR_TOKEN, "an unknown kid"));
	vci_access_token_free(check_jwt(&demands, "{\"typ\":\"at+jwt\",\"kid\":1}", "{" GOOD "}",
									VCI_ERR_TOKEN, "kid no string"));
	vci_access_token_free(check_jwt(&demands, "{\"typ\":\"at+jwt\"}", "{" GOOD "}", VCI_ERR_TOKEN,
									"no kid among two keys"));
	demands.jwks = NULL;
	check_with(&demands, GOOD, VCI_ERR_TOKEN, "no keys are loaded");
	jwt = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUifQ.";
	demands = policy();
	vci_access_token_free(check_text(&demands, jwt, VCI_ERR_TOKEN, "alg none"));
}

/* A key in the token itself is never looked at: its bearer could have made it. */
static void
test_own_key(void)
{
	VciAccessTokenPolicy demands = policy();
	VciKey *stranger;
	VciJson *jwk;
	char header[512];
	char *text;
	char *jwt;

	(void) vci_key_generate(VCI_ALG_ES256, &stranger, &error);
	jwk = vci_key_public_jwk(stranger);
	text = vci_json_print(jwk);
	snprintf(header, sizeof(header), "{\"typ\":\"at+jwt\",\"jwk\":%s}", text);
	jwt = sign_with(stranger, header, "{" GOOD "}");
	vci_access_token_free(check_text(&demands, jwt, VCI_ERR_TOKEN, "a key in the header"));
	free(jwt);
	free(text);
	vci_json_free(jwk);
	vci_key_free(stranger);
}

static void
test_times(void)
{
	VciAccessTokenPolicy demands = policy();
	VciAccessToken *token;

	check(ISS AUD ID SUB, VCI_ERR_TOKEN, "no exp");
	check(ISS ",\"exp\":\"1767225700\"" AUD ID SUB, VCI_ERR_TOKEN, "exp a string");
	check(ISS ",\"exp\":null" AUD ID SUB, VCI_ERR_TOKEN, "exp null");
	check(ISS ",\"exp\":253402300799" AUD ID SUB, VCI_OK, "the last second of year 9999");
	check(ISS ",\"exp\":253402300800" AUD ID SUB, VCI_ERR_TOKEN,
		  "a time that the database can not keep");
	token = check_jwt(&demands, HEADER, "{" ISS ",\"exp\":1767225599.5" AUD ID SUB "}", VCI_OK,
					  "an exp in the past is the caller's matter");
	is_number(token->expires_at, NOW - 1, "who is told of it");
	vci_access_token_free(token);
	check(GOOD ",\"nbf\":1767225660,\"iat\":1767225660", VCI_OK, "clocks may differ a little");
	check(GOOD ",\"nbf\":1767225661", VCI_ERR_TOKEN, "not yet valid");
	check(GOOD ",\"iat\":1767225661", VCI_ERR_TOKEN, "issued in the future");
	check(GOOD ",\"iat\":true", VCI_ERR_TOKEN, "iat no number");
}

static void
test_audience(void)
{
	check(GOOD, VCI_OK, "one of the audiences");
	check(ISS EXP ID SUB ",\"aud\":[\"account\",\"https://registry.example\"]", VCI_OK,
		  "one of several");
	check(ISS EXP ID SUB, VCI_ERR_TOKEN, "no aud");
	check(ISS EXP ID SUB ",\"aud\":\"https://registry.example/\"", VCI_ERR_TOKEN,
		  "a slash too many");
	check(ISS EXP ID SUB ",\"aud\":[]", VCI_ERR_TOKEN, "an empty array");
	check(ISS EXP ID SUB ",\"aud\":[\"account\",7]", VCI_ERR_TOKEN, "others");
	check(ISS EXP ID SUB ",\"aud\":{\"registry\":1}", VCI_ERR_TOKEN, "an object");
}

static void
test_clients(void)
{
	VciAccessTokenPolicy demands = policy();
	VciAccessToken *token;

	check(GOOD, VCI_OK, "any client, also none");
	check(GOOD ",\"client_id\":7", VCI_ERR_TOKEN, "client_id no string");
	demands.client_ids = client_ids;
	demands.client_id_count = 2;
	check_with(&demands, GOOD, VCI_ERR_TOKEN, "none, where clients are listed");
	check_with(&demands, GOOD ",\"client_id\":\"stranger\"", VCI_ERR_TOKEN, "another one");
	check_with(&demands, GOOD ",\"client_id\":\"stranger\",\"azp\":\"other-wallet\"", VCI_ERR_TOKEN,
			   "client_id goes before azp");
	token = check_jwt(&demands, HEADER, "{" GOOD ",\"azp\":\"other-wallet\"}", VCI_OK, "by azp");
	is_text(token->client_id, "other-wallet", "which is the client");
	vci_access_token_free(token);
}

static void
test_identity(void)
{
	VciAccessTokenPolicy demands = policy();
	VciAccessToken *token = check_jwt(&demands, HEADER, "{" GOOD "}", VCI_OK, "who it is");

	is_text(token->subject, "person-7", "the subject");
	is_text(token->jti, "j-1", "the token's id");
	ok(token->jkt == NULL, "a bearer token");
	vci_access_token_free(token);
	check(ISS EXP AUD SUB, VCI_ERR_TOKEN, "no jti");
	check(ISS EXP AUD SUB ",\"jti\":\"\"", VCI_ERR_TOKEN, "an empty jti");
	check(ISS EXP AUD SUB ",\"jti\":5", VCI_ERR_TOKEN, "jti a number");
	check(ISS EXP AUD ID, VCI_ERR_TOKEN, "no sub");
	check(ISS EXP AUD ID ",\"sub\":\"\"", VCI_ERR_TOKEN, "an empty sub");
	check(ISS EXP AUD ID ",\"sub\":\"a\\nb\"", VCI_ERR_TOKEN, "a line break in sub");
	check(ISS EXP AUD ID ",\"sub\":[\"a\"]", VCI_ERR_TOKEN, "sub an array");
	demands.subject_claim = "uid";
	check_with(&demands, GOOD, VCI_ERR_TOKEN, "another claim says who it is: it must be there");
	token = check_jwt(&demands, HEADER, "{" GOOD ",\"uid\":\"4711\"}", VCI_OK, "and then");
	is_text(token->subject, "4711", "it is the subject");
	vci_access_token_free(token);
}

static void
test_confirmation(void)
{
	VciAccessTokenPolicy demands = policy();
	VciAccessToken *token =
		check_jwt(&demands, HEADER, "{" GOOD ",\"cnf\":{\"jkt\":\"" JKT "\"}}", VCI_OK, "bound");

	is_text(token->jkt, JKT, "to this key");
	vci_access_token_free(token);
	check(GOOD ",\"cnf\":{\"x5t#S256\":\"" JKT "\"}", VCI_ERR_TOKEN, "to a certificate");
	check(GOOD ",\"cnf\":{\"jkt\":\"" JKT "\",\"x5t#S256\":\"" JKT "\"}", VCI_ERR_TOKEN, "to both");
	check(GOOD ",\"cnf\":{\"jkt\":\"short\"}", VCI_ERR_TOKEN, "to no thumbprint");
	check(GOOD ",\"cnf\":{}", VCI_ERR_TOKEN, "an empty cnf");
	check(GOOD ",\"cnf\":null", VCI_ERR_TOKEN, "a cnf that is null");
	check(GOOD ",\"cnf\":\"" JKT "\"", VCI_ERR_TOKEN, "a cnf that is a string");
}

static void
check_configurations(const char *members, const char *expected, const char *what)
{
	VciIssuer issuer = example_issuer();
	VciConfiguration configurations[] = {example_configuration(), example_configuration()};
	char payload[1024];
	char *jwt;
	VciAccessToken *token;
	VciJson *selected;
	VciStatus status;

	configurations[1].id = "Membership";
	configurations[1].scope = NULL;
	snprintf(payload, sizeof(payload), "{" ISS "%s}", members);
	jwt = sign_with(key, HEADER, payload);
	if (vci_access_token_parse(jwt, strlen(jwt), &token, &error) != VCI_OK)
		bail_out("cannot parse", error.text);
	status = vci_access_token_configurations(token, &issuer, configurations, 2, &selected, &error);
	is_status(status, expected == NULL ? VCI_ERR_SCOPE : VCI_OK, &error, what);
	if (expected != NULL)
		is_json(selected, expected, what);
	vci_access_token_free(token);
	free(jwt);
}

#define DETAIL(members) "{\"type\":\"openid_credential\"," members "}"

static void
test_configurations(void)
{
	check_configurations(",\"scope\":\"openid entitlement profile\"", "[\"EntitlementCredential\"]",
						 "by scope");
	check_configurations(",\"scope\":\"entitlements\"", NULL, "a longer word is another scope");
	check_configurations(",\"scope\":\"Entitlement\"", NULL, "scopes are case-sensitive");
	check_configurations(",\"scope\":\"Membership\"", NULL, "an id is no scope");
	check_configurations(",\"scope\":[\"entitlement\"]", NULL, "scope is a string");
	check_configurations("", NULL, "neither");
	check_configurations(
		",\"authorization_details\":[" DETAIL("\"credential_configuration_id\":\"Membership\"") "]",
		"[\"Membership\"]", "by authorization_details");
	check_configurations(",\"scope\":\"entitlement\",\"authorization_details\":[" DETAIL(
							 "\"credential_configuration_id\":\"Membership\"") "]",
						 "[\"EntitlementCredential\",\"Membership\"]", "by both");
	check_configurations(",\"authorization_details\":[{\"type\":\"other\","
						 "\"credential_configuration_id\":\"Membership\"},7]",
						 NULL, "of another type");
	check_configurations(
		",\"authorization_details\":[" DETAIL("\"credential_configuration_id\":\"Membership\","
											  "\"locations\":[\"https://registry.example\"]") "]",
		"[\"Membership\"]", "for this issuer among the locations");
	check_configurations(
		",\"authorization_details\":[" DETAIL("\"credential_configuration_id\":\"Membership\","
											  "\"locations\":[\"https://other.example\"]") "]",
		NULL, "for another issuer");
}

/* iss and jti must not run into each other: "a" and "bc" are others than "ab" and "c". */
static void
test_external_key(void)
{
	VciAccessToken token = {.iss = "https://a.example", .jti = "bc"};
	VciAccessToken other = {.iss = "https://a.exampleb", .jti = "c"};
	unsigned char first[VCI_DIGEST_BYTES];
	unsigned char second[VCI_DIGEST_BYTES];

	is_status(vci_access_token_key(&token, first, &error), VCI_OK, &error, "a key");
	(void) vci_access_token_key(&token, second, &error);
	is_bytes(first, sizeof(first), second, sizeof(second), "the same token has the same");
	(void) vci_access_token_key(&other, second, &error);
	ok(memcmp(first, second, sizeof(first)) != 0, "another's differs");
}

static void
key_without_jti(const char *payload, unsigned char digest[VCI_DIGEST_BYTES], const char *what)
{
	VciAccessTokenPolicy demands = policy();
	VciAccessToken *token;

	demands.accept_without_jti = true;
	token = check_jwt(&demands, HEADER, payload, VCI_OK, what);
	ok(token != NULL && token->jti == NULL, "%s: no jti", what);
	is_status(vci_access_token_key(token, digest, &error), VCI_OK, &error, what);
	vci_access_token_free(token);
}

/*
 * Where a server writes no jti, what it signed is the token; ES256 signs the same content
 * differently each time, which must not make two tokens of it.
 */
static void
test_without_jti(void)
{
	VciAccessTokenPolicy demands = policy();
	unsigned char first[VCI_DIGEST_BYTES];
	unsigned char second[VCI_DIGEST_BYTES];

	key_without_jti("{" ISS EXP AUD SUB "}", first, "accept_without_jti");
	key_without_jti("{" ISS EXP AUD SUB "}", second, "the same content, signed again");
	is_bytes(first, sizeof(first), second, sizeof(second), "is the same token");
	key_without_jti("{" ISS EXP AUD SUB ",\"iat\":1767225600}", second, "other content");
	ok(memcmp(first, second, sizeof(first)) != 0, "is another token");
	demands.accept_without_jti = true;
	check_with(&demands, ISS EXP AUD SUB ",\"jti\":7", VCI_ERR_TOKEN, "a jti that is no string");
	check_with(&demands, GOOD, VCI_OK, "a jti may be there all the same");
}

int
main(void)
{
	if (vci_key_generate(VCI_ALG_ES256, &key, &error) != VCI_OK ||
		vci_key_generate(VCI_ALG_ES256, &second_key, &error) != VCI_OK)
		bail_out("cannot make keys", error.text);
	jwks = new_jwks();
	test_shape();
	test_types();
	test_keys();
	test_own_key();
	test_times();
	test_audience();
	test_clients();
	test_identity();
	test_confirmation();
	test_configurations();
	test_external_key();
	test_without_jti();
	vci_json_free(jwks);
	vci_key_free(key);
	vci_key_free(second_key);
	return done_testing();
}
