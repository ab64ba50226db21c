/*
 * The pre-authorized code grant (OpenID4VCI 1.0 section 6.1).
 */
#include "compat.h"

#include <math.h>

#include "../protocol/offer.h"
#include "event.h"
#include "offer_functions.h"
#include "token_grant.h"
#include "values.h"

static bool
tx_code_matches(const VciTokenCall *call, const VciOfferRow *offer)
{
	bytea *verifier;

	if (call->request->tx_code == NULL || offer->tx_code_verifier == NULL)
		return false;
	verifier = vci_tx_code_verifier(call->issuer, offer->id, call->request->tx_code);
	return VARSIZE_ANY_EXHDR(offer->tx_code_verifier) == VCI_DIGEST_BYTES &&
		   vci_bytes_equal(VARDATA_ANY(offer->tx_code_verifier), VARDATA(verifier),
						   VCI_DIGEST_BYTES);
}

/* Seconds, rounded up, until the offer takes a transaction code again. */
static int32
tx_code_wait(const VciTokenCall *call, const VciOfferRow *offer)
{
	double left = call->issuer->rules.tx_code_retry_delay - offer->tx_code_failed_ago;

	return offer->tx_code_failed_ago < 0 || left <= 0 ? 0 : (int32) ceil(left);
}

static VciOfferFacts
facts_of(const VciTokenCall *call, const VciOfferRow *offer)
{
	return (VciOfferFacts){.generation = offer->generation,
						   .cancelled = offer->cancelled,
						   .redeemed = offer->redeemed,
						   .authorization_only =
							   !vci_offer_has_grant(offer, VCI_GRANT_PRE_AUTHORIZED),
						   .expires_at = offer->expires_at,
						   .has_tx_code = offer->tx_code_verifier != NULL,
						   .tx_code_failures = offer->tx_code_failures,
						   .tx_code_wait = tx_code_wait(call, offer),
						   .client_id = offer->client_id};
}

/* A wrong transaction code counts, and the last one locks the offer. */
static void
count_failure(VciTokenCall *call, const VciOfferRow *offer)
{
	vci_store_count_tx_code_failure(call->store, offer->id);
	vci_note(call->store, call->issuer,
			 (VciEvent){.kind = VCI_EVENT_TX_CODE_FAILED, .offer_id = offer->id});
	if (offer->tx_code_failures + 1 >= call->issuer->rules.tx_code_max_failures)
		vci_note(call->store, call->issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_LOCKED, .offer_id = offer->id});
}

static VciStatus
check_offer(VciTokenCall *call, const VciOfferRow *offer, int32 generation, VciError *error)
{
	VciOfferFacts facts = facts_of(call, offer);
	VciStatus status =
		vci_token_check_offer(call->request, &facts, &call->issuer->rules, generation,
							  tx_code_matches(call, offer), call->now, error);

	if (status == VCI_ERR_TX_CODE_WRONG)
		count_failure(call, offer);
	if (status == VCI_ERR_TOO_MANY)
		call->retry_after = facts.tx_code_wait;
	return status;
}

VciStatus
vci_grant_pre_authorized(VciTokenCall *call, VciError *error)
{
	VciGranted granted = {0};
	VciOfferRow *offer;
	int64 id;
	int32 generation;
	int64 token_id;
	VciStatus status = vci_grant_open(call, VCI_TICKET_CODE, &id, NULL, &generation, error);

	if (status != VCI_OK)
		return status;
	offer = vci_store_offer(call->store, id, true);
	if (offer == NULL || offer->issuer_id != call->issuer->rules.id)
		return vci_error(error, VCI_ERR_GRANT, "this offer no longer exists");
	call->now = vci_now(); /* the lock may have taken its time */
	status = check_offer(call, offer, generation, error);
	if (status != VCI_OK)
		return status;
	granted = (VciGranted){.offer = offer,
						   .configuration_ids = offer->configuration_ids,
						   .configuration_count = offer->configuration_count,
						   .client_id = call->request->client_id};
	status = vci_grant_select(call, &granted, error);
	if (status != VCI_OK)
		return status;
	vci_store_redeem_offer(call->store, offer->id, vci_grant_end(call));
	token_id = vci_grant_token(call, &granted, vci_grant_refresh_token(call, &granted));
	vci_note(
		call->store, call->issuer,
		(VciEvent){.kind = VCI_EVENT_OFFER_REDEEMED, .offer_id = offer->id, .token_id = token_id});
	return VCI_OK;
}
