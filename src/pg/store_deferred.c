#include "compat.h"

#include "miscadmin.h"

#include "../jose/seal.h"
#include "store_row.h"

/*
 * The token's row is locked, so nobody inserts the same meanwhile; under REPEATABLE READ an
 * earlier one may be invisible, and then ON CONFLICT raises 40001.
 */
int64
vci_store_insert_deferred(VciStore *store, const VciDeferredRow *row, Datum holder_jwks)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_deferred (issuer_id, generation, offer_id, token_id, dataset, "
		"wait_seconds, expires_at, by_source, configuration_id, format, response_shape, "
		"holder_jwks, request_digest) VALUES ($1, $2, $3, $4, $5, $6, "
		"pg_catalog.to_timestamp($7), $8, $9, $10, $11, $12, $13) "
		"ON CONFLICT DO NOTHING RETURNING id",
		13,
		{INT8OID, INT4OID, INT8OID, INT8OID, INT4OID, INT4OID, INT8OID, BOOLOID, TEXTOID, TEXTOID,
		 TEXTOID, JSONBOID, BYTEAOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, row->issuer_id);
	vci_put_int32(&args, row->generation);
	vci_put_int64(&args, row->offer_id);
	vci_put_int64(&args, row->token_id);
	vci_put_int32(&args, row->dataset);
	vci_put_int32(&args, row->wait_seconds);
	vci_put_int64(&args, row->expires_at);
	vci_put_boolean(&args, row->by_source);
	vci_put_text(&args, row->configuration_id);
	vci_put_text(&args, row->format);
	vci_put_text(&args, row->response_shape);
	vci_put_json(&args, holder_jwks);
	vci_put_bytea(&args, row->request_digest);
	if (vci_run(store, &statement, &args) != 1)
		elog(ERROR, "a deferral of token %lld stands already", (long long) row->token_id);
	return vci_column_int64(0, 1);
}

#define DEFERRED_COLUMNS                                                                           \
	"id, issuer_id, generation, offer_id, token_id, dataset, wait_seconds, "                       \
	"floor(extract(epoch FROM expires_at))::bigint, "                                              \
	"extract(epoch FROM clock_timestamp() - created_at)::float8, "                                 \
	"extract(epoch FROM clock_timestamp() - issued_at)::float8, "                                  \
	"issued_at IS NOT NULL, completed_at IS NOT NULL, denied_at IS NOT NULL, by_source, "          \
	"configuration_id, format, response_shape, holder_jwks::text, request_digest, claims::text, "  \
	"reason FROM openid4vci.vci_deferred "

static VciDeferredRow *
deferred_row(VciStore *store)
{
	VciDeferredRow *row = palloc0(sizeof(VciDeferredRow));

	row->id = vci_column_int64(0, 1);
	row->issuer_id = vci_column_int64(0, 2);
	row->generation = vci_column_int32(0, 3);
	row->offer_id = vci_column_int64(0, 4);
	row->token_id = vci_column_int64(0, 5);
	row->dataset = vci_column_int32(0, 6);
	row->wait_seconds = vci_column_int32(0, 7);
	row->expires_at = vci_column_int64(0, 8);
	row->age = vci_column_double(0, 9);
	row->issued_ago = vci_column_double(0, 10);
	row->issued = vci_column_boolean(0, 11);
	row->completed = vci_column_boolean(0, 12);
	row->denied = vci_column_boolean(0, 13);
	row->by_source = vci_column_boolean(0, 14);
	row->configuration_id = vci_column_text(store, 0, 15);
	row->format = vci_column_text(store, 0, 16);
	row->response_shape = vci_column_text(store, 0, 17);
	row->holder_jwks = vci_column_text(store, 0, 18);
	row->request_digest = vci_column_bytea(store, 0, 19);
	row->claims = vci_column_text(store, 0, 20);
	row->reason = vci_column_text(store, 0, 21);
	return row;
}

/* A row's offer never changes; 0: there is no such row. */
static int64
offer_of_deferred(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"SELECT offer_id FROM openid4vci.vci_deferred WHERE id = $1", 1, {INT8OID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	return vci_run(store, &statement, &args) == 1 ? vci_column_int64(0, 1) : 0;
}

VciDeferredRow *
vci_store_deferred(VciStore *store, int64 id, int64 offer_id)
{
	static VciStatement statement = {"SELECT " DEFERRED_COLUMNS
									 "WHERE id = $1 AND offer_id = $2 FOR NO KEY UPDATE",
									 2,
									 {INT8OID, INT8OID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, offer_id != 0 ? offer_id : offer_of_deferred(store, id));
	return vci_run(store, &statement, &args) == 1 ? deferred_row(store) : NULL;
}

/* Nearly every credential request finds none; the token's lock keeps it so. */
static bool
is_deferred(VciStore *store, int64 token_id, int64 offer_id, const char *configuration_id,
			int32 dataset)
{
	static VciRows deferrals = {.table = {.name = "vci_deferred"},
								.lock = RowShareLock,
								.key = {{"token_id", INT8OID},
										{"configuration_id", TEXTOID},
										{"dataset", INT4OID},
										{"offer_id", INT8OID}},
								.columns = {{"id", INT8OID}}};
	VciArguments key = {0};
	VciRow *row;

	vci_put_int64(&key, token_id);
	vci_put_text(&key, configuration_id);
	vci_put_int32(&key, dataset);
	vci_put_int64(&key, offer_id);
	row = vci_row_find(store, &deferrals, &key, VCI_ROW_READ);
	if (row == NULL)
		return false;
	vci_row_close(row);
	return true;
}

VciDeferredRow *
vci_store_deferred_of_token(VciStore *store, int64 token_id, int64 offer_id,
							const char *configuration_id, int32 dataset)
{
	static VciStatement statement = {
		"SELECT " DEFERRED_COLUMNS "WHERE token_id = $1 AND configuration_id = $2 AND dataset = $3 "
		"AND offer_id = $4 FOR NO KEY UPDATE",
		4,
		{INT8OID, TEXTOID, INT4OID, INT8OID},
		NULL};
	VciArguments args = {0};

	if (!is_deferred(store, token_id, offer_id, configuration_id, dataset))
		return NULL;
	vci_put_int64(&args, token_id);
	vci_put_text(&args, configuration_id);
	vci_put_int32(&args, dataset);
	vci_put_int64(&args, offer_id);
	return vci_run(store, &statement, &args) == 1 ? deferred_row(store) : NULL;
}

int32
vci_store_issued_datasets(VciStore *store, int64 token_id, int64 offer_id, int64 *deferred_until)
{
	static VciStatement statement = {
		"SELECT (SELECT count(DISTINCT (c.configuration_id, c.dataset))::integer "
		"FROM openid4vci.vci_credential AS c WHERE c.token_id = $1 AND c.offer_id = $2), "
		"(SELECT floor(extract(epoch FROM max(d.expires_at)))::bigint "
		"FROM openid4vci.vci_deferred AS d WHERE d.token_id = $1 AND d.offer_id = $2)",
		2,
		{INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, token_id);
	vci_put_int64(&args, offer_id);
	vci_run(store, &statement, &args);
	*deferred_until = vci_column_int64(0, 2);
	return vci_column_int32(0, 1);
}

/* The first arguments of the changes below, of (id, offer's id, now). */
static void
put_row_and_now(VciArguments *args, const VciDeferredRow *row)
{
	vci_put_int64(args, row->id);
	vci_put_int64(args, row->offer_id);
	vci_put_now(args);
}

static VciDeferral
deferral_of_column(void)
{
	if (vci_column_boolean(0, 1))
		return VCI_DEFERRAL_DENIED;
	if (vci_column_boolean(0, 2))
		return VCI_DEFERRAL_READY;
	return vci_column_boolean(0, 3) ? VCI_DEFERRAL_ASKED : VCI_DEFERRAL_WAITING;
}

VciDeferral
vci_store_deferral_of_offer(VciStore *store, int64 offer_id, int32 generation, int64 *expires_at)
{
	static VciStatement statement = {
		"SELECT denied_at IS NOT NULL, completed_at IS NOT NULL, by_source, "
		"floor(extract(epoch FROM expires_at))::bigint FROM openid4vci.vci_deferred "
		"WHERE offer_id = $1 AND generation = $2 AND issued_at IS NULL "
		"AND expires_at > clock_timestamp() "
		"ORDER BY denied_at IS NOT NULL, completed_at IS NOT NULL, by_source, expires_at LIMIT 1",
		2,
		{INT8OID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, offer_id);
	vci_put_int32(&args, generation);
	if (vci_run(store, &statement, &args) != 1)
		return VCI_DEFERRAL_NONE;
	*expires_at = vci_column_int64(0, 4);
	return deferral_of_column();
}

void
vci_store_note_poll(VciStore *store, const VciDeferredRow *row, int32 wait_seconds)
{
	static VciStatement statement = {"UPDATE openid4vci.vci_deferred SET polled_at = $3, "
									 "wait_seconds = $4 WHERE id = $1 AND offer_id = $2",
									 4,
									 {INT8OID, INT8OID, TIMESTAMPTZOID, INT4OID},
									 NULL};
	VciArguments args = {0};

	put_row_and_now(&args, row);
	vci_put_int32(&args, wait_seconds);
	vci_run(store, &statement, &args);
}

void
vci_store_complete_deferred(VciStore *store, const VciDeferredRow *row, Datum claims)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_deferred SET completed_at = $3, claims = $4, "
		"decided_by = $5 WHERE id = $1 AND offer_id = $2",
		5,
		{INT8OID, INT8OID, TIMESTAMPTZOID, JSONBOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	put_row_and_now(&args, row);
	vci_put_json(&args, claims);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_run(store, &statement, &args);
}

void
vci_store_deny_deferred(VciStore *store, const VciDeferredRow *row, const char *reason)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_deferred SET denied_at = $3, reason = $4, "
		"decided_by = $5 WHERE id = $1 AND offer_id = $2",
		5,
		{INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	put_row_and_now(&args, row);
	vci_put_text(&args, reason);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_run(store, &statement, &args);
}

void
vci_store_issue_deferred(VciStore *store, const VciDeferredRow *row)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_deferred SET polled_at = $3, issued_at = $3 "
		"WHERE id = $1 AND offer_id = $2",
		3,
		{INT8OID, INT8OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	put_row_and_now(&args, row);
	vci_run(store, &statement, &args);
}
