#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "key.h"
#include "x5c.h"

#define CHAIN_MAX_LENGTH	   4
#define CERTIFICATE_MAX_BYTES  (16 * 1024)
#define AUTHORITY_KEY_MAX_BITS 4096
#define SECONDS_PER_DAY		   (24 * 60 * 60)
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
	return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
							 "x5c element %zu: expected a DER certificate", number);
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
check_authorities(const STACK_OF(X509) * chain, const char *name, VciError *error)
{
	for (int i = 1; i < sk_X509_num(chain); i++)
	{
		X509 *authority = sk_X509_value(chain, i);
		EVP_PKEY *pkey = X509_get0_pubkey(authority);

		if (X509_check_ca(authority) != 1)
			return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
									 "%s element %d: expected the certificate of an authority",
									 name, i + 1);
		if (pkey == NULL || EVP_PKEY_get_bits(pkey) > AUTHORITY_KEY_MAX_BITS)
			return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
									 "%s: an authority's key is unknown or too large", name);
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

static VciStatus
chain_error(int fault, const char *name, VciError *error)
{
	VciStatus status = fault == X509_V_ERR_OUT_OF_MEM ? VCI_ERR_MEMORY : VCI_ERR_CERTIFICATE;

	return vci_openssl_error(error, status, "%s: %s", name, X509_verify_cert_error_string(fault));
}

/*
 * RFC 5280 section 6 by the library, with the last certificate as the anchor. The path
 * that it builds must be the array itself, each certificate signed by the next one.
 */
static VciStatus
verify_chain(STACK_OF(X509) * chain, const char *name, int64_t now, VciError *error)
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
		if (X509_verify_cert(context) != 1 &&
			X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
			status = chain_error(X509_STORE_CTX_get_error(context), name, error);
		else if (X509_STORE_CTX_get_error(context) != X509_V_OK ||
				 !same_chain(X509_STORE_CTX_get0_chain(context), chain))
			status = vci_openssl_error(error, VCI_ERR_CERTIFICATE,
									   "%s: expected each certificate to be signed by the next one",
									   name);
	}
	ERR_clear_error();
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return status;
}

/* RFC 5280 section 4.2.1.3: a key usage, when there is one, must allow signatures. */
static VciStatus
leaf_key(X509 *leaf, const char *name, VciKey **key, VciError *error)
{
	EVP_PKEY *pkey;

	if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
		return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
								 "%s: the key usage of the first certificate excludes signatures",
								 name);
	pkey = X509_get_pubkey(leaf);
	if (pkey == NULL)
		return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
								 "%s: the first certificate's key cannot be read", name);
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
		status = check_authorities(chain, "x5c", error);
	if (status == VCI_OK)
		status = verify_chain(chain, "x5c", now, error);
	if (status == VCI_OK)
		status = leaf_key(sk_X509_value(chain, 0), "x5c", key, error);
	sk_X509_pop_free(chain, X509_free);
	return status;
}

#define CERTIFICATES "certificates" /* what an operator's chain is called in errors */

/* Did the text end where the last certificate does, or is there a broken one? */
static bool
reached_end(void)
{
	unsigned long reason = ERR_peek_last_error();

	return ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
}

/* All certificates of a PEM text; *chain is to be freed also after a failure. */
static VciStatus
read_pem(BIO *bio, STACK_OF(X509) * *chain, VciError *error)
{
	X509 *certificate;

	*chain = sk_X509_new_reserve(NULL, CHAIN_MAX_LENGTH + 1);
	if (*chain == NULL)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	ERR_clear_error();
	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
	{
		if (sk_X509_num(*chain) > CHAIN_MAX_LENGTH)
		{
			X509_free(certificate);
			return vci_error(error, VCI_ERR_CERTIFICATE,
							 CERTIFICATES ": expected at most %d, and the trust anchor",
							 CHAIN_MAX_LENGTH);
		}
		(void) sk_X509_push(*chain, certificate); /* the place was reserved */
	}
	if (!reached_end())
		return vci_openssl_error(error, VCI_ERR_CERTIFICATE,
								 CERTIFICATES ": element %d cannot be read as a PEM certificate",
								 sk_X509_num(*chain) + 1);
	ERR_clear_error();
	if (sk_X509_num(*chain) == 0)
		return vci_error(error, VCI_ERR_CERTIFICATE,
						 CERTIFICATES ": expected PEM, which begins with -----BEGIN CERTIFICATE----"
									  "-, the leaf first");
	return VCI_OK;
}

static VciStatus
check_leaf(X509 *leaf, const VciKey *key, VciError *error)
{
	VciKey *public_key = NULL;
	VciStatus status = leaf_key(leaf, CERTIFICATES, &public_key, error);

	if (status == VCI_OK && !vci_key_equal(public_key, key))
		status = vci_error(error, VCI_ERR_CERTIFICATE,
						   CERTIFICATES ": the first one is of another key than this");
	vci_key_free(public_key);
	if (status == VCI_OK && X509_self_signed(leaf, 1) == 1)
		status = vci_error(error, VCI_ERR_CERTIFICATE,
						   CERTIFICATES ": the first one is self-signed, which HAIP 1.0 (section "
										"6.1.1) forbids: an authority must sign it");
	ERR_clear_error();
	return status;
}

/* The anchor is what a verifier must have beforehand (HAIP 1.0 section 6.1.1). */
static void
drop_anchor(STACK_OF(X509) * chain)
{
	int last = sk_X509_num(chain) - 1;

	if (last > 0 && X509_self_signed(sk_X509_value(chain, last), 1) == 1)
		X509_free(sk_X509_pop(chain));
	ERR_clear_error();
}

/* Appends a certificate as base64 of its DER, whose length is added to *total. */
static VciStatus
append_certificate(VciJson *x5c, X509 *certificate, size_t *total, VciError *error)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);
	char *text = len <= 0 ? NULL : malloc(((size_t) len + 2) / 3 * 4 + 1);
	bool done = text != NULL;

	if (done)
	{
		(void) EVP_EncodeBlock((unsigned char *) text, der, len);
		done = vci_json_append_string(x5c, text);
		*total += (size_t) len;
	}
	free(text);
	OPENSSL_free(der);
	if (!done)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

static VciStatus
write_chain(const STACK_OF(X509) * chain, VciJson **x5c, VciError *error)
{
	VciStatus status = VCI_OK;
	size_t total = 0;

	if (sk_X509_num(chain) > CHAIN_MAX_LENGTH)
		return vci_error(error, VCI_ERR_CERTIFICATE, CERTIFICATES ": expected at most %d",
						 CHAIN_MAX_LENGTH);
	*x5c = vci_json_new_array();
	if (*x5c == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	for (int i = 0; status == VCI_OK && i < sk_X509_num(chain); i++)
		status = append_certificate(*x5c, sk_X509_value(chain, i), &total, error);
	if (status == VCI_OK && total > VCI_X5C_MAX_BYTES)
		status = vci_error(error, VCI_ERR_CERTIFICATE,
						   CERTIFICATES ": expected at most %d bytes of DER in all, got %zu",
						   VCI_X5C_MAX_BYTES, total);
	if (status != VCI_OK)
	{
		vci_json_free(*x5c);
		*x5c = NULL;
	}
	return status;
}

VciStatus
vci_x5c_from_pem(const char *pem, size_t len, const VciKey *key, int64_t now, VciJson **x5c,
				 VciError *error)
{
	STACK_OF(X509) *chain = NULL;
	BIO *bio;
	VciStatus status;

	*x5c = NULL;
	if (len > INT_MAX)
		return vci_error(error, VCI_ERR_TOO_LARGE, "a PEM text of %zu bytes is too large", len);
	bio = BIO_new_mem_buf(pem, (int) len);
	if (bio == NULL)
		return vci_openssl_error(error, VCI_ERR_MEMORY, "out of memory");
	status = read_pem(bio, &chain, error);
	BIO_free(bio);
	if (status == VCI_OK)
		status = check_leaf(sk_X509_value(chain, 0), key, error);
	if (status == VCI_OK)
		status = check_authorities(chain, CERTIFICATES, error);
	if (status == VCI_OK)
		status = verify_chain(chain, CERTIFICATES, now, error);
	if (status == VCI_OK)
	{
		drop_anchor(chain);
		status = write_chain(chain, x5c, error);
	}
	sk_X509_pop_free(chain, X509_free);
	return status;
}

/* A certificate's notAfter in seconds since 1970. */
static bool
end_of(const X509 *certificate, int64_t *end)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0;
	int seconds = 0;
	bool known = epoch != NULL &&
				 ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) == 1;

	ASN1_TIME_free(epoch);
	*end = (int64_t) days * SECONDS_PER_DAY + seconds;
	return known;
}

VciStatus
vci_x5c_expiry(const VciJson *x5c, int64_t *expiry, VciError *error)
{
	STACK_OF(X509) *chain = NULL;
	VciStatus status = read_chain(x5c, &chain, error);

	*expiry = INT64_MAX;
	for (int i = 0; status == VCI_OK && i < sk_X509_num(chain); i++)
	{
		int64_t end;

		if (!end_of(sk_X509_value(chain, i), &end))
			status = vci_openssl_error(error, VCI_ERR_CERTIFICATE,
									   "x5c: the end of a certificate's validity cannot be read");
		else if (end < *expiry)
			*expiry = end;
	}
	sk_X509_pop_free(chain, X509_free);
	return status;
}
