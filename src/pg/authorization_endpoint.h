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

/* What a browser at the authorization endpoint gets; palloc'd. */
typedef struct VciBrowserAnswer
{
	const char *location;	 /* the login-and-consent page, or the wallet with an error */
	const char *set_cookie;	 /* NULL: none, also below */
	const char *retry_after; /* seconds; with an error alone */
} VciBrowserAnswer;

/*
 * The authorization endpoint's work without its pages. An error is one that must not be sent to
 * the wallet, because client and redirect URI do not hold, or because it is no fault of the
 * request's: VCI_ERR_TOO_MANY, VCI_ERR_PAUSED.
 */
extern VciStatus vci_authorize_browser(VciStore *store, const VciIssuerEntry *issuer,
									   const VciHttpRequest *http, VciBrowserAnswer *answer,
									   VciError *error);

/* An error page, or 303 to the login-and-consent page or to the wallet. */
extern VciAnswer *vci_authorize_endpoint(VciStore *store, const VciIssuerEntry *issuer,
										 const VciHttpRequest *http);

#endif
