/*
 * Authorization requests between the browser's arrival and the code: what the endpoints, the
 * SQL functions and the consent page share.
 */
#ifndef VCI_AUTHORIZATION_H
#define VCI_AUTHORIZATION_H

#include "answer.h"
#include "cache.h"
#include "store.h"

/*
 * Is the wallet registered, and redirect_uri (NULL: none came) one of its? Before that holds
 * nobody is redirected. VCI_ERR_CLIENT, VCI_ERR_REDIRECT_URI.
 */
extern VciStatus vci_authorization_check_client(const VciIssuerEntry *issuer, const char *client_id,
												const char *redirect_uri,
												const VciClientRow **client, VciError *error);

/*
 * The request that a login ticket (request=... of the login-and-consent page) names; lock: its
 * row is locked. VCI_ERR_REQUEST_URI unless it is a ticket of this issuer, of a row that is
 * there; a forgery reads no table. VCI_ERR_CLIENT, VCI_ERR_REDIRECT_URI: the wallet is no longer
 * registered, so that nobody is sent there. *row is good only with VCI_OK. Whether it still waits is vci_authorization_check_pending's.
 */
extern VciStatus vci_authorization_find(VciStore *store, const VciIssuerEntry *issuer,
										const char *request, bool lock, VciAuthorizationRow **row,
										VciError *error);

/* The login ticket of a request; palloc'd. */
extern char *vci_authorization_ticket(const VciIssuerEntry *issuer, const VciAuthorizationRow *row);

/* Does it wait for a decision? VCI_ERR_REQUEST_URI with words for the person otherwise. */
extern VciStatus vci_authorization_check_pending(const VciAuthorizationRow *row, int64 now,
												 VciError *error);

/* Who the person is, and what goes into the credentials. */
typedef struct VciApproval
{
	char *subject_model;
	char *subject_id;
	Datum claims; /* jsonb or 0, as the others; all unread when the request has an offer */
	Datum labels;
	Datum datasets;
} VciApproval;

/*
 * Approves a locked request; *location is the URL to which the browser goes (redirect_uri with
 * code, state and iss). A request without offer gets one of its own, checked as
 * vci_create_offer does, which raises. Repeated with the same subject while the code is good it
 * gives the same URL. VCI_ERR_ACCESS_DENIED: the subject is not the offer's (issuer_state is no
 * authentication), and nothing has changed; VCI_ERR_ISSUER_STATE: the offer is no longer good;
 * VCI_ERR_REQUEST_URI: denied, expired, redeemed, or approved for another subject.
 */
extern VciStatus vci_authorization_approve(VciStore *store, const VciIssuerEntry *issuer,
										   const VciAuthorizationRow *row,
										   const VciApproval *approval, char **location,
										   VciError *error);

/*
 * Denies a locked request; *location is redirect_uri with error=access_denied, state and iss.
 * reason (NULL: none) stays in the table. by_registry: an event tells of it; what somebody who
 * never logged in can press is none. Repeated it gives the same URL. VCI_ERR_REQUEST_URI:
 * approved, redeemed or expired.
 */
extern VciStatus vci_authorization_deny(VciStore *store, const VciIssuerEntry *issuer,
										const VciAuthorizationRow *row, const char *reason,
										bool by_registry, char **location, VciError *error);

/*
 * What a page shows of a request: {id, state, client_id, client_name, redirect_uri,
 * configuration_ids, credentials [{id, display, claims}], offer_id, subject_model, subject_id
 * (both of the offer), expires_at (RFC 3339)}; what is unknown is absent. Owned.
 */
extern VciJson *vci_authorization_json(VciStore *store, const VciIssuerEntry *issuer,
									   const VciAuthorizationRow *row);

/* redirect_uri with error, error_description, state (NULL: none) and iss (RFC 9207); palloc'd. */
extern char *vci_authorization_error_location(const VciIssuerEntry *issuer,
											  const char *redirect_uri, const char *state,
											  const VciError *error);

#endif
