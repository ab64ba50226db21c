/*
 * Authorization requests (RFC 6749 section 4.1.1, RFC 9126, RFC 7636, RFC 9396; OpenID4VCI 1.0
 * section 5.1).
 */
#ifndef VCI_PROTOCOL_AUTHORIZATION_H
#define VCI_PROTOCOL_AUTHORIZATION_H

#include "http.h"
#include "issuer.h"

#define VCI_REQUEST_URI_PREFIX	 "urn:ietf:params:oauth:request_uri:"
#define VCI_REQUEST_URI_LIFETIME 90	  /* seconds */
#define VCI_STATE_MAX			 2048 /* bytes */
#define VCI_CODE_CHALLENGE_LEN	 43	  /* base64url of SHA-256, also of a JWK thumbprint */

typedef struct VciAuthorizationRequest
{
	VciForm form;
	/* lent from form, NULL when absent */
	const char *client_id;
	const char *redirect_uri;
	const char *request_uri;
	const char *state;
	const char *scope;
	const char *code_challenge;
	const char *issuer_state;
	const char *dpop_jkt;
	VciJson *authorization_details; /* array; NULL when absent */
} VciAuthorizationRequest;

/*
 * Reads query or form as far as it must be known before anybody is redirected: no parameter
 * twice, client_id there, state printable (else it is dropped and vci_authorization_request_check
 * tells). Form errors, VCI_ERR_REQUEST, VCI_ERR_TOO_LARGE.
 */
extern VciStatus vci_authorization_request_parse(const char *text, size_t len,
												 VciAuthorizationRequest *request, VciError *error);
extern void vci_authorization_request_free(VciAuthorizationRequest *request);

/*
 * The rest, once client and redirect_uri hold: response_type, state, PKCE (pkce_required; S256
 * alone), authorization_details, dpop_jkt; no request object.
 * VCI_ERR_RESPONSE_TYPE, VCI_ERR_PKCE, VCI_ERR_AUTHORIZATION_DETAILS, VCI_ERR_REQUEST_OBJECT,
 * VCI_ERR_REQUEST.
 */
extern VciStatus vci_authorization_request_check(VciAuthorizationRequest *request,
												 const VciIssuer *issuer, bool pkce_required,
												 VciError *error);

/*
 * The configurations that are asked for: by authorization_details and by scope values (those
 * that name none are ignored), or all that the offer of issuer_state holds when neither is
 * there. offered: what that offer holds, NULL: there is no offer. *selected is a new array of
 * ids, each of a configuration that the issuer has. VCI_ERR_AUTHORIZATION_DETAILS,
 * VCI_ERR_SCOPE_UNKNOWN, VCI_ERR_REQUEST (nothing asked for), VCI_ERR_ISSUER_STATE (nothing of
 * the offer is issued any more).
 */
extern VciStatus vci_authorization_select(const VciAuthorizationRequest *request,
										  const VciConfiguration *configurations, size_t count,
										  const char *const *offered, size_t offered_count,
										  VciJson **selected, VciError *error);

#endif
