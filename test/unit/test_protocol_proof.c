/* Key proofs and key binding JWTs: each rule of appendix F.1 and of RFC 9901 section 4.3. */
#include "protocol/proof.h"

#include "jose/base64url.h"
#include "protocol_fixture.h"

#define ISSUER	"https://registry.example"
#define SD_HASH "0_Af-2B-EhLWX5ydh_w2xzwmO6iM66B_2QCEaneT5xk"

static VciError error = VCI_ERROR_INIT;
static VciKey *key;
static char *jwk; /* public half, as JSON text */

static const VciProofPolicy strict = {VCI_PROOF_STRICT, ISSUER, NOW, 300, 30, NULL, NULL};
static const VciProofPolicy older = {VCI_PROOF_OLDER, ISSUER, NOW, 300, 30, NULL, NULL};
static const VciProofPolicy binding = {VCI_PROOF_KB_JWT, ISSUER, NOW, 300, 30, SD_HASH, NULL};

/* Signs header and payload texts with the key. */
static char *
sign(const char *header, const char *payload)
{
	VciJson *parsed_header = json(header);
	VciJson *parsed_payload = json(payload);
	char *jwt;

	if (vci_jws_sign(parsed_header, parsed_payload, key, &jwt, &error) != VCI_OK)
		bail_out("cannot sign", error.text);
	vci_json_free(parsed_header);
	vci_json_free(parsed_payload);
	return jwt;
}

/* Parses a JWT of these texts; the status must be the expected one. */
static VciProof *
parse(const VciProofPolicy *policy, const char *header, const char *payload, VciStatus expected,
	  const char *what)
{
	char *jwt = sign(header, payload);
	VciProof *proof;

	is_status(vci_proof_parse(jwt, strlen(jwt), policy, &proof, &error), expected, &error, what);
	free(jwt);
	return proof;
}

static void
check(const VciProofPolicy *policy, const char *header, const char *payload, VciStatus expected,
	  const char *what)
{
	vci_proof_free(parse(policy, header, payload, expected, what));
}

/* The same with the key in the header under typ (NULL: none). */
static void
check_payload(const VciProofPolicy *policy, const char *payload, VciStatus expected,
			  const char *what)
{
	const char *typ = policy->kind == VCI_PROOF_KB_JWT ? "kb+jwt" : "openid4vci-proof+jwt";
	char header[512];

	snprintf(header, sizeof(header), "{\"typ\":\"%s\",\"jwk\":%s}", typ, jwk);
	check(policy, header, payload, expected, what);
}

#define PAYLOAD(members) "{\"aud\":\"" ISSUER "\",\"iat\":1767225600" members "}"

static const char *const plain = PAYLOAD(",\"nonce\":\"n-1\"");

static void
check_typ(const VciProofPolicy *policy, const char *typ, VciStatus expected, const char *payload)
{
	char header[512];

	snprintf(header, sizeof(header), "{%s\"jwk\":%s}", typ, jwk);
	check(policy, header, payload, expected, *typ == '\0' ? "no typ" : typ);
}

static void
test_types(void)
{
	const char *kb = PAYLOAD(",\"sd_hash\":\"" SD_HASH "\"");

	check_typ(&strict, "\"typ\":\"openid4vci-proof+jwt\",", VCI_OK, plain);
	check_typ(&strict, "\"typ\":\"application/OpenID4VCI-proof+jwt\",", VCI_OK, plain);
	check_typ(&strict, "", VCI_ERR_JWS_TYP, plain);
	check_typ(&strict, "\"typ\":\"JWT\",", VCI_ERR_JWS_TYP, plain);
	check_typ(&strict, "\"typ\":\"kb+jwt\",", VCI_ERR_JWS_TYP, plain);
	check_typ(&strict, "\"typ\":\"openid4vci-proof+jwtx\",", VCI_ERR_JWS_TYP, plain);
	check_typ(&older, "\"typ\":\"openid4vci-proof+jwt\",", VCI_OK, plain);
	check_typ(&older, "", VCI_OK, plain);
	check_typ(&older, "\"typ\":\"JWT\",", VCI_OK, plain);
	check_typ(&older, "\"typ\":\"kb+jwt\",", VCI_OK, plain);
	check_typ(&older, "\"typ\":\"dpop+jwt\",", VCI_ERR_JWS_TYP, plain);
	check_typ(&older, "\"typ\":\"dc+sd-jwt\",", VCI_ERR_JWS_TYP, plain);
	check_typ(&binding, "\"typ\":\"kb+jwt\",", VCI_OK, kb);
	check_typ(&binding, "", VCI_ERR_JWS_TYP, kb);
	check_typ(&binding, "\"typ\":\"openid4vci-proof+jwt\",", VCI_ERR_JWS_TYP, kb);
}

static void
test_audience(void)
{
	static const char *const wrong[] = {
		"\"https://registry.example/\"",
		"\"https://Registry.example\"",
		"\"http://registry.example\"",
		"\"\"",
		"7",
		"null",
		"{}",
		"[]",
		"[\"https://registry.example\",\"https://registry.example\"]",
		"[\"https://registry.example\",\"https://other.example\"]",
		"[\"https://other.example\"]",
		"[[\"https://registry.example\"]]",
	};
	VciProofPolicy any = binding;

	check_payload(&strict, plain, VCI_OK, "the issuer's identifier");
	check_payload(&strict, "{\"aud\":[\"" ISSUER "\"],\"iat\":1767225600}", VCI_OK,
				  "an array of it alone (RFC 7519 section 4.1.3)");
	check_payload(&strict, "{\"iat\":1767225600}", VCI_ERR_PROOF_AUDIENCE, "no aud");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		char payload[256];

		snprintf(payload, sizeof(payload), "{\"aud\":%s,\"iat\":1767225600}", wrong[i]);
		check_payload(&strict, payload, VCI_ERR_PROOF_AUDIENCE, wrong[i]);
	}
	any.audience = NULL;
	check_payload(
		&any, "{\"aud\":\"https://any.example\",\"iat\":1767225600,\"sd_hash\":\"" SD_HASH "\"}",
		VCI_OK, "a key binding JWT may be checked without expecting an audience");
	check_payload(&any, "{\"iat\":1767225600,\"sd_hash\":\"" SD_HASH "\"}", VCI_ERR_PROOF_AUDIENCE,
				  "but it needs one");
	any = strict;
	any.audience = NULL;
	check_payload(&any, plain, VCI_ERR_INTERNAL, "a key proof is never checked without audience");
}

static void
check_iat(const char *iat, VciStatus expected)
{
	char payload[256];

	snprintf(payload, sizeof(payload), "{\"aud\":\"" ISSUER "\",\"iat\":%s}", iat);
	check_payload(&strict, payload, expected, iat);
}

static void
test_issuance_time(void)
{
	check_iat("1767225600", VCI_OK);
	check_iat("1767225630", VCI_OK);
	check_iat("1767225631", VCI_ERR_PROOF_TIME);
	check_iat("1767225300", VCI_OK);
	check_iat("1767225299", VCI_ERR_PROOF_TIME);
	check_iat("1767225600.75", VCI_OK);
	check_iat("1767225600.0", VCI_OK);
	check_iat("1.7672256e9", VCI_OK);
	check_iat("1.7672256E+9", VCI_OK);
	check_iat("17672256000e-1", VCI_OK);
	check_iat("1767225299.99", VCI_ERR_PROOF_TIME);
	check_iat("0", VCI_ERR_PROOF_TIME);
	check_iat("0.5", VCI_ERR_PROOF_TIME);
	check_iat("1767225600000", VCI_ERR_PROOF_TIME);
	check_iat("999999999999999999", VCI_ERR_PROOF_TIME);
	check_iat("1000000000000000000", VCI_ERR_PROOF);
	check_iat("9223372036854775807", VCI_ERR_PROOF);
	check_iat("9223372036854775808", VCI_ERR_PROOF);
	check_iat("-9223372036854775809", VCI_ERR_PROOF);
	check_iat("-1", VCI_ERR_PROOF);
	check_iat("1e400", VCI_ERR_PROOF);
	check_iat("1e-400", VCI_ERR_PROOF_TIME);
	check_iat("1e99999999999999999999", VCI_ERR_PROOF);
	check_iat("\"1767225600\"", VCI_ERR_PROOF);
	check_iat("null", VCI_ERR_PROOF);
	check_iat("true", VCI_ERR_PROOF);
	check_iat("[1767225600]", VCI_ERR_PROOF);
	check_payload(&strict, "{\"aud\":\"" ISSUER "\"}", VCI_ERR_PROOF, "no iat");
}

static void
test_other_times(void)
{
	check_payload(&strict, PAYLOAD(",\"exp\":1767225601"), VCI_OK, "exp ahead");
	check_payload(&strict, PAYLOAD(",\"exp\":1767225571"), VCI_OK, "exp within the leeway");
	check_payload(&strict, PAYLOAD(",\"exp\":1767225570"), VCI_ERR_EXPIRED, "exp behind it");
	check_payload(&strict, PAYLOAD(",\"exp\":\"x\""), VCI_ERR_PROOF, "exp that is no number");
	check_payload(&strict, PAYLOAD(",\"exp\":null"), VCI_ERR_PROOF, "exp of null");
	check_payload(&strict, PAYLOAD(",\"nbf\":1767225630"), VCI_OK, "nbf within the leeway");
	check_payload(&strict, PAYLOAD(",\"nbf\":1767225631"), VCI_ERR_NOT_YET_VALID, "nbf beyond it");
	check_payload(&strict, PAYLOAD(",\"nbf\":\"x\""), VCI_ERR_PROOF, "nbf that is no number");
}

static void
test_strings(void)
{
	VciProof *proof;
	char header[512];

	check_payload(&strict, PAYLOAD(",\"nonce\":7"), VCI_ERR_PROOF, "a number as nonce");
	check_payload(&strict, PAYLOAD(",\"nonce\":null"), VCI_ERR_PROOF, "null as nonce");
	check_payload(&strict, PAYLOAD(",\"nonce\":[\"n\"]"), VCI_ERR_PROOF, "a list as nonce");
	check_payload(&strict, PAYLOAD(",\"iss\":\"wallet\""), VCI_OK,
				  "iss, which real wallets send, is ignored");
	check_payload(&strict, PAYLOAD(",\"iss\":7"), VCI_ERR_PROOF, "but it must be a string");
	snprintf(header, sizeof(header), "{\"typ\":\"openid4vci-proof+jwt\",\"jwk\":%s}", jwk);
	proof = parse(&strict, header, plain, VCI_OK, "a proof with nonce");
	is_text(proof->nonce, "n-1", "lends it");
	vci_proof_free(proof);
	proof = parse(&strict, header, PAYLOAD(""), VCI_OK, "a proof without nonce is parsed");
	is_text(proof->nonce, NULL, "and says that it has none");
	vci_proof_free(proof);
}

static void
test_sd_hash(void)
{
	VciProofPolicy lacking = binding;

	check_payload(&strict, PAYLOAD(",\"sd_hash\":\"" SD_HASH "\""), VCI_ERR_PROOF,
				  "a JWT with sd_hash is never a proof");
	check_payload(&older, PAYLOAD(",\"sd_hash\":\"" SD_HASH "\""), VCI_ERR_PROOF,
				  "not for older wallets either");
	check_payload(&older, PAYLOAD(",\"sd_hash\":null"), VCI_ERR_PROOF, "nor with null there");
	check_payload(&binding, PAYLOAD(",\"sd_hash\":\"" SD_HASH "\""), VCI_OK, "the right sd_hash");
	check_payload(&binding, PAYLOAD(""), VCI_ERR_SD_HASH, "no sd_hash");
	check_payload(&binding, PAYLOAD(",\"sd_hash\":7"), VCI_ERR_SD_HASH, "a number as sd_hash");
	check_payload(&binding, PAYLOAD(",\"sd_hash\":\"\""), VCI_ERR_SD_HASH, "an empty sd_hash");
	check_payload(&binding, PAYLOAD(",\"sd_hash\":\"1_Af-2B-EhLWX5ydh_w2xzwmO6iM66B_2QCEaneT5xk\""),
				  VCI_ERR_SD_HASH, "the hash of another presentation");
	lacking.sd_hash = NULL;
	check_payload(&lacking, PAYLOAD(",\"sd_hash\":\"" SD_HASH "\""), VCI_ERR_INTERNAL,
				  "key binding is never checked without knowing the presentation");
}

/* Parses a header with these key members and compares where its key came from. */
static void
check_key(const VciProofPolicy *policy, const char *members, VciStatus expected,
		  VciProofKeySource source, bool known, const char *what)
{
	size_t size = strlen(members) + 64;
	char *header = malloc(size);
	VciProof *proof;

	snprintf(header, size, "{\"typ\":\"openid4vci-proof+jwt\"%s%s}", *members ? "," : "", members);
	proof = parse(policy, header, plain, expected, what);
	if (expected == VCI_OK)
	{
		is_number(proof->source, source, "its key's source");
		ok((proof->key != NULL) == known, "its key is %s", known ? "known" : "still to be found");
		if (known)
			ok(vci_key_equal(proof->key, key), "and is the wallet's");
		is_status(vci_proof_verify(proof, &error), known ? VCI_OK : VCI_ERR_PROOF, &error,
				  "signature check");
	}
	vci_proof_free(proof);
	free(header);
}

static char *
did_jwk(void)
{
	char *encoded = vci_base64url_encode_new(jwk, strlen(jwk));
	char *did = malloc(strlen(encoded) + 16);

	sprintf(did, "did:jwk:%s", encoded);
	free(encoded);
	return did;
}

static void
test_key_sources(void)
{
	char *did = did_jwk();
	char members[1024];

	snprintf(members, sizeof(members), "\"jwk\":%s", jwk);
	check_key(&strict, members, VCI_OK, VCI_PROOF_KEY_JWK, true, "a jwk");
	snprintf(members, sizeof(members), "\"kid\":\"%s#0\"", did);
	check_key(&strict, members, VCI_OK, VCI_PROOF_KEY_DID_SELF, true, "a did:jwk");
	snprintf(members, sizeof(members), "\"kid\":\"%s#1\"", did);
	check_key(&strict, members, VCI_ERR_DID, 0, false, "a did:jwk with a made-up fragment");
	check_key(&strict, "\"kid\":\"did:key:z0O\"", VCI_ERR_DID, 0, false, "a broken did:key");
	check_key(&strict, "\"kid\":\"did:web:wallet.example#k\"", VCI_OK, VCI_PROOF_KEY_DID_WEB, false,
			  "a did:web is left to the caller");
	check_key(&strict, "\"kid\":\"did:example:x#k\"", VCI_ERR_DID, 0, false, "another method");
	check_key(&older, "\"kid\":\"did:example:x#k\"", VCI_ERR_DID, 0, false, "even for older ones");
	check_key(&strict, "\"kid\":\"0\"", VCI_ERR_PROOF, 0, false, "a kid that is no DID URL");
	check_key(&older, "\"kid\":\"0\"", VCI_OK, VCI_PROOF_KEY_NONE, false,
			  "which an older wallet may send");
	check_key(&strict, "", VCI_ERR_PROOF, 0, false, "no key");
	check_key(&older, "", VCI_OK, VCI_PROOF_KEY_NONE, false,
			  "which an older wallet may do, when the offer names the holder");
	check_key(&strict, "\"kid\":7", VCI_ERR_PROOF, 0, false, "a number as kid");
	check_key(&older, "\"kid\":null", VCI_ERR_PROOF, 0, false, "null as kid");
	snprintf(members, sizeof(members), "\"jwk\":%s,\"kid\":\"%s#0\"", jwk, did);
	check_key(&strict, members, VCI_ERR_PROOF, 0, false, "jwk and kid together");
	check_key(&older, members, VCI_ERR_PROOF, 0, false, "nor for older wallets");
	snprintf(members, sizeof(members), "\"jwk\":%s,\"x5c\":[]", jwk);
	check_key(&strict, members, VCI_ERR_PROOF, 0, false, "jwk and x5c together");
	check_key(&strict, "\"kid\":\"0\",\"x5c\":[]", VCI_ERR_PROOF, 0, false, "kid and x5c together");
	check_key(&strict, "\"x5c\":[]", VCI_ERR_CERTIFICATE, 0, false, "an empty chain");
	check_key(&strict, "\"jwk\":null", VCI_ERR_JWK, 0, false, "null as jwk");
	check_key(&strict, "\"jwk\":{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}",
			  VCI_ERR_KEY_UNSUPPORTED, 0, false, "another curve");
	snprintf(members, sizeof(members),
			 "\"jwk\":%s,\"key_attestation\":\"x\",\"trust_chain\":[\"y\"]", jwk);
	check_key(&strict, members, VCI_OK, VCI_PROOF_KEY_JWK, true,
			  "key attestations and trust chains are ignored");
	free(did);
}

static void
test_private_key(void)
{
	VciJson *private_jwk = vci_key_private_jwk(key);
	char *text = vci_json_print(private_jwk);
	char members[1024];

	snprintf(members, sizeof(members), "\"jwk\":%s", text);
	check_key(&strict, members, VCI_ERR_JWK_PRIVATE, 0, false, "a private key in the header");
	check_key(&older, members, VCI_ERR_JWK_PRIVATE, 0, false, "nor from older wallets");
	check_key(&strict, "\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}", VCI_ERR_JWK_PRIVATE, 0, false,
			  "a shared secret in the header");
	free(text);
	vci_json_free(private_jwk);
}

static void
test_certificates(void)
{
	VciJson *file = vectors("x5c.json");
	VciJson *accepted = vci_json_array_at(vci_json_get(file, "accepted"), 0);
	char *chain = vci_json_print(vci_json_get(accepted, "x5c"));
	char *header = malloc(strlen(chain) + 64);
	VciProofPolicy policy = strict;
	VciProof *proof;
	VciKey *leaf;
	char payload[128];

	(void) vci_json_get_int64(file, "now", &policy.now);
	sprintf(header, "{\"typ\":\"openid4vci-proof+jwt\",\"x5c\":%s}", chain);
	snprintf(payload, sizeof(payload), "{\"aud\":\"" ISSUER "\",\"iat\":%lld}",
			 (long long) policy.now);
	proof = parse(&policy, header, payload, VCI_OK, "a certificate in the header");
	(void) vci_key_from_public_jwk(vci_json_get(file, "jwk"), &leaf, &error);
	ok(proof->source == VCI_PROOF_KEY_X5C && vci_key_equal(proof->key, leaf),
	   "its key is the certificate's");
	is_status(vci_proof_verify(proof, &error), VCI_ERR_JWS_SIGNATURE, &error,
			  "by which this wallet did not sign");
	vci_proof_free(proof);
	policy.now = INT64_C(5000000000);
	snprintf(payload, sizeof(payload), "{\"aud\":\"" ISSUER "\",\"iat\":5000000000}");
	check(&policy, header, payload, VCI_ERR_CERTIFICATE, "a certificate that has expired by then");
	vci_key_free(leaf);
	free(header);
	free(chain);
	vci_json_free(file);
}

static void
test_binding_key(void)
{
	VciProof *proof;
	VciKey *other;
	char header[512];

	/* the JWT names its own key, which must not be the one that it is checked by */
	snprintf(header, sizeof(header), "{\"typ\":\"kb+jwt\",\"jwk\":%s}", jwk);
	proof = parse(&binding, header, PAYLOAD(",\"sd_hash\":\"" SD_HASH "\""), VCI_OK,
				  "a key binding JWT that brings its key");
	ok(proof->key == NULL && proof->source == VCI_PROOF_KEY_NONE, "the key is not taken");
	is_status(vci_proof_verify(proof, &error), VCI_ERR_PROOF, &error, "so nothing verifies it");
	(void) vci_key_generate(VCI_ALG_ES256, &other, &error);
	vci_proof_set_key(proof, other);
	is_status(vci_proof_verify(proof, &error), VCI_ERR_JWS_SIGNATURE, &error,
			  "the credential's key decides");
	vci_proof_set_key(proof, key);
	is_status(vci_proof_verify(proof, &error), VCI_OK, &error, "and accepts its own");
	vci_proof_set_key(proof, NULL);
	is_status(vci_proof_verify(proof, &error), VCI_ERR_PROOF, &error, "a key can be taken away");
	vci_proof_free(proof);
	vci_key_free(other);
}

static void
test_not_a_proof(void)
{
	VciProof *proof;
	char *jwt = sign("{\"typ\":\"openid4vci-proof+jwt\",\"crit\":[\"x\"],\"x\":1}", plain);
	char none[512];
	char *payload = vci_base64url_encode_new(plain, strlen(plain));

	is_status(vci_proof_parse(jwt, strlen(jwt), &strict, &proof, &error), VCI_ERR_JWS_CRIT, &error,
			  "crit is refused");
	ok(proof == NULL, "and nothing could be read");
	vci_proof_free(proof);
	free(jwt);
	snprintf(none, sizeof(none), "eyJhbGciOiJub25lIiwidHlwIjoib3BlbmlkNHZjaS1wcm9vZitqd3QifQ.%s.",
			 payload);
	is_status(vci_proof_parse(none, strlen(none), &strict, &proof, &error), VCI_ERR_JWS_ALG, &error,
			  "alg none is refused");
	is_status(vci_proof_parse("x", 1, &strict, &proof, &error), VCI_ERR_JWS, &error,
			  "no JWS at all");
	is_status(vci_proof_parse("", 0, &strict, &proof, &error), VCI_ERR_JWS, &error, "nothing");
	free(payload);
}

static void
test_tampered(void)
{
	VciProof *proof;
	char header[512];
	char *jwt;
	char *last;

	snprintf(header, sizeof(header), "{\"typ\":\"openid4vci-proof+jwt\",\"jwk\":%s}", jwk);
	jwt = sign(header, plain);
	last = strrchr(jwt, '.') + 10;
	*last = *last == 'A' ? 'B' : 'A';
	is_status(vci_proof_parse(jwt, strlen(jwt), &strict, &proof, &error), VCI_OK, &error,
			  "a proof with another signature is parsed");
	is_status(vci_proof_verify(proof, &error), VCI_ERR_JWS_SIGNATURE, &error, "but not verified");
	vci_proof_free(proof);
	free(jwt);
}

static void
test_verdicts(void)
{
	char header[512];
	VciProof *proof;
	VciJson *verdict;
	char thumbprint[VCI_THUMBPRINT_SIZE];
	VciError refusal = VCI_ERROR_INIT;

	snprintf(header, sizeof(header), "{\"typ\":\"openid4vci-proof+jwt\",\"jwk\":%s}", jwk);
	proof = parse(&strict, header, plain, VCI_OK, "a proof to judge");
	verdict = vci_proof_verdict(proof, &error);
	(void) vci_key_thumbprint(key, thumbprint, &error);
	is_text(vci_json_get_string(verdict, "thumbprint"), thumbprint, "the key's thumbprint");
	is_json(vci_json_ref(vci_json_get(verdict, "payload")),
			"{\"aud\":\"https://registry.example\",\"iat\":1767225600,\"nonce\":\"n-1\"}",
			"the payload");
	ok(vci_json_has(verdict, "header") && !vci_json_has(verdict, "error"), "a header, no error");
	is_json(vci_json_ref(vci_json_get(verdict, "valid")), "true", "valid");
	is_json(vci_json_ref(vci_json_get(verdict, "key")), jwk, "the key");
	vci_json_free(verdict);

	(void) vci_error(&refusal, VCI_ERR_NONCE, "the nonce is too old");
	verdict = vci_proof_verdict(proof, &refusal);
	is_json(vci_json_ref(vci_json_get(verdict, "valid")), "false", "a refusal is not valid");
	is_text(vci_json_get_string(verdict, "error"), "nonce", "its name");
	is_text(vci_json_get_string(verdict, "error_description"), "the nonce is too old", "its text");
	vci_json_free(verdict);
	vci_proof_free(proof);
	is_json(vci_proof_verdict(NULL, &refusal),
			"{\"valid\":false,\"error\":\"nonce\",\"error_description\":\"the nonce is too old\"}",
			"a verdict on what could not be read");

	proof = parse(&strict, header, "{\"aud\":\"https://other.example\",\"iat\":1767225600}",
				  VCI_ERR_PROOF_AUDIENCE, "a refused proof");
	verdict = vci_proof_verdict(proof, &refusal);
	is_text(vci_json_get_string(vci_json_get(verdict, "payload"), "aud"), "https://other.example",
			"still shows what it said");
	vci_json_free(verdict);
	vci_proof_free(proof);
}

int
main(void)
{
	VciJson *public_jwk;

	if (vci_key_generate(VCI_ALG_ES256, &key, &error) != VCI_OK)
		bail_out("cannot make a key", error.text);
	public_jwk = vci_key_public_jwk(key);
	jwk = vci_json_print(public_jwk);
	test_types();
	test_audience();
	test_issuance_time();
	test_other_times();
	test_strings();
	test_sd_hash();
	test_key_sources();
	test_private_key();
	test_certificates();
	test_binding_key();
	test_not_a_proof();
	test_tampered();
	test_verdicts();
	free(jwk);
	vci_json_free(public_jwk);
	vci_key_free(key);
	return done_testing();
}
