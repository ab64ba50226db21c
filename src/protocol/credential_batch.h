/*
 * The batch credential endpoint of drafts 11 to 13: several credential requests at once,
 * answered all or none.
 */
#ifndef VCI_CREDENTIAL_BATCH_H
#define VCI_CREDENTIAL_BATCH_H

#include "credential.h"

#define VCI_MAX_BATCH 32

typedef struct VciCredentialBatch
{
	VciJson *body;
	size_t count;
	VciCredentialRequest requests[VCI_MAX_BATCH];
} VciCredentialBatch;

/*
 * Reads {"credential_requests": [...]}: 1 to VCI_MAX_BATCH requests as the credential endpoint
 * takes them, with VCI_MAX_PROOFS proofs in all at most. Its errors are those of
 * vci_credential_request_parse; the text names the first bad request.
 */
extern VciStatus vci_credential_batch_parse(const char *body, size_t len, VciCredentialBatch *batch,
											VciError *error);
extern void vci_credential_batch_free(VciCredentialBatch *batch);

/* The fault of the request at position (from 0), its text led by the request's number. */
extern VciStatus vci_credential_batch_error(VciError *error, size_t position,
											const VciError *fault);

/*
 * {"credential_responses":[...]} with c_nonce and c_nonce_expires_in unless c_nonce is NULL.
 * Takes over responses, an array. New; NULL when memory is out.
 */
extern VciJson *vci_credential_batch_response(VciJson *responses, const char *c_nonce,
											  int32_t c_nonce_lifetime);

#endif
