/* DPoP proofs: each rule of RFC 9449 section 4.3 that needs no memory of earlier proofs. */
#include "protocol/dpop.h"

#include "protocol_fixture.h"

#define URL	  "https://registry.example/api/v1/openid4vci/token"
#define TOKEN "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU" /* RFC 9449 section 7.1 */
#define ATH	  "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" /* its digest there */

static VciError error = VCI_ERROR_INIT;
static VciKey *key;
static char *jwk; /* public half, as JSON text */

static const VciDpopPolicy plain_request = {"POST", URL, NULL, NOW, 300, NULL};
static const VciDpopPolicy with_token = {"POST", URL, TOKEN, NOW, 300, NULL};

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

static VciDpop *
parse(const VciDpopPolicy *policy, const char *header, const char *payload, VciStatus expected,
	  const char *what)
{
	char *jwt = sign_with(key, header, payload);
	VciDpop *proof;

	is_status(vci_dpop_parse(jwt, strlen(jwt), policy, &proof, &error), expected, &error, what);
	free(jwt);
	return proof;
}

static void
check_header(const char *header, VciStatus expected, const char *what)
{
	vci_dpop_free(parse(&plain_request, header,
						"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1767225600,\"jti\":\"a\"}",
						expected, what));
}

/* The payload's members behind a right header. */
static void
check(const VciDpopPolicy *policy, const char *members, VciStatus expected, const char *what)
{
	char header[512];
	char payload[2048];

	snprintf(header, sizeof(header), "{\"typ\":\"dpop+jwt\",\"jwk\":%s}", jwk);
	snprintf(payload, sizeof(payload), "{%s}", members);
	vci_dpop_free(parse(policy, header, payload, expected, what));
}

static void
test_header(void)
{
	static const char *const types[] = {"\"typ\":\"JWT\",", "\"typ\":\"openid4vci-proof+jwt\",",
										"\"typ\":\"dpop\",", ""};
	char header[512];

	snprintf(header, sizeof(header), "{\"typ\":\"dpop+jwt\",\"jwk\":%s}", jwk);
	check_header(header, VCI_OK, "a proof");
	snprintf(header, sizeof(header), "{\"typ\":\"DPoP+JWT\",\"jwk\":%s,\"kid\":\"x\",\"x\":1}",
			 jwk);
	check_header(header, VCI_OK, "typ in any case, further members");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		snprintf(header, sizeof(header), "{%s\"jwk\":%s}", types[i], jwk);
		check_header(header, VCI_ERR_JWS_TYP, types[i]);
	}
	check_header("{\"typ\":\"dpop+jwt\"}", VCI_ERR_DPOP, "no jwk");
	check_header("{\"typ\":\"dpop+jwt\",\"kid\":\"did:jwk:x\"}", VCI_ERR_DPOP, "a kid for a jwk");
	check_header("{\"typ\":\"dpop+jwt\",\"jwk\":null}", VCI_ERR_JWK, "jwk null");
	check_header("{\"typ\":\"dpop+jwt\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}",
				 VCI_ERR_JWK_PRIVATE, "a symmetric key");
}

static void
test_private_key(void)
{
	VciJson *private_jwk = vci_key_private_jwk(key);
	char *text = vci_json_print(private_jwk);
	char header[512];

	snprintf(header, sizeof(header), "{\"typ\":\"dpop+jwt\",\"jwk\":%s}", text);
	check_header(header, VCI_ERR_JWK_PRIVATE, "the private key in the header");
	free(text);
	vci_json_free(private_jwk);
}

static void
test_algorithms(void)
{
	static const char *const refused[] = {
		/* {"alg":"none","typ":"dpop+jwt"}.{}. and the same with HS256 and a signature */
		"eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.e30.",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6ImRwb3Arand0In0.e30.AAAA",
	};
	char joined[256] = "";
	VciDpop *proof;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		is_status(vci_dpop_parse(refused[i], strlen(refused[i]), &plain_request, &proof, &error),
				  VCI_ERR_JWS_ALG, &error, "none and MACs are refused");
		ok(proof == NULL, "nothing was read");
	}
	for (size_t i = 0; i < VCI_DPOP_ALG_COUNT; i++)
	{
		ok(vci_alg_by_name(vci_dpop_algs[i]) != VCI_ALG_NONE, "%s can be verified",
		   vci_dpop_algs[i]);
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? " " : "",
				 vci_dpop_algs[i]);
	}
	is_text(joined, VCI_DPOP_ALGS, "metadata and challenges list the same algorithms");
}

#define REST ",\"iat\":1767225600,\"jti\":\"a\""

static void
check_url(const char *expected_url, const char *htu, VciStatus expected)
{
	VciDpopPolicy policy = plain_request;
	char members[1024];

	policy.url = expected_url;
	snprintf(members, sizeof(members), "\"htm\":\"POST\",\"htu\":\"%s\"" REST, htu);
	check(&policy, members, expected, htu);
}

static void
test_target(void)
{
	static const char *const same[] = {
		URL,
		URL "?a=b",
		URL "#f",
		URL "?a=b#f",
		"HTTPS://Registry.Example/api/v1/openid4vci/token",
		"https://registry.example:443/api/v1/openid4vci/token",
		"https://registry.example:/api/v1/openid4vci/token",
		"https://registry.example/api/v1/openid4vci/%74oken",
	};
	static const char *const others[] = {
		"http://registry.example/api/v1/openid4vci/token",
		"https://registry.example:8443/api/v1/openid4vci/token",
		"https://registry.example:80/api/v1/openid4vci/token",
		"https://other.example/api/v1/openid4vci/token",
		"https://registry.example.org/api/v1/openid4vci/token",
		"https://x@registry.example/api/v1/openid4vci/token",
		"https://registry.example/api/v1/openid4vci/Token",
		"https://registry.example/api/v1/openid4vci/token/",
		"https://registry.example/api/v1/openid4vci/credential",
		"https://registry.example/api/v1/openid4vci/token%2f",
		"https://registry.example/api/v1/openid4vci/toke%6",
		"https://registry.example/api/v1/openid4vci",
		"https://registry.example",
		"/api/v1/openid4vci/token",
		"",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		check_url(URL, same[i], VCI_OK);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check_url(URL, others[i], VCI_ERR_DPOP);
	check_url("http://localhost:80/t", "http://LOCALHOST/t", VCI_OK);
	check_url("http://localhost:8080/t", "http://localhost/t", VCI_ERR_DPOP);
	check_url("http://localhost/", "http://localhost", VCI_OK);
	check(&plain_request, "\"htm\":\"POST\"" REST, VCI_ERR_DPOP, "no htu");
	check(&plain_request, "\"htm\":\"POST\",\"htu\":7" REST, VCI_ERR_DPOP, "htu no string");
	check(&plain_request, "\"htu\":\"" URL "\"" REST, VCI_ERR_DPOP, "no htm");
	check(&plain_request, "\"htm\":\"GET\",\"htu\":\"" URL "\"" REST, VCI_ERR_DPOP,
		  "another method");
	check(&plain_request, "\"htm\":\"post\",\"htu\":\"" URL "\"" REST, VCI_ERR_DPOP,
		  "methods are case-sensitive");
}

#define TARGET "\"htm\":\"POST\",\"htu\":\"" URL "\","

static void
check_times(const char *times, VciStatus expected)
{
	char members[1024];

	snprintf(members, sizeof(members), TARGET "\"jti\":\"a\"%s", times);
	check(&plain_request, members, expected, times);
}

static void
test_times(void)
{
	check_times(",\"iat\":1767225600", VCI_OK);
	check_times(",\"iat\":1767225600.75", VCI_OK);
	check_times(",\"iat\":1767225300", VCI_OK);
	check_times(",\"iat\":1767225299", VCI_ERR_DPOP);
	check_times(",\"iat\":1767225660", VCI_OK);
	check_times(",\"iat\":1767225661", VCI_ERR_DPOP);
	check_times("", VCI_ERR_DPOP);
	check_times(",\"iat\":null", VCI_ERR_DPOP);
	check_times(",\"iat\":\"1767225600\"", VCI_ERR_DPOP);
	check_times(",\"iat\":-1", VCI_ERR_DPOP);
	check_times(",\"iat\":1e300", VCI_ERR_DPOP);
	check_times(",\"iat\":1767225600,\"exp\":1767225541", VCI_OK);
	check_times(",\"iat\":1767225600,\"exp\":1767225540", VCI_ERR_DPOP);
	check_times(",\"iat\":1767225600,\"exp\":\"x\"", VCI_ERR_DPOP);
	check_times(",\"iat\":1767225600,\"nbf\":1767225660", VCI_OK);
	check_times(",\"iat\":1767225600,\"nbf\":1767225661", VCI_ERR_DPOP);
}

static void
check_jti(size_t len, VciStatus expected, const char *what)
{
	char members[1024];
	char jti[512];

	memset(jti, 'j', len);
	jti[len] = '\0';
	snprintf(members, sizeof(members), TARGET "\"iat\":1767225600,\"jti\":\"%s\"", jti);
	check(&plain_request, members, expected, what);
}

static void
test_jti_and_nonce(void)
{
	check_jti(1, VCI_OK, "a short jti");
	check_jti(VCI_DPOP_JTI_MAX, VCI_OK, "the longest jti");
	check_jti(VCI_DPOP_JTI_MAX + 1, VCI_ERR_DPOP, "a longer one");
	check_jti(0, VCI_ERR_DPOP, "an empty one");
	check(&plain_request, TARGET "\"iat\":1767225600", VCI_ERR_DPOP, "no jti");
	check(&plain_request, TARGET "\"iat\":1767225600,\"jti\":1", VCI_ERR_DPOP, "jti a number");
	check(&plain_request, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"nonce\":\"n\"", VCI_OK,
		  "a nonce");
	check(&plain_request, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"nonce\":7", VCI_ERR_DPOP,
		  "a nonce that is no string");
}

/* The value is that of RFC 9449's own example. */
static void
test_ath(void)
{
	check(&with_token, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"ath\":\"" ATH "\"", VCI_OK,
		  "the token's digest");
	check(&with_token, TARGET "\"iat\":1767225600,\"jti\":\"a\"", VCI_ERR_DPOP, "no ath");
	check(&with_token, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"ath\":\"" TOKEN "\"",
		  VCI_ERR_DPOP, "the token itself");
	check(&with_token, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"ath\":\"" ATH "=\"", VCI_ERR_DPOP,
		  "its digest with padding");
	check(&with_token, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"ath\":null", VCI_ERR_DPOP,
		  "ath null");
	check(&plain_request, TARGET "\"iat\":1767225600,\"jti\":\"a\",\"ath\":\"x\"", VCI_OK,
		  "ath of a request without token is not looked at");
}

static VciDpop *
good_proof(const char *jti)
{
	char header[512];
	char payload[512];

	snprintf(header, sizeof(header), "{\"typ\":\"dpop+jwt\",\"jwk\":%s}", jwk);
	snprintf(payload, sizeof(payload),
			 "{" TARGET "\"iat\":1767225599,\"jti\":\"%s\",\"nonce\":\"n\"}", jti);
	return parse(&plain_request, header, payload, VCI_OK, "a good proof");
}

static void
test_signature(void)
{
	char header[512];
	char thumbprint[VCI_THUMBPRINT_SIZE];
	VciKey *other;
	VciDpop *proof = good_proof("a");
	char *forged;

	(void) vci_key_thumbprint(key, thumbprint, &error);
	is_status(vci_dpop_verify(proof, &error), VCI_OK, &error, "the signature holds");
	is_text(proof->jkt, thumbprint, "jkt is the key's thumbprint");
	is_text(proof->nonce, "n", "the nonce");
	is_number(proof->issued_at, NOW - 1, "the time");
	vci_dpop_free(proof);

	(void) vci_key_generate(VCI_ALG_ES256, &other, &error);
	snprintf(header, sizeof(header), "{\"typ\":\"dpop+jwt\",\"jwk\":%s}", jwk);
	forged = sign_with(other, header, "{" TARGET "\"iat\":1767225600,\"jti\":\"a\"}");
	(void) vci_dpop_parse(forged, strlen(forged), &plain_request, &proof, &error);
	is_status(vci_dpop_verify(proof, &error), VCI_ERR_JWS_SIGNATURE, &error,
			  "another key than the header's did not sign this");
	vci_dpop_free(proof);
	free(forged);
	vci_key_free(other);
}

/* What makes a proof the same: issuer, key, jti; each of them alone makes another one. */
static void
test_digest(void)
{
	unsigned char first[VCI_DIGEST_BYTES];
	unsigned char second[VCI_DIGEST_BYTES];
	VciDpop *proof = good_proof("a");
	VciDpop *another = good_proof("b");
	VciDpop unread = {0};

	is_status(vci_dpop_digest(proof, 1, first, &error), VCI_OK, &error, "a digest");
	(void) vci_dpop_digest(proof, 1, second, &error);
	is_bytes(first, sizeof(first), second, sizeof(second), "the same proof has the same");
	(void) vci_dpop_digest(proof, 2, second, &error);
	ok(memcmp(first, second, sizeof(first)) != 0, "another issuer's differs");
	(void) vci_dpop_digest(another, 1, second, &error);
	ok(memcmp(first, second, sizeof(first)) != 0, "another jti's differs");
	proof->jkt[0] ^= 1;
	(void) vci_dpop_digest(proof, 1, second, &error);
	ok(memcmp(first, second, sizeof(first)) != 0, "another key's differs");
	is_status(vci_dpop_digest(&unread, 1, second, &error), VCI_ERR_INTERNAL, &error,
			  "an unchecked proof has none");
	vci_dpop_free(proof);
	vci_dpop_free(another);
}

static void
test_limits(void)
{
	VciDpopPolicy nowhere = {"POST", NULL, NULL, NOW, 300, NULL};
	char *large = malloc(VCI_DPOP_MAX_SIZE + 2);
	VciDpop *proof;

	memset(large, 'a', VCI_DPOP_MAX_SIZE + 1);
	is_status(vci_dpop_parse(large, VCI_DPOP_MAX_SIZE + 1, &plain_request, &proof, &error),
			  VCI_ERR_TOO_LARGE, &error, "a proof that is too long");
	is_status(vci_dpop_parse("", 0, &plain_request, &proof, &error), VCI_ERR_JWS, &error,
			  "an empty header");
	is_status(vci_dpop_parse("a", 1, &nowhere, &proof, &error), VCI_ERR_INTERNAL, &error,
			  "a proof is never checked without URL");
	free(large);
}

static void
test_verdict(void)
{
	VciError none = VCI_ERROR_INIT;
	VciError fault = {VCI_ERR_DPOP, "why"};
	VciDpop *proof = good_proof("a");
	VciJson *verdict = vci_dpop_verdict(proof, &none);
	bool valid = false;

	ok(vci_json_get_boolean(verdict, "valid", &valid) && valid, "valid");
	is_text(vci_json_get_string(verdict, "jkt"), proof->jkt, "whose it is");
	is_text(vci_json_get_string(vci_json_get(verdict, "payload"), "htm"), "POST", "what it says");
	ok(!vci_json_has(verdict, "error"), "no error");
	vci_json_free(verdict);
	is_json(vci_dpop_verdict(NULL, &fault),
			"{\"valid\":false,\"error\":\"dpop\",\"error_description\":\"why\"}",
			"the verdict on what is no JWT");
	vci_dpop_free(proof);
}

int
main(void)
{
	VciJson *public_jwk;

	if (vci_key_generate(VCI_ALG_ES256, &key, &error) != VCI_OK)
		bail_out("cannot make a key", error.text);
	public_jwk = vci_key_public_jwk(key);
	jwk = vci_json_print(public_jwk);
	test_header();
	test_private_key();
	test_algorithms();
	test_target();
	test_times();
	test_jti_and_nonce();
	test_ath();
	test_signature();
	test_digest();
	test_limits();
	test_verdict();
	free(jwk);
	vci_json_free(public_jwk);
	vci_key_free(key);
	return done_testing();
}
