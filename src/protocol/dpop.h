/*
 * DPoP proofs (RFC 9449): a JWT by which a client shows, for one request, that it holds
 * the private key to which a token is bound.
 */
#ifndef VCI_DPOP_H
#define VCI_DPOP_H

#include "../jose/jws.h"
#include "../jose/seal.h"

/* What dpop_signing_alg_values_supported lists (RFC 9449 section 5.1). */
#define VCI_DPOP_ALG_COUNT 5
extern const char *const vci_dpop_algs[VCI_DPOP_ALG_COUNT];

/* The same, separated by spaces, as the parameter algs of a challenge has them. */
#define VCI_DPOP_ALGS "ES256 ES384 EdDSA RS256 PS256"

#define VCI_DPOP_LEEWAY				60	/* seconds that a client's clock may be ahead */
#define VCI_DPOP_JTI_MAX			256 /* bytes */
#define VCI_DPOP_NONCE_LIFETIME_MAX 300 /* seconds that a nonce of ours is good */

typedef struct VciDpopPolicy
{
	const char *method;		  /* of the request */
	const char *url;		  /* of the endpoint, as settings have it; not what Host says */
	const char *access_token; /* that comes with the proof; NULL: none, ath is not looked at */
	int64_t now;			  /* seconds since 1970 */
	int64_t max_age;		  /* seconds that iat may lie in the past */
	VciCurves *curves;		  /* that the proof's key may use, and outlive it; NULL: its own */
} VciDpopPolicy;

typedef struct VciDpop
{
	VciJws *jws;
	VciKey *key;
	char jkt[VCI_THUMBPRINT_SIZE]; /* of the key; "" while it is not known */
	const char *jti;			   /* lent from the payload, as nonce is */
	const char *nonce;			   /* NULL when absent */
	int64_t issued_at;
} VciDpop;

#define VCI_DPOP_MAX_SIZE 8192 /* characters of one proof */

/*
 * Parses a proof and checks what RFC 9449 section 4.3 asks but for nonce, signature and
 * reuse: typ, a public key in the header, htm, htu (scheme and host without case, default
 * port, query and fragment dropped), iat within the window, exp and nbf when there, jti,
 * nonce a string, ath. VCI_ERR_DPOP, VCI_ERR_TOO_LARGE, VCI_ERR_JW*, VCI_ERR_KEY_UNSUPPORTED.
 * On failure *proof is what could be read, for a verdict, and NULL when that is no JWS; the
 * caller frees it in any case.
 */
extern VciStatus vci_dpop_parse(const char *jwt, size_t len, const VciDpopPolicy *policy,
								VciDpop **proof, VciError *error);

/* Checks the signature. */
extern VciStatus vci_dpop_verify(const VciDpop *proof, VciError *error);

/* What stands for this proof among those seen: over issuer, key and jti. */
extern VciStatus vci_dpop_digest(const VciDpop *proof, int64_t issuer_id,
								 unsigned char digest[VCI_DIGEST_BYTES], VciError *error);

/*
 * The verdict as SQL shows it: {valid, error, error_description, header, payload, jkt};
 * error is a vci_status_name, absent when valid. proof may be NULL. New; NULL when memory
 * is out.
 */
extern VciJson *vci_dpop_verdict(const VciDpop *proof, const VciError *error);

extern void vci_dpop_free(VciDpop *proof); /* NULL is allowed */

#endif
