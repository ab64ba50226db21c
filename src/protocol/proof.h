/*
 * Key proofs and key binding JWTs: OpenID4VCI 1.0 appendix F.1 and F.4,
 * RFC 9901 section 4.3, and the looser JWTs of drafts 11 to 15.
 */
#ifndef VCI_PROOF_H
#define VCI_PROOF_H

#include "../jose/did.h"
#include "../jose/jws.h"
#include "issuer.h"

typedef enum VciProofKind
{
	VCI_PROOF_STRICT, /* openid4vci-proof+jwt with its key in the header */
	VCI_PROOF_OLDER,  /* also typ absent, "JWT", "kb+jwt"; a key may come from the holder DID */
	VCI_PROOF_KB_JWT  /* kb+jwt of RFC 9901: sd_hash required, key from cnf */
} VciProofKind;

typedef enum VciProofKeySource
{
	VCI_PROOF_KEY_NONE, /* the header names no key */
	VCI_PROOF_KEY_JWK,
	VCI_PROOF_KEY_DID_SELF, /* did:jwk, did:key */
	VCI_PROOF_KEY_DID_WEB,	/* key still NULL: the caller looks the document up */
	VCI_PROOF_KEY_X5C
} VciProofKeySource;

typedef struct VciProofPolicy
{
	VciProofKind kind;
	const char *audience; /* the issuer's or verifier's identifier; NULL (KB-JWT alone): any */
	int64_t now;		  /* seconds since 1970 */
	int64_t max_age;	  /* seconds that iat may lie in the past */
	int64_t leeway;		  /* seconds that iat may lie in the future */
	const char *sd_hash;  /* VCI_PROOF_KB_JWT: what sd_hash must be */
	VciCurves *curves;	  /* that the proof's key may use, and outlive it; NULL: its own */
} VciProofPolicy;

typedef struct VciProof
{
	VciJws *jws;
	VciProofKeySource source;
	const char *did_url; /* lent from the header's kid; NULL unless it is a DID URL */
	const char *nonce;	 /* lent from the payload; NULL when absent */
	VciKey *key;
} VciProof;

/*
 * Parses a proof JWT and checks all but its signature and nonce: typ for the kind,
 * exactly one of jwk, kid, x5c (1.0) or at most one (older), no private key, aud (the
 * policy's string, or an array of it alone), iat a number within the window, exp and nbf
 * when there (with the same leeway), nonce and iss strings when there, sd_hash (required
 * and equal for KB-JWT, refused otherwise: a JWT with sd_hash is never a proof). Resolves
 * jwk, did:jwk, did:key, x5c; under KB-JWT the header's key is not looked at, because the
 * key is the credential's. A kid that is no DID URL is VCI_ERR_PROOF under strict, source
 * NONE under older.
 * On failure *proof is what could be read of the JWT, for a verdict, and NULL when that is
 * no JWS; the caller frees it in any case.
 * Errors: VCI_ERR_PROOF*, VCI_ERR_SD_HASH, VCI_ERR_EXPIRED, VCI_ERR_NOT_YET_VALID,
 * VCI_ERR_JW*, VCI_ERR_CERTIFICATE, VCI_ERR_DID..., VCI_ERR_KEY_UNSUPPORTED, and
 * VCI_ERR_INTERNAL for a policy that lacks what its kind needs.
 */
extern VciStatus vci_proof_parse(const char *jwt, size_t len, const VciProofPolicy *policy,
								 VciProof **proof, VciError *error);

/* Gives the key when the header did not: from a DID document, the offer's holder, cnf. */
extern void vci_proof_set_key(VciProof *proof, VciKey *key); /* takes a reference of its own */

/* Checks the signature; VCI_ERR_PROOF when no key is known. */
extern VciStatus vci_proof_verify(const VciProof *proof, VciError *error);

/*
 * The verdict as SQL shows it: {valid, error, error_description, header, payload, key,
 * thumbprint}; error is a vci_status_name, absent when valid. header and payload as far
 * as they could be read. proof may be NULL. New; NULL when memory is out.
 */
extern VciJson *vci_proof_verdict(const VciProof *proof, const VciError *error);

extern void vci_proof_free(VciProof *proof); /* NULL is allowed */

#endif
