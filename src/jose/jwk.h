/*
 * Keys: JSON Web Key (RFC 7517, 7518 section 6, 8037), thumbprint (RFC 7638),
 * PEM and PKCS #8. Curves P-256, P-384, Ed25519; RSA only to verify, 2048 to 4096
 * bits, with an odd public exponent from 3 to 2^32 - 1 (a larger one costs the server time).
 */
#ifndef VCI_JWK_H
#define VCI_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "status.h"

typedef enum VciAlg
{
	VCI_ALG_NONE = 0, /* no algorithm; never the JWS "none" */
	VCI_ALG_ES256,
	VCI_ALG_ES384,
	VCI_ALG_EDDSA,
	VCI_ALG_RS256,
	VCI_ALG_PS256
} VciAlg;

typedef struct VciKey VciKey;

/*
 * What the library would otherwise prepare anew for each EC public key, at the cost of a
 * signature. Whoever reads many keys makes one, lends it to them and lets it outlive them; it
 * belongs to one thread at a time. NULL when memory is out.
 */
typedef struct VciCurves VciCurves;

extern VciCurves *vci_curves_new(void);
extern void vci_curves_free(VciCurves *curves); /* NULL is allowed */

/* JWA name ("ES256") of an algorithm, and back; VCI_ALG_NONE for any other name. */
extern const char *vci_alg_name(VciAlg alg);
extern VciAlg vci_alg_by_name(const char *name);

/* A new signing key for ES256, ES384 or EdDSA (Ed25519). */
extern VciStatus vci_key_generate(VciAlg alg, VciKey **key, VciError *error);

/*
 * A public key from a JWK. VCI_ERR_JWK_PRIVATE when any private or symmetric member
 * (d, p, q, dp, dq, qi, oth, k) is there, VCI_ERR_JWK for malformed members, a point
 * off its curve, non-minimal or wrong-length coordinates, or "use"/"key_ops"/"alg"
 * that exclude verifying; VCI_ERR_KEY_UNSUPPORTED for other kty, crv or RSA sizes.
 */
extern VciStatus vci_key_from_public_jwk(const VciJson *jwk, VciKey **key, VciError *error);

/* The same; the key uses curves as long as it lives. NULL curves: its own. */
extern VciStatus vci_key_from_public_jwk_on(VciCurves *curves, const VciJson *jwk, VciKey **key,
											VciError *error);

/* A private EC or OKP key from a JWK; public and private halves must agree. */
extern VciStatus vci_key_from_private_jwk(const VciJson *jwk, VciKey **key, VciError *error);

/* An unencrypted private EC or Ed25519 key from PEM (PKCS #8 or SEC 1). */
extern VciStatus vci_key_from_private_pem(const char *pem, size_t len, VciKey **key,
										  VciError *error);

/* Either of these two: a text that begins with '{' is a JWK. The error never tells of the key. */
extern VciStatus vci_key_from_private_text(const char *text, size_t len, VciKey **key,
										   VciError *error);

/* Private key as PKCS #8 DER, malloc'd; wipe with vci_wipe before free. */
extern VciStatus vci_key_to_private_der(const VciKey *key, unsigned char **der, size_t *len,
										VciError *error);
extern VciStatus vci_key_from_private_der(const unsigned char *der, size_t len, VciKey **key,
										  VciError *error);

/* The public JWK: required members only, in RFC 7638 order. NULL when memory is out. */
extern VciJson *vci_key_public_jwk(const VciKey *key);

/* The private JWK (the wallet keeps its key so). NULL when memory is out. */
extern VciJson *vci_key_private_jwk(const VciKey *key);

#define VCI_JWKS_MAX_KEYS 64

/*
 * Is this a JWK set (RFC 7517 section 5) of public keys: 1 to VCI_JWKS_MAX_KEYS, at least one
 * that can verify here? Keys of other kinds and for other uses are passed over, as section 5
 * has it. VCI_ERR_JWK_PRIVATE when any holds private or symmetric material, VCI_ERR_JWK.
 */
extern VciStatus vci_jwks_check(const VciJson *jwks, VciError *error);

/*
 * The key of the set that has this kid and can verify with alg; without a kid (NULL) the only
 * one that can. VCI_ERR_KEY_UNSUPPORTED when there is none, or several without a kid.
 */
extern VciStatus vci_jwks_find(const VciJson *jwks, const char *kid, VciAlg alg, VciKey **key,
							   VciError *error);

#define VCI_THUMBPRINT_SIZE 44 /* 43 characters of base64url and a NUL */

/* RFC 7638 SHA-256 thumbprint, base64url. */
extern VciStatus vci_key_thumbprint(const VciKey *key, char out[VCI_THUMBPRINT_SIZE],
									VciError *error);

extern bool vci_key_is_private(const VciKey *key);

/*
 * Can this key verify (or sign) with alg? An EC key fits one alg, RSA fits two unless its
 * JWK named one (RFC 8725 section 3.1).
 */
extern bool vci_key_fits(const VciKey *key, VciAlg alg);

/* The algorithm a key signs with: ES256, ES384, EdDSA; RSA: what its JWK named, or RS256. */
extern VciAlg vci_key_alg(const VciKey *key);

/* Same public key? */
extern bool vci_key_equal(const VciKey *a, const VciKey *b);

/* Another reference to the same key; vci_key_free drops one. NULL is allowed there. */
extern VciKey *vci_key_ref(VciKey *key);
extern void vci_key_free(VciKey *key);

/*
 * The public key of an x5c header (RFC 7515 section 4.1.6): 1 to 4 base64 (not
 * base64url) DER certificates, each signed by the next, each valid at now (seconds
 * since 1970). Trust in the anchor is the caller's matter. VCI_ERR_CERTIFICATE.
 */
extern VciStatus vci_key_from_x5c(const VciJson *x5c, int64_t now, VciKey **key, VciError *error);

#endif
