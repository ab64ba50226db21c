/*
 * Claims of a credential: what the formats reserve, and which are disclosed how.
 */
#ifndef VCI_CLAIMS_H
#define VCI_CLAIMS_H

#include "issuer.h"

/*
 * Refuses claims that are no object or would overwrite what the formats reserve
 * (RFC 9901 section 4.1, SD-JWT VC section 2.2.2.2): iss, iat, nbf, exp, cnf, vct,
 * vct#integrity, status, _sd_alg at the top, "_sd" and "..." at any depth.
 * VCI_ERR_CLAIM_RESERVED names the claim. VCI_ERR_REQUEST when they are no object,
 * VCI_ERR_JSON_DEPTH when they would be too deep for a parser once concealed.
 */
extern VciStatus vci_claims_check(const VciJson *claims, VciError *error);

/* Every claim that the configuration calls mandatory is there, not null: VCI_ERR_CLAIM_MISSING. */
extern VciStatus vci_claims_check_mandatory(const VciJson *claims,
											const VciConfiguration *configuration, VciError *error);

/*
 * The pointers to conceal for these claims: the configuration's selectively
 * disclosable ones and, because an unlisted claim must not be shown to every
 * verifier, each claim that neither list names. Within a claim that has only pointers
 * into it, each member or element without one counts as unlisted too. A
 * reference of the caller's own, for reading: it may be the configuration's list.
 */
extern VciStatus vci_claims_disclosable(const VciJson *claims,
										const VciConfiguration *configuration, VciJson **paths,
										VciError *error);

#endif
