/*
 * The inside of VciKey, for the files of this folder alone.
 */
#ifndef VCI_KEY_H
#define VCI_KEY_H

#include <openssl/evp.h>
#include <openssl/params.h>

#include "jwk.h"
#include "seal.h"

#define VCI_PUBLIC_MAX_BYTES (2 * 48) /* P-384: x and y */

typedef enum VciKeyType
{
	VCI_KEY_P256,
	VCI_KEY_P384,
	VCI_KEY_ED25519,
	VCI_KEY_RSA
} VciKeyType;

/*
 * A key belongs to one thread at a time: references are counted without locks, and
 * signing works in a context that is kept here, because preparing one costs about as
 * much as a P-256 signature itself.
 */
struct VciKey
{
	unsigned references;
	VciKeyType type;
	bool is_private;
	VciAlg only_alg;   /* the one algorithm a JWK's "alg" allows; VCI_ALG_NONE: all that fit */
	VciCurves *curves; /* lent: where a public EC key verifies; pkey is NULL then */
	EVP_PKEY *pkey;
	EVP_MD *md;			  /* digest of the signature; NULL for Ed25519 */
	EVP_PKEY_CTX *signer; /* ready for EVP_PKEY_sign; EC private keys only */
	EVP_MD_CTX *digester; /* for digests by md; where signer is */
	VciRandomPool *pool;  /* for the salts of what it signs; where signer is */
	size_t public_len;	  /* 0 for RSA */
	unsigned char public_bytes[VCI_PUBLIC_MAX_BYTES]; /* EC: x and y; Ed25519: the key */
};

/* Bytes of a coordinate, a private key, or half a signature; 0 for RSA. */
extern size_t vci_key_field_bytes(VciKeyType type);

/*
 * Wraps an EVP_PKEY, of which it takes over the reference also on failure, after
 * checking that its type, curve, point and size are supported.
 */
extern VciStatus vci_key_adopt(EVP_PKEY *pkey, bool is_private, VciKey **key, VciError *error);

/*
 * A public key from raw EC point (SEC 1, any form) or Ed25519 bytes. curves: NULL, or what
 * an EC key verifies in from then on.
 */
extern VciStatus vci_key_from_public_bytes(VciKeyType type, const unsigned char *bytes, size_t len,
										   VciCurves *curves, VciKey **key, VciError *error);

/*
 * An EVP_PKEY of the type ("EC", "RSA") from params, which may be NULL when memory ran out
 * while they were built; VCI_ERR_JWK with the text refusal when they are no key.
 */
extern VciStatus vci_pkey_from_params(const char *type, int selection, OSSL_PARAM *params,
									  const char *refusal, EVP_PKEY **pkey, VciError *error);

/* OpenSSL's name of an EC key's curve. */
extern const char *vci_key_group(VciKeyType type);

/*
 * vci_error, after emptying OpenSSL's error queue, which belongs to the host process too.
 * VCI_ERR_MEMORY instead of code when the queue says that memory was out: no input is to be
 * blamed for that.
 */
extern VciStatus vci_openssl_error(VciError *error, VciStatus code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
