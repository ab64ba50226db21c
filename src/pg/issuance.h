/*
 * From a subject to a signed credential.
 */
#ifndef VCI_ISSUANCE_H
#define VCI_ISSUANCE_H

#include "../protocol/dataset.h"
#include "cache.h"
#include "status_place.h"
#include "store.h"

/*
 * VCI_ERR_PAUSED when all that leads to a credential has been stopped, also because this
 * database is a copy.
 */
extern VciStatus vci_check_issuance(const VciIssuerEntry *issuer, VciError *error);

/* The same for an operator: raises 55000 with a hint. */
extern void vci_require_issuance(const VciIssuerEntry *issuer);

/*
 * The claims to sign: those of the dataset, and over them what the configuration's claims
 * source says of its subject now. *wait is the number of seconds after which the source
 * wants to be asked again, and *claims then NULL; 0: it has said all. A registry that knows
 * nothing of the subject is VCI_ERR_DENIED, a missing mandatory claim VCI_ERR_CLAIM_MISSING;
 * a claims source that answers with something unusable raises.
 */
extern VciStatus vci_collect_claims(VciStore *store, const VciIssuerEntry *issuer,
									int configuration, const VciDataset *dataset,
									const VciJson **claims, int32 *wait, VciError *error);

typedef struct VciSignedCredential
{
	char *sd_jwt;	  /* owned by the current context */
	int64 expires_at; /* seconds since 1970; 0: none */
} VciSignedCredential;

/* Signs claims; holder_jwk NULL: no cnf, status NULL: none. Raises on any failure. */
extern VciSignedCredential vci_sign_credential(const VciIssuerEntry *issuer, int configuration,
											   const char *format, const VciJson *claims,
											   const VciJson *holder_jwk,
											   const VciStatusPlace *status, int64 issued_at);

#endif
