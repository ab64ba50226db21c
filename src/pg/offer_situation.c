/*
 * vci_offer_situation: what a help desk wants to know of an offer.
 */
#include "compat.h"

#include <math.h>

#include "utils/builtins.h"

#include "../jose/did.h"
#include "duty.h"
#include "offer_functions.h"
#include "offer_situation.h"
#include "offer_situation.h"
#include "release.h"
#include "report.h"
#include "values.h"

static VciOfferRow *
offer_to_read(VciStore *store, int64 id)
{
	VciOfferRow *offer = vci_store_offer(store, id, false);

	if (offer == NULL || !vci_may_read(store, offer->issuer_id))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no offer %lld of an issuer that you may read", (long long) id)));
	return offer;
}

static VciOfferStanding
standing_of(VciStore *store, const VciIssuerEntry *issuer, const VciOfferRow *offer, int64 now)
{
	double delay = issuer->rules.tx_code_retry_delay - offer->tx_code_failed_ago;
	bool failed = offer->tx_code_failed_ago >= 0;
	VciOfferStanding standing = {
		.cancelled = offer->cancelled,
		.redeemed = offer->redeemed,
		.issued = offer->issued,
		.claims_erased = offer->claims_erased,
		.brings_more = vci_offer_brings_more(issuer, offer),
		.has_tx_code = offer->tx_code_mode != NULL,
		.locked = offer->tx_code_mode != NULL &&
				  offer->tx_code_failures >= issuer->rules.tx_code_max_failures,
		.tx_code_from = failed && delay > 0 ? now + (int64) ceil(delay) : 0,
		.expires_at = offer->expires_at,
		.ends_at = offer->ends_at};

	if (offer->redeemed && !offer->cancelled)
		standing.deferral = vci_store_deferral_of_offer(store, offer->id, offer->generation,
														&standing.deferral_expires_at);
	return standing;
}

static bool
is_holder_unknown(VciStore *store, const VciOfferRow *offer)
{
	char **did;

	if (offer->holder_did == NULL || vci_did_method(offer->holder_did) != VCI_DID_WEB)
		return false;
	did = vci_own_text();
	vci_require_memory(*did = vci_did_of_url(offer->holder_did));
	return vci_store_did_document(store, *did) == NULL;
}

static bool
is_configuration_retired(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	for (int i = 0; i < offer->configuration_count; i++)
		if (vci_cache_find_configuration(issuer, offer->configuration_ids[i]) < 0)
			return true;
	return false;
}

/* Why a wallet that does everything right gets nothing now; NULL: it gets it. */
static const char *
obstacle_of(VciStore *store, const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	if (issuer->is_copy)
		return "copy";
	if (issuer->rules.issuance_paused)
		return "paused";
	if (issuer->signing.id == 0)
		return "no_key";
	if (is_configuration_retired(issuer, offer))
		return "configuration_retired";
	if (is_holder_unknown(store, offer))
		return "holder_unknown";
	return NULL;
}

static Datum
told(FunctionCallInfo fcinfo, const VciSituation *situation, const char *obstacle)
{
	Datum values[5];
	bool nulls[5] = {false, situation->until == 0, obstacle == NULL, situation->next_action == NULL,
					 false};

	values[0] = CStringGetTextDatum(situation->name);
	values[1] = TimestampTzGetDatum(vci_timestamp_of_seconds(situation->until));
	values[2] = obstacle == NULL ? (Datum) 0 : CStringGetTextDatum(obstacle);
	values[3] =
		situation->next_action == NULL ? (Datum) 0 : CStringGetTextDatum(situation->next_action);
	values[4] = vci_text_array_datum((char **) situation->actions, situation->action_count);
	return vci_row_datum(fcinfo, values, nulls);
}

const char *
vci_tell_offer(VciStore *store, const VciIssuerEntry *issuer, const VciOfferRow *offer, int64 now,
			   VciSituation *situation)
{
	VciOfferStanding standing = standing_of(store, issuer, offer, now);

	vci_situation_of(&standing, now, situation);
	return situation->may_issue ? obstacle_of(store, issuer, offer) : NULL;
}

PG_FUNCTION_INFO_V1(vci_offer_situation);

/* openid4vci.vci_offer_situation(offer_id bigint, OUT situation text, OUT until timestamptz,
 * OUT obstacle text, OUT next_action text, OUT actions text[]) */
Datum
vci_offer_situation(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciOfferRow *offer = offer_to_read(store, PG_GETARG_INT64(0));
	VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, offer->issuer_id);
	VciSituation situation = {.name = "issuer_retired"};
	const char *obstacle = NULL;

	if (issuer != NULL)
		obstacle = vci_tell_offer(store, issuer, offer, vci_now(), &situation);
	vci_store_close(store);
	PG_RETURN_DATUM(told(fcinfo, &situation, obstacle));
}
