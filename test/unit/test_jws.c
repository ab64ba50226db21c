/* JWS: published signatures verify, ours verify too, and nothing else does. */
#include "jose/base64url.h"
#include "jose/jws.h"
#include "error_queue.h"
#include "tap.h"

static VciStatus
parse_status(const char *compact, VciError *error)
{
	VciJws *jws;
	VciStatus status = vci_jws_parse(compact, strlen(compact), &jws, error);

	if ((status == VCI_OK) != (jws != NULL))
		status = VCI_ERR_INTERNAL;
	vci_jws_free(jws);
	return status;
}

/* Parses and verifies under a JWK. */
static VciStatus
verify_status(const char *compact, const VciJson *jwk, VciError *error)
{
	VciJws *jws;
	VciKey *key = NULL;
	VciStatus status = vci_jws_parse(compact, strlen(compact), &jws, error);

	if (status == VCI_OK)
		status = vci_key_from_public_jwk(jwk, &key, error);
	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, error);
	vci_jws_free(jws);
	vci_key_free(key);
	return status;
}

static void
rfc7515(void)
{
	VciJson *file = vectors("rfc7515.json");
	const VciJson *rs256 = vci_json_get(file, "A.2");
	const VciJson *es256 = vci_json_get(file, "A.3");
	const char *compact = vci_json_get_string(es256, "jws");
	VciError error = VCI_ERROR_INIT;
	VciJws *jws;

	is_status(verify_status(vci_json_get_string(rs256, "jws"), vci_json_get(rs256, "jwk"), &error),
			  VCI_OK, &error, "RFC 7515 A.2 (RS256)");
	is_status(verify_status(compact, vci_json_get(es256, "jwk"), &error), VCI_OK, &error,
			  "RFC 7515 A.3 (ES256)");
	is_status(verify_status(compact, vci_json_get(rs256, "jwk"), &error), VCI_ERR_JWS_ALG, &error,
			  "an ES256 signature under an RSA key");
	is_status(parse_status(vci_json_get_string(vci_json_get(file, "A.1"), "jws"), &error),
			  VCI_ERR_JWS_ALG, &error, "RFC 7515 A.1 (HS256) is refused");
	is_status(parse_status(vci_json_get_string(vci_json_get(file, "A.5"), "jws"), &error),
			  VCI_ERR_JWS_ALG, &error, "RFC 7515 A.5 (none) is refused");

	vci_jws_parse(compact, strlen(compact), &jws, &error);
	ok(vci_json_equal(jws->payload, vci_json_get(file, "payload")), "the payload is decoded");
	is_number(jws->alg, VCI_ALG_ES256, "the algorithm is read");
	is_text(jws->typ, NULL, "typ is absent");
	ok(jws->signing_input_len == strlen(jws->signing_input) &&
		   strncmp(compact, jws->signing_input, jws->signing_input_len) == 0 &&
		   compact[jws->signing_input_len] == '.' && jws->signature_len == 64,
	   "and so are signing input and signature");
	vci_jws_free(jws);
	vci_json_free(file);
}

/* A signature over any text, not only over a JSON payload. */
static VciStatus
verify_text(VciAlg alg, const char *text, const char *signature, const VciJson *jwk,
			VciError *error)
{
	VciJws jws = {.alg = alg, .signing_input = (char *) text, .signing_input_len = strlen(text)};
	VciKey *key;
	VciStatus status = vci_key_from_public_jwk(jwk, &key, error);

	if (status == VCI_OK)
		status = vci_base64url_decode_new(signature, strlen(signature), &jws.signature,
										  &jws.signature_len, error);
	if (status == VCI_OK)
		status = vci_jws_verify(&jws, key, error);
	free(jws.signature);
	vci_key_free(key);
	return status;
}

static void
other_published_signatures(void)
{
	VciJson *rfc8037 = vectors("rfc8037.json");
	VciJson *rfc6979 = vectors("rfc6979.json");
	VciJson *list = vci_json_get(rfc6979, "vectors");
	const char *input = vci_json_get_string(rfc8037, "signing_input");
	const char *signature = vci_json_get_string(rfc8037, "signature");
	VciError error = VCI_ERROR_INIT;

	is_status(verify_text(VCI_ALG_EDDSA, input, signature, vci_json_get(rfc8037, "jwk"), &error),
			  VCI_OK, &error, "RFC 8037 A.5 (EdDSA)");
	is_status(
		verify_text(VCI_ALG_EDDSA, input + 1, signature, vci_json_get(rfc8037, "jwk"), &error),
		VCI_ERR_JWS_SIGNATURE, &error, "over another text");
	for (size_t i = 0; i < vci_json_array_length(list); i++)
	{
		const VciJson *vector = vci_json_array_at(list, i);
		const char *name = vci_json_get_string(vector, "alg");

		signature = vci_json_get_string(vector, "signature");
		is_status(verify_text(vci_alg_by_name(name), vci_json_get_string(vector, "message"),
							  signature, vci_json_get(vector, "jwk"), &error),
				  VCI_OK, &error, "RFC 6979, a signature with SHA-2 of the curve's size");
		is_status(verify_text(vci_alg_by_name(name), "Sample", signature,
							  vci_json_get(vector, "jwk"), &error),
				  VCI_ERR_JWS_SIGNATURE, &error, "over another text");
	}
	vci_json_free(rfc8037);
	vci_json_free(rfc6979);
}

/* The published private key of RFC 8037 signs deterministically: an exact answer. */
static void
ed25519_is_deterministic(void)
{
	VciJson *file = vectors("rfc8037.json");
	VciJson *header = vci_json_new_object();
	VciJson *payload = json("{\"sub\":\"ed\"}");
	VciError error = VCI_ERROR_INIT;
	VciKey *key;
	char *first;
	char *second;

	vci_key_from_private_jwk(vci_json_get(file, "private_jwk"), &key, &error);
	is_status(vci_jws_sign(header, payload, key, &first, &error), VCI_OK, &error, "EdDSA signs");
	vci_jws_sign(header, payload, key, &second, &error);
	is_text(first, second, "the same each time");
	is_status(verify_status(first, vci_json_get(file, "jwk"), &error), VCI_OK, &error,
			  "and verifies under the published public key");
	free(first);
	free(second);
	vci_key_free(key);
	vci_json_free(header);
	vci_json_free(payload);
	vci_json_free(file);
}

static void
rsa(void)
{
	static const struct
	{
		const char *name;
		const char *jwk;
		VciStatus status;
		const char *what;
	} cases[] = {
		{"rs256", "jwk", VCI_OK, "RS256"},
		{"ps256", "jwk", VCI_OK, "PS256"},
		{"ps256_4096", "jwk_4096_exponent_3", VCI_OK, "PS256 under 4096 bits and exponent 3"},
		{"ps256", "jwk_4096_exponent_3", VCI_ERR_JWS_SIGNATURE, "under another RSA key"},
		{"ps256_salt_20", "jwk", VCI_ERR_JWS_SIGNATURE, "PS256 with a salt of 20 bytes"},
		{"ps256_mgf1_sha1", "jwk", VCI_ERR_JWS_SIGNATURE, "PS256 with MGF1 over SHA-1"},
		{"ps256_padded_as_rs256", "jwk", VCI_ERR_JWS_SIGNATURE, "PS256 with RS256's padding"},
		{"rs256_padded_as_ps256", "jwk", VCI_ERR_JWS_SIGNATURE, "RS256 with PS256's padding"},
		{"rs256_sha1", "jwk", VCI_ERR_JWS_SIGNATURE, "RS256 over SHA-1"},
		{"rs256_1024", "jwk_1024", VCI_ERR_KEY_UNSUPPORTED, "RS256 under 1024 bits"},
	};
	VciJson *file = vectors("rsa.json");
	VciError error = VCI_ERROR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(verify_status(vci_json_get_string(file, cases[i].name),
								vci_json_get(file, cases[i].jwk), &error),
				  cases[i].status, &error, cases[i].what);
	vci_json_free(file);
}

static const char *
first_name(const VciJson *object)
{
	VciJsonIter iter = vci_json_iter(object);

	return vci_json_next(&iter) ? iter.name : NULL;
}

static void
sign_and_verify(VciAlg alg)
{
	VciJson *header = json("{\"typ\":\"dc+sd-jwt\",\"kid\":\"k1\"}");
	VciJson *payload = json("{\"iss\":\"https://issuer.example\",\"amount\":1.50,\"url\":\"a/b\"}");
	VciError error = VCI_ERROR_INIT;
	VciKey *key;
	VciKey *other;
	VciJson *jwk;
	char *compact;
	VciJws *jws;

	vci_key_generate(alg, &key, &error);
	vci_key_generate(alg, &other, &error);
	jwk = vci_key_public_jwk(key);
	is_status(vci_jws_sign(header, payload, key, &compact, &error), VCI_OK, &error,
			  vci_alg_name(alg));
	is_status(verify_status(compact, jwk, &error), VCI_OK, &error, "what we sign verifies");

	vci_jws_parse(compact, strlen(compact), &jws, &error);
	is_status(vci_jws_verify(jws, other, &error), VCI_ERR_JWS_SIGNATURE, &error,
			  "but not under another key");
	ok(vci_json_equal(jws->payload, payload), "the payload arrives, numbers as they were written");
	is_text(first_name(jws->header), "alg", "alg is the header's first member");
	is_text(vci_json_get_string(jws->header, "alg"), vci_alg_name(alg), "and names the key's");
	is_text(jws->typ, "dc+sd-jwt", "typ follows");
	jws->signing_input[5] ^= 1;
	is_status(vci_jws_verify(jws, key, &error), VCI_ERR_JWS_SIGNATURE, &error, "a changed header");
	jws->signing_input[5] ^= 1;
	jws->signing_input[jws->signing_input_len - 2] ^= 1;
	is_status(vci_jws_verify(jws, key, &error), VCI_ERR_JWS_SIGNATURE, &error, "a changed payload");
	jws->signing_input[jws->signing_input_len - 2] ^= 1;
	is_status(vci_jws_verify(jws, key, &error), VCI_OK, &error, "and changed back");
	vci_jws_free(jws);
	free(compact);

	vci_json_free(header);
	vci_json_free(payload);
	vci_json_free(jwk);
	vci_key_free(key);
	vci_key_free(other);
}

static void
signing_input(void)
{
	VciJson *empty = vci_json_new_object();
	VciJson *wrong = json("{\"typ\":\"x\",\"alg\":\"none\"}");
	VciJson *array = vci_json_new_array();
	VciJson *public_jwk;
	VciError error = VCI_ERROR_INIT;
	VciKey *key;
	VciKey *public_key;
	char *compact;
	VciJson *large = vci_json_new_object();
	char *text = calloc(1, VCI_JWS_MAX_SIZE);

	vci_key_generate(VCI_ALG_ES256, &key, &error);
	public_jwk = vci_key_public_jwk(key);
	vci_key_from_public_jwk(public_jwk, &public_key, &error);

	is_status(vci_jws_sign(empty, empty, key, &compact, &error), VCI_OK, &error,
			  "an empty header and payload");
	ok(strncmp(compact, "eyJhbGciOiJFUzI1NiJ9.e30.", 25) == 0, "the header gets its alg");
	free(compact);
	is_status(vci_jws_sign(wrong, empty, key, &compact, &error), VCI_OK, &error,
			  "a header that has an alg");
	is_status(verify_status(compact, public_jwk, &error), VCI_OK, &error, "gets the key's instead");
	free(compact);
	is_status(vci_jws_sign(empty, empty, public_key, &compact, &error), VCI_ERR_INTERNAL, &error,
			  "a public key does not sign");
	is_status(vci_jws_sign(array, empty, key, &compact, &error), VCI_ERR_INTERNAL, &error,
			  "a header that is no object");
	is_status(vci_jws_sign(empty, array, key, &compact, &error), VCI_ERR_INTERNAL, &error,
			  "a payload that is no object");
	memset(text, 'x', VCI_JWS_MAX_SIZE - 1);
	vci_json_set_string(large, "x", text);
	is_status(vci_jws_sign(empty, large, key, &compact, &error), VCI_ERR_TOO_LARGE, &error,
			  "a JWS that nobody here would accept");

	free(text);
	vci_json_free(large);
	vci_json_free(empty);
	vci_json_free(wrong);
	vci_json_free(array);
	vci_json_free(public_jwk);
	vci_key_free(key);
	vci_key_free(public_key);
}

/* {"alg":"ES256"} and {} in base64url, which most cases below are made of. */
#define HEAD "eyJhbGciOiJFUzI1NiJ9"
#define BODY "e30"

static void
shapes(void)
{
	static const struct
	{
		const char *text;
		VciStatus status;
		const char *what;
	} cases[] = {
		{HEAD "." BODY ".AAAA", VCI_OK, "three parts"},
		{"", VCI_ERR_JWS, "nothing"},
		{".", VCI_ERR_JWS, "one dot"},
		{"..", VCI_ERR_JWS, "two dots"},
		{HEAD, VCI_ERR_JWS, "one part"},
		{HEAD "." BODY, VCI_ERR_JWS, "two parts"},
		{HEAD "." BODY ".", VCI_ERR_JWS, "no signature"},
		{HEAD "..AAAA", VCI_ERR_JWS, "no payload"},
		{"." BODY ".AAAA", VCI_ERR_JWS, "no header"},
		{HEAD "." BODY ".AAAA.", VCI_ERR_JWS, "a dot behind the signature"},
		{HEAD "." BODY ".AAAA.AAAA.AAAA", VCI_ERR_JWS, "five parts, as a JWE has"},
		{HEAD "." BODY ".AAA\n", VCI_ERR_BASE64URL, "a line feed at the end"},
		{" " HEAD "." BODY ".AAAA", VCI_ERR_BASE64URL, "a space in front"},
		{HEAD "." BODY "=.AAAA", VCI_ERR_BASE64URL, "padding"},
		{"W10." BODY ".AAAA", VCI_ERR_JWS, "a header that is an array"},
		{"bnVsbA." BODY ".AAAA", VCI_ERR_JWS, "a header that is null"},
		{"eyJ9." BODY ".AAAA", VCI_ERR_JSON, "a header that is no JSON"},
		{HEAD ".W10.AAAA", VCI_ERR_JWS, "a payload that is an array"},
		{HEAD ".IngiO.AAAA", VCI_ERR_BASE64URL, "a payload that is no base64url"},
		{HEAD ".eHg.AAAA", VCI_ERR_JSON, "a payload that is no JSON"},
		{"e30." BODY ".AAAA", VCI_ERR_JWS_ALG, "no alg"},
		{"eyJhbGciOjV9." BODY ".AAAA", VCI_ERR_JWS_ALG, "alg that is a number"},
		{"eyJhbGciOiJFUzI1NiIsInR5cCI6NX0." BODY ".AAAA", VCI_ERR_JWS, "typ that is a number"},
		{"eyJhbGciOiJFUzI1NiIsInR5cCI6bnVsbH0." BODY ".AAAA", VCI_ERR_JWS, "typ that is null"},
	};
	VciError error = VCI_ERROR_INIT;
	char *large = malloc(VCI_JWS_MAX_SIZE + 1);
	VciJws *jws;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(parse_status(cases[i].text, &error), cases[i].status, &error, cases[i].what);

	memset(large, 'A', VCI_JWS_MAX_SIZE + 1);
	memcpy(large, HEAD "." BODY ".", strlen(HEAD "." BODY "."));
	is_status(vci_jws_parse(large, VCI_JWS_MAX_SIZE - 1, &jws, &error), VCI_OK, &error,
			  "as long as allowed");
	vci_jws_free(jws);
	is_status(vci_jws_parse(large, VCI_JWS_MAX_SIZE + 1, &jws, &error), VCI_ERR_TOO_LARGE, &error,
			  "one character longer");
	ok(jws == NULL, "gives nothing");
	free(large);
	vci_jws_free(NULL);
}

static void
types(void)
{
	static const struct
	{
		const char *given;
		const char *wanted;
		bool same;
	} cases[] = {
		{"kb+jwt", "kb+jwt", true},
		{"KB+JWT", "kb+jwt", true},
		{"application/kb+jwt", "kb+jwt", true},
		{"Application/KB+jwt", "application/kb+jwt", true},
		{"kb+jwt", "application/kb+jwt", true},
		{"kb+jwt ", "kb+jwt", false},
		{"kb+jw", "kb+jwt", false},
		{"kb+jwtt", "kb+jwt", false},
		{"", "kb+jwt", false},
		{"application/", "kb+jwt", false},
		{"application/application/kb+jwt", "kb+jwt", false},
		{"application/x/kb+jwt", "x/kb+jwt", false},
		{"text/kb+jwt", "kb+jwt", false},
		{"\342\204\252b+jwt", "kb+jwt", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		VciJws jws = {.typ = cases[i].given};

		ok(vci_jws_typ_is(&jws, cases[i].wanted) == cases[i].same, "typ '%s' %s '%s'",
		   cases[i].given, cases[i].same ? "is" : "is not", cases[i].wanted);
	}
	ok(!vci_jws_typ_is(&(VciJws){0}, "JWT"), "an absent typ is none");
}

int
main(void)
{
	rfc7515();
	other_published_signatures();
	ed25519_is_deterministic();
	rsa();
	sign_and_verify(VCI_ALG_ES256);
	sign_and_verify(VCI_ALG_ES384);
	sign_and_verify(VCI_ALG_EDDSA);
	signing_input();
	shapes();
	types();
	error_queue_is_empty();
	return done_testing();
}
