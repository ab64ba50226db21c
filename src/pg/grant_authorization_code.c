/*
 * The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
 */
#include "compat.h"

#include "event.h"
#include "token_grant.h"
#include "values.h"

static VciStatus
check_client(const VciTokenCall *call, VciError *error)
{
	if (!call->issuer->rules.has_clients)
		return vci_error(error, VCI_ERR_GRANT_TYPE, "this issuer gives out no authorization codes");
	if (vci_cache_find_client(call->issuer, call->request->client_id) == NULL)
		return vci_error(error, VCI_ERR_CLIENT, "there is no client of this client_id here");
	return VCI_OK;
}

static VciStatus
check_authorization(VciTokenCall *call, const VciAuthorizationRow *row, int32 generation,
					VciError *error)
{
	VciAuthorizationFacts facts = {.generation = row->generation,
								   .client_id = row->client_id,
								   .redirect_uri = row->redirect_uri,
								   .code_challenge = row->code_challenge,
								   .jkt = row->jkt,
								   .approved = row->approved,
								   .denied = row->denied,
								   .redeemed = row->redeemed,
								   .code_expires_at = row->code_expires_at};
	bool replayed;
	VciStatus status = vci_token_check_authorization(call->request, &facts, generation, call->jkt,
													 call->now, &replayed, error);

	if (replayed)
		vci_grant_revoke(call, row->offer_id, row->offer_generation, VCI_EVENT_CODE_REPLAYED,
						 row->id);
	return status;
}

/* The approval looked at the offer; this is what may have happened since. */
static VciStatus
check_offer(const VciAuthorizationRow *row, const VciOfferRow *offer, VciError *error)
{
	if (offer == NULL)
		return vci_error(error, VCI_ERR_GRANT, "this offer no longer exists");
	if (offer->cancelled)
		return vci_error(error, VCI_ERR_GRANT, "the issuer cancelled this offer");
	if (offer->generation != row->offer_generation)
		return vci_error(error, VCI_ERR_GRANT,
						 "the offer was renewed since; start a new authorization request");
	if (offer->redeemed)
		return vci_error(error, VCI_ERR_GRANT,
						 "this offer was redeemed already; ask the issuer for a new one");
	if (offer->claims_erased)
		return vci_error(error, VCI_ERR_GRANT, "this offer is over; ask the issuer for a new one");
	return VCI_OK;
}

static VciStatus
redeem(VciTokenCall *call, const VciAuthorizationRow *row, VciError *error)
{
	VciOfferRow *offer = vci_store_offer(call->store, row->offer_id, true);
	VciGranted granted = {.offer = offer,
						  .configuration_ids = row->configuration_ids,
						  .configuration_count = row->configuration_count,
						  .identifiers = row->identifiers,
						  .client_id = row->client_id};
	int64 token_id;
	VciStatus status = check_offer(row, offer, error);

	if (status == VCI_OK)
		status = vci_grant_select(call, &granted, error);
	if (status != VCI_OK)
		return status;
	vci_store_redeem_authorization(call->store, row->id);
	vci_store_redeem_offer(call->store, offer->id, vci_grant_end(call));
	token_id = vci_grant_token(call, &granted, vci_grant_refresh_token(call, &granted));
	vci_note(call->store, call->issuer,
			 (VciEvent){.kind = VCI_EVENT_OFFER_REDEEMED,
						.offer_id = offer->id,
						.authorization_id = row->id,
						.token_id = token_id});
	return VCI_OK;
}

VciStatus
vci_grant_authorization_code(VciTokenCall *call, VciError *error)
{
	VciAuthorizationRow *row;
	int64 id;
	int32 generation;
	VciStatus status = check_client(call, error);

	if (status == VCI_OK)
		status = vci_grant_open(call, VCI_TICKET_AUTHORIZATION_CODE, &id, NULL, &generation, error);
	if (status != VCI_OK)
		return status;
	row = vci_store_authorization(call->store, id, true);
	if (row == NULL || row->issuer_id != call->issuer->rules.id)
		return vci_error(error, VCI_ERR_GRANT, "this authorization request no longer exists");
	call->now = vci_now(); /* the lock may have taken its time */
	status = check_authorization(call, row, generation, error);
	return status == VCI_OK ? redeem(call, row, error) : status;
}
