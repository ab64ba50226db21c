/*
 * The token endpoint (OpenID4VCI 1.0 section 6).
 */
#ifndef VCI_TOKEN_ENDPOINT_H
#define VCI_TOKEN_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

/* Redeems a code or a refresh token; the answer is to be committed whatever it says. */
extern VciAnswer *vci_token_endpoint(VciStore *store, const VciIssuerEntry *issuer,
									 const VciHttpRequest *http);

/* A c_nonce; palloc'd. */
extern char *vci_new_nonce(const VciIssuerEntry *issuer);

#endif
