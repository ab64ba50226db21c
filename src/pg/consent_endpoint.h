/*
 * The built-in login-and-consent page, and the cookie that ties an authorization request to
 * the browser that brought it.
 */
#ifndef VCI_CONSENT_ENDPOINT_H
#define VCI_CONSENT_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"
#include "store.h"

/* All palloc'd. */
typedef struct VciBrowser
{
	char *cookie;	  /* value of the cookie __Host-vci: base64url of 128 random bits */
	bytea *digest;	  /* SHA-256 of it, for vci_authorization.browser */
	char *set_cookie; /* value of the Set-Cookie header */
} VciBrowser;

/*
 * The browser that sends this request to the authorization endpoint: by the well-formed
 * cookie that it has, else with a new one. The answer must carry set_cookie either way.
 */
extern VciBrowser vci_consent_browser(const VciHttpRequest *http);

/*
 * A page in the visitor's language that says text (for people, in English; escaped here)
 * below a heading, with nothing to press: for what can't be sent to the wallet's redirect
 * URI. issuer may be NULL.
 */
extern VciAnswer *vci_consent_notice(const VciIssuerEntry *issuer, const VciHttpRequest *http,
									 int status, const char *text);

/* The same for VCI_ERR_PAUSED. */
extern VciAnswer *vci_consent_later(const VciIssuerEntry *issuer, const VciHttpRequest *http,
									const VciError *error);

/*
 * GET ?request=...: the form, for a pending request of this browser. POST: the decision;
 * approving runs the issuer's authentication function. issuer must be loaded and unsealed.
 */
extern VciAnswer *vci_consent_endpoint(VciStore *store, const VciIssuerEntry *issuer,
									   const VciHttpRequest *http);

#endif
