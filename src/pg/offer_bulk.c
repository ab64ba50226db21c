/*
 * Offers of a campaign, or with labels, extended or cancelled at once.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "duty.h"
#include "event.h"
#include "offer_choice.h"
#include "store_offer_bulk.h"
#include "values.h"

static VciOfferSet
set_of_choice(const VciOfferChoice *choice)
{
	return (VciOfferSet){.issuer_id = choice->issuer->rules.id,
						 .campaign_id = choice->campaign_id,
						 .labels = choice->labels,
						 .max = choice->max_rows};
}

/* expired_kind: of those whose expiry was noted before. */
static void
note_offers(VciStore *store, const VciIssuerEntry *issuer, const VciChangedOffer *offers, int count,
			const char *kind, const char *expired_kind)
{
	MemoryContext row =
		AllocSetContextCreate(CurrentMemoryContext, "openid4vci offer", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row);

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row);
		vci_note(store, issuer,
				 (VciEvent){.kind = offers[i].expiry_noted ? expired_kind : kind,
							.offer_id = offers[i].id});
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row);
}

#define LONGEST_EXTENSION (INT64CONST(3653) * SECS_PER_DAY)

/* As far off as vci_extend_offer lets one end. */
static int64
new_end(FunctionCallInfo fcinfo, int n)
{
	int64 now = vci_now();
	int64 end;

	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("expires_at must not be null")));
	end = TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(n))
			  ? 0
			  : vci_seconds_of_timestamp(PG_GETARG_TIMESTAMPTZ(n));
	if (end <= now || end > now + LONGEST_EXTENSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("expires_at must lie in the future, at most 10 years off"),
						errhint("For example now() + interval '30 days'.")));
	return end;
}

PG_FUNCTION_INFO_V1(vci_extend_offers);

/* openid4vci.vci_extend_offers(expires_at timestamptz, campaign bigint, labels jsonb,
 * issuer text, max_rows integer) returns bigint */
Datum
vci_extend_offers(PG_FUNCTION_ARGS)
{
	int64 expires_at = new_end(fcinfo, 0);
	VciStore *store = vci_store_open();
	VciOfferChoice choice =
		vci_offer_choice(fcinfo, store, (VciOfferChoiceArguments){1, 2, 3, 4, 0});
	VciOfferSet set = set_of_choice(&choice);
	VciChangedOffer *offers;
	int count;

	offers = vci_store_extend_offers(store, &set, expires_at, &count);
	note_offers(store, choice.issuer, offers, count, VCI_EVENT_OFFER_EXTENDED,
				VCI_EVENT_OFFER_REVIVED);
	vci_store_close(store);
	PG_RETURN_INT64(count);
}

PG_FUNCTION_INFO_V1(vci_cancel_offers);

/* openid4vci.vci_cancel_offers(campaign bigint, labels jsonb, issuer text, max_rows integer)
 * returns bigint */
Datum
vci_cancel_offers(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciOfferChoice choice =
		vci_offer_choice(fcinfo, store, (VciOfferChoiceArguments){0, 1, 2, 3, 0});
	VciOfferSet set = set_of_choice(&choice);
	int count;
	VciChangedOffer *offers = vci_store_cancel_offers(
		store, &set, choice.issuer->rules.refresh_token_lifetime > 0, &count);

	note_offers(store, choice.issuer, offers, count, VCI_EVENT_OFFER_CANCELLED,
				VCI_EVENT_OFFER_CANCELLED);
	vci_store_close(store);
	PG_RETURN_INT64(count);
}
