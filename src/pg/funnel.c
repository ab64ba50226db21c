/*
 * vci_refresh_funnel: what the events tell of offers, added up.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "cache.h"
#include "duty.h"
#include "event.h"
#include "funnel.h"
#include "store_event_seal.h"
#include "store_funnel.h"
#include "values.h"

#define MAX_EVENTS 1000000

/* Events, and offers, of one statement, whose memory that bounds. */
#define COUNTED_AT_ONCE 20000
#define NOTED_AT_ONCE	100000

/*
 * An offer can be committed after its expiry, by a transaction that took longer than it was
 * good for, or be locked by a step that came at the last moment: what expired so shortly before
 * is looked at again.
 */
#define LOOK_BACK_SECONDS 600

static void
note_expiry(VciStore *store, const VciExpiredOffer *offer)
{
	VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, offer->issuer_id);
	VciEvent event = {
		.kind = VCI_EVENT_OFFER_EXPIRED, .issuer_id = offer->issuer_id, .offer_id = offer->id};

	/* that of a retired issuer is nobody's to be notified of */
	if (issuer == NULL)
		vci_store_record_event(store, &event, false);
	else
		vci_note(store, issuer, event);
}

/* Rows are as many as max at most, and events that are noted leave memory behind. */
static int32
note_expired_batch(VciStore *store, TimestampTz *since, int32 max)
{
	MemoryContext caller = MemoryContextSwitchTo(
		AllocSetContextCreate(store->context, "openid4vci expiry", ALLOCSET_DEFAULT_SIZES));
	MemoryContext kept = store->context;
	int count;
	VciExpiredOffer *offers;

	store->context = CurrentMemoryContext;
	offers = vci_store_note_expired_offers(store, *since, max, &count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		note_expiry(store, &offers[i]);
	}
	/* others may have expired at the same moment */
	if (count > 0)
		*since = Max(*since, offers[count - 1].expires_at - 1);
	store->context = kept;
	MemoryContextDelete(MemoryContextSwitchTo(caller));
	return count;
}

/*
 * Expiring is no step of anybody: it is noted by whoever comes next. An offer that somebody has
 * locked is passed over, and it may be hours since it expired: the next look begins there.
 */
static int64
note_expired_offers(VciStore *store, VciFunnelState *state, int32 max)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz begin =
		state->expired == 0
			? DT_NOBEGIN
			: TimestampTzPlusMilliseconds(state->expired, -1000 * (int64) LOOK_BACK_SECONDS);
	TimestampTz since = begin;
	TimestampTz unnoted;
	int64 total = 0;
	int32 count = 1;

	while (total < max && count > 0)
	{
		count = note_expired_batch(store, &since, (int32) Min(max - total, NOTED_AT_ONCE));
		total += count;
	}
	unnoted = vci_store_first_unnoted(store, begin);
	state->expired = unnoted == 0 ? now : unnoted - 1;
	return total;
}

static int64
count_events(VciStore *store, VciFunnelState *state, int32 max)
{
	int64 settled = vci_store_last_settled_event(store, state->mark);
	int64 total = 0;
	int64 counted = 1;

	while (total < max && counted > 0)
	{
		CHECK_FOR_INTERRUPTS();
		counted = vci_store_count_events(store, state, settled,
										 (int32) Min(max - total, COUNTED_AT_ONCE));
		total += counted;
	}
	/* what is left is told as of the last that was counted */
	if (state->mark >= settled)
		state->as_of = GetCurrentTimestamp();
	return total;
}

int64
vci_count_funnel(VciStore *store, int32 max_expired, int32 max_events)
{
	VciFunnelState state = {0};
	int64 done;

	if (!vci_store_lock_funnel(store, &state))
		return 0;
	done = note_expired_offers(store, &state, Min(max_expired, MAX_EVENTS));
	done += count_events(store, &state, Min(max_events, MAX_EVENTS));
	vci_store_set_funnel(store, &state);
	return done;
}

/* Counting shows nothing and changes no offer: whoever reads any issuer's reports may. */
static void
require_reader(VciStore *store)
{
	int count;
	int64 *ids = vci_store_issuer_ids(store, &count);

	/* before the first issuer, too */
	if (vci_may_read(store, VCI_ALL_ISSUERS))
		return;
	for (int i = 0; i < count; i++)
		if (vci_may_read(store, ids[i]))
			return;
	vci_require_duty(store, VCI_DUTY_REPORTER, VCI_ALL_ISSUERS);
}

PG_FUNCTION_INFO_V1(vci_refresh_funnel);

/* openid4vci.vci_refresh_funnel(max_events integer) returns bigint */
Datum
vci_refresh_funnel(PG_FUNCTION_ARGS)
{
	int32 max_events = PG_GETARG_INT32(0);
	VciStore *store = vci_store_open();
	int64 done;

	require_reader(store);
	if (max_events < 1 || max_events > MAX_EVENTS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_events must be from 1 to %d, it is %d", MAX_EVENTS, max_events),
						errhint("SELECT openid4vci.vci_refresh_funnel();")));
	done = vci_count_funnel(store, max_events, max_events);
	vci_store_close(store);
	PG_RETURN_INT64(done);
}

PG_FUNCTION_INFO_V1(vci_recount_funnel);

/* openid4vci.vci_recount_funnel() returns void */
Datum
vci_recount_funnel(PG_FUNCTION_ARGS pg_attribute_unused())
{
	VciStore *store = vci_store_open();
	VciFunnelState state = {0};

	vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	if (!vci_store_lock_funnel(store, &state))
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
						errmsg("another session is counting just now"), errhint("Try again.")));
	if (!vci_store_forget_funnel(store))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("events were purged: what they told could not be counted again"),
						errhint("Counts of a changed report_labels begin with the change.")));
	state.mark = 0;
	vci_store_set_funnel(store, &state);
	vci_store_close(store);
	PG_RETURN_VOID();
}
