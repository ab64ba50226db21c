#include "compat.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "event_seal.h"
#include "event_verify.h"

#define SEAL_CHUNK 16

typedef struct Walk
{
	VciStore *store;
	MemoryContext result; /* outlives the chunks */
	const VciSecret *key;
	const VciEventHead *head;
	int64 purged_through;
	int64 last_id;	  /* of the seal that was looked at last */
	bytea *last_mac;  /* its mac, NULL before the first one */
	int64 last_event; /* the highest that a segment up to here holds */
	VciEventVerdict verdict;
} Walk;

static void
note_problem(Walk *walk, int64 seal, const char *problem)
{
	walk->verdict.broken++;
	if (walk->verdict.problem != NULL)
		return;
	walk->verdict.broken_segment = seal;
	walk->verdict.problem = MemoryContextStrdup(walk->result, problem);
}

/* Is it the one that follows, as its maker left it? */
static bool
check_seal(Walk *walk, const VciSealRow *seal)
{
	if (seal->id != walk->last_id + 1)
	{
		if (seal->id < 1)
			note_problem(walk, seal->id, "the seal was added: the first one is seal 1");
		else
			note_problem(
				walk, walk->last_id + 1,
				psprintf("the seal was removed: the next one is seal %lld", (long long) seal->id));
		return false;
	}
	if (!vci_seal_holds(walk->key, seal, walk->last_mac))
	{
		note_problem(
			walk, seal->id,
			"the seal, or the one before it, was changed or forged: its MAC does not hold");
		return false;
	}
	return true;
}

static char *
purged_segment_problem(Walk *walk, const VciSealRow *segment)
{
	int count;
	VciSealedEventRow *events = vci_store_sealed_events(
		walk->store, walk->last_event, segment->end_event, segment->event_ids, 1, &count);

	if (count == 0)
		return NULL;
	return psprintf("event %lld was added: the events of this segment were purged",
					(long long) events[0].id);
}

static void
check_events(Walk *walk, const VciSealRow *segment)
{
	bool purged = segment->id <= walk->purged_through;
	TimestampTz newest;
	char *problem = purged ? purged_segment_problem(walk, segment)
						   : vci_segment_problem(walk->store, segment, walk->last_event, &newest);

	if (problem != NULL)
	{
		note_problem(walk, segment->id, problem);
		return;
	}
	walk->verdict.segments++;
	if (!purged)
		walk->verdict.events += segment->events;
}

static void
check_head(Walk *walk, const VciSealRow *seal)
{
	if (walk->head == NULL || seal->id != walk->head->id)
		return;
	if (VARSIZE_ANY_EXHDR(seal->mac) != VCI_DIGEST_BYTES ||
		!vci_bytes_equal(VARDATA_ANY(seal->mac), walk->head->mac, VCI_DIGEST_BYTES))
		note_problem(walk, seal->id,
					 "it is not the seal that head tells of: this one, or seals before it, "
					 "were made anew since");
}

static void
look_at(Walk *walk, const VciSealRow *seal)
{
	bool holds = check_seal(walk, seal);
	bytea *mac = walk->last_mac;

	check_head(walk, seal);
	if (strcmp(seal->kind, "segment") == 0)
	{
		if (holds)
			check_events(walk, seal);
		walk->last_event = Max(walk->last_event, seal->end_event - 1);
	}
	/* go on from what stands there, so that each break counts once */
	walk->last_id = Max(walk->last_id, seal->id);
	walk->last_mac = (bytea *) MemoryContextAlloc(walk->result, VARSIZE_ANY(seal->mac));
	memcpy(walk->last_mac, seal->mac, VARSIZE_ANY(seal->mac));
	if (mac != NULL)
		pfree(mac);
}

/* True when there may be more behind *after. */
static bool
look_at_chunk(Walk *walk, int64 *after)
{
	int count;
	VciSealRow *seals = vci_store_seals(walk->store, *after, SEAL_CHUNK, &count);

	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		look_at(walk, &seals[i]);
		*after = seals[i].id;
	}
	return count == SEAL_CHUNK;
}

static void
walk_all(Walk *walk)
{
	VciStore *store = walk->store;
	MemoryContext chunk =
		AllocSetContextCreate(walk->result, "openid4vci seals", ALLOCSET_DEFAULT_SIZES);
	int64 after = PG_INT64_MIN;
	bool more;

	store->context = chunk;
	do
	{
		MemoryContextReset(chunk);
		MemoryContextSwitchTo(chunk);
		more = look_at_chunk(walk, &after);
	} while (more);
	MemoryContextSwitchTo(walk->result);
	store->context = walk->result;
	MemoryContextDelete(chunk);
}

/*
 * The last segment whose events were purged, by the newest checkpoint whose MAC holds behind
 * the seal before it: a forged one must not excuse that events are missing.
 */
static int64
purged_through(VciStore *store, const VciSecret *key)
{
	int64 before = PG_INT64_MAX;
	VciSealRow *checkpoint;

	while ((checkpoint = vci_store_checkpoint(store, before)) != NULL)
	{
		int count;
		VciSealRow *previous = vci_store_seals(store, checkpoint->id - 2, 1, &count);

		CHECK_FOR_INTERRUPTS();
		if (count == 1 && previous->id == checkpoint->id - 1 &&
			vci_seal_holds(key, checkpoint, previous->mac))
			return checkpoint->purged_through;
		before = checkpoint->id;
	}
	return 0;
}

/* The tail of a chain can go without a trace in the rest of it. */
static void
check_tail(Walk *walk)
{
	if (walk->head == NULL || walk->head->id <= walk->last_id)
		return;
	note_problem(walk, walk->last_id + 1,
				 walk->last_id == 0
					 ? psprintf("the seals are gone: head tells of seal %lld, there is none",
								(long long) walk->head->id)
					 : psprintf("the newest seals are gone: head tells of seal %lld, the last one "
								"that is there is seal %lld",
								(long long) walk->head->id, (long long) walk->last_id));
}

VciEventVerdict
vci_verify_seals(VciStore *store, const VciEventHead *head)
{
	Walk walk = {.store = store, .result = store->context, .head = head};
	VciSealKeyRow key = {0};

	walk.last_event = PG_INT64_MIN;
	if (vci_store_seal_key(store, &key) && key.sealed != NULL)
	{
		walk.key = vci_seal_key(&key);
		walk.purged_through = purged_through(store, walk.key);
		walk_all(&walk);
	}
	else if (vci_store_last_seal(store) != NULL)
	{
		note_problem(&walk, 1, "no MAC can be checked: vci_database holds no event_key any more");
		return walk.verdict;
	}
	check_tail(&walk);
	return walk.verdict;
}
