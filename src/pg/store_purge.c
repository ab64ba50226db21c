#include "compat.h"

#include "access/transam.h"
#include "utils/array.h"
#include "utils/xid8.h"

#include "store_purge.h"
#include "store_statement.h"
#include "store_purge_terms.h"

VciRetention
vci_store_retention(VciStore *store)
{
	static VciStatement statement = {
		"SELECT min(COALESCE(token_retention, " VCI_TOKEN_RETENTION_SECONDS
		"))::bigint, min(offer_retention)::bigint, min(credential_retention)::bigint, "
		"CASE WHEN bool_and(event_retention IS NOT NULL) THEN max(event_retention)::bigint END, "
		"max(COALESCE(retry_window, " VCI_RETRY_WINDOW_SECONDS "))::bigint "
		"FROM openid4vci.vci_issuer",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
	return (VciRetention){.shortest_token = vci_column_int64(0, 1),
						  .shortest_offer = vci_column_int64(0, 2),
						  .shortest_credential = vci_column_int64(0, 3),
						  .longest_event = vci_column_int64(0, 4),
						  .longest_retry_window = vci_column_int64(0, 5)};
}

/* Runs a statement of (time, limit); the number of rows it changed. */
static int64
purge_before(VciStore *store, VciStatement *statement, int64 before, int64 max)
{
	VciArguments args = {0};

	vci_put_int64(&args, before);
	vci_put_int64(&args, max);
	return vci_run(store, statement, &args);
}

static int64
count_before(VciStore *store, VciStatement *statement, int64 before, int64 max)
{
	(void) purge_before(store, statement, before, max);
	return vci_column_int64(0, 1);
}

int64
vci_store_purge_nonces(VciStore *store, int64 issued_before, int32 max_rows)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_nonce WHERE ctid = ANY (ARRAY(SELECT ctid FROM "
		"openid4vci.vci_nonce WHERE issued_at < pg_catalog.to_timestamp($1) ORDER BY issued_at "
		"LIMIT $2 FOR UPDATE SKIP LOCKED))",
		2,
		{INT8OID, INT8OID},
		NULL};

	return purge_before(store, &statement, issued_before, max_rows);
}

int64
vci_store_count_old_nonces(VciStore *store, int64 issued_before, int64 max)
{
	static VciStatement statement = {"SELECT count(*) FROM (SELECT FROM openid4vci.vci_nonce "
									 "WHERE issued_at < pg_catalog.to_timestamp($1) LIMIT $2) AS n",
									 2,
									 {INT8OID, INT8OID},
									 NULL};

	return count_before(store, &statement, issued_before, max);
}

int64
vci_store_purge_dpop_proofs(VciStore *store, int64 issued_before, int32 max_rows)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_dpop_proof WHERE ctid = ANY (ARRAY(SELECT ctid FROM "
		"openid4vci.vci_dpop_proof WHERE issued_at < pg_catalog.to_timestamp($1) "
		"ORDER BY issued_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
		2,
		{INT8OID, INT8OID},
		NULL};

	return purge_before(store, &statement, issued_before, max_rows);
}

int64
vci_store_count_old_dpop_proofs(VciStore *store, int64 issued_before, int64 max)
{
	static VciStatement statement = {"SELECT count(*) FROM (SELECT FROM openid4vci.vci_dpop_proof "
									 "WHERE issued_at < pg_catalog.to_timestamp($1) LIMIT $2) AS p",
									 2,
									 {INT8OID, INT8OID},
									 NULL};

	return count_before(store, &statement, issued_before, max);
}

/* The script makes the rows of all kinds; this is for a table that somebody emptied. */
static void
make_mark(VciStore *store, const char *kind)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_purge_state (kind) SELECT $1 WHERE NOT EXISTS "
		"(SELECT FROM openid4vci.vci_purge_state WHERE kind = $1) ON CONFLICT DO NOTHING",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, kind);
	vci_run(store, &statement, &args);
}

bool
vci_store_lock_mark(VciStore *store, const char *kind, VciPurgeMark *mark)
{
	static VciStatement statement = {
		"SELECT mark, floor(extract(epoch FROM swept_at))::bigint FROM openid4vci.vci_purge_state "
		"WHERE kind = $1 FOR NO KEY UPDATE SKIP LOCKED",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	make_mark(store, kind);
	vci_put_text(&args, kind);
	if (vci_run(store, &statement, &args) != 1)
		return false;
	mark->mark = vci_column_int64(0, 1);
	mark->swept_at = vci_column_int64(0, 2);
	return true;
}

void
vci_store_set_mark(VciStore *store, const char *kind, int64 mark, int64 swept_at)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_purge_state SET mark = $2, "
		"swept_at = COALESCE(pg_catalog.to_timestamp($3), swept_at) WHERE kind = $1",
		3,
		{TEXTOID, INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, kind);
	vci_put_int64(&args, mark);
	vci_put_int64_or_null(&args, swept_at);
	vci_run(store, &statement, &args);
}

void
vci_store_restart_sweep(VciStore *store, const char *kind)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_purge_state SET mark = 0, swept_at = NULL WHERE kind = $1",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, kind);
	vci_run(store, &statement, &args);
}

/* SET of an offer r at the time $1, which ends or is looked at again. */
#define ERASE_CLAIMS                                                                               \
	"UPDATE openid4vci.vci_offer AS r SET "                                                        \
	"claims = CASE WHEN " KEEPS_CLAIMS " OR NOT " OFFER_IS_OVER " THEN r.claims END, "             \
	"datasets = CASE WHEN " KEEPS_CLAIMS " OR NOT " OFFER_IS_OVER " THEN r.datasets ELSE "         \
	"(SELECT jsonb_agg(d.one - 'claims' ORDER BY d.number) FROM jsonb_array_elements(r.datasets) " \
	"WITH ORDINALITY AS d (one, number)) END, "                                                    \
	"claims_erased_at = CASE WHEN " KEEPS_CLAIMS " OR NOT " OFFER_IS_OVER                          \
	" THEN r.claims_erased_at ELSE clock_timestamp() END, "                                        \
	"claims_due = CASE WHEN NOT " KEEPS_CLAIMS " AND NOT " OFFER_IS_OVER " THEN " OFFER_END        \
	" END "

int64
vci_store_purge_due_claims(VciStore *store, int64 now, int32 max_rows)
{
	static VciStatement statement = {
		ERASE_CLAIMS "WHERE r.id = ANY (ARRAY(SELECT o.id FROM openid4vci.vci_offer AS o "
					 "WHERE o.claims_due <= pg_catalog.to_timestamp($1) ORDER BY o.claims_due "
					 "LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))",
		2,
		{INT8OID, INT8OID},
		NULL};

	return purge_before(store, &statement, now, max_rows);
}

int64
vci_store_count_due_claims(VciStore *store, int64 now, int64 max)
{
	static VciStatement statement = {
		"SELECT count(*) FROM (SELECT FROM openid4vci.vci_offer "
		"WHERE claims_due <= pg_catalog.to_timestamp($1) LIMIT $2) AS o",
		2,
		{INT8OID, INT8OID},
		NULL};

	return count_before(store, &statement, now, max);
}

/* An int8[] of the last result's first row, in the store's context; 0: null. */
static Datum
ids_of_column(VciStore *store, int number, int *count)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, &is_null);
	MemoryContext old = MemoryContextSwitchTo(store->context);
	ArrayType *ids = is_null ? NULL : DatumGetArrayTypePCopy(value);

	MemoryContextSwitchTo(old);
	*count = ids == NULL ? 0 : ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));
	return *count == 0 ? (Datum) 0 : PointerGetDatum(ids);
}

static int64
last_of_ids(Datum ids, int count)
{
	return ((int64 *) ARR_DATA_PTR(DatumGetArrayTypeP(ids)))[count - 1];
}

/*
 * A gap before an event that is not settled may still be filled: nothing behind it is looked
 * at, as vci_events does. A horizon in the future is of the cluster that a dump came from.
 */
VciEndings
vci_store_endings(VciStore *store, int64 mark, int64 before, int64 max_events, int32 max_offers)
{
	static VciStatement statement = {
		"WITH seen AS MATERIALIZED (SELECT e.id, e.kind, e.offer_id, e.deferred_id, "
		"e.at > pg_catalog.to_timestamp($2) OR (e.id <> 1 + lag(e.id, 1, $1) OVER (ORDER BY e.id) "
		"AND e.horizon > pg_snapshot_xmin(pg_current_snapshot()) AND e.horizon <= $5) AS halt "
		"FROM openid4vci.vci_event AS e WHERE e.id > $1 ORDER BY e.id LIMIT $3), "
		"ripe AS (SELECT s.* FROM seen AS s WHERE s.id < "
		"COALESCE((SELECT min(h.id) FROM seen AS h WHERE h.halt), 9223372036854775807)), "
		"endings AS (SELECT r.*, row_number() OVER (ORDER BY r.id) AS number FROM ripe AS r "
		"WHERE r.offer_id IS NOT NULL "
		"AND r.kind IN ('credential_issued', 'offer_cancelled', 'deferred_denied')) "
		"SELECT COALESCE((SELECT n.id FROM endings AS n WHERE n.number = $4 "
		"AND EXISTS (SELECT FROM endings AS m WHERE m.number = $4 + 1)), "
		"(SELECT max(r.id) FROM ripe AS r), $1), "
		"(SELECT array_agg(n.offer_id) FROM endings AS n WHERE n.number <= $4), "
		"(SELECT array_agg(n.deferred_id) FROM endings AS n WHERE n.number <= $4 "
		"AND n.deferred_id IS NOT NULL), "
		"EXISTS (SELECT FROM endings AS n WHERE n.number > $4) "
		"OR (SELECT count(*) FROM ripe) = $3",
		5,
		{INT8OID, INT8OID, INT8OID, INT8OID, XID8OID},
		NULL};
	VciArguments args = {0};
	VciEndings endings = {0};
	int offers;

	vci_put_int64(&args, mark);
	vci_put_int64(&args, before);
	vci_put_int64(&args, max_events);
	vci_put_int64(&args, max_offers);
	vci_put_datum(&args, FullTransactionIdGetDatum(ReadNextFullTransactionId()));
	vci_run(store, &statement, &args);
	endings.mark = vci_column_int64(0, 1);
	endings.offers = ids_of_column(store, 2, &offers);
	endings.deferred = ids_of_column(store, 3, &endings.deferred_count);
	endings.more = vci_column_boolean(0, 4);
	return endings;
}

int64
vci_store_last_event(VciStore *store)
{
	static VciStatement statement = {"SELECT max(id) FROM openid4vci.vci_event", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
	return vci_column_int64(0, 1);
}

/* Runs a statement of (time, ids); the number of rows it changed. */
static int64
change_of_ids(VciStore *store, VciStatement *statement, int64 now, Datum ids)
{
	VciArguments args = {0};

	if (ids == (Datum) 0)
		return 0;
	vci_put_int64(&args, now);
	vci_put_datum(&args, ids);
	return vci_run(store, statement, &args);
}

void
vci_store_end_denied_offers(VciStore *store, int64 now, Datum deferred)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_offer AS x SET ends_at = pg_catalog.to_timestamp($1) "
		"WHERE x.id = ANY (ARRAY(SELECT r.id FROM openid4vci.vci_offer AS r, "
		"openid4vci.vci_deferred AS d, openid4vci.vci_token AS t "
		"WHERE d.id = ANY ($2) AND d.denied_at IS NOT NULL AND r.id = d.offer_id "
		"AND t.id = d.token_id AND cardinality(t.configuration_ids) = 1 "
		"AND COALESCE(jsonb_array_length(r.datasets), 1) = 1 "
		"AND r.ends_at > pg_catalog.to_timestamp($1) "
		"AND r.ends_at <= GREATEST(t.expires_at, d.expires_at) "
		"AND " OF_ISSUER("i.refresh_token_lifetime") " IS NULL "
													 "FOR NO KEY UPDATE OF r SKIP LOCKED))",
		2,
		{INT8OID, INT8ARRAYOID},
		NULL};

	(void) change_of_ids(store, &statement, now, deferred);
}

int64
vci_store_erase_offer_claims(VciStore *store, int64 now, Datum offers)
{
	static VciStatement statement = {
		ERASE_CLAIMS "WHERE r.id = ANY (ARRAY(SELECT r.id FROM openid4vci.vci_offer AS r "
					 "WHERE r.id = ANY ($2) AND r.claims_due IS NOT NULL AND " OFFER_IS_OVER
					 " AND NOT " KEEPS_CLAIMS " FOR NO KEY UPDATE SKIP LOCKED))",
		2,
		{INT8OID, INT8ARRAYOID},
		NULL};

	return change_of_ids(store, &statement, now, offers);
}

int64
vci_store_erase_deferred_claims(VciStore *store, int64 now, Datum deferred)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_deferred AS x SET claims = NULL WHERE x.id = ANY (ARRAY("
		"SELECT r.id FROM openid4vci.vci_deferred AS r WHERE r.id = ANY ($2) "
		"AND " DEFERRED_CLAIMS_ARE_OVER " FOR NO KEY UPDATE SKIP LOCKED))",
		2,
		{INT8OID, INT8ARRAYOID},
		NULL};

	return change_of_ids(store, &statement, now, deferred);
}

/*
 * Looks at the rows of table r in the order of their ids; made is the column that tells since
 * when a row is there.
 */
#define LOOK(table, over, made)                                                                    \
	{                                                                                              \
		"SELECT max(w.id), count(*), (array_agg(w.id ORDER BY w.id) FILTER (WHERE w.over))[1:$4]," \
		" COALESCE(bool_or(w.old), false) FROM (SELECT r.id, (" over ") AS over, r." made          \
		" < pg_catalog.to_timestamp($5) AS old FROM openid4vci." table                             \
		" AS r WHERE r.id > $2 ORDER BY r.id LIMIT $3) AS w",                                      \
			5, {INT8OID, INT8OID, INT8OID, INT4OID, INT8OID}, NULL                                 \
	}

VciSweepWindow
vci_store_look(VciStore *store, VciSweep sweep, int64 now, int64 mark, int64 max_rows,
			   int32 max_due, int64 old_before)
{
	static VciStatement statements[] = {
		[VCI_SWEEP_TOKEN] = LOOK("vci_token", TOKEN_IS_OVER, "created_at"),
		[VCI_SWEEP_REFRESH_TOKEN] = LOOK("vci_refresh_token", REFRESH_TOKEN_IS_OVER, "created_at"),
		[VCI_SWEEP_AUTHORIZATION] = LOOK("vci_authorization", AUTHORIZATION_IS_OVER, "created_at"),
		[VCI_SWEEP_DEFERRED] =
			LOOK("vci_deferred", DEFERRED_IS_OVER " OR " DEFERRED_CLAIMS_ARE_OVER, "created_at"),
		[VCI_SWEEP_OFFER] = LOOK("vci_offer", OFFER_IS_TO_GO, "created_at"),
		[VCI_SWEEP_CREDENTIAL] = LOOK("vci_credential", CREDENTIAL_IS_OVER, "issued_at"),
		[VCI_SWEEP_KEPT_CLAIMS] = LOOK("vci_offer", CLAIMS_ARE_KEPT_NO_MORE, "created_at")};
	VciArguments args = {0};
	VciSweepWindow window = {0};

	vci_put_int64(&args, now);
	vci_put_int64(&args, mark);
	vci_put_int64(&args, max_rows);
	vci_put_int32(&args, max_due);
	vci_put_int64(&args, old_before);
	vci_run(store, &statements[sweep], &args);
	window.last = vci_column_int64(0, 1);
	window.count = vci_column_int64(0, 2);
	window.due = ids_of_column(store, 3, &window.due_count);
	window.old = vci_column_boolean(0, 4);
	if (window.due_count > 0 && window.due_count == max_due)
		window.last = last_of_ids(window.due, max_due);
	return window;
}

/* Of the ids in $2, those that are still over at $1, once they are locked. */
#define STILL(table, over)                                                                         \
	" WHERE x.id = ANY (ARRAY(SELECT r.id FROM openid4vci." table                                  \
	" AS r WHERE r.id = ANY ($2) AND " over " FOR UPDATE SKIP LOCKED))"

#define DELETE(table, over)                                                                        \
	{                                                                                              \
		"DELETE FROM openid4vci." table " AS x" STILL(table, over), 2, {INT8OID, INT8ARRAYOID},    \
			NULL                                                                                   \
	}

int64
vci_store_clear(VciStore *store, VciSweep sweep, int64 now, Datum due)
{
	static VciStatement statements[] = {
		[VCI_SWEEP_TOKEN] = DELETE("vci_token", TOKEN_IS_OVER),
		[VCI_SWEEP_REFRESH_TOKEN] = DELETE("vci_refresh_token", REFRESH_TOKEN_IS_OVER),
		[VCI_SWEEP_AUTHORIZATION] = DELETE("vci_authorization", AUTHORIZATION_IS_OVER),
		[VCI_SWEEP_DEFERRED] = DELETE("vci_deferred", DEFERRED_IS_OVER),
		[VCI_SWEEP_OFFER] = DELETE("vci_offer", OFFER_IS_TO_GO),
		[VCI_SWEEP_CREDENTIAL] = DELETE("vci_credential", CREDENTIAL_IS_OVER),
		[VCI_SWEEP_KEPT_CLAIMS] = {
			"UPDATE openid4vci.vci_offer AS r SET claims_due = " OFFER_END
			" WHERE r.id = ANY (ARRAY(SELECT r.id FROM openid4vci.vci_offer AS r "
			"WHERE r.id = ANY ($2) AND " CLAIMS_ARE_KEPT_NO_MORE " FOR NO KEY UPDATE SKIP LOCKED))",
			2,
			{INT8OID, INT8ARRAYOID},
			NULL}};
	int64 cleared = change_of_ids(store, &statements[sweep], now, due);

	if (sweep == VCI_SWEEP_DEFERRED)
		cleared += vci_store_erase_deferred_claims(store, now, due);
	return cleared;
}

#define LAST_ID(table)                                                                             \
	{                                                                                              \
		"SELECT max(id) FROM openid4vci." table, 0, {0}, NULL                                      \
	}

int64
vci_store_last_id(VciStore *store, VciSweep sweep)
{
	static VciStatement statements[] = {[VCI_SWEEP_TOKEN] = LAST_ID("vci_token"),
										[VCI_SWEEP_REFRESH_TOKEN] = LAST_ID("vci_refresh_token"),
										[VCI_SWEEP_AUTHORIZATION] = LAST_ID("vci_authorization"),
										[VCI_SWEEP_DEFERRED] = LAST_ID("vci_deferred"),
										[VCI_SWEEP_OFFER] = LAST_ID("vci_offer"),
										[VCI_SWEEP_CREDENTIAL] = LAST_ID("vci_credential"),
										[VCI_SWEEP_KEPT_CLAIMS] = LAST_ID("vci_offer")};
	VciArguments args = {0};

	vci_run(store, &statements[sweep], &args);
	return vci_column_int64(0, 1);
}
