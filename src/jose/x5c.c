#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "key.h"

#define CHAIN_MAX_LENGTH	   4
#define CERTIFICATE_MAX_BYTES  (16 * 1024)
#define AUTHORITY_KEY_MAX_BITS 4096
#define AUTH_LEVEL			   2 /* 112 bits: no SHA-1, no RSA below 2048 bits */

static size_t
base64_characters(const char *text, size_t len)
{
	size_t count = 0;

	while (count < len &&
		   ((text[count] >= 'A' && text[count] <= 'Z') ||
			(text[count] >= 'a' && text[count] <= 'z') ||
			(text[count] >= '0' && text[count] <= '9') || text[count] == '+' || text[count] == '/'))
		count++;
	return count;
}

/*
 * RFC 7515 section 4.1.6 takes base64 with padding (RFC 4648 section 4). OpenSSL's decoder
 * would skip white space and leave the padding's zero bytes in place, so the shape is
 * checked here. The result is malloc'd; NULL with *malformed for another shape.
 */
static unsigned char *
base64_decode(const char *text, size_t *out_len, bool *malformed)
{
	static const char *const paddings[] = {"", "=", "=="};
	size_t len = strlen(text);
	size_t digits = base64_characters(text, len);
	size_t padding = len - digits;
	unsigned char *out;
	int decoded;

	*malformed = digits == 0 || len % 4 != 0 || padding > 2 ||
				 strcmp(text + digits, paddings[padding]) != 0 ||
				 len > CERTIFICATE_MAX_BYTES / 3 * 4;
	if (*malformed)
		return NULL;
	out = malloc(len / 4 * 3);
	if (out == NULL)
		return NULL;
	decoded = EVP_DecodeBlock(out, (const unsigned char *) text, (int) len);
	if (decoded < 0)
	{
		*malformed = true;
		free(out);
		return NULL;
	}
	*out_len = (size_t) decoded - padding;
	return out;
}

static VciStatus
read_certificate(const VciJson *element, size_t number, X509 **certificate, VciError *error)
{
	const char *text = vci_json_string(element);
	const unsigned char *end;
	unsigned char *der;
	bool malformed = true;
	size_t len;
	bool complete;

	*certificate = NULL;
	der = text == NULL ? NULL : base64_decode(text, &len, &malformed);
	if (der == NULL && !malformed)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (der == NULL)
		return vci_error(error, VCI_ERR_CERTIFICATE,
						 "x5c element %zu: expected base64 of a certificate of at most %d bytes",
						 number, CERTIFICATE_MAX_BYTES);
	end = der;
	*certificate = d2i_X509(NULL, &end, (long) len);
	complete = *certificate != NULL && end == der + len;
	free(der);
	if (complete)
		return VCI_OK;
	ERR_clear_error();
	return vci_error(error, VCI_ERR_CERTIFICATE, "x5c element %zu: expected a DER certificate",
					 number);
}

/* The whole array, the leaf first; *chain is to be freed also after a failure. */
static VciStatus
read_chain(const VciJson *x5c, STACK_OF(X509) * *chain, VciError *error)
{
	size_t length = vci_json_array_length(x5c);

	*chain = NULL;
	if (length < 1 || length > CHAIN_MAX_LENGTH)
		return vci_error(error, VCI_ERR_CERTIFICATE,
						 "x5c: expected an array of 1 to %d certificates", CHAIN_MAX_LENGTH);
	*chain = sk_X509_new_reserve(NULL, (int) length);
	if (*chain == NULL)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < length; i++)
	{
		X509 *certificate;
		VciStatus status = read_certificate(vci_json_array_at(x5c, i), i + 1, &certificate, error);

		if (status != VCI_OK)
		{
			X509_free(certificate);
			return status;
		}
		(void) sk_X509_push(*chain, certificate); /* the place was reserved */
	}
	return VCI_OK;
}

/*
 * Each certificate above the leaf must say that it is an authority's (RFC 5280 section
 * 4.2.1.9; the library also takes old ones that do not), and checking a signature under
 * a giant key would cost the server time.
 */
static VciStatus
check_authorities(const STACK_OF(X509) * chain, VciError *error)
{
	for (int i = 1; i < sk_X509_num(chain); i++)
	{
		X509 *authority = sk_X509_value(chain, i);
		EVP_PKEY *pkey = X509_get0_pubkey(authority);

		if (X509_check_ca(authority) != 1)
			return vci_error(error, VCI_ERR_CERTIFICATE,
							 "x5c element %d: expected the certificate of an authority", i + 1);
		if (pkey == NULL || EVP_PKEY_get_bits(pkey) > AUTHORITY_KEY_MAX_BITS)
			return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
									 "x5c: an authority's key is unknown or too large");
	}
	return VCI_OK;
}

static bool
same_chain(const STACK_OF(X509) * a, const STACK_OF(X509) * b)
{
	if (sk_X509_num(a) != sk_X509_num(b))
		return false;
	for (int i = 0; i < sk_X509_num(a); i++)
	{
		if (X509_cmp(sk_X509_value(a, i), sk_X509_value(b, i)) != 0)
			return false;
	}
	return true;
}

/*
 * RFC 5280 section 6 by the library, with the last certificate as the anchor. The path
 * that it builds must be the array itself, each certificate signed by the next one.
 */
static VciStatus
verify_chain(STACK_OF(X509) * chain, int64_t now, VciError *error)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	VciStatus status = VCI_OK;

	if (store == NULL || context == NULL ||
		X509_STORE_add_cert(store, sk_X509_value(chain, sk_X509_num(chain) - 1)) != 1 ||
		X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) != 1)
		status = vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library cannot verify");
	else
	{
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

		X509_VERIFY_PARAM_set_time(param, (time_t) now);
		X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX_LENGTH);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		(void) X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
		if (X509_verify_cert(context) != 1)
			status = vci_error(error, VCI_ERR_CERTIFICATE, "x5c: %s",
							   X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
		else if (!same_chain(X509_STORE_CTX_get0_chain(context), chain))
			status = vci_error(error, VCI_ERR_CERTIFICATE,
							   "x5c: expected each certificate to be signed by the next one");
	}
	ERR_clear_error();
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return status;
}

/* RFC 5280 section 4.2.1.3: a key usage, when there is one, must allow signatures. */
static VciStatus
leaf_key(X509 *leaf, VciKey **key, VciError *error)
{
	EVP_PKEY *pkey;

	if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
		return vci_error(error, VCI_ERR_CERTIFICATE,
						 "x5c: the key usage of the first certificate excludes signatures");
	pkey = X509_get_pubkey(leaf);
	if (pkey == NULL)
		return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
								 "x5c: the first certificate's key cannot be read");
	return vci_key_adopt(pkey, false, key, error);
}

VciStatus
vci_key_from_x5c(const VciJson *x5c, int64_t now, VciKey **key, VciError *error)
{
	STACK_OF(X509) *chain = NULL;
	VciStatus status;

	*key = NULL;
	status = read_chain(x5c, &chain, error);
	if (status == VCI_OK)
		status = check_authorities(chain, error);
	if (status == VCI_OK)
		status = verify_chain(chain, now, error);
	if (status == VCI_OK)
		status = leaf_key(sk_X509_value(chain, 0), key, error);
	sk_X509_pop_free(chain, X509_free);
	return status;
}
