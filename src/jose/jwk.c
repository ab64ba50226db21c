#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "base64url.h"
#include "json_write.h"
#include "key.h"
#include "seal.h"

#define RSA_MAX_BYTES	   512 /* 4096 bits */
#define RSA_EXPONENT_BYTES 4

typedef enum KeyUse
{
	USE_VERIFY,
	USE_SIGN
} KeyUse;

/* A base64url member of at most max bytes; without minimum length. */
static VciStatus
read_bytes(const VciJson *jwk, const char *name, unsigned char *out, size_t max, size_t *len,
		   VciError *error)
{
	const char *text = vci_json_get_string(jwk, name);
	size_t text_len;

	if (text == NULL)
		return vci_error(error, VCI_ERR_JWK, "the JWK lacks its member '%s'", name);
	text_len = strlen(text);
	if (vci_base64url_decoded_size(text_len) > max)
		return vci_error(error, VCI_ERR_JWK, "JWK member '%s': expected at most %zu bytes", name,
						 max);
	if (vci_base64url_decode(text, text_len, out, len, NULL) != VCI_OK)
		return vci_error(error, VCI_ERR_JWK, "JWK member '%s': expected base64url", name);
	return VCI_OK;
}

/* RFC 7518 sections 6.2.1.2 and 6.2.2.1, RFC 8037 section 2: always the full length. */
static VciStatus
read_fixed(const VciJson *jwk, const char *name, unsigned char *out, size_t size, VciError *error)
{
	size_t len = 0;
	VciStatus status = read_bytes(jwk, name, out, size, &len, error);

	if (status == VCI_OK && len != size)
		return vci_error(error, VCI_ERR_JWK, "JWK member '%s': expected %zu bytes, got %zu", name,
						 size, len);
	return status;
}

/* RFC 7518 section 2, Base64urlUInt: no zero byte in front. */
static VciStatus
read_number(const VciJson *jwk, const char *name, size_t max, BIGNUM **number, VciError *error)
{
	unsigned char bytes[RSA_MAX_BYTES];
	size_t len;
	VciStatus status = read_bytes(jwk, name, bytes, max, &len, error);

	*number = NULL;
	if (status != VCI_OK)
		return status;
	if (len == 0 || bytes[0] == 0)
		return vci_error(error, VCI_ERR_JWK,
						 "JWK member '%s': expected a number without leading "
						 "zeros",
						 name);
	*number = BN_bin2bn(bytes, (int) len, NULL);
	if (*number == NULL)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

/* RFC 7517 section 4.3: the operation must be among them, and none may stand there twice. */
static VciStatus
check_key_ops(const VciJson *ops, const char *needed, VciError *error)
{
	if (vci_json_kind(ops) != VCI_JSON_ARRAY)
		return vci_error(error, VCI_ERR_JWK, "JWK member 'key_ops': expected an array");
	for (size_t i = 0; i < vci_json_array_length(ops); i++)
	{
		const char *op = vci_json_string(vci_json_array_at(ops, i));

		if (op == NULL)
			return vci_error(error, VCI_ERR_JWK, "JWK member 'key_ops': expected strings");
		for (size_t j = 0; j < i; j++)
		{
			if (strcmp(op, vci_json_string(vci_json_array_at(ops, j))) == 0)
				return vci_error(error, VCI_ERR_JWK, "JWK member 'key_ops' names one twice");
		}
	}
	if (!vci_json_array_has_string(ops, needed))
		return vci_error(error, VCI_ERR_JWK, "JWK member 'key_ops' does not list '%s'", needed);
	return VCI_OK;
}

/* use, key_ops and alg (RFC 7517 section 4) must not exclude what we do with the key. */
static VciStatus
check_purpose(const VciJson *jwk, KeyUse use, VciKey *key, VciError *error)
{
	VciStatus status = VCI_OK;

	if (vci_json_has(jwk, "use"))
	{
		const char *text = vci_json_get_string(jwk, "use");

		if (text == NULL || strcmp(text, "sig") != 0)
			return vci_error(error, VCI_ERR_JWK, "JWK member 'use': expected 'sig'");
	}
	if (vci_json_has(jwk, "key_ops"))
		status =
			check_key_ops(vci_json_get(jwk, "key_ops"), use == USE_SIGN ? "sign" : "verify", error);
	if (status == VCI_OK && vci_json_has(jwk, "alg"))
	{
		const char *text = vci_json_get_string(jwk, "alg");
		VciAlg alg = text == NULL ? VCI_ALG_NONE : vci_alg_by_name(text);

		if (!vci_key_fits(key, alg))
			return vci_error(error, VCI_ERR_JWK,
							 "JWK member 'alg': expected one that the key fits");
		key->only_alg = alg;
	}
	return status;
}

static VciStatus
key_type(const VciJson *jwk, VciKeyType *type, VciError *error)
{
	const char *kty = vci_json_get_string(jwk, "kty");
	const char *crv = vci_json_get_string(jwk, "crv");

	if (kty == NULL)
		return vci_error(error, VCI_ERR_JWK, "the JWK lacks its member 'kty'");
	if (strcmp(kty, "RSA") == 0)
	{
		*type = VCI_KEY_RSA;
		return VCI_OK;
	}
	if (strcmp(kty, "EC") != 0 && strcmp(kty, "OKP") != 0)
		return vci_error(error, VCI_ERR_KEY_UNSUPPORTED, "expected a JWK with kty EC, OKP or RSA");
	if (crv == NULL)
		return vci_error(error, VCI_ERR_JWK, "the JWK lacks its member 'crv'");
	if (strcmp(kty, "EC") == 0 && strcmp(crv, "P-256") == 0)
		*type = VCI_KEY_P256;
	else if (strcmp(kty, "EC") == 0 && strcmp(crv, "P-384") == 0)
		*type = VCI_KEY_P384;
	else if (strcmp(kty, "OKP") == 0 && strcmp(crv, "Ed25519") == 0)
		*type = VCI_KEY_ED25519;
	else
		return vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						 "expected the curve P-256, P-384 (EC) or Ed25519 (OKP)");
	return VCI_OK;
}

/* x and y of an EC JWK as an uncompressed SEC 1 point, or x of an OKP JWK. */
static VciStatus
read_public_bytes(const VciJson *jwk, VciKeyType type, unsigned char *out, size_t *len,
				  VciError *error)
{
	size_t field = vci_key_field_bytes(type);
	VciStatus status;

	if (type == VCI_KEY_ED25519)
	{
		*len = field;
		return read_fixed(jwk, "x", out, field, error);
	}
	out[0] = 4; /* SEC 1 section 2.3.3: uncompressed */
	*len = 1 + 2 * field;
	status = read_fixed(jwk, "x", out + 1, field, error);
	if (status == VCI_OK)
		status = read_fixed(jwk, "y", out + 1 + field, field, error);
	return status;
}

static VciStatus
rsa_from_numbers(const BIGNUM *modulus, const BIGNUM *exponent, EVP_PKEY **pkey, VciError *error)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	VciStatus status;

	if (builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	status = vci_pkey_from_params("RSA", EVP_PKEY_PUBLIC_KEY, params, "expected an RSA public key",
								  pkey, error);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	return status;
}

static VciStatus
rsa_from_jwk(const VciJson *jwk, VciKey **key, VciError *error)
{
	BIGNUM *modulus = NULL;
	BIGNUM *exponent = NULL;
	EVP_PKEY *pkey;
	VciStatus status = read_number(jwk, "n", RSA_MAX_BYTES, &modulus, error);

	if (status == VCI_OK)
		status = read_number(jwk, "e", RSA_EXPONENT_BYTES, &exponent, error);
	if (status == VCI_OK)
		status = rsa_from_numbers(modulus, exponent, &pkey, error);
	if (status == VCI_OK)
		status = vci_key_adopt(pkey, false, key, error);
	BN_free(modulus);
	BN_free(exponent);
	return status;
}

static VciStatus
refuse_private_members(const VciJson *jwk, VciError *error)
{
	static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (vci_json_has(jwk, names[i]))
			return vci_error(error, VCI_ERR_JWK_PRIVATE,
							 "expected a public JWK, got one with the private member '%s'",
							 names[i]);
	}
	return VCI_OK;
}

VciStatus
vci_key_from_public_jwk(const VciJson *jwk, VciKey **key, VciError *error)
{
	return vci_key_from_public_jwk_on(NULL, jwk, key, error);
}

VciStatus
vci_key_from_public_jwk_on(VciCurves *curves, const VciJson *jwk, VciKey **key, VciError *error)
{
	unsigned char bytes[1 + VCI_PUBLIC_MAX_BYTES];
	size_t len;
	VciKeyType type;
	VciStatus status;

	*key = NULL;
	if (vci_json_kind(jwk) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_JWK, "expected a JWK, which is a JSON object");
	status = refuse_private_members(jwk, error);
	if (status == VCI_OK)
		status = key_type(jwk, &type, error);
	if (status != VCI_OK)
		return status;

	if (type == VCI_KEY_RSA)
		status = rsa_from_jwk(jwk, key, error);
	else
	{
		status = read_public_bytes(jwk, type, bytes, &len, error);
		if (status == VCI_OK)
			status = vci_key_from_public_bytes(type, bytes, len, curves, key, error);
	}
	if (status == VCI_OK)
		status = check_purpose(jwk, USE_VERIFY, *key, error);
	if (status != VCI_OK)
	{
		vci_key_free(*key);
		*key = NULL;
	}
	return status;
}

static VciStatus
ec_pair(VciKeyType type, const unsigned char *point, size_t point_len, const BIGNUM *secret,
		EVP_PKEY **pkey, VciError *error)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	VciStatus status;

	if (builder != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, vci_key_group(type),
										0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, point_len) == 1 &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	status = vci_pkey_from_params("EC", EVP_PKEY_KEYPAIR, params,
								  "expected a private key of its curve", pkey, error);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	return status;
}

static VciStatus
pair_from_bytes(VciKeyType type, const unsigned char *public_bytes, size_t public_len,
				const unsigned char *secret, EVP_PKEY **pkey, VciError *error)
{
	size_t field = vci_key_field_bytes(type);
	BIGNUM *number;
	VciStatus status;

	if (type == VCI_KEY_ED25519)
	{
		*pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, field);
		if (*pkey == NULL)
			return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot read a key");
		return VCI_OK;
	}
	number = BN_secure_new();
	if (number == NULL || BN_bin2bn(secret, (int) field, number) == NULL)
		status = vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status = ec_pair(type, public_bytes, public_len, number, pkey, error);
	BN_clear_free(number);
	return status;
}

static VciStatus
private_from_jwk(const VciJson *jwk, VciKeyType type, VciKey **key, VciError *error)
{
	unsigned char bytes[1 + VCI_PUBLIC_MAX_BYTES];
	unsigned char secret[VCI_PUBLIC_MAX_BYTES / 2];
	EVP_PKEY *pkey;
	size_t len;
	VciStatus status = read_public_bytes(jwk, type, bytes, &len, error);

	if (status == VCI_OK)
		status = read_fixed(jwk, "d", secret, vci_key_field_bytes(type), error);
	if (status == VCI_OK)
		status = pair_from_bytes(type, bytes, len, secret, &pkey, error);
	if (status == VCI_OK)
		status = vci_key_adopt(pkey, true, key, error);
	vci_wipe(secret, sizeof(secret));
	/* Ed25519's public half was computed from d, so x is yet to be compared. */
	if (status == VCI_OK && type == VCI_KEY_ED25519 &&
		memcmp((*key)->public_bytes, bytes, (*key)->public_len) != 0)
		status = vci_error(error, VCI_ERR_JWK,
						   "the private and the public half of the key do not agree");
	return status;
}

VciStatus
vci_key_from_private_jwk(const VciJson *jwk, VciKey **key, VciError *error)
{
	VciKeyType type;
	VciStatus status;

	*key = NULL;
	if (vci_json_kind(jwk) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_JWK, "expected a JWK, which is a JSON object");
	status = key_type(jwk, &type, error);
	if (status == VCI_OK && type == VCI_KEY_RSA)
		status = vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						   "expected a private JWK for P-256, P-384 or Ed25519");
	if (status == VCI_OK)
		status = private_from_jwk(jwk, type, key, error);
	if (status == VCI_OK)
		status = check_purpose(jwk, USE_SIGN, *key, error);
	if (status != VCI_OK)
	{
		vci_key_free(*key);
		*key = NULL;
	}
	return status;
}

VciStatus
vci_key_from_private_text(const char *text, size_t len, VciKey **key, VciError *error)
{
	VciJson *jwk;
	VciStatus status;
	size_t start = 0;

	*key = NULL;
	while (start < len && strchr(" \t\r\n", text[start]) != NULL)
		start++;
	if (start == len || text[start] != '{')
		return vci_key_from_private_pem(text + start, len - start, key, error);
	status = vci_json_parse_object(text + start, len - start, &jwk, error);
	if (status == VCI_OK)
		status = vci_key_from_private_jwk(jwk, key, error);
	vci_json_free(jwk);
	return status;
}

static bool
set_bytes(VciJson *jwk, const char *name, const unsigned char *bytes, size_t len)
{
	char *text = vci_base64url_encode_new(bytes, len);
	bool set = text != NULL && vci_json_set_string(jwk, name, text);

	free(text);
	return set;
}

static bool
set_number(VciJson *jwk, const char *name, const EVP_PKEY *pkey, const char *parameter)
{
	unsigned char bytes[RSA_MAX_BYTES];
	BIGNUM *number = NULL;
	bool set = EVP_PKEY_get_bn_param(pkey, parameter, &number) == 1 &&
			   (size_t) BN_num_bytes(number) <= sizeof(bytes) &&
			   set_bytes(jwk, name, bytes, (size_t) BN_bn2bin(number, bytes));

	BN_free(number);
	return set;
}

/* RFC 7638 section 3.3 wants the required members in lexicographic order. */
static bool
set_public_members(VciJson *jwk, const VciKey *key)
{
	size_t field = vci_key_field_bytes(key->type);

	switch (key->type)
	{
		case VCI_KEY_P256:
		case VCI_KEY_P384:
			return vci_json_set_string(jwk, "crv", key->type == VCI_KEY_P256 ? "P-256" : "P-384") &&
				   vci_json_set_string(jwk, "kty", "EC") &&
				   set_bytes(jwk, "x", key->public_bytes, field) &&
				   set_bytes(jwk, "y", key->public_bytes + field, field);
		case VCI_KEY_ED25519:
			return vci_json_set_string(jwk, "crv", "Ed25519") &&
				   vci_json_set_string(jwk, "kty", "OKP") &&
				   set_bytes(jwk, "x", key->public_bytes, field);
		case VCI_KEY_RSA:
			return set_number(jwk, "e", key->pkey, OSSL_PKEY_PARAM_RSA_E) &&
				   vci_json_set_string(jwk, "kty", "RSA") &&
				   set_number(jwk, "n", key->pkey, OSSL_PKEY_PARAM_RSA_N);
	}
	return false;
}

VciJson *
vci_key_public_jwk(const VciKey *key)
{
	VciJson *jwk = vci_json_new_object();

	if (jwk != NULL && set_public_members(jwk, key))
		return jwk;
	ERR_clear_error();
	vci_json_free(jwk);
	return NULL;
}

/* The private half as the fixed-length bytes of a JWK's "d". */
static bool
read_secret(const VciKey *key, unsigned char *out, size_t len)
{
	BIGNUM *number = NULL;
	bool read;

	if (key->type == VCI_KEY_ED25519)
		return EVP_PKEY_get_raw_private_key(key->pkey, out, &len) == 1;
	read = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
		   BN_bn2binpad(number, out, (int) len) == (int) len;
	BN_clear_free(number);
	return read;
}

VciJson *
vci_key_private_jwk(const VciKey *key)
{
	unsigned char secret[VCI_PUBLIC_MAX_BYTES / 2];
	size_t len = vci_key_field_bytes(key->type);
	VciJson *jwk = key->is_private ? vci_key_public_jwk(key) : NULL;

	if (jwk != NULL && !(read_secret(key, secret, len) && set_bytes(jwk, "d", secret, len)))
	{
		ERR_clear_error();
		vci_json_free(jwk);
		jwk = NULL;
	}
	vci_wipe(secret, sizeof(secret));
	return jwk;
}

/* What RFC 7638 section 3 digests. Coordinates are much the most frequent, and need no tree. */
static void
write_public_jwk(const VciKey *key, VciText *text)
{
	size_t field = vci_key_field_bytes(key->type);
	VciJson *jwk;

	if (key->type == VCI_KEY_P256 || key->type == VCI_KEY_P384)
	{
		vci_text_put(text, key->type == VCI_KEY_P256
							   ? "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\""
							   : "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"");
		vci_text_base64url(text, key->public_bytes, field);
		vci_text_put(text, "\",\"y\":\"");
		vci_text_base64url(text, key->public_bytes + field, field);
		vci_text_put(text, "\"}");
		return;
	}
	jwk = vci_key_public_jwk(key);
	text->out_of_memory = jwk == NULL;
	vci_json_write(jwk, text);
	vci_json_free(jwk);
}

VciStatus
vci_key_thumbprint(const VciKey *key, char out[VCI_THUMBPRINT_SIZE], VciError *error)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	VciText text = {0};
	VciStatus status;

	write_public_jwk(key, &text);
	if (text.out_of_memory)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status = vci_sha256(text.data, text.len, digest, error);
	vci_text_free(&text);
	if (status == VCI_OK)
		vci_base64url_encode(digest, sizeof(digest), out);
	return status;
}

VciStatus
vci_jwks_check(const VciJson *jwks, VciError *error)
{
	const VciJson *keys = vci_json_get(jwks, "keys");
	size_t count = vci_json_array_length(keys);
	size_t usable = 0;

	if (count == 0 || count > VCI_JWKS_MAX_KEYS)
		return vci_error(error, VCI_ERR_JWK,
						 "expected a JWK set, an object whose member 'keys' is an array of 1 to %d "
						 "keys",
						 VCI_JWKS_MAX_KEYS);
	for (size_t i = 0; i < count; i++)
	{
		const VciJson *jwk = vci_json_array_at(keys, i);
		VciKey *key;
		VciStatus status = refuse_private_members(jwk, error);

		if (status == VCI_OK)
			status = vci_key_from_public_jwk(jwk, &key, NULL);
		if (status == VCI_ERR_JWK_PRIVATE)
			return status;
		if (status == VCI_ERR_MEMORY || status == VCI_ERR_CRYPTO)
			return vci_error(error, status, "the crypto library cannot read a key");
		if (status == VCI_OK)
			usable++;
		vci_key_free(key);
	}
	if (usable == 0)
		return vci_error(error, VCI_ERR_JWK,
						 "none of the keys can verify here: expected EC P-256 or P-384, OKP "
						 "Ed25519, or RSA of 2048 to 4096 bits");
	return VCI_OK;
}

/* Is this the entry, and does it fit alg? *key is new then, NULL otherwise. */
static VciStatus
try_entry(const VciJson *jwk, const char *kid, VciAlg alg, VciKey **key, VciError *error)
{
	const char *name = vci_json_get_string(jwk, "kid");
	VciStatus status;

	*key = NULL;
	if (kid != NULL && (name == NULL || strcmp(name, kid) != 0))
		return VCI_OK;
	status = vci_key_from_public_jwk(jwk, key, NULL);
	if (status == VCI_ERR_MEMORY || status == VCI_ERR_CRYPTO)
		return vci_error(error, status, "the crypto library cannot read a key");
	if (status == VCI_OK && !vci_key_fits(*key, alg))
	{
		vci_key_free(*key);
		*key = NULL;
	}
	return VCI_OK;
}

VciStatus
vci_jwks_find(const VciJson *jwks, const char *kid, VciAlg alg, VciKey **key, VciError *error)
{
	const VciJson *keys = vci_json_get(jwks, "keys");

	*key = NULL;
	for (size_t i = 0; i < vci_json_array_length(keys); i++)
	{
		VciKey *found;
		VciStatus status = try_entry(vci_json_array_at(keys, i), kid, alg, &found, error);

		if (status == VCI_OK && found != NULL && *key != NULL)
			status = vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
							   "several keys may have signed this: the header needs a kid that "
							   "names one");
		if (status != VCI_OK)
		{
			vci_key_free(found);
			vci_key_free(*key);
			*key = NULL;
			return status;
		}
		if (found != NULL)
			*key = found;
	}
	if (*key == NULL)
		return vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						 "the JWK set has no key of this kid that fits %s", vci_alg_name(alg));
	return VCI_OK;
}
