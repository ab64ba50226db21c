#include "key.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "curves.h"

#define RSA_MIN_BITS	  2048
#define RSA_MAX_BITS	  4096
#define RSA_EXPONENT_BITS 32

/* Empties OpenSSL's error queue. Is one of its entries that memory was out? */
static bool
memory_was_out(void)
{
	bool was_out = false;
	unsigned long entry;

	while ((entry = ERR_get_error()) != 0)
		was_out = was_out || ERR_GET_REASON(entry) == ERR_R_MALLOC_FAILURE;
	ERR_clear_error(); /* what was taken out has kept the names of files and functions */
	return was_out;
}

VciStatus
vci_openssl_error(VciError *error, VciStatus code, const char *format, ...)
{
	char text[VCI_ERROR_TEXT_SIZE];
	va_list arguments;

	if (memory_was_out())
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return vci_error(error, code, "%s", text);
}

/* No default: -Wswitch names the algorithm that was forgotten. */
const char *
vci_alg_name(VciAlg alg)
{
	switch (alg)
	{
		case VCI_ALG_NONE:
			break;
		case VCI_ALG_ES256:
			return "ES256";
		case VCI_ALG_ES384:
			return "ES384";
		case VCI_ALG_EDDSA:
			return "EdDSA";
		case VCI_ALG_RS256:
			return "RS256";
		case VCI_ALG_PS256:
			return "PS256";
	}
	return "";
}

VciAlg
vci_alg_by_name(const char *name)
{
	for (VciAlg alg = VCI_ALG_ES256; alg <= VCI_ALG_PS256; alg++)
	{
		if (strcmp(name, vci_alg_name(alg)) == 0)
			return alg;
	}
	return VCI_ALG_NONE;
}

size_t
vci_key_field_bytes(VciKeyType type)
{
	switch (type)
	{
		case VCI_KEY_P256:
		case VCI_KEY_ED25519:
			return 32;
		case VCI_KEY_P384:
			return 48;
		case VCI_KEY_RSA:
			break;
	}
	return 0;
}

/* The point as x and y: SEC 1 section 2.3.3, uncompressed, without its leading 4. */
static bool
read_point(VciKey *key)
{
	unsigned char point[1 + VCI_PUBLIC_MAX_BYTES];
	size_t len = 0;

	key->public_len = 2 * vci_key_field_bytes(key->type);
	if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
										sizeof(point), &len) != 1 ||
		len != 1 + key->public_len || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	memcpy(key->public_bytes, point + 1, key->public_len);
	return true;
}

/* Named curves only: a curve by explicit parameters could be anything (CVE-2020-0601). */
static bool
is_named_curve(const EVP_PKEY *pkey)
{
	int is_explicit = 0;

	if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
							   &is_explicit) != 1)
		ERR_clear_error();
	return is_explicit == 0;
}

/*
 * RFC 7518 section 6.2.2.1 leaves the point check to us. The quick check (on the curve,
 * not infinity) is the full one here, because both curves have cofactor 1
 * (SP 800-56A section 5.6.2.3.4).
 */
static VciStatus
check_point(EVP_PKEY *pkey, VciError *error)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool good;

	if (context == NULL)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot check a key");
	good = EVP_PKEY_public_check_quick(context) == 1;
	EVP_PKEY_CTX_free(context);
	if (!good)
		return vci_openssl_error(error, VCI_ERR_JWK, "the public key is no point of its curve");
	return VCI_OK;
}

static VciStatus
adopt_ec(VciKey *key, VciError *error)
{
	char group[32] = "";
	VciStatus status;

	if (EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), NULL) != 1 ||
		!is_named_curve(key->pkey))
		group[0] = '\0';
	if (strcmp(group, SN_X9_62_prime256v1) == 0)
		key->type = VCI_KEY_P256;
	else if (strcmp(group, SN_secp384r1) == 0)
		key->type = VCI_KEY_P384;
	else
		return vci_openssl_error(error, VCI_ERR_KEY_UNSUPPORTED,
								 "expected the curve P-256 or P-384");

	status = check_point(key->pkey, error);
	if (status != VCI_OK)
		return status;
	if (!read_point(key))
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library lost a public key");
	return VCI_OK;
}

static VciStatus
adopt_ed25519(VciKey *key, VciError *error)
{
	key->type = VCI_KEY_ED25519;
	key->public_len = vci_key_field_bytes(VCI_KEY_ED25519);
	if (EVP_PKEY_get_raw_public_key(key->pkey, key->public_bytes, &key->public_len) != 1)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library lost a public key");
	return VCI_OK;
}

static VciStatus
adopt_rsa(VciKey *key, VciError *error)
{
	BIGNUM *modulus = NULL;
	BIGNUM *exponent = NULL;
	int bits = EVP_PKEY_get_bits(key->pkey);
	VciStatus status = VCI_OK;

	key->type = VCI_KEY_RSA;
	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		return vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						 "expected an RSA key of %d to %d bits, got %d", RSA_MIN_BITS, RSA_MAX_BITS,
						 bits);
	if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1 ||
		EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		status = vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library lost a public key");
	else if (BN_num_bits(exponent) > RSA_EXPONENT_BITS)
		status = vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						   "expected an RSA exponent of at most %d bits, got %d", RSA_EXPONENT_BITS,
						   BN_num_bits(exponent));
	else if (!BN_is_odd(exponent) || BN_is_one(exponent) || !BN_is_odd(modulus))
		status = vci_error(error, VCI_ERR_JWK,
						   "expected an odd RSA modulus, and an odd exponent "
						   "of 3 or more");
	BN_free(modulus);
	BN_free(exponent);
	return status;
}

/* SEC 1 and PKCS #8 texts carry both halves, and a wrong public half can leak the private. */
static VciStatus
check_pair(const VciKey *key, VciError *error)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	bool good;

	if (context == NULL)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot check a key");
	good = EVP_PKEY_pairwise_check(context) == 1;
	EVP_PKEY_CTX_free(context);
	if (!good)
		return vci_openssl_error(error, VCI_ERR_JWK,
								 "the private and the public half of the key do not agree");
	return VCI_OK;
}

/* What signing and verifying would otherwise look up in the library at each call. */
static VciStatus
prepare(VciKey *key, VciError *error)
{
	if (key->type == VCI_KEY_ED25519)
		return VCI_OK;
	key->md = EVP_MD_fetch(NULL, key->type == VCI_KEY_P384 ? "SHA384" : "SHA256", NULL);
	if (key->md == NULL)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library has no SHA-2");
	if (!key->is_private)
		return VCI_OK;
	key->signer = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	key->digester = EVP_MD_CTX_new();
	if (key->signer == NULL || key->digester == NULL || EVP_PKEY_sign_init(key->signer) != 1)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot sign");
	key->pool = vci_random_pool_new();
	return key->pool == NULL ? vci_error(error, VCI_ERR_MEMORY, "out of memory") : VCI_OK;
}

static VciStatus
adopt_by_type(VciKey *key, VciError *error)
{
	VciStatus status;

	if (EVP_PKEY_is_a(key->pkey, "EC"))
		status = adopt_ec(key, error);
	else if (EVP_PKEY_is_a(key->pkey, "ED25519"))
		status = adopt_ed25519(key, error);
	else if (EVP_PKEY_is_a(key->pkey, "RSA") && !key->is_private)
		status = adopt_rsa(key, error);
	else
		status = vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						   key->is_private ? "expected a private key for P-256, P-384 or Ed25519"
										   : "expected a P-256, P-384, Ed25519 or RSA key");
	if (status == VCI_OK && key->is_private)
		status = check_pair(key, error);
	if (status == VCI_OK)
		status = prepare(key, error);
	return status;
}

VciStatus
vci_key_adopt(EVP_PKEY *pkey, bool is_private, VciKey **key, VciError *error)
{
	VciKey *adopted = calloc(1, sizeof(*adopted));
	VciError fault = VCI_ERROR_INIT;
	VciStatus status;

	*key = NULL;
	if (adopted == NULL)
	{
		EVP_PKEY_free(pkey);
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	}
	adopted->references = 1;
	adopted->pkey = pkey;
	adopted->is_private = is_private;
	status = adopt_by_type(adopted, &fault);
	if (status != VCI_OK)
	{
		vci_key_free(adopted);
		return vci_openssl_error(error, status, "%s", fault.text);
	}
	ERR_clear_error();
	*key = adopted;
	return VCI_OK;
}

VciStatus
vci_pkey_from_params(const char *type, int selection, OSSL_PARAM *params, const char *refusal,
					 EVP_PKEY **pkey, VciError *error)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	VciStatus status = VCI_OK;

	*pkey = NULL;
	if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1)
		status = vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot read a key");
	else if (EVP_PKEY_fromdata(context, pkey, selection, params) != 1)
		status = vci_openssl_error(error, VCI_ERR_JWK, "%s", refusal);
	EVP_PKEY_CTX_free(context);
	return status;
}

const char *
vci_key_group(VciKeyType type)
{
	return type == VCI_KEY_P256 ? SN_X9_62_prime256v1 : SN_secp384r1;
}

static VciStatus
ec_from_point(VciKeyType type, const unsigned char *point, size_t len, EVP_PKEY **pkey,
			  VciError *error)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *) vci_key_group(type),
										 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *) point, len),
		OSSL_PARAM_construct_end(),
	};

	return vci_pkey_from_params("EC", EVP_PKEY_PUBLIC_KEY, params,
								"the public key is no point of its curve", pkey, error);
}

/* The point alone: it becomes an EVP_PKEY in curves when it has to verify. */
static VciStatus
ec_on_curves(VciKeyType type, const unsigned char *point, size_t len, VciCurves *curves,
			 VciKey **key, VciError *error)
{
	VciKey *read = calloc(1, sizeof(*read));
	VciStatus status;

	if (read == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = vci_curves_read_point(curves, type, point, len, read->public_bytes, error);
	if (status != VCI_OK)
	{
		free(read);
		return status;
	}
	read->references = 1;
	read->type = type;
	read->curves = curves;
	read->public_len = 2 * vci_key_field_bytes(type);
	*key = read;
	return VCI_OK;
}

VciStatus
vci_key_from_public_bytes(VciKeyType type, const unsigned char *bytes, size_t len,
						  VciCurves *curves, VciKey **key, VciError *error)
{
	EVP_PKEY *pkey;
	VciStatus status = VCI_OK;

	*key = NULL;
	if (type != VCI_KEY_ED25519 && curves != NULL)
		return ec_on_curves(type, bytes, len, curves, key, error);
	if (type != VCI_KEY_ED25519)
		status = ec_from_point(type, bytes, len, &pkey, error);
	else if ((pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, len)) == NULL)
		status = vci_openssl_error(error, VCI_ERR_JWK, "expected an Ed25519 public key");
	return status == VCI_OK ? vci_key_adopt(pkey, false, key, error) : status;
}

VciStatus
vci_key_generate(VciAlg alg, VciKey **key, VciError *error)
{
	EVP_PKEY *pkey;

	*key = NULL;
	if (alg == VCI_ALG_ES256)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", SN_X9_62_prime256v1);
	else if (alg == VCI_ALG_ES384)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", SN_secp384r1);
	else if (alg == VCI_ALG_EDDSA)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		return vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
						 "keys are generated for ES256, ES384 and EdDSA");
	if (pkey == NULL)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library made no key");
	return vci_key_adopt(pkey, true, key, error);
}

/* Without this, the library would ask the terminal for a password. */
static int
no_password(char *buffer, int size, int writing, void *unused)
{
	(void) buffer;
	(void) size;
	(void) writing;
	(void) unused;
	return -1;
}

static bool
contains(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t i = 0; i + word_len <= len; i++)
	{
		if (memcmp(text + i, word, word_len) == 0)
			return true;
	}
	return false;
}

/* PKCS #8 as RFC 7468 section 11 has it, or the older form of RFC 1421 section 4.6.1.1. */
static bool
is_encrypted(const char *pem, size_t len)
{
	return contains(pem, len, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
		   contains(pem, len, "Proc-Type: 4,ENCRYPTED");
}

VciStatus
vci_key_from_private_pem(const char *pem, size_t len, VciKey **key, VciError *error)
{
	BIO *bio;
	EVP_PKEY *pkey;

	*key = NULL;
	if (len > INT_MAX)
		return vci_error(error, VCI_ERR_TOO_LARGE, "a PEM text of %zu bytes is too large", len);
	bio = BIO_new_mem_buf(pem, (int) len);
	if (bio == NULL)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (pkey == NULL)
		return vci_openssl_error(error, VCI_ERR_JWK,
								 is_encrypted(pem, len)
									 ? "the private key is encrypted: openssl pkey -in key.pem "
									   "-out plain.pem decrypts it"
									 : "expected an unencrypted private key in PEM (PKCS #8 or "
									   "SEC 1)");
	ERR_clear_error();
	return vci_key_adopt(pkey, true, key, error);
}

VciStatus
vci_key_to_private_der(const VciKey *key, unsigned char **der, size_t *len, VciError *error)
{
	PKCS8_PRIV_KEY_INFO *info;
	unsigned char *out;
	unsigned char *end;
	int size;

	*der = NULL;
	*len = 0;
	if (!key->is_private)
		return vci_error(error, VCI_ERR_INTERNAL, "expected a private key");
	info = EVP_PKEY2PKCS8(key->pkey);
	size = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
	out = size <= 0 ? NULL : malloc((size_t) size);
	end = out;
	if (out != NULL)
		(void) i2d_PKCS8_PRIV_KEY_INFO(info, &end);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (size <= 0)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library exported no key");
	if (out == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	*der = out;
	*len = (size_t) size;
	return VCI_OK;
}

VciStatus
vci_key_from_private_der(const unsigned char *der, size_t len, VciKey **key, VciError *error)
{
	const unsigned char *end = der;
	PKCS8_PRIV_KEY_INFO *info;
	EVP_PKEY *pkey;

	*key = NULL;
	info = len > LONG_MAX ? NULL : d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long) len);
	pkey = info == NULL || end != der + len ? NULL : EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (pkey == NULL)
		return vci_openssl_error(error, VCI_ERR_JWK, "expected a private key as PKCS #8 DER");
	ERR_clear_error();
	return vci_key_adopt(pkey, true, key, error);
}

bool
vci_key_is_private(const VciKey *key)
{
	return key->is_private;
}

VciAlg
vci_key_alg(const VciKey *key)
{
	if (key->only_alg != VCI_ALG_NONE)
		return key->only_alg;
	switch (key->type)
	{
		case VCI_KEY_P256:
			return VCI_ALG_ES256;
		case VCI_KEY_P384:
			return VCI_ALG_ES384;
		case VCI_KEY_ED25519:
			return VCI_ALG_EDDSA;
		case VCI_KEY_RSA:
			return VCI_ALG_RS256;
	}
	return VCI_ALG_NONE;
}

bool
vci_key_fits(const VciKey *key, VciAlg alg)
{
	if (alg == VCI_ALG_NONE)
		return false;
	if (key->type == VCI_KEY_RSA && key->only_alg == VCI_ALG_NONE)
		return alg == VCI_ALG_RS256 || alg == VCI_ALG_PS256;
	return alg == vci_key_alg(key);
}

bool
vci_key_equal(const VciKey *a, const VciKey *b)
{
	bool equal;

	if (a->type != b->type)
		return false;
	if (a->type != VCI_KEY_RSA)
		return a->public_len == b->public_len &&
			   memcmp(a->public_bytes, b->public_bytes, a->public_len) == 0;
	equal = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
	ERR_clear_error();
	return equal;
}

VciKey *
vci_key_ref(VciKey *key)
{
	if (key != NULL)
		key->references++;
	return key;
}

void
vci_key_free(VciKey *key)
{
	if (key == NULL || --key->references > 0)
		return;
	vci_random_pool_free(key->pool);
	EVP_PKEY_CTX_free(key->signer);
	EVP_MD_CTX_free(key->digester);
	EVP_MD_free(key->md);
	EVP_PKEY_free(key->pkey);
	free(key);
}
