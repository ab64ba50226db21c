/*
 * One test an attack of RFC 8725 sections 2 and 3, and of published weaknesses of JOSE
 * libraries, each beside a control that differs in nothing but the attack.
 */
#include "jose/base64url.h"
#include "jose/did.h"
#include "jose/jws.h"
#include "jose/seal.h"
#include "error_queue.h"
#include "tap.h"

typedef struct Fixture
{
	VciKey *key;		/* ES256, private */
	VciKey *public_key; /* the same, as a verifier knows it */
	VciJson *jwk;
} Fixture;

static Fixture
fixture(void)
{
	VciError error = VCI_ERROR_INIT;
	Fixture made;

	if (vci_key_generate(VCI_ALG_ES256, &made.key, &error) != VCI_OK)
		bail_out("no key", error.text);
	made.jwk = vci_key_public_jwk(made.key);
	if (vci_key_from_public_jwk(made.jwk, &made.public_key, &error) != VCI_OK)
		bail_out("no public key", error.text);
	return made;
}

static void
drop(Fixture *made)
{
	vci_key_free(made->key);
	vci_key_free(made->public_key);
	vci_json_free(made->jwk);
}

/* header and payload as JSON text, signed under the fixture's key. */
static char *
sign(const Fixture *made, const char *header_text, const char *payload_text)
{
	VciJson *header = json(header_text);
	VciJson *payload = json(payload_text);
	VciError error = VCI_ERROR_INIT;
	char *compact;

	if (vci_jws_sign(header, payload, made->key, &compact, &error) != VCI_OK)
		bail_out("cannot sign", error.text);
	vci_json_free(header);
	vci_json_free(payload);
	return compact;
}

/* Three parts, encoded from bytes as they are. */
static char *
join(const char *header, const char *payload, size_t payload_len, const void *signature,
	 size_t signature_len)
{
	char *parts[] = {vci_base64url_encode_new(header, strlen(header)),
					 vci_base64url_encode_new(payload, payload_len),
					 vci_base64url_encode_new(signature, signature_len)};
	char *compact = calloc(1, strlen(parts[0]) + strlen(parts[1]) + strlen(parts[2]) + 3);

	sprintf(compact, "%s.%s.%s", parts[0], parts[1], parts[2]);
	for (int i = 0; i < 3; i++)
		free(parts[i]);
	return compact;
}

static VciStatus
status_of(const char *compact, size_t len, const VciKey *key, VciError *error)
{
	VciJws *jws;
	VciStatus status = vci_jws_parse(compact, len, &jws, error);

	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, error);
	vci_jws_free(jws);
	return status;
}

/* Checks the verdict over a compact JWS, and frees it. */
static void
expect(char *compact, const VciKey *key, VciStatus expected, const char *what)
{
	VciError error = VCI_ERROR_INIT;

	is_status(status_of(compact, strlen(compact), key, &error), expected, &error, what);
	free(compact);
}

/* RFC 8725 section 2.1: "none" in every spelling, with and without a signature. */
static void
alg_none(void)
{
	static const char *const names[] = {"none", "None", "NONE", "nOnE", "none ", "", "null"};
	Fixture made = fixture();

	expect(sign(&made, "{}", "{}"), made.public_key, VCI_OK, "control: ES256");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		char header[64];

		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
		expect(join(header, "{}", 2, "", 0), made.public_key, VCI_ERR_JWS_ALG,
			   "an unsigned JWS with a spelling of none");
		expect(join(header, "{}", 2, "x", 1), made.public_key, VCI_ERR_JWS_ALG,
			   "and with a signature that is none");
	}
	drop(&made);
}

/* RFC 8725 section 2.1: the public key, which everyone knows, taken for a MAC's secret. */
static void
key_confusion(void)
{
	static const char *const header = "{\"alg\":\"HS256\"}";
	Fixture made = fixture();
	const char *x = vci_json_get_string(made.jwk, "x");
	unsigned char mac[VCI_DIGEST_BYTES];
	VciSecret secret;
	char *signing_input = join(header, "{}", 2, "", 0);
	size_t len;

	vci_base64url_decode(x, strlen(x), secret.bytes, &len, NULL);
	vci_hmac(&secret, signing_input, strlen(signing_input) - 1, mac, NULL);
	expect(join(header, "{}", 2, mac, sizeof(mac)), made.public_key, VCI_ERR_JWS_ALG,
		   "HS256 keyed with the public key");
	expect(join("{\"alg\":\"HS512\"}", "{}", 2, mac, sizeof(mac)), made.public_key, VCI_ERR_JWS_ALG,
		   "HS512");
	expect(join("{\"alg\":\"A128KW\"}", "{}", 2, mac, sizeof(mac)), made.public_key,
		   VCI_ERR_JWS_ALG, "an algorithm of JWE");
	free(signing_input);
	drop(&made);
}

/* RFC 8725 section 3.1: a signature is checked by the algorithm of the key alone. */
static void
algorithm_and_key(void)
{
	static const VciAlg algs[] = {VCI_ALG_ES256, VCI_ALG_ES384, VCI_ALG_EDDSA};
	VciError error = VCI_ERROR_INIT;
	VciKey *keys[3];
	VciJson *empty = vci_json_new_object();

	for (int i = 0; i < 3; i++)
		vci_key_generate(algs[i], &keys[i], &error);
	for (int i = 0; i < 3; i++)
	{
		for (int j = 0; j < 3; j++)
		{
			char *compact;

			vci_jws_sign(empty, empty, keys[i], &compact, &error);
			expect(compact, keys[j], i == j ? VCI_OK : VCI_ERR_JWS_ALG,
				   i == j ? "control: the key's own algorithm" : "an algorithm of another key");
		}
	}
	for (int i = 0; i < 3; i++)
		vci_key_free(keys[i]);
	vci_json_free(empty);
}

/* The order of P-256, which no half of a signature may reach. */
static const unsigned char p256_order[32] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

/* CVE-2022-21449: r and s must be checked to be from 1 to the order less 1. */
static void
psychic_signature(void)
{
	static const unsigned char zero[32] = {0};
	static const unsigned char one[32] = {[31] = 1};
	const unsigned char *halves[] = {zero, p256_order, one};
	static const char *const names[] = {"0", "the order", "1"};
	Fixture made = fixture();

	for (int r = 0; r < 3; r++)
	{
		for (int s = 0; s < 3; s++)
		{
			unsigned char signature[64];
			char what[80];

			memcpy(signature, halves[r], 32);
			memcpy(signature + 32, halves[s], 32);
			snprintf(what, sizeof(what), "r is %s and s is %s", names[r], names[s]);
			expect(join("{\"alg\":\"ES256\"}", "{}", 2, signature, 64), made.public_key,
				   VCI_ERR_JWS_SIGNATURE, what);
		}
	}
	drop(&made);
}

/* The raw signature of a JWS, decoded; out holds 64 bytes. */
static void
raw_signature(const char *compact, unsigned char *out)
{
	const char *text = strrchr(compact, '.') + 1;
	size_t len;

	vci_base64url_decode(text, strlen(text), out, &len, NULL);
}

/* The same header and payload under another signature. */
static char *
with_signature(const char *compact, const void *signature, size_t len)
{
	size_t input_len = (size_t) (strrchr(compact, '.') - compact) + 1;
	char *encoded = vci_base64url_encode_new(signature, len);
	char *out = calloc(1, input_len + strlen(encoded) + 1);

	memcpy(out, compact, input_len);
	strcat(out, encoded);
	free(encoded);
	return out;
}

static size_t
der_integer(const unsigned char *half, unsigned char *out)
{
	size_t skip = 0;
	size_t pad;

	while (skip < 31 && half[skip] == 0)
		skip++;
	pad = half[skip] >= 0x80 ? 1 : 0;
	out[0] = 2;
	out[1] = (unsigned char) (32 - skip + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, half + skip, 32 - skip);
	return 2 + pad + 32 - skip;
}

/* RFC 7518 section 3.4: raw halves of fixed length, and no other encoding of them. */
static void
signature_encodings(void)
{
	Fixture made = fixture();
	char *compact = sign(&made, "{}", "{}");
	unsigned char raw[64];
	unsigned char other[160] = {0};
	size_t len;

	raw_signature(compact, raw);
	expect(with_signature(compact, raw, 64), made.public_key, VCI_OK, "control: r and s");
	expect(with_signature(compact, raw, 63), made.public_key, VCI_ERR_JWS_SIGNATURE,
		   "a byte cut off");
	expect(with_signature(compact, raw, 32), made.public_key, VCI_ERR_JWS_SIGNATURE, "r alone");
	expect(with_signature(compact, raw, 1), made.public_key, VCI_ERR_JWS_SIGNATURE, "one byte");
	memcpy(other, raw, 64);
	expect(with_signature(compact, other, 65), made.public_key, VCI_ERR_JWS_SIGNATURE,
		   "a zero byte behind");
	memset(other, 0, sizeof(other));
	memcpy(other + 1, raw, 32);
	memcpy(other + 34, raw + 32, 32);
	expect(with_signature(compact, other, 66), made.public_key, VCI_ERR_JWS_SIGNATURE,
		   "a zero byte before each half");
	memset(other, 0, sizeof(other));
	memcpy(other + 16, raw, 32);
	memcpy(other + 64, raw + 32, 32);
	expect(with_signature(compact, other, 96), made.public_key, VCI_ERR_JWS_SIGNATURE,
		   "halves as long as ES384's");
	other[0] = 0x30;
	len = der_integer(raw, other + 2);
	len += der_integer(raw + 32, other + 2 + len);
	other[1] = (unsigned char) len;
	expect(with_signature(compact, other, len + 2), made.public_key, VCI_ERR_JWS_SIGNATURE, "DER");
	free(compact);
	drop(&made);
}

/* RFC 8032 section 5.1.7: S + L is the same number to the curve, and must be refused. */
static void
edwards_malleability(void)
{
	static const unsigned char order[32] = {
		/* little-endian */
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,		   0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
	};
	VciJson *file = vectors("rfc8037.json");
	const char *input = vci_json_get_string(file, "signing_input");
	const char *text = vci_json_get_string(file, "signature");
	unsigned char signature[64];
	VciJws jws = {.alg = VCI_ALG_EDDSA,
				  .signing_input = (char *) input,
				  .signing_input_len = strlen(input),
				  .signature = signature};
	VciError error = VCI_ERROR_INIT;
	unsigned carry = 0;
	VciKey *key;

	vci_key_from_public_jwk(vci_json_get(file, "jwk"), &key, &error);
	vci_base64url_decode(text, strlen(text), signature, &jws.signature_len, &error);
	is_status(vci_jws_verify(&jws, key, &error), VCI_OK, &error,
			  "control: the published signature");
	for (int i = 0; i < 32; i++)
	{
		carry += signature[32 + i] + order[i];
		signature[32 + i] = (unsigned char) carry;
		carry >>= 8;
	}
	is_status(vci_jws_verify(&jws, key, &error), VCI_ERR_JWS_SIGNATURE, &error, "S plus the order");
	vci_key_free(key);
	vci_json_free(file);
}

/* RFC 7515 section 4.1.11, RFC 7797: extensions that change what is signed. */
static void
extensions(void)
{
	Fixture made = fixture();

	expect(sign(&made, "{\"kid\":\"1\",\"extra\":[1]}", "{}"), made.public_key, VCI_OK,
		   "control: a header member that nobody knows");
	expect(sign(&made, "{\"crit\":[\"exp\"],\"exp\":1}", "{}"), made.public_key, VCI_ERR_JWS_CRIT,
		   "crit");
	expect(sign(&made, "{\"crit\":[]}", "{}"), made.public_key, VCI_ERR_JWS_CRIT, "an empty crit");
	expect(sign(&made, "{\"crit\":null}", "{}"), made.public_key, VCI_ERR_JWS_CRIT, "null as crit");
	expect(sign(&made, "{\"b64\":false}", "{}"), made.public_key, VCI_ERR_JWS_CRIT,
		   "b64 without crit");
	expect(sign(&made, "{\"b64\":true}", "{}"), made.public_key, VCI_ERR_JWS_CRIT,
		   "b64 that is true");
	drop(&made);
}

/* RFC 7515 section 4: names are unique, since parsers differ in which of two counts. */
static void
duplicates(void)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"alg\":\"ES256\"}",
		"{\"alg\":\"ES256\",\"alg\":\"none\"}",
		"{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}",
		"{\"alg\":\"ES256\",\"kid\":\"a\",\"kid\":\"b\"}",
		"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"kty\":\"oct\"}}",
	};
	Fixture made = fixture();

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		expect(join(headers[i], "{}", 2, "x", 1), made.public_key, VCI_ERR_JSON_DUPLICATE,
			   "a header member twice");
	expect(join("{\"alg\":\"ES256\"}", "{\"sub\":\"a\",\"sub\":\"b\"}", 21, "x", 1),
		   made.public_key, VCI_ERR_JSON_DUPLICATE, "a claim twice");
	drop(&made);
}

/* RFC 8725 section 2.9: what a header says about keys is never followed. */
static void
key_references(void)
{
	Fixture made = fixture();
	Fixture attacker = fixture();
	char *own = vci_json_print(attacker.jwk);
	char header[1024];

	snprintf(header, sizeof(header),
			 "{\"jku\":\"http://127.0.0.1:9/\",\"x5u\":\"file:///etc/passwd\","
			 "\"kid\":\"../../x'; --\",\"jwk\":%s}",
			 own);
	expect(sign(&made, header, "{}"), made.public_key, VCI_OK,
		   "control: jku, x5u, kid and jwk change nothing");
	expect(sign(&attacker, header, "{}"), made.public_key, VCI_ERR_JWS_SIGNATURE,
		   "and make no foreign key count");
	free(own);
	drop(&made);
	drop(&attacker);
}

/* A private key in a header is somebody's secret, to be told and not to be used. */
static void
private_key_in_header(void)
{
	Fixture made = fixture();
	VciJson *private_jwk = vci_key_private_jwk(made.key);
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	is_status(vci_key_from_public_jwk(made.jwk, &key, &error), VCI_OK, &error,
			  "control: the public JWK");
	vci_key_free(key);
	vci_key_from_public_jwk(private_jwk, &key, &error);
	ok(strstr(error.text, vci_json_get_string(private_jwk, "d")) == NULL,
	   "the error does not repeat the secret");
	is_status(error.code, VCI_ERR_JWK_PRIVATE, &error, "the private JWK");
	vci_json_free(private_jwk);
	drop(&made);
}

/* RFC 8725 section 2.5: points that are not of the curve leak or forge. */
static void
invalid_curve(void)
{
	/* x with no point of P-256 above it, and the generator of P-384 called P-256 */
	static const char *const keys[] = {
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		"\"qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3\",\"y\":"
		"\"NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":"
		"\"qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3\",\"y\":"
		"\"NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5e\"}",
	};
	VciJson *good = json("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":"
						 "\"qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3\","
						 "\"y\":"
						 "\"NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f\"}");
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	is_status(vci_key_from_public_jwk(good, &key, &error), VCI_OK, &error,
			  "control: the generator of P-384");
	vci_key_free(key);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
	{
		VciJson *jwk = json(keys[i]);

		is_status(vci_key_from_public_jwk(jwk, &key, &error), VCI_ERR_JWK, &error,
				  "a point of no or another curve");
		vci_json_free(jwk);
	}
	vci_json_free(good);
}

/* Keys that are weak, or that make the server work for an attacker. */
static void
rsa_sizes(void)
{
	VciJson *file = vectors("rsa.json");
	VciJson *jwk = vci_json_get(file, "jwk");
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	is_status(vci_key_from_public_jwk(jwk, &key, &error), VCI_OK, &error, "control: 2048 bits");
	vci_key_free(key);
	is_status(vci_key_from_public_jwk(vci_json_get(file, "jwk_1024"), &key, &error),
			  VCI_ERR_KEY_UNSUPPORTED, &error, "1024 bits");
	vci_json_set_string(jwk, "e", vci_json_get_string(jwk, "n"));
	is_status(vci_key_from_public_jwk(jwk, &key, &error), VCI_ERR_JWK, &error,
			  "an exponent as long as the modulus");
	vci_json_free(file);
}

/* Texts that decode to the same bytes would let a JWS be varied under its signature. */
static void
encodings(void)
{
	static const char *const formats[][2] = {
		{"%s=", "padding"},			{"%s==", "more padding"},
		{"%s\n", "a line feed"},	{"%s ", "a space"},
		{"%s\r\n", "a line break"}, {" %s", "a space in front"},
		{"%s\t", "a tab"},			{"\xef\xbb\xbf%s", "a byte order mark"},
		{"%s%%3D", "an escape"},	{"Bearer %s", "a scheme"},
	};
	Fixture made = fixture();
	char *compact = sign(&made, "{}", "{}");
	char text[512];
	VciError error = VCI_ERROR_INIT;
	size_t last = strlen(compact) - 1;

	is_status(status_of(compact, last + 1, made.public_key, &error), VCI_OK, &error, "control");
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
	{
		snprintf(text, sizeof(text), formats[i][0], compact);
		is_status(status_of(text, strlen(text), made.public_key, &error), VCI_ERR_BASE64URL, &error,
				  formats[i][1]);
	}
	is_status(status_of(compact, last + 2, made.public_key, &error), VCI_ERR_BASE64URL, &error,
			  "NUL behind it");
	snprintf(text, sizeof(text), "%s.e30", compact);
	is_status(status_of(text, strlen(text), made.public_key, &error), VCI_ERR_JWS, &error,
			  "a fourth part");
	/* 64 bytes leave 2 of the last character's 6 bits in use */
	compact[last] = compact[last] == 'A' ? 'B' : (char) (compact[last] + 1);
	is_status(status_of(compact, last + 1, made.public_key, &error), VCI_ERR_BASE64URL, &error,
			  "another last character for the same bytes");
	free(compact);
	drop(&made);
}

/* RFC 8725 section 2.6: JSON in another encoding than UTF-8. */
static void
json_encodings(void)
{
	static const char *const header = "{\"alg\":\"ES256\"}";
	Fixture made = fixture();

	expect(join(header, "{\0}\0", 4, "x", 1), made.public_key, VCI_ERR_JSON, "UTF-16");
	expect(join(header, "\xff\xfe{\0}\0", 6, "x", 1), made.public_key, VCI_ERR_UTF8,
		   "UTF-16 with its byte order mark");
	expect(join(header, "{\0\0\0}\0\0\0", 8, "x", 1), made.public_key, VCI_ERR_JSON, "UTF-32");
	expect(join(header, "{\"a\":\"\xc0\xae\"}", 9, "x", 1), made.public_key, VCI_ERR_UTF8,
		   "an overlong form");
	expect(join(header, "{} {}", 5, "x", 1), made.public_key, VCI_ERR_JSON, "two payloads");
	expect(join(header, "{}//", 4, "x", 1), made.public_key, VCI_ERR_JSON, "a comment behind it");
	drop(&made);
}

/* RFC 8725 sections 2.8 and 3.11: a JWT of one kind taken for another. */
static void
kinds(void)
{
	static const struct
	{
		const char *typ;
		bool same;
	} cases[] = {
		{"openid4vci-proof+jwt", true},
		{"OPENID4VCI-PROOF+JWT", true},
		{"application/openid4vci-proof+jwt", true},
		{"openid4vc\\u0131-proof+jwt", false},	/* i without dot */
		{"openid4vci-proof\\uff0bjwt", false},	/* full-width plus */
		{"openid4vci\\u2010proof+jwt", false},	/* another hyphen */
		{"openid4vci-proof+jwt\\u200b", false}, /* zero-width space */
		{"openid4vci-proof+jwt;x", false},
		{"kb+jwt", false},
		{"JWT", false},
		{"dc+sd-jwt", false},
	};
	Fixture made = fixture();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char header[128];
		char *compact;
		VciJws *jws;

		snprintf(header, sizeof(header), "{\"typ\":\"%s\"}", cases[i].typ);
		compact = sign(&made, header, "{}");
		vci_jws_parse(compact, strlen(compact), &jws, NULL);
		ok(vci_jws_typ_is(jws, "openid4vci-proof+jwt") == cases[i].same, "typ %s", cases[i].typ);
		vci_jws_free(jws);
		free(compact);
	}
	drop(&made);
}

/* RFC 8725 section 3.6, and bombs: nothing is inflated, nothing parsed without bound. */
static void
bombs(void)
{
	static const unsigned char deflated[] = {0xab, 0xae, 0x05, 0x00}; /* {} */
	static const char *const header = "{\"alg\":\"ES256\"}";
	const size_t large = 100000;
	Fixture made = fixture();
	VciError error = VCI_ERROR_INIT;
	char *text = calloc(1, large + 1);
	char *compact;
	VciJson *parsed;

	expect(join("{\"alg\":\"ES256\",\"zip\":\"DEF\"}", (const char *) deflated, sizeof(deflated),
				"x", 1),
		   made.public_key, VCI_ERR_UTF8, "a compressed payload");
	memset(text, '[', large);
	is_status(vci_json_parse(text, large, &parsed, &error), VCI_ERR_JSON_DEPTH, &error,
			  "100000 brackets as JSON");
	expect(join(header, text, large / 4, "x", 1), made.public_key, VCI_ERR_JSON_DEPTH,
		   "25000 brackets as a payload");
	expect(join(text + large - 20000, "{}", 2, "x", 1), made.public_key, VCI_ERR_JSON_DEPTH,
		   "20000 brackets as a header");
	compact = join(header, text, large, "x", 1);
	is_status(status_of(compact, strlen(compact), made.public_key, &error), VCI_ERR_TOO_LARGE,
			  &error, "a JWS over its size is not even decoded");
	free(compact);
	memset(text, '.', large);
	is_status(status_of(text, VCI_JWS_MAX_SIZE, made.public_key, &error), VCI_ERR_JWS, &error,
			  "nothing but dots");
	free(text);
	drop(&made);
}

/* RFC 8725 section 2.3: an encrypted token where a signed one belongs. */
static void
encrypted(void)
{
	Fixture made = fixture();
	char *compact = calloc(1, 200);

	strcpy(compact, "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA");
	expect(compact, made.public_key, VCI_ERR_JWS, "a JWE");
	drop(&made);
}

int
main(void)
{
	alg_none();
	key_confusion();
	algorithm_and_key();
	psychic_signature();
	signature_encodings();
	edwards_malleability();
	extensions();
	duplicates();
	key_references();
	private_key_in_header();
	invalid_curve();
	rsa_sizes();
	encodings();
	json_encodings();
	kinds();
	bombs();
	encrypted();
	error_queue_is_empty();
	return done_testing();
}
