/*
 * The deferred credential endpoint (OpenID4VCI 1.0 section 9).
 */
#ifndef VCI_DEFERRED_ENDPOINT_H
#define VCI_DEFERRED_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

extern VciAnswer *vci_deferred_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer,
												   const VciHttpRequest *http);

#endif
