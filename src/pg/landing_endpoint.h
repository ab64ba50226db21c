/*
 * The landing page of an offer, and the short link to it.
 */
#ifndef VCI_LANDING_ENDPOINT_H
#define VCI_LANDING_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"
#include "store.h"

/* The code in a path below the issuer's landing endpoint; NULL: it leads elsewhere. Lent. */
extern const char *vci_landing_code(const VciIssuerEntry *issuer, const char *path);

/*
 * GET: the page, which changes nothing. POST: its button, which notes once that somebody opened
 * the offer, where the server can write, and leads to the wallet. issuer must be loaded and
 * unsealed.
 */
extern VciAnswer *vci_landing_endpoint(VciStore *store, const VciIssuerEntry *issuer,
									   const VciHttpRequest *http);

#endif
