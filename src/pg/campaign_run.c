/*
 * openid4vci.vci_campaign_run: a campaign from its first to its last offer, committed in chunks.
 */
#include "compat.h"

#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "campaign_step.h"
#include "funnel.h"
#include "store_transaction.h"

#define LONGEST_SLEEP	2 /* seconds; somebody may pause it meanwhile */
#define NOTICE_INTERVAL 2 /* seconds */
#define FUNNEL_INTERVAL 15
#define FUNNEL_EVENTS	100000

typedef struct Run
{
	int64 id;
	int64 left; /* of max_rows */
	MemoryContext memory;
	TimestampTz told_at;
	TimestampTz counted_at;
	VciCampaignStep step;
} Run;

/* Chunks are committed, so nobody may be in a transaction of his own. */
static void
require_top_level(FunctionCallInfo fcinfo)
{
	CallContext *call = (CallContext *) fcinfo->context;

	if (call != NULL && IsA(call, CallContext) && !call->atomic)
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
					errmsg("vci_campaign_run commits each chunk, so it can't run within a "
						   "transaction or function"),
					errhint("Call it alone, or take steps in your own transaction: SELECT * FROM "
							"openid4vci.vci_campaign_step(...);")));
}

static void
begin(Run *run)
{
	MemoryContextReset(run->memory);
	MemoryContextSwitchTo(run->memory);
	vci_store_begin();
}

/* Whoever is cancelled while it waits loses nothing; it ends, too, when the postmaster is gone. */
static void
rest(double seconds)
{
	long milliseconds = seconds > 0 ? (long) (Min(seconds, LONGEST_SLEEP) * 1000) + 1 : 0;

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static bool
is_due(TimestampTz *last, int seconds)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!TimestampDifferenceExceeds(*last, now, seconds * 1000))
		return false;
	*last = now;
	return true;
}

static char *
time_left(double seconds)
{
	int64 minutes = (int64) (seconds / 60);

	if (minutes >= 60)
		return psprintf("%lld h %lld min", (long long) (minutes / 60), (long long) (minutes % 60));
	if (minutes > 0)
		return psprintf("%lld min", (long long) minutes);
	return psprintf("%d s", (int) seconds + 1);
}

static void
tell_progress(Run *run)
{
	const VciCampaignStep *step = &run->step;
	int64 done = step->made_so_far + step->existing_so_far + step->failed_so_far;

	if (step->loaded > 0)
		ereport(NOTICE, (errmsg("campaign %lld: %lld recipients loaded", (long long) run->id,
								(long long) step->loaded)));
	if (step->rate <= 0 || !is_due(&run->told_at, NOTICE_INTERVAL))
		return;
	ereport(NOTICE, (errmsg("campaign %lld: %lld of %lld done, %.0f a second, %s left",
							(long long) run->id, (long long) done, (long long) step->recipients,
							step->rate, time_left((step->recipients - done) / step->rate))));
}

static void
tell_end(const Run *run)
{
	const VciCampaignStep *step = &run->step;

	ereport(
		NOTICE,
		(errmsg("campaign %lld is %s: %lld offers made, %lld there already, %lld failed, of %lld",
				(long long) run->id, step->state, (long long) step->made_so_far,
				(long long) step->existing_so_far, (long long) step->failed_so_far,
				(long long) step->recipients),
		 step->failed_so_far > 0
			 ? errhint("SELECT * FROM openid4vci.vci_campaign_failure_info WHERE campaign_id = "
					   "%lld;",
					   (long long) run->id)
			 : 0));
}

static bool
is_over(const Run *run)
{
	const char *state = run->step.state;

	return run->left <= 0 || strcmp(state, "finished") == 0 || strcmp(state, "paused") == 0 ||
		   strcmp(state, "cancelled") == 0;
}

/* Reports that are read meanwhile count along. */
static void
count_funnel(Run *run)
{
	VciStore *store;

	begin(run);
	store = vci_store_open();
	(void) vci_count_funnel(store, FUNNEL_EVENTS, FUNNEL_EVENTS);
	vci_store_close(store);
	vci_store_commit();
}

static void
take_step(Run *run)
{
	const VciCampaignStep *step = &run->step;

	begin(run);
	vci_campaign_take_step(run->id, run->left, &run->step);
	vci_store_commit();
	run->left -= step->made + step->existing + step->failed;
	tell_progress(run);
	if (is_due(&run->counted_at, FUNNEL_INTERVAL))
		count_funnel(run);
}

PG_FUNCTION_INFO_V1(vci_campaign_run);

/* procedure openid4vci.vci_campaign_run(campaign bigint, max_rows bigint) */
Datum
vci_campaign_run(PG_FUNCTION_ARGS)
{
	Run run = {.told_at = GetCurrentTimestamp(), .counted_at = GetCurrentTimestamp()};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("campaign must not be null")));
	run.id = PG_GETARG_INT64(0);
	run.left = PG_ARGISNULL(1) ? PG_INT64_MAX : PG_GETARG_INT64(1);
	if (run.left < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be positive, it is %lld", (long long) run.left)));
	require_top_level(fcinfo);
	vci_store_take_transactions();
	run.memory = AllocSetContextCreate(CurrentMemoryContext, "campaign", ALLOCSET_DEFAULT_SIZES);
	take_step(&run);
	while (!is_over(&run))
	{
		rest(run.step.wait);
		take_step(&run);
	}
	tell_end(&run);
	count_funnel(&run);
	vci_store_leave_transactions();
	PG_RETURN_VOID();
}
