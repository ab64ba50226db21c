/*
 * Changing the status of many credentials by few statements: which ones are meant, their lists
 * locked, the records, then the chunks that tell of them.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "store_statement.h"
#include "store_status.h"

/* One credential whose status has changed. */
typedef struct Changed
{
	int64 id;
	int64 offer_id;
	int64 list_id;
	int32 index;
} Changed;

typedef struct Ids
{
	int64 *of;
	int count;
} Ids;

/* A list, locked. */
typedef struct Locked
{
	int64 id;
	int32 bits;
	bool raised; /* has this transaction raised its version already? */
} Locked;

static void
put_ids(VciArguments *args, const int64 *ids, int count)
{
	Datum *values = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		values[i] = Int64GetDatum(ids[i]);
	vci_put_datum(args, PointerGetDatum(construct_array(values, count, INT8OID, sizeof(int64),
														FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
}

static void
put_numbers(VciArguments *args, const int32 *numbers, int count)
{
	Datum *values = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		values[i] = Int32GetDatum(numbers[i]);
	vci_put_datum(args, PointerGetDatum(construct_array(values, count, INT4OID, sizeof(int32), true,
														TYPALIGN_INT)));
}

/* The statuses from which a credential comes to this one; revoked is for good. */
static void
put_former(VciArguments *args, int32 value)
{
	static const int32 not_revoked[] = {VCI_STATUS_VALID, VCI_STATUS_SUSPENDED};
	static const int32 valid[] = {VCI_STATUS_VALID};
	static const int32 suspended[] = {VCI_STATUS_SUSPENDED};

	if (value == VCI_STATUS_INVALID)
		put_numbers(args, not_revoked, lengthof(not_revoked));
	else if (value == VCI_STATUS_SUSPENDED)
		put_numbers(args, valid, lengthof(valid));
	else
		put_numbers(args, suspended, lengthof(suspended));
}

/* Which credentials may change; $1 to $4 are the same in each statement. */
#define FIND(from, where)                                                                          \
	"SELECT c.id, c.status_list_id FROM " from " WHERE c.issuer_id = $1 "                          \
	"AND c.status_list_id IS NOT NULL AND c.status = ANY ($2) "                                    \
	"AND (c.expires_at IS NULL OR c.expires_at > $3) AND " where " LIMIT $4"
#define CREDENTIALS "openid4vci.vci_credential AS c"
#define OFFERED		"openid4vci.vci_offer AS o JOIN " CREDENTIALS " ON c.offer_id = o.id"
#define SENT                                                                                       \
	"openid4vci.vci_campaign_recipient AS r JOIN " CREDENTIALS " ON c.offer_id = r.offer_id"
#define SENT_OFFERED SENT " JOIN openid4vci.vci_offer AS o ON o.id = r.offer_id"
#define FIND_TYPES	 INT8OID, INT4ARRAYOID, TIMESTAMPTZOID, INT4OID

static int
run_find(VciStore *store, const VciStatusTarget *target, VciArguments *args)
{
	static VciStatement by_credential = {
		FIND(CREDENTIALS, "c.id = $5"), 5, {FIND_TYPES, INT8OID}, NULL};
	static VciStatement by_offer = {
		FIND(CREDENTIALS, "c.offer_id = $5"), 5, {FIND_TYPES, INT8OID}, NULL};
	static VciStatement by_subject = {
		FIND(CREDENTIALS, "c.subject_id = $5 AND c.subject_model IS NOT DISTINCT FROM $6"),
		6,
		{FIND_TYPES, TEXTOID, TEXTOID},
		NULL};
	static VciStatement by_labels = {
		FIND(OFFERED, "o.issuer_id = $1 AND o.labels @> $5"), 5, {FIND_TYPES, JSONBOID}, NULL};
	static VciStatement by_campaign = {
		FIND(SENT, "r.campaign_id = $5"), 5, {FIND_TYPES, INT8OID}, NULL};
	static VciStatement by_both = {FIND(SENT_OFFERED, "r.campaign_id = $5 AND o.issuer_id = $1 "
													  "AND o.labels @> $6"),
								   6,
								   {FIND_TYPES, INT8OID, JSONBOID},
								   NULL};

	if (target->credential_id != 0 || target->offer_id != 0)
	{
		vci_put_int64(args, target->credential_id + target->offer_id);
		return vci_run(store, target->offer_id != 0 ? &by_offer : &by_credential, args);
	}
	if (target->subject_id != NULL)
	{
		vci_put_text(args, target->subject_id);
		vci_put_text(args, target->subject_model);
		return vci_run(store, &by_subject, args);
	}
	if (target->campaign_id != 0)
		vci_put_int64(args, target->campaign_id);
	if (target->labels == (Datum) 0)
		return vci_run(store, &by_campaign, args);
	vci_put_json(args, target->labels);
	return vci_run(store, target->campaign_id != 0 ? &by_both : &by_labels, args);
}

static int
compare_ids(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

static void
sort_without_repeats(Ids *ids)
{
	int kept = 0;

	qsort(ids->of, ids->count, sizeof(int64), compare_ids);
	for (int i = 0; i < ids->count; i++)
		if (kept == 0 || ids->of[i] != ids->of[kept - 1])
			ids->of[kept++] = ids->of[i];
	ids->count = kept;
}

static Ids
column_of_ids(int count, int column)
{
	Ids ids = {palloc(sizeof(int64) * Max(count, 1)), count};

	for (int i = 0; i < count; i++)
		ids.of[i] = vci_column_int64(i, column);
	return ids;
}

/* The credentials that are meant and, in the order of their ids, the lists that have them. */
static Ids
find_credentials(VciStore *store, const VciStatusTarget *target, const VciStatusChange *change,
				 Ids *lists)
{
	VciArguments args = {0};
	Ids credentials;
	int count;

	vci_put_int64(&args, target->issuer_id);
	put_former(&args, change->value);
	vci_put_now(&args);
	vci_put_int32(&args, change->max_rows);
	count = run_find(store, target, &args);
	credentials = column_of_ids(count, 1);
	*lists = column_of_ids(count, 2);
	SPI_freetuptable(SPI_tuptable);
	sort_without_repeats(lists);
	return credentials;
}

/*
 * Many calls in one transaction raise a version once: nobody sees it before the commit, and each
 * further version of the row would be passed by all later ones. What else this transaction did
 * to the row (making, closing it) has told its readers as well.
 */
static Locked *
lock_lists(VciStore *store, const Ids *lists, int32 value)
{
	static VciStatement statement = {
		"SELECT l.id, l.bits, l.xmin = pg_current_xact_id()::xid "
		"FROM openid4vci.vci_status_list AS l WHERE l.id = ANY ($1) ORDER BY l.id "
		"FOR NO KEY UPDATE",
		1,
		{INT8ARRAYOID},
		NULL};
	VciArguments args = {0};
	Locked *locked = palloc(sizeof(Locked) * lists->count);
	int count;

	put_ids(&args, lists->of, lists->count);
	count = vci_run(store, &statement, &args);
	if (count != lists->count)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("a status list of a credential that is meant is gone")));
	for (int i = 0; i < count; i++)
	{
		locked[i] =
			(Locked){vci_column_int64(i, 1), vci_column_int32(i, 2), vci_column_boolean(i, 3)};
		if (value >> locked[i].bits != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("a credential that is meant can be revoked, but not suspended: its "
							"status list has 1 bit for each"),
					 errhint("Credentials that are issued after vci_alter_configuration(id, "
							 "'{\"status_bits\": 2}') can.")));
	}
	return locked;
}

/*
 * Nobody else changes a status of the lists now; what was changed before they were locked is
 * left out. Records are locked in the order of their ids, as notifications lock them.
 */
static Changed *
change_records(VciStore *store, const Ids *credentials, const VciStatusChange *change, int *count)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_credential AS u SET status = $3, status_reason = $4, "
		"status_changed_at = $5, status_changed_by = $6 WHERE u.id = ANY (ARRAY(SELECT c.id "
		"FROM openid4vci.vci_credential AS c WHERE c.id = ANY ($1) AND c.status = ANY ($2) "
		"ORDER BY c.id FOR NO KEY UPDATE)) "
		"RETURNING u.id, u.offer_id, u.status_list_id, u.status_index",
		6,
		{INT8ARRAYOID, INT4ARRAYOID, INT4OID, TEXTOID, TIMESTAMPTZOID, NAMEOID},
		NULL};
	VciArguments args = {0};
	Changed *changed;

	put_ids(&args, credentials->of, credentials->count);
	put_former(&args, change->value);
	vci_put_int32(&args, change->value);
	vci_put_text(&args, change->reason);
	vci_put_now(&args);
	vci_put_role(&args, store->caller);
	*count = vci_run(store, &statement, &args);
	changed = palloc(sizeof(Changed) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		changed[i] = (Changed){vci_column_int64(i, 1), vci_column_int64(i, 2),
							   vci_column_int64(i, 3), vci_column_int32(i, 4)};
	SPI_freetuptable(SPI_tuptable);
	return changed;
}

static int
compare_places(const void *a, const void *b)
{
	const Changed *left = a;
	const Changed *right = b;

	if (left->list_id != right->list_id)
		return left->list_id < right->list_id ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* Chunks of one list, as they become. */
typedef struct Chunks
{
	int count;
	int32 *numbers; /* ascending */
	bytea **statuses;
} Chunks;

static void
add_chunk(Chunks *chunks, int32 number)
{
	bytea *zeros;

	if (chunks->count > 0 && chunks->numbers[chunks->count - 1] == number)
		return;
	zeros = palloc0(VARHDRSZ + VCI_STATUS_CHUNK_BYTES);
	SET_VARSIZE(zeros, VARHDRSZ + VCI_STATUS_CHUNK_BYTES);
	chunks->numbers[chunks->count] = number;
	chunks->statuses[chunks->count++] = zeros;
}

static void
read_chunks(VciStore *store, int64 list_id, const Chunks *chunks)
{
	static VciStatement statement = {
		"SELECT k.chunk, k.statuses FROM openid4vci.vci_status_chunk AS k WHERE k.list_id = $1 "
		"AND k.chunk = ANY ($2) ORDER BY k.chunk",
		2,
		{INT8OID, INT4ARRAYOID},
		NULL};
	VciArguments args = {0};
	int count;
	int at = 0;

	vci_put_int64(&args, list_id);
	put_numbers(&args, chunks->numbers, chunks->count);
	count = vci_run(store, &statement, &args);
	for (int i = 0; i < count; i++)
	{
		int32 number = vci_column_int32(i, 1);
		bytea *stored = vci_column_bytea(store, i, 2);

		while (chunks->numbers[at] != number)
			at++;
		if (VARSIZE_ANY_EXHDR(stored) != VCI_STATUS_CHUNK_BYTES)
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
							errmsg("chunk %d of status list %lld has %zu bytes, not %d", number,
								   (long long) list_id, (size_t) VARSIZE_ANY_EXHDR(stored),
								   VCI_STATUS_CHUNK_BYTES)));
		memcpy(VARDATA(chunks->statuses[at]), VARDATA_ANY(stored), VCI_STATUS_CHUNK_BYTES);
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
write_chunks(VciStore *store, int64 list_id, const Chunks *chunks)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_status_chunk AS k (list_id, chunk, statuses) "
		"SELECT $1, n.chunk, n.statuses FROM unnest($2, $3) AS n (chunk, statuses) "
		"ON CONFLICT (list_id, chunk) DO UPDATE SET statuses = EXCLUDED.statuses",
		3,
		{INT8OID, INT4ARRAYOID, BYTEAARRAYOID},
		NULL};
	VciArguments args = {0};
	Datum *values = palloc(sizeof(Datum) * chunks->count);

	for (int i = 0; i < chunks->count; i++)
		values[i] = PointerGetDatum(chunks->statuses[i]);
	vci_put_int64(&args, list_id);
	put_numbers(&args, chunks->numbers, chunks->count);
	vci_put_datum(&args, PointerGetDatum(construct_array(values, chunks->count, BYTEAOID, -1, false,
														 TYPALIGN_INT)));
	vci_run(store, &statement, &args);
}

/* Whoever publishes the list sees by its version that it has changed. */
static void
raise_version(VciStore *store, int64 list_id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_status_list AS l SET version = l.version + 1, "
		"changed_at = GREATEST(l.changed_at, $2) WHERE l.id = $1",
		2,
		{INT8OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, list_id);
	vci_put_now(&args);
	vci_run(store, &statement, &args);
}

/* changed: those of this list, by their index. */
static void
publish_in_list(VciStore *store, const Locked *list, const Changed *changed, int count, int32 value)
{
	int32 per_chunk = VCI_STATUS_CHUNK_BYTES * BITS_PER_BYTE / list->bits;
	Chunks chunks = {0, palloc(sizeof(int32) * count), palloc(sizeof(bytea *) * count)};
	int at = 0;

	if (!list->raised)
		raise_version(store, list->id);
	for (int i = 0; i < count; i++)
		add_chunk(&chunks, changed[i].index / per_chunk);
	read_chunks(store, list->id, &chunks);
	for (int i = 0; i < count; i++)
	{
		while (chunks.numbers[at] != changed[i].index / per_chunk)
			at++;
		vci_status_set((unsigned char *) VARDATA(chunks.statuses[at]), list->bits,
					   changed[i].index % per_chunk, value);
	}
	write_chunks(store, list->id, &chunks);
}

/* Both by the ids of the lists. */
static void
publish(VciStore *store, const Locked *list, Changed *changed, int count, int32 value)
{
	qsort(changed, count, sizeof(Changed), compare_places);
	for (int from = 0, to; from < count; from = to)
	{
		CHECK_FOR_INTERRUPTS();
		for (to = from; to < count && changed[to].list_id == changed[from].list_id;)
			to++;
		while (list->id != changed[from].list_id)
			list++;
		publish_in_list(store, list, &changed[from], to - from, value);
	}
}

/* An event's row is written without a statement; what that takes goes after each. */
static void
note(VciStore *store, int64 issuer_id, const Changed *changed, int count,
	 const VciStatusChange *change)
{
	MemoryContext row =
		AllocSetContextCreate(CurrentMemoryContext, "openid4vci event", ALLOCSET_SMALL_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(row);

	for (int i = 0; i < count; i++)
	{
		VciEvent event = {.kind = change->event,
						  .issuer_id = issuer_id,
						  .offer_id = changed[i].offer_id,
						  .credential_id = changed[i].id};

		CHECK_FOR_INTERRUPTS();
		vci_store_record_event(store, &event, change->notify);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(row);
}

/*
 * NULL: there is nothing to change. Who finds as many as it may change, and all of them changed by
 * somebody else before it had the lists, looks for others: 0 means that none is left.
 */
static Changed *
change_found(VciStore *store, const VciStatusTarget *target, const VciStatusChange *change,
			 Locked **locked, int *count)
{
	for (;;)
	{
		Ids lists;
		Ids credentials = find_credentials(store, target, change, &lists);
		Changed *changed;

		if (credentials.count == 0)
			return NULL;
		*locked = lock_lists(store, &lists, change->value);
		changed = change_records(store, &credentials, change, count);
		if (*count > 0)
			return changed;
		if (credentials.count < change->max_rows)
			return NULL;
		CHECK_FOR_INTERRUPTS();
	}
}

int64
vci_store_change_status(VciStore *store, const VciStatusTarget *target,
						const VciStatusChange *change)
{
	Locked *locked;
	int count;
	Changed *changed = change_found(store, target, change, &locked, &count);

	if (changed == NULL)
		return 0;
	publish(store, locked, changed, count, change->value);
	note(store, target->issuer_id, changed, count, change);
	return count;
}
