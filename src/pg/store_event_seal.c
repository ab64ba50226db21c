#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "store_event_seal.h"
#include "store_statement.h"

#define SEAL_COLUMNS                                                                               \
	"SELECT s.id, s.kind, s.event_ids::text, lower(s.event_ids), upper(s.event_ids), s.events, "   \
	"s.purged_through, s.sealed_at, s.digest, s.mac FROM openid4vci.vci_event_seal AS s "

/* A horizon in the future is of the cluster that a dump came from, where all have ended. */
#define SETTLED(next)                                                                              \
	"(e.horizon <= pg_snapshot_xmin(pg_current_snapshot()) OR e.horizon > " next ")"

#define EVENT_COLUMN_COUNT 13

static bool
key_of_result(VciStore *store, int rows, VciSealKeyRow *key)
{
	if (rows > 0)
	{
		key->sealed = vci_column_bytea(store, 0, 1);
		key->root_key_id = vci_column_text(store, 0, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return rows > 0;
}

bool
vci_store_lock_seals(VciStore *store, bool wait, VciSealKeyRow *key)
{
	static VciStatement waiting = {
		"SELECT d.event_key, d.root_key_id FROM openid4vci.vci_database AS d FOR NO KEY UPDATE",
		0,
		{0},
		NULL};
	static VciStatement skipping = {
		"SELECT d.event_key, d.root_key_id FROM openid4vci.vci_database AS d "
		"FOR NO KEY UPDATE SKIP LOCKED",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	return key_of_result(store, vci_run(store, wait ? &waiting : &skipping, &args), key);
}

bool
vci_store_seal_key(VciStore *store, VciSealKeyRow *key)
{
	static VciStatement statement = {
		"SELECT d.event_key, d.root_key_id FROM openid4vci.vci_database AS d", 0, {0}, NULL};
	VciArguments args = {0};

	return key_of_result(store, vci_read(store, &statement, &args), key);
}

void
vci_store_set_seal_key(VciStore *store, const VciSealKeyRow *key)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_database SET event_key = $1, root_key_id = $2",
		2,
		{BYTEAOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_bytea(&args, key->sealed);
	vci_put_text(&args, key->root_key_id);
	vci_run(store, &statement, &args);
}

static VciSealRow *
seals_of_result(VciStore *store, int rows)
{
	VciSealRow *seals = palloc0(sizeof(VciSealRow) * Max(rows, 1));

	for (int i = 0; i < rows; i++)
	{
		seals[i].id = vci_column_int64(i, 1);
		seals[i].kind = vci_column_text(store, i, 2);
		seals[i].event_ids = vci_column_text(store, i, 3);
		seals[i].first_event = vci_column_int64(i, 4);
		seals[i].end_event = vci_column_int64(i, 5);
		seals[i].events = vci_column_int64(i, 6);
		seals[i].purged_through = vci_column_int64(i, 7);
		seals[i].sealed_at = vci_column_int64(i, 8);
		seals[i].digest = vci_column_bytea(store, i, 9);
		seals[i].mac = vci_column_bytea(store, i, 10);
	}
	SPI_freetuptable(SPI_tuptable);
	return seals;
}

VciSealRow *
vci_store_seals(VciStore *store, int64 after, int32 max, int *count)
{
	static VciStatement statement = {
		SEAL_COLUMNS "WHERE s.id > $1 ORDER BY s.id LIMIT $2", 2, {INT8OID, INT4OID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, after);
	vci_put_int32(&args, max);
	*count = vci_read(store, &statement, &args);
	return seals_of_result(store, *count);
}

VciSealRow *
vci_store_last_seal(VciStore *store)
{
	static VciStatement statement = {SEAL_COLUMNS "ORDER BY s.id DESC LIMIT 1", 0, {0}, NULL};
	VciArguments args = {0};
	int count = vci_read(store, &statement, &args);
	VciSealRow *seals = seals_of_result(store, count);

	return count == 0 ? NULL : seals;
}

VciSealRow *
vci_store_last_segment(VciStore *store)
{
	static VciStatement statement = {
		SEAL_COLUMNS "WHERE s.kind = 'segment' ORDER BY s.id DESC LIMIT 1", 0, {0}, NULL};
	VciArguments args = {0};
	int count = vci_read(store, &statement, &args);
	VciSealRow *seals = seals_of_result(store, count);

	return count == 0 ? NULL : seals;
}

VciSealRow *
vci_store_checkpoint(VciStore *store, int64 before)
{
	static VciStatement statement = {
		SEAL_COLUMNS "WHERE s.kind = 'checkpoint' AND s.id < $1 ORDER BY s.id DESC LIMIT 1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	VciSealRow *seals;
	int count;

	vci_put_int64(&args, before);
	count = vci_read(store, &statement, &args);
	seals = seals_of_result(store, count);
	return count == 0 ? NULL : seals;
}

void
vci_store_insert_seal(VciStore *store, const VciSealRow *seal)
{
	/* under REPEATABLE READ a conflict with a seal that the snapshot does not see raises 40001 */
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_event_seal "
		"(id, kind, event_ids, events, purged_through, sealed_at, digest, mac) "
		"VALUES ($1, $2, $3::int8multirange, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
		8,
		{INT8OID, TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, BYTEAOID, BYTEAOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, seal->id);
	vci_put_text(&args, seal->kind);
	vci_put_text(&args, seal->event_ids);
	vci_put_int64(&args, seal->events);
	vci_put_int64_or_null(&args, seal->purged_through);
	vci_put_int64(&args, seal->sealed_at);
	vci_put_bytea(&args, seal->digest);
	vci_put_bytea(&args, seal->mac);
	if (vci_run(store, &statement, &args) == 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("the events were sealed by another transaction meanwhile"),
						errhint("Try again.")));
}

int64
vci_store_last_settled_event(VciStore *store, int64 after)
{
	/*
	 * $2 is read when the snapshot stands already: what the snapshot shows of this cluster
	 * has a horizon that is not above it.
	 */
	static VciStatement statement = {
		"SELECT e.id FROM openid4vci.vci_event AS e WHERE e.id > $1 AND " SETTLED(
			"$2") " ORDER BY e.id DESC LIMIT 1",
		2,
		{INT8OID, XID8OID},
		NULL};
	VciArguments args = {0};
	int64 id;

	vci_put_int64(&args, after);
	vci_put_datum(&args, FullTransactionIdGetDatum(ReadNextFullTransactionId()));
	id = vci_read(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : 0;
	SPI_freetuptable(SPI_tuptable);
	return id;
}

static void
append_length(StringInfo bytes, int32 len)
{
	uint32 network_order = pg_hton32((uint32) len);

	appendBinaryStringInfo(bytes, (const char *) &network_order, sizeof(network_order));
}

void
vci_append_value(StringInfo bytes, const void *value, size_t len)
{
	append_length(bytes, value == NULL ? -1 : (int32) len);
	if (value != NULL)
		appendBinaryStringInfo(bytes, value, (int) len);
}

void
vci_append_number(StringInfo bytes, int64 value)
{
	uint64 network_order = pg_hton64((uint64) value);

	vci_append_value(bytes, &network_order, sizeof(network_order));
}

static void
append_column(StringInfo bytes, int row, int column)
{
	Oid type = SPI_gettypeid(SPI_tuptable->tupdesc, column);
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
	text *string;

	if (is_null)
		vci_append_value(bytes, NULL, 0);
	else if (type == INT8OID || type == TIMESTAMPTZOID)
		vci_append_number(bytes, DatumGetInt64(value));
	else
	{
		Assert(type == TEXTOID);
		string = DatumGetTextPP(value);
		vci_append_value(bytes, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
	}
}

VciSealedEventRow *
vci_store_sealed_events(VciStore *store, int64 after, int64 end, const char *event_ids, int32 max,
						int *count)
{
	static VciStatement statement = {
		"SELECT e.id, e.at, e.issuer_id, e.offer_id, e.authorization_id, e.token_id, "
		"e.deferred_id, e.credential_id, e.kind, e.actor::text, e.key_id, e.role_name::text, "
		"e.duty, COALESCE(e.id <@ $3::int8multirange, true) "
		"FROM openid4vci.vci_event AS e WHERE e.id > $1 AND e.id < $2 ORDER BY e.id LIMIT $4",
		4,
		{INT8OID, INT8OID, TEXTOID, INT4OID},
		NULL};
	VciArguments args = {0};
	VciSealedEventRow *rows;

	vci_put_int64(&args, after);
	vci_put_int64(&args, end);
	vci_put_text(&args, event_ids);
	vci_put_int32(&args, max);
	*count = vci_read(store, &statement, &args);
	rows = palloc0(sizeof(VciSealedEventRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		StringInfoData bytes;

		initStringInfo(&bytes);
		for (int column = 1; column <= EVENT_COLUMN_COUNT; column++)
			append_column(&bytes, i, column);
		rows[i].id = vci_column_int64(i, 1);
		rows[i].at = vci_column_int64(i, 2);
		rows[i].member = vci_column_boolean(i, EVENT_COLUMN_COUNT + 1);
		rows[i].bytes = bytes.data;
		rows[i].len = bytes.len;
	}
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

int64
vci_store_missing_event(VciStore *store, const char *event_ids)
{
	static VciStatement statement = {
		"SELECT lower(m.ids - COALESCE((SELECT range_agg(int8range(e.id, e.id, '[]')) "
		"FROM openid4vci.vci_event AS e WHERE e.id >= lower(m.ids) AND e.id < upper(m.ids)), "
		"'{}')) "
		"FROM (SELECT $1::int8multirange) AS m (ids)",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};
	int64 id;

	vci_put_text(&args, event_ids);
	id = vci_read(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : 0;
	SPI_freetuptable(SPI_tuptable);
	return id;
}

int64
vci_store_delete_events(VciStore *store, const VciSealRow *segment)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_event AS e "
		"WHERE e.id >= $1 AND e.id < $2 AND e.id <@ $3::int8multirange",
		3,
		{INT8OID, INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, segment->first_event);
	vci_put_int64(&args, segment->end_event);
	vci_put_text(&args, segment->event_ids);
	return vci_run(store, &statement, &args);
}

int64
vci_store_claims_mark(VciStore *store)
{
	static VciStatement statement = {
		"SELECT p.mark FROM openid4vci.vci_purge_state AS p WHERE p.kind = 'claims'", 0, {0}, NULL};
	VciArguments args = {0};
	int64 mark = vci_read(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : PG_INT64_MAX;

	SPI_freetuptable(SPI_tuptable);
	return mark;
}

int64
vci_store_events_before(VciStore *store, int64 segment, TimestampTz before)
{
	static VciStatement statement = {
		"SELECT sum(next.events)::bigint FROM (SELECT s.events, s.event_ids "
		"FROM openid4vci.vci_event_seal AS s WHERE s.id > $1 AND s.kind = 'segment' "
		"ORDER BY s.id LIMIT 1000) AS next "
		"WHERE (SELECT e.at FROM openid4vci.vci_event AS e WHERE e.id = lower(next.event_ids)) < "
		"$2",
		2,
		{INT8OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	int64 events;

	vci_put_int64(&args, segment);
	vci_put_int64(&args, before);
	events = vci_read(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : 0;
	SPI_freetuptable(SPI_tuptable);
	return events;
}

bool
vci_store_unsealed_event(VciStore *store, TimestampTz *at, bool *settled)
{
	static VciStatement statement = {
		"SELECT e.at, " SETTLED(
			"$1") " FROM openid4vci.vci_event AS e "
				  "WHERE e.id >= COALESCE((SELECT upper(s.event_ids) FROM "
				  "openid4vci.vci_event_seal AS s "
				  "WHERE s.kind = 'segment' ORDER BY s.id DESC LIMIT 1), 0) ORDER BY e.id LIMIT 1",
		1,
		{XID8OID},
		NULL};
	VciArguments args = {0};
	bool found;

	vci_put_datum(&args, FullTransactionIdGetDatum(ReadNextFullTransactionId()));
	found = vci_read(store, &statement, &args) > 0;
	if (found)
	{
		*at = vci_column_int64(0, 1);
		*settled = vci_column_boolean(0, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}
