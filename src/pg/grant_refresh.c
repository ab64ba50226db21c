/*
 * The refresh token grant (RFC 6749 section 6). A token without a DPoP key is replaced at
 * each use, and stays good until its successor is used: an answer may get lost. One that is
 * bound to a key is kept (RFC 9700 section 4.14.2, RFC 9449 section 5).
 */
#include "compat.h"

#include "event.h"
#include "offer_functions.h"
#include "ticket.h"
#include "token_grant.h"
#include "values.h"

/*
 * The successor, locked; NULL when there is none yet, or vci_purge removed it because its time
 * was over. Rows are locked down the chain.
 */
static VciRefreshTokenRow *
successor_of(VciTokenCall *call, const VciRefreshTokenRow *row)
{
	return row->successor_id == 0
			   ? NULL
			   : vci_store_refresh_token(call->store, row->successor_id, row->offer_id);
}

static VciStatus
check_token(VciTokenCall *call, const VciRefreshTokenRow *row, const VciRefreshTokenRow *successor,
			int32 generation, VciError *error)
{
	VciRefreshFacts facts = {.generation = row->generation,
							 .client_id = row->client_id,
							 .jkt = row->jkt,
							 .replaced =
								 row->successor_id != 0 && (successor == NULL || successor->used),
							 .expires_at = row->expires_at};
	bool replayed;
	VciStatus status = vci_token_check_refresh(call->request, &facts, generation, call->jkt,
											   call->now, &replayed, error);

	if (replayed)
		vci_grant_revoke(call, row->offer_id, row->offer_generation, VCI_EVENT_REFRESH_REPLAYED, 0);
	return status;
}

/*
 * A wallet that the operator threw out gets no more. One that was never registered, as the
 * pre-authorized code takes them, is nobody who could be.
 */
static VciStatus
check_client(VciTokenCall *call, const VciRefreshTokenRow *row, VciError *error)
{
	if (row->client_id != NULL &&
		vci_store_client_retired(call->store, row->issuer_id, row->client_id))
		return vci_error(error, VCI_ERR_CLIENT,
						 "the client of this refresh token is no longer registered here");
	return VCI_OK;
}

static VciStatus
check_offer(const VciRefreshTokenRow *row, const VciOfferRow *offer, VciError *error)
{
	if (offer == NULL)
		return vci_error(error, VCI_ERR_GRANT, "this offer no longer exists");
	if (offer->cancelled)
		return vci_error(error, VCI_ERR_GRANT, "the issuer cancelled this offer");
	if (offer->generation != row->offer_generation)
		return vci_error(error, VCI_ERR_GRANT, "this refresh token is revoked");
	if (offer->claims_erased)
		return vci_error(error, VCI_ERR_GRANT, "this offer is over; ask the issuer for a new one");
	return VCI_OK;
}

/*
 * Marks the token used. Returns what the wallet shall use next: the successor, the same one
 * as long as nobody used it; NULL where the token itself stays.
 */
static char *
rotate(VciTokenCall *call, const VciRefreshTokenRow *row, const VciRefreshTokenRow *successor)
{
	int64 expires_at = call->now + call->issuer->rules.refresh_token_lifetime;
	VciRefreshTokenRow next = *row;

	if (row->jkt != NULL)
	{
		vci_store_extend_refresh_token(call->store, row, expires_at);
		return NULL;
	}
	if (successor != NULL)
		return vci_issuer_offer_ticket(call->issuer, VCI_TICKET_REFRESH, successor->id,
									   successor->offer_id, successor->generation);
	next.generation = vci_first_generation();
	next.expires_at = expires_at;
	next.id = vci_store_insert_refresh_token(call->store, &next);
	vci_store_use_refresh_token(call->store, row, next.id);
	return vci_issuer_offer_ticket(call->issuer, VCI_TICKET_REFRESH, next.id, next.offer_id,
								   next.generation);
}

/* By more than is needed, so that a wallet that refreshes often changes the offer rarely. */
static void
prolong(VciTokenCall *call, const VciOfferRow *offer)
{
	int64 end = vci_grant_end(call);

	if (offer->ends_at < end)
		vci_store_prolong_offer(call->store, offer->id, end + SECS_PER_HOUR);
}

static VciStatus
refresh(VciTokenCall *call, const VciRefreshTokenRow *row, const VciRefreshTokenRow *successor,
		VciError *error)
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
	token_id = vci_grant_token(call, &granted, rotate(call, row, successor));
	prolong(call, offer);
	vci_note(
		call->store, call->issuer,
		(VciEvent){.kind = VCI_EVENT_TOKEN_REFRESHED, .offer_id = offer->id, .token_id = token_id});
	return VCI_OK;
}

VciStatus
vci_grant_refresh(VciTokenCall *call, VciError *error)
{
	VciRefreshTokenRow *row;
	VciRefreshTokenRow *successor;
	int64 id;
	int64 offer_id;
	int32 generation;
	VciStatus status;

	if (call->issuer->rules.refresh_token_lifetime <= 0)
		return vci_error(error, VCI_ERR_GRANT_TYPE, "this issuer gives out no refresh tokens");
	status = vci_grant_open(call, VCI_TICKET_REFRESH, &id, &offer_id, &generation, error);
	if (status != VCI_OK)
		return status;
	row = vci_store_refresh_token(call->store, id, offer_id);
	if (row == NULL || row->issuer_id != call->issuer->rules.id)
		return vci_error(error, VCI_ERR_GRANT, "this refresh token no longer exists");
	successor = successor_of(call, row);
	call->now = vci_now(); /* the locks may have taken their time */
	status = check_token(call, row, successor, generation, error);
	if (status == VCI_OK)
		status = check_client(call, row, error);
	return status == VCI_OK ? refresh(call, row, successor, error) : status;
}
