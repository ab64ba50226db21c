/*
 * The authorization endpoint (RFC 6749 section 3.1) and the one for pushed authorization
 * requests (RFC 9126).
 */
#ifndef VCI_AUTHORIZATION_ENDPOINT_H
#define VCI_AUTHORIZATION_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

extern VciAnswer *vci_par_endpoint(VciStore *store, const VciIssuerEntry *issuer,
								   const VciHttpRequest *http);

/* An error page, or 303 to the login-and-consent page or to the wallet. */
extern VciAnswer *vci_authorize_endpoint(VciStore *store, const VciIssuerEntry *issuer,
										 const VciHttpRequest *http);

#endif
