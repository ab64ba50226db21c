/* Building a credential: what is signed, what is concealed, and that times do not link. */
#include "protocol/credential.h"

#include "jose/sd_jwt.h"
#include "protocol_fixture.h"

static VciError error = VCI_ERROR_INIT;
static VciKey *key;
static VciIssuer issuer;
static VciConfiguration configuration;

static VciCredentialParts
example_parts(const VciJson *claims)
{
	issuer = example_issuer();
	configuration = example_configuration();
	return (VciCredentialParts){
		.issuer = &issuer,
		.configuration = &configuration,
		.format = "dc+sd-jwt",
		.claims = claims,
		.kid = "k1",
		.key = key,
		.issued_at = NOW + 3661,
	};
}

/* Builds, checks the signature and takes the SD-JWT apart. */
static VciSdJwt *
build(const VciCredentialParts *parts, int64_t *expires_at, char **text)
{
	VciSdJwt *sd_jwt = NULL;

	if (vci_credential_build(parts, text, expires_at, &error) != VCI_OK ||
		vci_sd_jwt_parse(*text, strlen(*text), &sd_jwt, &error) != VCI_OK)
		bail_out("cannot build", error.text);
	is_status(vci_jws_verify(sd_jwt->jws, key, &error), VCI_OK, &error, "the signature holds");
	return sd_jwt;
}

static void
test_payload(void)
{
	VciJson *claims = json("{\"id\":\"E-1\",\"amount\":{\"value\":5000.00,\"currency\":\"KES\"},"
						   "\"note\":null}");
	VciJson *holder = json("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"xx\",\"y\":\"yy\",\"d\":"
						   "\"secret\",\"kid\":\"h\",\"alg\":\"ES256\",\"n\":7,\"e\":\"AQAB\"}");
	VciCredentialParts parts = example_parts(claims);
	int64_t expires_at;
	VciSdJwt *sd_jwt;
	VciJson *expected;
	char *text;

	configuration.always_disclosed = json("[[\"id\"]]");
	configuration.selectively_disclosable = json("[[\"amount\"],[\"amount\",\"value\"]]");
	parts.holder_jwk = holder;
	sd_jwt = build(&parts, &expires_at, &text);
	is_json(vci_json_ref(sd_jwt->jws->header),
			"{\"alg\":\"ES256\",\"typ\":\"dc+sd-jwt\",\"kid\":\"k1\"}", "the header");
	/* concealed claims come back in the order of their shuffled digests */
	expected =
		json("{\"iss\":\"https://registry.example\",\"iat\":1767225600,\"exp\":1769817600,"
			 "\"vct\":\"https://registry.example/entitlement\",\"cnf\":{\"jwk\":{\"crv\":"
			 "\"P-256\",\"kty\":\"EC\",\"x\":\"xx\",\"y\":\"yy\"}},\"id\":\"E-1\",\"amount\":"
			 "{\"currency\":\"KES\",\"value\":5000.00},\"note\":null}");
	ok(vci_json_equal(sd_jwt->claims, expected),
	   "registered claims, a bare holder key, and numbers with their text");
	vci_json_free(expected);
	is_number(expires_at, 1769817600, "exp is told");
	is_text(vci_json_get_string(sd_jwt->jws->payload, "id"), "E-1",
			"a listed claim is in the open");
	ok(!vci_json_has(sd_jwt->jws->payload, "amount"), "a selective one is concealed");
	ok(!vci_json_has(sd_jwt->jws->payload, "note"), "an unlisted one, too");
	is_number((int64_t) vci_json_array_length(sd_jwt->disclosures), 3,
			  "one disclosure each for amount, amount.value and note");
	ok(text[strlen(text) - 1] == '~' && sd_jwt->kb_jwt == NULL, "no key binding JWT is there");
	ok(vci_json_has(claims, "amount"), "the caller's claims are untouched");

	vci_sd_jwt_free(sd_jwt);
	free(text);
	vci_json_free(configuration.always_disclosed);
	vci_json_free(configuration.selectively_disclosable);
	vci_json_free(holder);
	vci_json_free(claims);
}

/* RFC 7515 section 4.1.6; without certificates there is no such member (see test_payload). */
static void
test_certificates(void)
{
	VciJson *claims = json("{}");
	VciJson *x5c = json("[\"MIIB+/8=\",\"MIIC\"]");
	VciCredentialParts parts = example_parts(claims);
	int64_t expires_at;
	VciSdJwt *sd_jwt;
	char *text;

	parts.x5c = x5c;
	sd_jwt = build(&parts, &expires_at, &text);
	is_json(
		vci_json_ref(sd_jwt->jws->header),
		"{\"alg\":\"ES256\",\"typ\":\"dc+sd-jwt\",\"kid\":\"k1\",\"x5c\":[\"MIIB+/8=\",\"MIIC\"]}",
		"the key's certificates stand in the header, as they are");
	vci_sd_jwt_free(sd_jwt);
	free(text);
	vci_json_free(x5c);
	vci_json_free(claims);
}

/* The iat and exp of a credential with this rounding and validity, issued at this time. */
static void
check_times(int32_t rounding, int64_t validity, int64_t issued_at, int64_t iat, int64_t exp,
			const char *what)
{
	VciJson *claims = json("{}");
	VciCredentialParts parts = example_parts(claims);
	int64_t expires_at;
	int64_t got = -1;
	VciSdJwt *sd_jwt;
	char *text;

	issuer.time_rounding = rounding;
	configuration.validity = validity;
	parts.issued_at = issued_at;
	sd_jwt = build(&parts, &expires_at, &text);
	(void) vci_json_get_int64(sd_jwt->claims, "iat", &got);
	is_number(got, iat, what);
	is_number(expires_at, exp, "its exp");
	if (exp == 0)
		ok(!vci_json_has(sd_jwt->claims, "exp"), "there is no exp");
	else
		ok(vci_json_get_int64(sd_jwt->claims, "exp", &got) && got == exp, "exp is signed");
	vci_sd_jwt_free(sd_jwt);
	free(text);
	vci_json_free(claims);
}

static void
test_times(void)
{
	check_times(86400, 30 * 86400, NOW + 86399, NOW, NOW + 30 * 86400, "rounded down to the day");
	check_times(86400, 30 * 86400, NOW, NOW, NOW + 30 * 86400, "midnight stays");
	check_times(1, 30 * 86400, NOW + 61, NOW + 61, NOW + 61 + 30 * 86400, "a step of 1 is exact");
	check_times(0, 0, NOW + 61, NOW + 61, 0, "a step of 0 counts as 1");
	check_times(86400, 0, NOW + 61, NOW, 0, "no validity, no exp");
	check_times(86400, 3600, NOW + 12 * 3600 + 1805, NOW + 12 * 3600 + 1800, NOW + 13 * 3600 + 1800,
				"an hour's credential at noon lives at least half an hour yet");
	check_times(86400, 1, NOW + 61, NOW + 61, NOW + 62, "a second's credential is not rounded");
}

static void
test_binding_and_format(void)
{
	VciJson *claims = json("{\"a\":1}");
	VciJson *holder = json("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"xx\"}");
	VciCredentialParts parts = example_parts(claims);
	int64_t expires_at;
	VciSdJwt *sd_jwt;
	char *text;

	parts.holder_jwk = holder;
	parts.format = "vc+sd-jwt";
	parts.kid = NULL;
	configuration.binding = VCI_HOLDER_ABSENT;
	issuer.iss_did_web = true;
	sd_jwt = build(&parts, &expires_at, &text);
	ok(!vci_json_has(sd_jwt->claims, "cnf"), "no cnf where holder binding is absent");
	is_json(vci_json_ref(sd_jwt->jws->header), "{\"alg\":\"ES256\",\"typ\":\"vc+sd-jwt\"}",
			"an older wallet's typ, and no kid where there is none");
	is_text(vci_json_get_string(sd_jwt->claims, "iss"), "did:web:registry.example",
			"iss is a did:web when the issuer says so");
	vci_sd_jwt_free(sd_jwt);
	free(text);

	parts = example_parts(claims);
	configuration.decoys = 5;
	sd_jwt = build(&parts, &expires_at, &text);
	ok(!vci_json_has(sd_jwt->claims, "cnf"), "no cnf without a key");
	is_number((int64_t) vci_json_array_length(vci_json_get(sd_jwt->jws->payload, "_sd")), 6,
			  "decoys hide how many claims there are");
	vci_sd_jwt_free(sd_jwt);
	free(text);
	vci_json_free(holder);
	vci_json_free(claims);
}

static void
refuse(const char *claims, VciStatus expected, const char *what)
{
	VciJson *parsed = json(claims);
	VciCredentialParts parts = example_parts(parsed);
	int64_t expires_at = 1;
	char *text = "before";

	is_status(vci_credential_build(&parts, &text, &expires_at, &error), expected, &error, what);
	ok(text == NULL, "%s: no credential", what);
	vci_json_free(parsed);
}

static void
test_refused(void)
{
	refuse("{\"iss\":\"https://evil.example\"}", VCI_ERR_CLAIM_RESERVED,
		   "claims cannot overwrite the issuer");
	refuse("{\"exp\":9999999999}", VCI_ERR_CLAIM_RESERVED, "nor the expiry");
	refuse("{\"a\":{\"_sd\":[]}}", VCI_ERR_CLAIM_RESERVED, "nor smuggle digests in");
	refuse("[]", VCI_ERR_REQUEST, "an array has no claims");
}

int
main(void)
{
	if (vci_key_generate(VCI_ALG_ES256, &key, &error) != VCI_OK)
		bail_out("cannot make a key", error.text);
	test_payload();
	test_certificates();
	test_times();
	test_binding_and_format();
	test_refused();
	vci_key_free(key);
	return done_testing();
}
