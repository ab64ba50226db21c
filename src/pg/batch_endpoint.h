/*
 * The batch credential endpoint of drafts 11 to 13, as OpenSPP's guide names it.
 */
#ifndef VCI_BATCH_ENDPOINT_H
#define VCI_BATCH_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

extern VciAnswer *vci_batch_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer,
												const VciHttpRequest *http);

#endif
