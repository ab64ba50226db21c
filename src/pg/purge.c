/*
 * vci_purge: what nobody needs any more goes, a batch at a time. Kinds share a batch, so that
 * one with an endless backlog does not keep the others waiting.
 */
#include "compat.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "cache.h"
#include "duty.h"
#include "event_seal.h"
#include "funnel.h"
#include "store_funnel.h"
#include "store_purge.h"
#include "store_purge_terms.h"
#include "values.h"

/* As long as any setting of dpop_proof_max_age lets a proof live, and its leeway. */
#define DPOP_PROOF_SECONDS (3600 + 60)

/* An event and the ends_at that goes with it are not of exactly the same second. */
#define EVENT_LEEWAY 2

/* Events can be a little older than those of lower ids: seconds. */
#define COUNTING_LEEWAY 600

/* Events: with more to count, the funnel is behind, however old they are. */
#define LEFT_TO_COUNT 100000

/* The other mark of kind recipient. */
#define VCI_RECIPIENT_CAMPAIGN "recipient_campaign"

/* Rows looked at in one call, for each that may be removed. */
#define LOOKS 10

/* From one sweep of a table to the next: a share of what its rows are kept, but not less. */
#define SWEEP_SHARE			 24
#define SHORTEST_SWEEP_PAUSE SECS_PER_HOUR

/* A request that nobody approved goes after a day, whatever the settings are. */
#define SHORTEST_AUTHORIZATION INT64CONST(86400)

typedef struct Purge
{
	VciStore *store;
	int64 now;
	int64 counted_through; /* what came to an end until then stands in the funnel */
	VciRetention retention;
} Purge;

typedef struct Progress
{
	bool looked;
	int64 purged;
	int64 remaining;
} Progress;

typedef struct PurgeKind
{
	const char *name;
	/* Removes at most max (> 0) rows, adds to purged and sets remaining. */
	void (*purge)(const Purge *purge, const struct PurgeKind *kind, int32 max, Progress *progress);
	VciSweep sweep;
} PurgeKind;

static int64
longest_nonce_lifetime(VciStore *store)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	int64 longest = 0;

	for (int i = 0; i < count; i++)
		longest = Max(longest, issuers[i].rules.c_nonce_lifetime);
	return longest;
}

static void
purge_nonces(const Purge *purge, const PurgeKind *kind pg_attribute_unused(), int32 max,
			 Progress *progress)
{
	int64 before = purge->now - longest_nonce_lifetime(purge->store) - 1;
	int64 purged = vci_store_purge_nonces(purge->store, before, max);

	progress->purged += purged;
	progress->remaining =
		purged < max ? 0 : vci_store_count_old_nonces(purge->store, before, (int64) max * LOOKS);
}

static void
purge_dpop_proofs(const Purge *purge, const PurgeKind *kind pg_attribute_unused(), int32 max,
				  Progress *progress)
{
	int64 before = purge->now - DPOP_PROOF_SECONDS;
	int64 purged = vci_store_purge_dpop_proofs(purge->store, before, max);

	progress->purged += purged;
	progress->remaining =
		purged < max ? 0
					 : vci_store_count_old_dpop_proofs(purge->store, before, (int64) max * LOOKS);
}

/*
 * Offers that ended before their claims are due: issued for the last time, denied, cancelled.
 * The events tell it, so that issuing writes nothing for this; an offer that is passed over here
 * is found when its claims are due. An ending can cost two changes, of the offer and of its
 * deferral: the mark stays where there is room for one of them alone.
 */
static void
purge_ended_claims(const Purge *purge, const PurgeKind *kind, int32 max, Progress *progress)
{
	VciStore *store = purge->store;
	int64 ripe = purge->now - purge->retention.longest_retry_window - EVENT_LEEWAY;
	VciPurgeMark mark;
	VciEndings endings;
	int64 purged;

	if (!vci_store_lock_mark(store, kind->name, &mark))
		return;
	endings = vci_store_endings(store, mark.mark, ripe, (int64) max * LOOKS, Max(1, max / 2));
	vci_store_end_denied_offers(store, purge->now, endings.deferred);
	purged = vci_store_erase_offer_claims(store, purge->now, endings.offers);
	if (endings.deferred_count > max - purged)
	{
		endings.mark = mark.mark;
		endings.more = true;
	}
	else
		purged += vci_store_erase_deferred_claims(store, purge->now, endings.deferred);
	if (endings.mark != mark.mark)
		vci_store_set_mark(store, kind->name, endings.mark, 0);
	progress->purged += purged;
	if (endings.more)
		progress->remaining += Max(1, vci_store_last_event(store) - endings.mark);
}

static void
purge_claims(const Purge *purge, const PurgeKind *kind, int32 max, Progress *progress)
{
	int64 purged = vci_store_purge_due_claims(purge->store, purge->now, max);

	progress->purged += purged;
	progress->remaining =
		purged < max ? 0
					 : vci_store_count_due_claims(purge->store, purge->now, (int64) max * LOOKS);
	if (purged < max)
		purge_ended_claims(purge, kind, (int32) (max - purged), progress);
	else
		progress->remaining++; /* the endings have still to be looked at */
}

/*
 * Events are sealed before their time is over, whether they are kept for good or not. They go
 * in whole segments, all issuers' together: so the longest retention counts.
 */
static void
purge_events(const Purge *purge, const PurgeKind *kind pg_attribute_unused(), int32 max,
			 Progress *progress)
{
	int64 kept = purge->retention.longest_event;

	progress->remaining = 0;
	(void) vci_seal_new_events(purge->store, (int32) Min((int64) max * LOOKS, PG_INT32_MAX));
	if (kept > 0)
		progress->purged += vci_purge_events(
			purge->store, vci_timestamp_of_seconds(purge->now - kept), max, &progress->remaining);
}

/* Seconds that rows of a table are kept after their end, at least; 0: all are kept for good. */
static int64
shortest_retention(const Purge *purge, VciSweep sweep)
{
	const VciRetention *retention = &purge->retention;

	switch (sweep)
	{
		case VCI_SWEEP_TOKEN:
		case VCI_SWEEP_REFRESH_TOKEN:
			return retention->shortest_token;
		case VCI_SWEEP_AUTHORIZATION:
			return Min(retention->shortest_token, SHORTEST_AUTHORIZATION);
		case VCI_SWEEP_DEFERRED:
		case VCI_SWEEP_KEPT_CLAIMS:
			return 1; /* claims go as soon as nobody needs them */
		case VCI_SWEEP_OFFER:
			return retention->shortest_offer;
		case VCI_SWEEP_CREDENTIAL:
			return retention->shortest_credential;
	}
	return 0;
}

static bool
is_resting(const Purge *purge, const VciPurgeMark *mark, int64 retention)
{
	return mark->mark < 0 ||
		   (mark->mark == 0 &&
			purge->now < mark->swept_at + Max(SHORTEST_SWEEP_PAUSE, retention / SWEEP_SHARE));
}

/*
 * Claims that were kept are looked for twice and then no more, until an issuer ceases to keep
 * them: the second time for offers that were being made when it did.
 */
static int64
mark_behind(VciSweep sweep, const VciPurgeMark *mark)
{
	return sweep == VCI_SWEEP_KEPT_CLAIMS && mark->swept_at != 0 ? -1 : 0;
}

/* The funnel counts what events tell of offers, which it looks up: none goes before. */
static bool
waits_for_funnel(const Purge *purge, VciSweep sweep, int64 retention)
{
	return (sweep == VCI_SWEEP_OFFER || sweep == VCI_SWEEP_CREDENTIAL) &&
		   purge->now - retention >= purge->counted_through - COUNTING_LEEWAY;
}

/*
 * A table that has no index for this is read in the order of its ids, some rows a call. The
 * sweep ends at the table's end, or where all rows are younger than what has to go.
 */
static void
sweep_table(const Purge *purge, const PurgeKind *kind, int32 max, Progress *progress)
{
	VciStore *store = purge->store;
	int64 retention = shortest_retention(purge, kind->sweep);
	int64 max_rows = (int64) max * LOOKS;
	VciPurgeMark mark;
	VciSweepWindow window;

	progress->remaining = 0;
	if (retention == 0 || !vci_store_lock_mark(store, kind->name, &mark) ||
		is_resting(purge, &mark, retention))
		return;
	if (waits_for_funnel(purge, kind->sweep, retention))
	{
		progress->remaining = 1;
		return;
	}
	window = vci_store_look(store, kind->sweep, purge->now, mark.mark, max_rows, max,
							purge->now - retention);
	progress->purged += vci_store_clear(store, kind->sweep, purge->now, window.due);
	if (window.due_count < max && (window.count < max_rows || !(window.old || window.due_count)))
	{
		vci_store_set_mark(store, kind->name, mark_behind(kind->sweep, &mark), purge->now);
		return;
	}
	vci_store_set_mark(store, kind->name, window.last, 0);
	progress->remaining = Max(1, vci_store_last_id(store, kind->sweep) - window.last);
}

/* Addresses are kept as long as offers, but never for good. */
static int64
recipient_retention(const Purge *purge)
{
	int64 offers = purge->retention.shortest_offer;
	int64 usual = atoi(VCI_RECIPIENT_SECONDS);

	return offers == 0 ? usual : Min(offers, usual);
}

/* As sweep_table, by campaign and id: each has a mark of its own. */
static void
purge_recipients(const Purge *purge, const PurgeKind *kind, int32 max, Progress *progress)
{
	VciStore *store = purge->store;
	int64 max_rows = (int64) max * LOOKS;
	VciPurgeMark campaign;
	VciPurgeMark recipient;
	VciRecipientWindow window;

	progress->remaining = 0;
	if (!vci_store_lock_mark(store, VCI_RECIPIENT_CAMPAIGN, &campaign) ||
		!vci_store_lock_mark(store, kind->name, &recipient) ||
		is_resting(purge, &campaign, recipient_retention(purge)))
		return;
	window = vci_store_look_at_recipients(store, purge->now, campaign.mark, recipient.mark,
										  max_rows, max);
	if (window.due_count > 0)
		progress->purged +=
			vci_store_clear_recipients(store, purge->now, campaign.mark, recipient.mark, &window);
	if (window.due_count < max && window.count < max_rows)
	{
		vci_store_set_mark(store, VCI_RECIPIENT_CAMPAIGN, 0, purge->now);
		vci_store_set_mark(store, kind->name, 0, purge->now);
		return;
	}
	vci_store_set_mark(store, VCI_RECIPIENT_CAMPAIGN, window.last_campaign, 0);
	vci_store_set_mark(store, kind->name, window.last, 0);
	progress->remaining = max_rows;
}

static const PurgeKind kinds[] = {
	{"nonce", purge_nonces, 0},
	{"dpop_proof", purge_dpop_proofs, 0},
	{VCI_KEPT_CLAIMS, sweep_table, VCI_SWEEP_KEPT_CLAIMS},
	{VCI_CLAIMS, purge_claims, 0},
	{"deferred", sweep_table, VCI_SWEEP_DEFERRED},
	{"token", sweep_table, VCI_SWEEP_TOKEN},
	{"refresh_token", sweep_table, VCI_SWEEP_REFRESH_TOKEN},
	{"authorization", sweep_table, VCI_SWEEP_AUTHORIZATION},
	{"offer", sweep_table, VCI_SWEEP_OFFER},
	{"recipient", purge_recipients, 0},
	{"credential", sweep_table, VCI_SWEEP_CREDENTIAL},
	{"event", purge_events, 0},
};

#define KINDS ((int) lengthof(kinds))

/* More than max may go: the segment of events that begins within it. */
static void
purge_kind(const Purge *purge, int n, int32 max, Progress *progress, int32 *left)
{
	int64 before = progress[n].purged;

	if (max < 1)
		return;
	kinds[n].purge(purge, &kinds[n], max, &progress[n]);
	progress[n].looked = true;
	*left -= (int32) (progress[n].purged - before);
}

/*
 * First each kind gets its equal share, then those that have more to do get what is left. With
 * fewer rows than kinds, chance says who begins.
 */
static void
purge_kinds(const Purge *purge, int32 max_rows, Progress *progress)
{
	int32 left = max_rows;
	int first = max_rows < KINDS ? (int) (GetCurrentTimestamp() % KINDS) : 0;

	for (int i = 0; i < KINDS; i++)
		purge_kind(purge, (first + i) % KINDS, max_rows / KINDS, progress, &left);
	for (int i = 0; i < KINDS; i++)
	{
		int n = (first + i) % KINDS;

		if (!progress[n].looked || progress[n].remaining > 0)
			purge_kind(purge, n, left, progress, &left);
	}
}

static void
put_progress(ReturnSetInfo *result, const Progress *progress)
{
	for (int i = 0; i < KINDS; i++)
	{
		Datum values[3];
		bool nulls[3] = {false};

		values[0] = CStringGetTextDatum(kinds[i].name);
		values[1] = Int64GetDatum(progress[i].purged);
		values[2] = Int64GetDatum(progress[i].looked ? progress[i].remaining : 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static void
require_right_to_purge(VciStore *store)
{
	if (!vci_has_duty(store, VCI_DUTY_OFFERER, VCI_ALL_ISSUERS))
		vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
}

static void
check_max_rows(int32 max_rows)
{
	if (max_rows < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be positive, it is %d", max_rows),
						errhint("SELECT * FROM openid4vci.vci_purge(10000);")));
}

PG_FUNCTION_INFO_V1(vci_purge_batch);

/* openid4vci.vci_purge(max_rows integer, OUT kind text, OUT purged bigint,
 * OUT remaining bigint) returns setof record */
Datum
vci_purge_batch(PG_FUNCTION_ARGS)
{
	int32 max_rows = PG_GETARG_INT32(0);
	Progress progress[KINDS] = {0};
	Purge purge = {.now = vci_now()};

	InitMaterializedSRF(fcinfo, 0);
	check_max_rows(max_rows);
	purge.store = vci_store_open();
	require_right_to_purge(purge.store);
	purge.retention = vci_store_retention(purge.store);
	(void) vci_count_funnel(purge.store, max_rows,
							(int32) Min((int64) max_rows * LOOKS, PG_INT32_MAX));
	purge.counted_through = vci_store_funnel_counted_through(purge.store, LEFT_TO_COUNT);
	purge_kinds(&purge, max_rows, progress);
	put_progress((ReturnSetInfo *) fcinfo->resultinfo, progress);
	vci_store_close(purge.store);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(vci_purge);

/* openid4vci.vci_purge(max_rows integer) returns bigint, of version 0.1.0: nonces and proofs */
Datum
vci_purge(PG_FUNCTION_ARGS)
{
	Purge purge = {.now = vci_now()};
	int32 max_rows = PG_GETARG_INT32(0);
	Progress progress = {0};

	check_max_rows(max_rows);
	purge.store = vci_store_open();
	vci_require_duty(purge.store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	purge_nonces(&purge, NULL, max_rows, &progress);
	if (progress.purged < max_rows)
		purge_dpop_proofs(&purge, NULL, (int32) (max_rows - progress.purged), &progress);
	vci_store_close(purge.store);
	PG_RETURN_INT64(progress.purged);
}
