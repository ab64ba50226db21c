/*
 * The credential endpoint (OpenID4VCI 1.0 section 8).
 */
#ifndef VCI_CREDENTIAL_ENDPOINT_H
#define VCI_CREDENTIAL_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

extern VciAnswer *vci_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer,
										  const VciHttpRequest *http);

#endif
