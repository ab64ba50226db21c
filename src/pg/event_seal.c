#include "compat.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "event_seal.h"
#include "release.h"
#include "report.h"
#include "root_key.h"
#include "values.h"

#define SEGMENT_EVENTS 1000
#define KEY_LABEL	   "openid4vci event seal"
#define MAC_VERSION	   "openid4vci event seal v1"

const VciSecret *
vci_seal_key(const VciSealKeyRow *row)
{
	VciSensitiveBytes *key = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	const unsigned char *plain;
	VciSecret master;
	VciStatus status;
	size_t len;

	vci_root_unseal(VCI_EVENT_KEY, 1, row->sealed, row->root_key_id, &plain, &len);
	if (len != sizeof(master.bytes))
		elog(ERROR, "the key of the seals has %zu bytes", len);
	key->data = malloc(sizeof(VciSecret));
	vci_require_memory(key->data);
	key->len = sizeof(VciSecret);
	memcpy(master.bytes, plain, len);
	status = vci_derive(&master, KEY_LABEL, (VciSecret *) key->data, &error);
	vci_wipe(&master, sizeof(master));
	vci_require(status, &error);
	return (const VciSecret *) key->data;
}

static void
make_key(VciStore *store, VciSealKeyRow *row)
{
	VciError error = VCI_ERROR_INIT;
	VciSecret master;

	vci_root_keys_follow(store);
	vci_require(vci_random(master.bytes, sizeof(master.bytes), &error), &error);
	row->sealed =
		vci_root_seal(VCI_EVENT_KEY, 1, master.bytes, sizeof(master.bytes), &row->root_key_id);
	vci_wipe(&master, sizeof(master));
	vci_store_set_seal_key(store, row);
}

static void
put_bytes(StringInfo bytes, const bytea *value)
{
	vci_append_value(bytes, value ? VARDATA_ANY(value) : NULL,
					 value ? VARSIZE_ANY_EXHDR(value) : 0);
}

static void
mac_of_seal(const VciSecret *key, const VciSealRow *seal, const bytea *previous,
			unsigned char mac[VCI_DIGEST_BYTES])
{
	VciError error = VCI_ERROR_INIT;
	StringInfoData bytes;

	initStringInfo(&bytes);
	vci_append_value(&bytes, MAC_VERSION, strlen(MAC_VERSION));
	vci_append_number(&bytes, seal->id);
	vci_append_value(&bytes, seal->kind, strlen(seal->kind));
	vci_append_value(&bytes, seal->event_ids, strlen(seal->event_ids));
	vci_append_number(&bytes, seal->events);
	vci_append_number(&bytes, seal->purged_through);
	vci_append_number(&bytes, seal->sealed_at);
	put_bytes(&bytes, seal->digest);
	put_bytes(&bytes, previous);
	vci_require(vci_hmac(key, bytes.data, bytes.len, mac, &error), &error);
	pfree(bytes.data);
}

bool
vci_seal_holds(const VciSecret *key, const VciSealRow *seal, const bytea *previous)
{
	unsigned char mac[VCI_DIGEST_BYTES];

	mac_of_seal(key, seal, previous, mac);
	return VARSIZE_ANY_EXHDR(seal->mac) == sizeof(mac) &&
		   vci_bytes_equal(VARDATA_ANY(seal->mac), mac, sizeof(mac));
}

void
vci_append_seal(VciStore *store, const VciSecret *key, const VciSealRow *last, VciSealRow *seal)
{
	unsigned char mac[VCI_DIGEST_BYTES];

	seal->id = last == NULL ? 1 : last->id + 1;
	seal->sealed_at = GetCurrentTimestamp();
	mac_of_seal(key, seal, last == NULL ? NULL : last->mac, mac);
	seal->mac = vci_bytea(mac, sizeof(mac));
	vci_store_insert_seal(store, seal);
}

bytea *
vci_digest_of_events(const VciSealedEventRow *events, int count)
{
	VciDigest **digest = vci_own_digest();
	VciError error = VCI_ERROR_INIT;
	unsigned char result[VCI_DIGEST_BYTES];

	*digest = vci_digest_new();
	vci_require_memory(*digest);
	for (int i = 0; i < count; i++)
		vci_require(vci_digest_update(*digest, events[i].bytes, events[i].len, &error), &error);
	vci_require(vci_digest_finish(*digest, result, &error), &error);
	vci_digest_free(*digest);
	*digest = NULL;
	return vci_bytea(result, sizeof(result));
}

/* The ids as an int8multirange is written. */
static char *
multirange_of(const VciSealedEventRow *events, int count)
{
	StringInfoData ranges;

	initStringInfo(&ranges);
	appendStringInfoChar(&ranges, '{');
	for (int i = 0; i < count; i++)
	{
		bool begins = i == 0 || events[i - 1].id + 1 != events[i].id;
		bool ends = i + 1 == count || events[i].id + 1 != events[i + 1].id;

		if (begins)
			appendStringInfo(&ranges, "%s[" INT64_FORMAT ",", i == 0 ? "" : ",", events[i].id);
		if (ends)
			appendStringInfo(&ranges, INT64_FORMAT ")", events[i].id + 1);
	}
	appendStringInfoChar(&ranges, '}');
	return ranges.data;
}

/* Seals at most max events behind *last_event, up to the settled one; 0: there are none. */
static int
seal_segment(VciStore *store, const VciSecret *key, const VciSealRow *last, int64 last_event,
			 int64 settled, int32 max, VciSealRow *seal)
{
	int count;
	VciSealedEventRow *events =
		vci_store_sealed_events(store, last_event, settled + 1, NULL, max, &count);

	if (count == 0)
		return 0;
	memset(seal, 0, sizeof(*seal));
	seal->kind = "segment";
	seal->event_ids = multirange_of(events, count);
	seal->first_event = events[0].id;
	seal->end_event = events[count - 1].id + 1;
	seal->events = count;
	seal->digest = vci_digest_of_events(events, count);
	vci_append_seal(store, key, last, seal);
	return count;
}

/* What is settled under one snapshot, which was taken behind the lock. */
static int64
seal_all(VciStore *store, const VciSecret *key, int32 max_events)
{
	MemoryContext caller = store->context;
	MemoryContext even = AllocSetContextCreate(caller, "openid4vci seal", ALLOCSET_DEFAULT_SIZES);
	MemoryContext odd = AllocSetContextCreate(caller, "openid4vci seal", ALLOCSET_DEFAULT_SIZES);
	const VciSealRow *last = vci_store_last_seal(store);
	const VciSealRow *segment = vci_store_last_segment(store);
	int64 last_event = segment == NULL ? 0 : segment->end_event - 1;
	int64 settled = vci_store_last_settled_event(store, last_event);
	VciSealRow seals[2];
	int64 sealed = 0;
	int count = 1;

	/* a seal needs the one before it: two contexts take turns */
	for (int turn = 0; count > 0 && sealed < max_events && last_event < settled; turn ^= 1)
	{
		CHECK_FOR_INTERRUPTS();
		store->context = turn == 0 ? even : odd;
		MemoryContextReset(store->context);
		MemoryContextSwitchTo(store->context);
		count = seal_segment(store, key, last, last_event, settled,
							 (int32) Min(SEGMENT_EVENTS, max_events - sealed), &seals[turn]);
		if (count == 0)
			break;
		last = &seals[turn];
		last_event = last->end_event - 1;
		sealed += count;
	}
	MemoryContextSwitchTo(caller);
	store->context = caller;
	MemoryContextDelete(even);
	MemoryContextDelete(odd);
	return sealed;
}

/* Under a snapshot that sees what the holders of the lock before us did. */
static int64
seal_under_new_snapshot(VciStore *store, const VciSecret *key, int32 max_events)
{
	int64 sealed;

	PushActiveSnapshot(GetTransactionSnapshot());
	sealed = seal_all(store, key, max_events);
	PopActiveSnapshot();
	return sealed;
}

static bool
seals_exist(VciStore *store)
{
	bool exist;

	PushActiveSnapshot(GetTransactionSnapshot());
	exist = vci_store_last_seal(store) != NULL;
	PopActiveSnapshot();
	return exist;
}

/* Is the root key the one of this database? One that opens nothing here is another's. */
static bool
root_key_opens_something(VciStore *store, const char **sealed_under)
{
	VciRootKeyUse *uses;
	VciRootKeys keys;
	int count;
	bool opens;

	PushActiveSnapshot(GetTransactionSnapshot());
	uses = vci_store_root_key_uses(store, &count);
	PopActiveSnapshot();
	vci_root_keys_read(&keys);
	opens = count == 0;
	for (int i = 0; i < count && !opens; i++)
		opens = vci_root_keys_find(&keys, uses[i].root_key_id) != NULL;
	vci_wipe(&keys, sizeof(keys));
	*sealed_under = count == 0 ? NULL : uses[0].root_key_id;
	return opens;
}

int64
vci_seal_settled_events(VciStore *store, int32 max_events)
{
	VciSealKeyRow row = {0};
	const char *sealed_under;

	if (!vci_store_lock_seals(store, true, &row))
		return 0;
	if (row.sealed == NULL && seals_exist(store))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key of the seals is gone from openid4vci.vci_database"),
				 errdetail("There are seals, so there was a key: event_key is null now."),
				 errhint("Bring event_key and root_key_id back from a backup: UPDATE "
						 "openid4vci.vci_database SET event_key = ..., root_key_id = ...;")));
	if (row.sealed == NULL)
	{
		if (!root_key_opens_something(store, &sealed_under))
			vci_root_key_require(VCI_ISSUER_DATA_KEY, sealed_under);
		make_key(store, &row);
	}
	return seal_under_new_snapshot(store, vci_seal_key(&row), max_events);
}

/* Is there a root key, and the one that this was sealed under? */
static bool
root_key_there(const VciSealKeyRow *row)
{
	VciRootKeys keys;
	char *problem;
	bool there;

	if (!vci_root_keys_usable(&problem))
		return false;
	if (row->sealed == NULL)
		return true;
	vci_root_keys_read(&keys);
	there = vci_root_keys_find(&keys, row->root_key_id) != NULL;
	vci_wipe(&keys, sizeof(keys));
	return there;
}

const VciSecret *
vci_seal_key_for_purge(VciStore *store)
{
	VciSealKeyRow row = {0};
	const char *sealed_under;

	if (!vci_store_lock_seals(store, false, &row) || !root_key_there(&row))
		return NULL;
	if (row.sealed == NULL)
	{
		if (seals_exist(store) || !root_key_opens_something(store, &sealed_under))
			return NULL;
		make_key(store, &row);
	}
	return vci_seal_key(&row);
}

int64
vci_seal_new_events(VciStore *store, int32 max_events)
{
	const VciSecret *key = vci_seal_key_for_purge(store);

	return key == NULL ? 0 : seal_under_new_snapshot(store, key, max_events);
}

/* The events that are there, checked one chunk after the other. */
static char *
events_problem(VciStore *store, const VciSealRow *segment, int64 after, VciDigest *digest,
			   int64 *members, TimestampTz *newest)
{
	VciError error = VCI_ERROR_INIT;
	int count;

	do
	{
		VciSealedEventRow *events = vci_store_sealed_events(
			store, after, segment->end_event, segment->event_ids, SEGMENT_EVENTS, &count);

		for (int i = 0; i < count; i++)
		{
			if (!events[i].member)
				return psprintf("event %lld was added: it is none of those that were sealed",
								(long long) events[i].id);
			vci_require(vci_digest_update(digest, events[i].bytes, events[i].len, &error), &error);
			*newest = Max(*newest, events[i].at);
			after = events[i].id;
		}
		*members += count;
	} while (count == SEGMENT_EVENTS);
	return NULL;
}

char *
vci_segment_problem(VciStore *store, const VciSealRow *segment, int64 after, TimestampTz *newest)
{
	VciDigest **digest = vci_own_digest();
	VciError error = VCI_ERROR_INIT;
	unsigned char result[VCI_DIGEST_BYTES];
	int64 members = 0;
	char *problem;

	*newest = DT_NOBEGIN;
	*digest = vci_digest_new();
	vci_require_memory(*digest);
	problem = events_problem(store, segment, after, *digest, &members, newest);
	if (problem != NULL)
		return problem;
	if (members != segment->events)
		return psprintf("event %lld was removed; %lld of %lld events are there",
						(long long) vci_store_missing_event(store, segment->event_ids),
						(long long) members, (long long) segment->events);
	vci_require(vci_digest_finish(*digest, result, &error), &error);
	if (VARSIZE_ANY_EXHDR(segment->digest) != sizeof(result) ||
		memcmp(VARDATA_ANY(segment->digest), result, sizeof(result)) != 0)
		return psprintf("an event was changed: the digest of events %lld to %lld differs",
						(long long) segment->first_event, (long long) segment->end_event - 1);
	return NULL;
}
