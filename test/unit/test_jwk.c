/* Keys: JWKs as the RFCs have them, thumbprints, PEM, PKCS #8, and what is refused. */
#include "jose/jwk.h"
#include "jose/seal.h"
#include "error_queue.h"
#include "tap.h"

/* With curves, too, which must not change the answer. */
static VciStatus
public_status(const char *text, VciError *error)
{
	VciCurves *curves = vci_curves_new();
	VciJson *jwk = json(text);
	VciKey *key;
	VciKey *lent = NULL;
	VciStatus status = vci_key_from_public_jwk(jwk, &key, error);

	if ((status == VCI_OK) != (key != NULL) ||
		vci_key_from_public_jwk_on(curves, jwk, &lent, NULL) != status)
		status = VCI_ERR_INTERNAL;
	vci_key_free(key);
	vci_key_free(lent);
	vci_curves_free(curves);
	vci_json_free(jwk);
	return status;
}

static VciStatus
private_status(const char *text, VciError *error)
{
	VciJson *jwk = json(text);
	VciKey *key;
	VciStatus status = vci_key_from_private_jwk(jwk, &key, error);

	if ((status == VCI_OK) != (key != NULL))
		status = VCI_ERR_INTERNAL;
	vci_key_free(key);
	vci_json_free(jwk);
	return status;
}

static void
published_thumbprint(const char *file_name, const char *member)
{
	VciJson *file = vectors(file_name);
	VciError error = VCI_ERROR_INIT;
	char thumbprint[VCI_THUMBPRINT_SIZE] = "";
	VciKey *key;

	is_status(vci_key_from_public_jwk(vci_json_get(file, member), &key, &error), VCI_OK, &error,
			  "a published key is read");
	is_status(vci_key_thumbprint(key, thumbprint, &error), VCI_OK, &error, "it has a thumbprint");
	is_text(thumbprint, vci_json_get_string(file, "thumbprint"), file_name);
	vci_key_free(key);
	vci_json_free(file);
}

/* RFC 7517 appendix A: of its keys only those for signatures belong here. */
static void
rfc7517(void)
{
	VciJson *file = vectors("rfc7517.json");
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	for (int set = 1; set <= 3; set++)
	{
		char name[16];
		VciJson *keys;

		snprintf(name, sizeof(name), "A.%d", set);
		keys = vci_json_get(vci_json_get(file, name), "keys");
		for (size_t i = 0; i < 2; i++)
		{
			VciJson *jwk = vci_json_array_at(keys, i);
			VciStatus expected = set != 1 ? VCI_ERR_JWK_PRIVATE : i == 0 ? VCI_ERR_JWK : VCI_OK;

			is_status(vci_key_from_public_jwk(jwk, &key, &error), expected, &error,
					  set != 1 ? "a private or symmetric key where a public one belongs"
							   : "a public key, of which the one for encryption is refused");
			vci_key_free(key);
			vci_json_remove(jwk, "use");
			if (i == 1 || set == 3)
				continue;
			if (set == 1)
				is_status(vci_key_from_public_jwk(jwk, &key, &error), VCI_OK, &error,
						  "the EC key without its use");
			else
				is_status(vci_key_from_private_jwk(jwk, &key, &error), VCI_OK, &error,
						  "the private EC key without its use");
			vci_key_free(key);
		}
	}
	is_status(
		vci_key_from_private_jwk(
			vci_json_array_at(vci_json_get(vci_json_get(file, "A.2"), "keys"), 1), &key, &error),
		VCI_ERR_KEY_UNSUPPORTED, &error, "RSA does not sign here");
	vci_json_free(file);
}

static void
rfc7518(void)
{
	VciJson *file = vectors("rfc7518.json");
	static const char *const names[] = {"alice", "bob"};

	for (int i = 0; i < 2; i++)
	{
		VciJson *jwk = vci_json_get(file, names[i]);
		VciError error = VCI_ERROR_INIT;
		VciJson *out;
		VciKey *key;

		is_status(vci_key_from_private_jwk(jwk, &key, &error), VCI_OK, &error,
				  "a key of RFC 7518 appendix C: the private half fits the public one");
		out = vci_key_private_jwk(key);
		ok(vci_json_equal(out, jwk), "and is written as it was read");
		vci_json_free(out);
		vci_key_free(key);
	}
	vci_json_free(file);
}

#define X  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\","
#define OKP                                                                                        \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define D "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""

typedef struct JwkCase
{
	const char *text;
	VciStatus status;
	const char *what;
} JwkCase;

static const JwkCase public_jwks[] = {
	{"{" EC X "," Y "}", VCI_OK, "a plain EC key"},
	{"{" EC X "," Y ",\"kid\":\"1\",\"jku\":\"http://x\",\"ext\":true}", VCI_OK,
	 "members that say nothing about the key are ignored"},
	{"{" EC X "," Y ",\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]}", VCI_OK,
	 "all that allows verifying"},
	{"{" OKP "}", VCI_OK, "a plain Ed25519 key"},
	{"{" OKP ",\"alg\":\"EdDSA\"}", VCI_OK, "with its algorithm"},
	{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
	 "7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}",
	 VCI_ERR_JWK, "an Ed25519 key of 31 bytes"},
	{"[]", VCI_ERR_JWK, "no object"},
	{"{}", VCI_ERR_JWK, "no kty"},
	{"{\"kty\":5}", VCI_ERR_JWK, "kty that is no string"},
	{"{\"kty\":\"EC\"," X "," Y "}", VCI_ERR_JWK, "no crv"},
	{"{\"kty\":\"ec\",\"crv\":\"P-256\"," X "," Y "}", VCI_ERR_KEY_UNSUPPORTED,
	 "kty in another case"},
	{"{\"kty\":\"EC\",\"crv\":\"P-521\"," X "," Y "}", VCI_ERR_KEY_UNSUPPORTED, "P-521"},
	{"{\"kty\":\"EC\",\"crv\":\"secp256k1\"," X "," Y "}", VCI_ERR_KEY_UNSUPPORTED, "secp256k1"},
	{"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
	 "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	 VCI_ERR_KEY_UNSUPPORTED, "X25519, which does not sign"},
	{"{\"kty\":\"OKP\",\"crv\":\"P-256\"," X "," Y "}", VCI_ERR_KEY_UNSUPPORTED,
	 "a curve of another kty"},
	{"{\"kty\":\"oct\"}", VCI_ERR_KEY_UNSUPPORTED, "a symmetric kty"},
	{"{" EC X "}", VCI_ERR_JWK, "no y"},
	{"{" EC X ",\"y\":null}", VCI_ERR_JWK, "y that is null"},
	{"{" EC X ",\"y\":\"\"}", VCI_ERR_JWK, "an empty y"},
	{"{" EC X ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0=\"}", VCI_ERR_JWK,
	 "y with padding"},
	{"{" EC X ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}", VCI_ERR_JWK,
	 "y with trailing bits"},
	{"{" EC X ",\"y\":\"xFEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}", VCI_ERR_JWK,
	 "y of 31 bytes"},
	{"{" EC X ",\"y\":\"AMfxRM0bvZt-hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\"}", VCI_ERR_JWK,
	 "y with a zero byte in front"},
	{"{" EC X ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw\"}", VCI_ERR_JWK,
	 "a point off the curve"},
	{"{" EC "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
	 "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
	 VCI_ERR_JWK, "the point 0, 0"},
	{"{" EC "\"x\":\"__________________________________________8\"," Y "}", VCI_ERR_JWK,
	 "a coordinate above the field's prime"},
	{"{" OKP ",\"d\":\"\"}", VCI_ERR_JWK_PRIVATE, "an empty private member"},
	{"{" EC X "," Y "," D "}", VCI_ERR_JWK_PRIVATE, "a private EC key"},
	{"{" EC X "," Y ",\"d\":null}", VCI_ERR_JWK_PRIVATE, "a private member that is null"},
	{"{" EC X "," Y ",\"k\":\"AA\"}", VCI_ERR_JWK_PRIVATE, "a symmetric member"},
	{"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"oth\":[]}", VCI_ERR_JWK_PRIVATE,
	 "the other primes of RSA"},
	{"{" EC X "," Y ",\"use\":\"enc\"}", VCI_ERR_JWK, "a key for encryption"},
	{"{" EC X "," Y ",\"use\":1}", VCI_ERR_JWK, "use that is no string"},
	{"{" EC X "," Y ",\"use\":null}", VCI_ERR_JWK, "use that is null"},
	{"{" EC X "," Y ",\"key_ops\":[\"sign\"]}", VCI_ERR_JWK, "a key that may not verify"},
	{"{" EC X "," Y ",\"key_ops\":[]}", VCI_ERR_JWK, "a key that may do nothing"},
	{"{" EC X "," Y ",\"key_ops\":\"verify\"}", VCI_ERR_JWK, "key_ops that is no array"},
	{"{" EC X "," Y ",\"key_ops\":[\"verify\",\"verify\"]}", VCI_ERR_JWK,
	 "an operation named twice"},
	{"{" EC X "," Y ",\"key_ops\":[\"verify\",1]}", VCI_ERR_JWK, "an operation that is none"},
	{"{" EC X "," Y ",\"alg\":\"ES384\"}", VCI_ERR_JWK, "an algorithm of another curve"},
	{"{" EC X "," Y ",\"alg\":\"ECDH-ES\"}", VCI_ERR_JWK, "an algorithm that does not sign"},
	{"{" EC X "," Y ",\"alg\":\"none\"}", VCI_ERR_JWK, "the algorithm none"},
	{"{" EC X "," Y ",\"alg\":\"\"}", VCI_ERR_JWK, "an empty algorithm"},
};

static void
public_cases(void)
{
	VciError error = VCI_ERROR_INIT;

	for (size_t i = 0; i < sizeof(public_jwks) / sizeof(public_jwks[0]); i++)
		is_status(public_status(public_jwks[i].text, &error), public_jwks[i].status, &error,
				  public_jwks[i].what);
}

static void
private_cases(void)
{
	static const JwkCase cases[] = {
		{"{" EC X "," Y "," D "}", VCI_OK, "a private EC key"},
		{"{" EC X "," Y "," D ",\"key_ops\":[\"sign\"],\"use\":\"sig\",\"alg\":\"ES256\"}", VCI_OK,
		 "that may sign"},
		{"{" EC X "," Y "," D ",\"key_ops\":[\"verify\"]}", VCI_ERR_JWK, "that may only verify"},
		{"{" EC X "," Y "}", VCI_ERR_JWK, "no private half"},
		{"{" EC X "," D "}", VCI_ERR_JWK, "no y"},
		{"{" EC X "," Y ",\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"}", VCI_ERR_JWK,
		 "a private half of another key"},
		{"{" EC X "," Y ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", VCI_ERR_JWK,
		 "zero as the private half"},
		{"{" EC X "," Y ",\"d\":\"__________________________________________8\"}", VCI_ERR_JWK,
		 "a private half above the order"},
		{"{" EC X "," Y ",\"d\":\"AI6bEJ5xkJi_mASH3x9dd-nLKWBuvtImO19XwhPfhPSy\"}", VCI_ERR_JWK,
		 "a private half with a zero byte in front"},
		{"{" OKP ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", VCI_OK,
		 "a private Ed25519 key"},
		{"{" OKP ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2E\"}", VCI_ERR_JWK,
		 "of another key"},
		{"{" OKP ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyufw\"}", VCI_ERR_JWK,
		 "of 31 bytes"},
		{"5", VCI_ERR_JWK, "no object"},
	};
	VciError error = VCI_ERROR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(private_status(cases[i].text, &error), cases[i].status, &error, cases[i].what);
}

/* An RSA JWK whose n is bits long (all ones) and whose e is given. */
static VciStatus
rsa_status(size_t bits, const char *e, VciError *error)
{
	char text[2048];
	char n[1024];
	size_t digits = (bits + 5) / 6;
	size_t len = bits / 8;

	/* whole bytes of 0xff: "_" six bits each, the last digit holds what is left over */
	memset(n, '_', digits);
	n[digits] = '\0';
	if (len % 3 == 1)
		n[digits - 1] = 'w';
	else if (len % 3 == 2)
		n[digits - 1] = '8';
	snprintf(text, sizeof(text), "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n, e);
	return public_status(text, error);
}

static void
rsa_cases(void)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *file = vectors("rsa.json");
	VciKey *key;

	is_status(vci_key_from_public_jwk(vci_json_get(file, "jwk_4096_exponent_3"), &key, &error),
			  VCI_OK, &error, "4096 bits and exponent 3");
	vci_key_free(key);
	is_status(vci_key_from_public_jwk(vci_json_get(file, "jwk_1024"), &key, &error),
			  VCI_ERR_KEY_UNSUPPORTED, &error, "1024 bits");
	vci_json_free(file);

	is_status(rsa_status(2048, "AQAB", &error), VCI_OK, &error, "2048 bits");
	is_status(rsa_status(2040, "AQAB", &error), VCI_ERR_KEY_UNSUPPORTED, &error, "2040 bits");
	is_status(rsa_status(4096, "AQAB", &error), VCI_OK, &error, "4096 bits");
	is_status(rsa_status(4104, "AQAB", &error), VCI_ERR_JWK, &error, "4104 bits");
	is_status(rsa_status(2048, "_____w", &error), VCI_OK, &error, "the exponent 2^32 - 1");
	is_status(rsa_status(2048, "AQAAAAE", &error), VCI_ERR_JWK, &error, "the exponent 2^32 + 1");
	is_status(rsa_status(2048, "Aw", &error), VCI_OK, &error, "the exponent 3");
	is_status(rsa_status(2048, "AQ", &error), VCI_ERR_JWK, &error, "the exponent 1");
	is_status(rsa_status(2048, "AQAA", &error), VCI_ERR_JWK, &error, "an even exponent");
	is_status(rsa_status(2048, "", &error), VCI_ERR_JWK, &error, "an empty exponent");
	is_status(rsa_status(2048, "AA", &error), VCI_ERR_JWK, &error, "the exponent 0");
	is_status(rsa_status(2048, "AAEAAQ", &error), VCI_ERR_JWK, &error,
			  "an exponent with a zero byte in front");
	is_status(public_status("{\"kty\":\"RSA\",\"n\":\"AQAB\"}", &error), VCI_ERR_JWK, &error,
			  "no e");
	is_status(public_status("{\"kty\":\"RSA\",\"e\":\"AQAB\"}", &error), VCI_ERR_JWK, &error,
			  "no n");
}

static void
algorithms(void)
{
	VciJson *file = vectors("rsa.json");
	VciJson *jwk = vci_json_get(file, "jwk");
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	vci_key_from_public_jwk(jwk, &key, &error);
	ok(vci_key_fits(key, VCI_ALG_RS256) && vci_key_fits(key, VCI_ALG_PS256) &&
		   !vci_key_fits(key, VCI_ALG_ES256) && !vci_key_fits(key, VCI_ALG_NONE),
	   "an RSA key fits two algorithms");
	is_number(vci_key_alg(key), VCI_ALG_RS256, "of which RS256 is named");
	vci_key_free(key);

	vci_json_set_string(jwk, "alg", "PS256");
	vci_key_from_public_jwk(jwk, &key, &error);
	ok(vci_key_fits(key, VCI_ALG_PS256) && !vci_key_fits(key, VCI_ALG_RS256),
	   "but only the one that its JWK names");
	is_number(vci_key_alg(key), VCI_ALG_PS256, "which is its algorithm then");
	vci_key_free(key);
	vci_json_free(file);

	for (VciAlg alg = VCI_ALG_ES256; alg <= VCI_ALG_PS256; alg++)
		ok(vci_alg_by_name(vci_alg_name(alg)) == alg, "%s is known by its name", vci_alg_name(alg));
	ok(vci_alg_by_name("none") == VCI_ALG_NONE && vci_alg_by_name("") == VCI_ALG_NONE &&
		   vci_alg_by_name("HS256") == VCI_ALG_NONE && vci_alg_by_name("es256") == VCI_ALG_NONE &&
		   vci_alg_by_name("ES256 ") == VCI_ALG_NONE,
	   "and no other name is");
}

/* A key through every form that it can take. */
static void
round_trip(VciAlg alg)
{
	VciError error = VCI_ERROR_INIT;
	VciKey *key;
	VciKey *other;
	VciKey *from_der;
	VciKey *from_jwk;
	VciKey *public_key;
	VciJson *private_jwk;
	VciJson *public_jwk;
	unsigned char *der;
	size_t len;

	is_status(vci_key_generate(alg, &key, &error), VCI_OK, &error, "a key is generated");
	vci_key_generate(alg, &other, &error);
	is_status(vci_key_to_private_der(key, &der, &len, &error), VCI_OK, &error,
			  "written as PKCS #8");
	is_status(vci_key_from_private_der(der, len, &from_der, &error), VCI_OK, &error, "and read");
	vci_wipe(der, len);
	free(der);
	private_jwk = vci_key_private_jwk(key);
	public_jwk = vci_key_public_jwk(key);
	is_status(vci_key_from_private_jwk(private_jwk, &from_jwk, &error), VCI_OK, &error,
			  "from its private JWK");
	is_status(vci_key_from_public_jwk(public_jwk, &public_key, &error), VCI_OK, &error,
			  "and from its public one");
	ok(vci_key_equal(key, from_der) && vci_key_equal(from_der, from_jwk) &&
		   vci_key_equal(from_jwk, public_key) && !vci_key_equal(key, other),
	   "it is the same key each time");
	ok(vci_key_is_private(from_der) && vci_key_is_private(from_jwk) &&
		   !vci_key_is_private(public_key),
	   "private or not");
	ok(vci_key_alg(public_key) == alg && vci_key_fits(public_key, alg), "%s", vci_alg_name(alg));
	ok(!vci_json_has(public_jwk, "d") && vci_json_has(private_jwk, "d"),
	   "the public JWK holds nothing private");
	is_status(vci_key_to_private_der(public_key, &der, &len, &error), VCI_ERR_INTERNAL, &error,
			  "a public key has no PKCS #8");
	ok(vci_key_private_jwk(public_key) == NULL, "and no private JWK");

	vci_json_free(private_jwk);
	vci_json_free(public_jwk);
	vci_key_free(other);
	vci_key_free(from_der);
	vci_key_free(from_jwk);
	vci_key_free(public_key);
	vci_key_free(vci_key_ref(key));
	vci_key_free(key);
}

static void
bad_der(void)
{
	VciError error = VCI_ERROR_INIT;
	VciKey *key;
	VciKey *read;
	unsigned char *der;
	unsigned char *longer;
	size_t len;
	size_t taken = 0;

	vci_key_generate(VCI_ALG_ES256, &key, &error);
	vci_key_to_private_der(key, &der, &len, &error);
	longer = calloc(1, len + 1);
	memcpy(longer, der, len);
	is_status(vci_key_from_private_der(longer, len + 1, &read, &error), VCI_ERR_JWK, &error,
			  "a byte behind the DER");
	for (size_t i = 0; i < len; i++)
		taken += vci_key_from_private_der(longer, i, &read, &error) == VCI_OK;
	is_number((int64_t) taken, 0, "DER cut short anywhere");
	memset(&error, 0, sizeof(error));
	longer[len - 1] ^= 1; /* the last byte of the public half */
	is_status(vci_key_from_private_der(longer, len, &read, &error), VCI_ERR_JWK, &error,
			  "halves that do not agree");
	vci_wipe(der, len);
	free(der);
	free(longer);
	vci_key_free(key);
	is_status(vci_key_generate(VCI_ALG_RS256, &key, &error), VCI_ERR_KEY_UNSUPPORTED, &error,
			  "no RSA key is generated");
}

static void
pem(void)
{
	VciJson *file = vectors("pem.json");
	VciJson *accepted = vci_json_get(file, "accepted");
	VciJson *refused = vci_json_get(file, "refused");

	for (size_t i = 0; i < vci_json_array_length(accepted); i++)
	{
		const VciJson *vector = vci_json_array_at(accepted, i);
		const char *text = vci_json_get_string(vector, "pem");
		VciError error = VCI_ERROR_INIT;
		VciKey *key;

		is_status(vci_key_from_private_pem(text, strlen(text), &key, &error), VCI_OK, &error,
				  vci_json_get_string(vector, "what"));
		ok(vci_key_is_private(key), "is a private key");
		is_text(vci_alg_name(vci_key_alg(key)), vci_json_get_string(vector, "alg"), "to sign with");
		vci_key_free(key);
	}
	for (size_t i = 0; i < vci_json_array_length(refused); i++)
	{
		const VciJson *vector = vci_json_array_at(refused, i);
		const char *text = vci_json_get_string(vector, "pem");
		VciError error = VCI_ERROR_INIT;
		VciKey *key;
		VciStatus status = vci_key_from_private_pem(text, strlen(text), &key, &error);

		ok(key == NULL && error.code == status, "no key comes from");
		is_text(vci_status_name(status), vci_json_get_string(vector, "status"),
				vci_json_get_string(vector, "what"));
	}
	vci_json_free(file);
}

/* What an operator imports: either form, told apart by its first character. */
static void
private_texts(void)
{
	static const char jwk[] = "{" EC X "," Y "," D "}";
	static const char in_lines[] = " \n\t{" EC X "," Y "," D "}\n";
	static const struct
	{
		const char *text;
		VciStatus status;
		const char *word;
		const char *what;
	} refused[] = {
		{"", VCI_ERR_JWK, "PEM", "an empty text"},
		{" \n", VCI_ERR_JWK, "PEM", "white space"},
		{"jpsQnnGQmL", VCI_ERR_JWK, "PEM", "neither form"},
		{"{" EC X "," Y "," D, VCI_ERR_JSON, "", "broken JSON"},
		{"{" EC X "," Y "}", VCI_ERR_JWK, "'d'", "a public JWK"},
		{"{" EC X "," Y "," D "," D "}", VCI_ERR_JSON_DUPLICATE, "", "a member twice"},
		{"{" EC Y "," D "}", VCI_ERR_JWK, "'x'", "a JWK that lacks x"},
		{"{" EC X "," X "}", VCI_ERR_JSON_DUPLICATE, "", "x twice"},
	};
	VciError error = VCI_ERROR_INIT;
	VciKey *key;
	VciKey *same;

	is_status(vci_key_from_private_text(jwk, strlen(jwk), &key, &error), VCI_OK, &error, "a JWK");
	is_status(vci_key_from_private_text(in_lines, strlen(in_lines), &same, &error), VCI_OK, &error,
			  "with white space around it");
	ok(vci_key_is_private(same) && vci_key_equal(key, same), "is the same private key");
	vci_key_free(same);
	vci_key_free(key);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		const char *text = refused[i].text;
		VciStatus status = vci_key_from_private_text(text, strlen(text), &key, &error);

		ok(key == NULL && strstr(error.text, refused[i].word) != NULL &&
			   strstr(error.text, "jpsQ") == NULL,
		   "%s: the error names the fault and tells nothing of the key", refused[i].what);
		is_status(status, refused[i].status, &error, refused[i].what);
	}
}

/* Which of the PEM texts are under a password is told to the operator. */
static void
encrypted(void)
{
	static const char older[] = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
								"DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
								"-----END EC PRIVATE KEY-----\n";
	VciJson *file = vectors("pem.json");
	const VciJson *vector = vci_json_array_at(vci_json_get(file, "refused"), 0);
	const char *texts[] = {vci_json_get_string(vector, "pem"), older};
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	for (int i = 0; i < 2; i++)
	{
		(void) vci_key_from_private_text(texts[i], strlen(texts[i]), &key, &error);
		ok(key == NULL && strstr(error.text, "is encrypted: openssl pkey") != NULL,
		   "a key under a password is refused with what to type");
		memset(&error, 0, sizeof(error));
	}
	vci_json_free(file);
}

int
main(void)
{
	published_thumbprint("rfc7638.json", "jwk");
	published_thumbprint("rfc8037.json", "jwk");
	rfc7517();
	rfc7518();
	public_cases();
	private_cases();
	rsa_cases();
	algorithms();
	round_trip(VCI_ALG_ES256);
	round_trip(VCI_ALG_ES384);
	round_trip(VCI_ALG_EDDSA);
	bad_der();
	pem();
	private_texts();
	encrypted();
	error_queue_is_empty();
	return done_testing();
}
