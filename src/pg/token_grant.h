/*
 * The three grants of the token endpoint, and what they have in common.
 */
#ifndef VCI_TOKEN_GRANT_H
#define VCI_TOKEN_GRANT_H

#include "../protocol/token.h"
#include "cache.h"
#include "store.h"

/* A token request on its way. */
typedef struct VciTokenCall
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	const VciTokenRequest *request;
	char *jkt;		   /* of the DPoP proof's key; NULL: none came */
	int64 now;		   /* since the rows are locked */
	int32 retry_after; /* seconds, with VCI_ERR_TOO_MANY */
	VciJson *response; /* when the grant succeeds; owned */
} VciTokenCall;

/* What a good code or refresh token stands for. */
typedef struct VciGranted
{
	const VciOfferRow *offer;
	char **configuration_ids; /* before this request narrows them */
	int configuration_count;
	bool identifiers;		 /* credential_identifiers were asked for already */
	const char *client_id;	 /* that the tokens are bound to; NULL: none */
	const VciJson *selected; /* since vci_grant_select: configuration ids of the token */
} VciGranted;

/*
 * Each redeems the request's credential: makes call->response, or tells why not, having
 * written what must be kept even so.
 */
extern VciStatus vci_grant_pre_authorized(VciTokenCall *call, VciError *error);
extern VciStatus vci_grant_authorization_code(VciTokenCall *call, VciError *error);
extern VciStatus vci_grant_refresh(VciTokenCall *call, VciError *error);

/*
 * The row that the request's credential names, once its MAC and then the DPoP proof hold; a
 * forgery spends nothing and reads no table. offer_id (NULL: not wanted): of a refresh token.
 */
extern VciStatus vci_grant_open(VciTokenCall *call, VciTicketKind kind, int64 *id, int64 *offer_id,
								int32 *generation, VciError *error);

/* Fills granted->selected; fails when nothing of it is issued any more. */
extern VciStatus vci_grant_select(VciTokenCall *call, VciGranted *granted, VciError *error);

/*
 * Makes the access token and call->response; refresh_token NULL: none. Returns the token's
 * id.
 */
extern int64 vci_grant_token(VciTokenCall *call, const VciGranted *granted,
							 const char *refresh_token);

/* When all that this grant gives is over. */
extern int64 vci_grant_end(const VciTokenCall *call);

/* A refresh token of a first grant, or NULL when the issuer gives none; palloc'd. */
extern char *vci_grant_refresh_token(VciTokenCall *call, const VciGranted *granted);

/*
 * A code or refresh token came again: what it gave dies, unless it is dead already, and an
 * event of this kind tells it. Locks the offer.
 */
extern void vci_grant_revoke(VciTokenCall *call, int64 offer_id, int32 offer_generation,
							 const char *event, int64 authorization_id);

#endif
