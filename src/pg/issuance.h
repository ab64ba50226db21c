/*
 * From a subject to a signed credential.
 */
#ifndef VCI_ISSUANCE_H
#define VCI_ISSUANCE_H

#include "cache.h"
#include "store.h"

/*
 * The claims to sign: those given (JSON text or NULL), and over them what the
 * configuration's claims source says of the subject now. A registry that knows nothing
 * of the subject is VCI_ERR_DENIED, a missing mandatory claim VCI_ERR_CLAIM_MISSING; a
 * claims source that answers with something unusable raises.
 */
extern VciStatus vci_collect_claims(VciStore *store, const VciIssuerEntry *issuer,
									int configuration, const char *given, const char *subject_model,
									const char *subject_id, VciJson **claims, VciError *error);

typedef struct VciSignedCredential
{
	char *sd_jwt;	  /* owned by the current context */
	int64 expires_at; /* seconds since 1970; 0: none */
} VciSignedCredential;

/* Signs claims; holder_jwk NULL: no cnf. Raises on any failure. */
extern VciSignedCredential vci_sign_credential(const VciIssuerEntry *issuer, int configuration,
											   const char *format, const VciJson *claims,
											   const VciJson *holder_jwk, int64 issued_at);

#endif
