/*
 * SD-JWT (RFC 9901): concealing claims, issuing, and taking presentations apart.
 *
 * A claims path pointer (OpenID4VCI 1.0 appendix C) is a JSON array of strings
 * (member), non-negative integers (array element) and nulls (all elements).
 */
#ifndef VCI_SD_JWT_H
#define VCI_SD_JWT_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "jwk.h"
#include "jws.h"

#define VCI_SD_JWT_MAX_SIZE		   (1024 * 1024)
#define VCI_SD_JWT_MAX_DISCLOSURES 1024
#define VCI_SD_JWT_MAX_DECOYS	   64

/* Is this a well-formed claims path pointer of at most VCI_JSON_MAX_DEPTH parts? */
extern VciStatus vci_claims_path_check(const VciJson *path, VciError *error);

/* An SD-JWT before it is signed; malloc'd. */
typedef struct VciConcealed
{
	char *payload; /* JSON */
	size_t payload_len;
	char *disclosures; /* "~", and each in base64url with "~" behind it */
	size_t disclosures_len;
	size_t count; /* of disclosures */
} VciConcealed;

/*
 * Writes head, the text of members that are never concealed ("\"iss\":\"x\"", NULL: none) and
 * that payload does not have, and then payload with each claim that a pointer in paths (array
 * of pointers) selects replaced by its sha-256 digest; where a pointer lies below another, the disclosures
 * nest (recursive, section 4.2.6). A pointer that selects nothing is no error.
 * decoys digests without disclosure are added to the top-level _sd (only if decoys > 0;
 * section 4.2.5). Digests are shuffled, salts are 128 bits from the system's generator.
 * Writes "_sd_alg" only when a digest stands in payload.
 * Members "_sd", "..." and top-level "_sd_alg" in payload: VCI_ERR_CLAIM_RESERVED;
 * nested deeper than VCI_JSON_MAX_DEPTH - 1: VCI_ERR_JSON_DEPTH. After a failure
 * *concealed is empty. key: that will sign, which saves looking the digest up, or NULL.
 */
extern VciStatus vci_sd_jwt_conceal(const char *head, const VciJson *payload, const VciJson *paths,
									int decoys, const VciKey *key, VciConcealed *concealed,
									VciError *error);

extern void vci_concealed_free(VciConcealed *concealed);

/*
 * Signs the payload and appends the disclosures; *sd_jwt is malloc'd. header: the text of its
 * members but alg, which is the key's ("\"typ\":\"x\"", NULL: none).
 */
extern VciStatus vci_sd_jwt_sign(const char *header, const VciConcealed *concealed,
								 const VciKey *key, char **sd_jwt, VciError *error);

typedef struct VciSdJwt
{
	VciJws *jws;		  /* the issuer-signed JWT; its signature is not yet checked */
	VciJson *claims;	  /* processed payload (section 7.1): digests replaced, _sd_alg gone */
	VciJson *disclosures; /* array of the decoded disclosures (JSON arrays), as presented */
	char *kb_jwt;		  /* the key binding JWT, NULL when there is none */
	char *sd_hash;		  /* base64url digest (section 4.3.1) a KB-JWT must carry, under _sd_alg */
} VciSdJwt;

/*
 * Takes an SD-JWT or SD-JWT+KB in compact serialization apart and processes its
 * disclosures under sha-256, sha-384 or sha-512. VCI_ERR_SD_JWT for each case in
 * which section 7.1 says the SD-JWT must be rejected: a digest seen twice, a
 * disclosure that no digest refers to, a claim name that stands there already or is
 * "_sd" or "...", a malformed disclosure.
 */
extern VciStatus vci_sd_jwt_parse(const char *text, size_t len, VciSdJwt **sd_jwt, VciError *error);

extern void vci_sd_jwt_free(VciSdJwt *sd_jwt); /* NULL is allowed */

/*
 * A presentation of sd_jwt with only those disclosures whose position keep[] marks true
 * (those from keep_count on are left out); no KB-JWT. malloc'd. NULL keep: all.
 * VCI_ERR_SD_JWT when one is kept without the disclosure that holds its digest.
 */
extern VciStatus vci_sd_jwt_present(const char *text, size_t len, const bool *keep,
									size_t keep_count, char **presentation, VciError *error);

#endif
