/*
 * Events that nobody has to keep any more: the one way to remove any.
 */
#include "compat.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "event_seal.h"
#include "store_funnel.h"
#include "store_purge.h"

#define SEAL_CHUNK 16

/* Is the DELETE of the purge itself at work? */
static bool purge_deletes = false;

static int64
delete_events(VciStore *store, const VciSealRow *segment)
{
	int64 deleted;

	purge_deletes = true;
	PG_TRY();
	{
		deleted = vci_store_delete_events(store, segment);
	}
	PG_FINALLY();
	{
		purge_deletes = false;
	}
	PG_END_TRY();
	return deleted;
}

typedef struct EventPurge
{
	VciStore *store;
	TimestampTz before;
	int32 max_rows;
	int64 mark;		  /* of the purge of claims, or of the funnel: no event above it goes */
	int64 last_event; /* of the segment that was looked at last */
	int64 through;	  /* the last segment that was purged */
	int64 purged;
	int64 remaining;
} EventPurge;

static void
warn_of_broken_segment(const VciSealRow *segment, const char *problem)
{
	ereport(WARNING, (errcode(ERRCODE_DATA_CORRUPTED),
					  errmsg("the events of segment %lld and later ones are not purged",
							 (long long) segment->id),
					  errdetail("The segment is broken: %s.", problem),
					  errhint("SELECT * FROM openid4vci.vci_verify_events();")));
}

static void
note_remaining(EventPurge *purge, const VciSealRow *next)
{
	purge->remaining =
		Max(next->events, vci_store_events_before(purge->store, next->id - 1, purge->before));
}

/* False: this segment stays, and so do all behind it. */
static bool
purge_segment(EventPurge *purge, const VciSealRow *segment)
{
	VciPurgeMark claims;
	TimestampTz newest;
	char *problem;

	problem = vci_segment_problem(purge->store, segment, purge->last_event, &newest);
	if (problem != NULL)
	{
		/* its removal would hide what was done to it */
		warn_of_broken_segment(segment, problem);
		return false;
	}
	if (newest >= purge->before)
		return false;
	if (segment->end_event - 1 > purge->mark)
	{
		/* who holds the mark may be long about it: no reason to call again at once */
		if (vci_store_lock_mark(purge->store, VCI_CLAIMS, &claims))
			note_remaining(purge, segment);
		return false;
	}
	if (purge->purged > 0 && purge->purged + segment->events > purge->max_rows)
	{
		note_remaining(purge, segment);
		return false;
	}
	purge->purged += delete_events(purge->store, segment);
	purge->through = segment->id;
	return true;
}

/* A chunk of seals; false: that was all that is due. */
static bool
purge_chunk(EventPurge *purge, int64 *last_id)
{
	int count;
	VciSealRow *seals = vci_store_seals(purge->store, *last_id, SEAL_CHUNK, &count);

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		*last_id = seals[i].id;
		if (strcmp(seals[i].kind, "segment") != 0)
			continue;
		if (!purge_segment(purge, &seals[i]))
			return false;
		purge->last_event = seals[i].end_event - 1;
	}
	return count == SEAL_CHUNK;
}

static void
purge_segments(EventPurge *purge)
{
	VciStore *store = purge->store;
	MemoryContext caller = store->context;
	MemoryContext chunk = AllocSetContextCreate(caller, "openid4vci seals", ALLOCSET_DEFAULT_SIZES);
	const VciSealRow *checkpoint = vci_store_checkpoint(store, PG_INT64_MAX);
	int64 last_id = checkpoint == NULL ? 0 : checkpoint->purged_through;
	bool more;

	store->context = chunk;
	do
	{
		MemoryContextReset(chunk);
		MemoryContextSwitchTo(chunk);
		more = purge_chunk(purge, &last_id);
	} while (more);
	MemoryContextSwitchTo(caller);
	store->context = caller;
	MemoryContextDelete(chunk);
}

/* Tells, under the seals' own chain, that the events of these segments are gone rightly. */
static void
append_checkpoint(VciStore *store, const VciSecret *key, int64 through)
{
	VciSealRow checkpoint = {.kind = "checkpoint", .event_ids = "{}", .purged_through = through};

	checkpoint.digest = vci_digest_of_events(NULL, 0);
	vci_append_seal(store, key, vci_store_last_seal(store), &checkpoint);
}

int64
vci_purge_events(VciStore *store, TimestampTz before, int32 max_rows, int64 *remaining)
{
	EventPurge purge = {
		.store = store, .before = before, .max_rows = max_rows, .last_event = PG_INT64_MIN};
	const VciSecret *key = vci_seal_key_for_purge(store);

	*remaining = 0;
	if (key == NULL)
		return 0;
	PushActiveSnapshot(GetTransactionSnapshot());
	purge.mark = Min(vci_store_claims_mark(store), vci_store_funnel_mark(store));
	purge_segments(&purge);
	if (purge.purged > 0)
		append_checkpoint(store, key, purge.through);
	PopActiveSnapshot();
	*remaining = purge.remaining;
	return purge.purged;
}

PG_FUNCTION_INFO_V1(vci_event_append_only);

/* openid4vci.vci_event_append_only() returns trigger */
Datum
vci_event_append_only(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *statement;

	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "vci_event_append_only is a trigger function");
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event) && purge_deletes)
		return PointerGetDatum(NULL);
	statement = TRIGGER_FIRED_BY_DELETE(trigger->tg_event)	 ? "DELETE"
				: TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE"
															 : "TRUNCATE";
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s of openid4vci.%s is refused: it is evidence, to which rows are "
					"only added",
					statement, RelationGetRelationName(trigger->tg_relation)),
			 errhint("SELECT * FROM openid4vci.vci_purge(); removes events that are older than "
					 "the issuers' event_retention.")));
}
