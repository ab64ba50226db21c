#include "compat.h"

#include "access/xlog.h"
#include "miscadmin.h"

#include "store_statement.h"

/* What tells this database from its copies: a restored dump, a template's copy, an upgrade. */
static void
put_identity(VciArguments *args)
{
	vci_put_int64(args, (int64) GetSystemIdentifier());
	vci_put_datum(args, ObjectIdGetDatum(MyDatabaseId));
}

bool
vci_store_database_is_bound(VciStore *store, int64 *restored_at)
{
	static VciStatement statement = {
		"SELECT system_identifier = $1 AND database_oid = $2, "
		"floor(extract(epoch FROM restored_at))::bigint FROM openid4vci.vci_database",
		2,
		{INT8OID, OIDOID},
		NULL};
	VciArguments args = {0};

	*restored_at = 0;
	put_identity(&args);
	if (vci_run(store, &statement, &args) != 1)
		return false;
	*restored_at = vci_column_int64(0, 2);
	return vci_column_boolean(0, 1);
}

void
vci_store_bind_database(VciStore *store, int64 first_issuer_id)
{
	/* issuers without a row are those of a copy, whose row somebody deleted */
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_database (system_identifier, database_oid, adopted_by) "
		"SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM openid4vci.vci_issuer WHERE id <> $4) "
		"ON CONFLICT DO NOTHING",
		4,
		{INT8OID, OIDOID, TEXTOID, INT8OID},
		NULL};
	VciArguments args = {0};

	put_identity(&args);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_put_int64(&args, first_issuer_id);
	vci_run(store, &statement, &args);
}

bool
vci_store_adopt_database(VciStore *store)
{
	/* of two at once the second waits, finds the row to be right and changes nothing */
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_database AS d (system_identifier, database_oid, adopted_by, "
		"restored_at) SELECT $1, $2, $3, clock_timestamp() "
		"WHERE EXISTS (SELECT FROM openid4vci.vci_issuer) "
		"ON CONFLICT (singleton) DO UPDATE SET system_identifier = $1, database_oid = $2, "
		"adopted_by = $3, adopted_at = clock_timestamp(), restored_at = clock_timestamp() "
		"WHERE d.system_identifier <> $1 OR d.database_oid <> $2",
		3,
		{INT8OID, OIDOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	put_identity(&args);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	return vci_run(store, &statement, &args) > 0;
}

void
vci_store_set_epoch(VciStore *store, int64 epoch)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_epoch SET epoch = $1", 1, {INT8OID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, epoch);
	if (vci_run(store, &statement, &args) != 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("openid4vci.vci_epoch must hold exactly one row"),
						errhint("As the extension's owner: DELETE FROM openid4vci.vci_epoch; "
								"INSERT INTO openid4vci.vci_epoch VALUES (1); and call again.")));
}

void
vci_store_note_restore(VciStore *store)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_database SET restored_at = clock_timestamp()", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

void
vci_store_stop_redeeming(VciStore *store)
{
	/* waits for every transaction that has an offer locked, and lets no other begin */
	static VciStatement statement = {
		"LOCK TABLE openid4vci.vci_offer IN EXCLUSIVE MODE", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

/* Never past the end of an integer; step is another one at each call. */
#define RAISED "((generation::bigint + $2) & 2147483647)::integer "

void
vci_store_withdraw_requests(VciStore *store, TimestampTz cut, int32 step)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization SET generation = " RAISED
		"WHERE created_at <= $1 AND redeemed_at IS NULL AND denied_at IS NULL "
		"AND greatest(expires_at, code_expires_at) > clock_timestamp()",
		2,
		{TIMESTAMPTZOID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_datum(&args, TimestampTzGetDatum(cut));
	vci_put_int32(&args, step);
	vci_run(store, &statement, &args);
}

int64
vci_store_withdraw_offers(VciStore *store, TimestampTz cut, int32 step, int64 *pending)
{
	/* what of a redeemed offer lives stands in four tables, each of which is read once */
	static VciStatement statement = {
		"WITH alive AS ("
		"SELECT offer_id, offer_generation AS live_generation FROM openid4vci.vci_token "
		"WHERE expires_at > clock_timestamp() UNION "
		"SELECT offer_id, offer_generation FROM openid4vci.vci_refresh_token "
		"WHERE expires_at > clock_timestamp() UNION "
		"SELECT offer_id, offer_generation FROM openid4vci.vci_authorization "
		"WHERE approved_at IS NOT NULL AND redeemed_at IS NULL AND denied_at IS NULL "
		"AND code_expires_at > clock_timestamp() UNION "
		"SELECT offer_id, generation FROM openid4vci.vci_deferred WHERE issued_at IS NULL "
		"AND denied_at IS NULL AND expires_at > clock_timestamp()), "
		"pending AS ("
		"UPDATE openid4vci.vci_offer SET generation = " RAISED
		"WHERE created_at <= $1 AND cancelled_at IS NULL AND redeemed_at IS NULL "
		"AND expires_at > clock_timestamp() RETURNING 1), "
		"redeemed AS ("
		"UPDATE openid4vci.vci_offer AS o SET generation = " RAISED "FROM alive "
		"WHERE o.created_at <= $1 AND o.cancelled_at IS NULL AND o.redeemed_at IS NOT NULL "
		"AND alive.offer_id = o.id AND alive.live_generation = o.generation RETURNING 1) "
		"SELECT (SELECT count(*) FROM pending), (SELECT count(*) FROM redeemed)",
		2,
		{TIMESTAMPTZOID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_datum(&args, TimestampTzGetDatum(cut));
	vci_put_int32(&args, step);
	vci_run(store, &statement, &args);
	*pending = vci_column_int64(0, 1);
	return vci_column_int64(0, 2);
}

void
vci_store_stop_sealing(VciStore *store)
{
	/* in the order in which a new issuer and its first key are made */
	static VciStatement statement = {
		"LOCK TABLE openid4vci.vci_issuer, openid4vci.vci_key, openid4vci.vci_database "
		"IN SHARE ROW EXCLUSIVE MODE",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

VciSealedRow *
vci_store_sealed_rows(VciStore *store, const char *root_key_id, int *count)
{
	static VciStatement statement = {
		"SELECT 1, id, root_key_id, data_key FROM openid4vci.vci_issuer WHERE root_key_id <> $1 "
		"UNION ALL SELECT 2, id, root_key_id, private_key FROM openid4vci.vci_key "
		"WHERE root_key_id <> $1 AND private_key IS NOT NULL "
		"UNION ALL SELECT 3, 1, root_key_id, event_key FROM openid4vci.vci_database "
		"WHERE root_key_id <> $1 AND event_key IS NOT NULL ORDER BY 1, 2",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};
	VciSealedRow *rows;

	vci_put_text(&args, root_key_id);
	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciSealedRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].kind = (VciSealedKind) vci_column_int32(i, 1);
		rows[i].id = vci_column_int64(i, 2);
		rows[i].root_key_id = vci_column_text(store, i, 3);
		rows[i].sealed = vci_column_bytea(store, i, 4);
	}
	return rows;
}

void
vci_store_reseal(VciStore *store, const VciSealedRow *row)
{
	static VciStatement data_key = {
		"UPDATE openid4vci.vci_issuer SET data_key = $2, root_key_id = $3 WHERE id = $1",
		3,
		{INT8OID, BYTEAOID, TEXTOID},
		NULL};
	static VciStatement signing_key = {
		"UPDATE openid4vci.vci_key SET private_key = $2, root_key_id = $3 WHERE id = $1",
		3,
		{INT8OID, BYTEAOID, TEXTOID},
		NULL};
	static VciStatement event_key = {
		"UPDATE openid4vci.vci_database SET event_key = $2, root_key_id = $3 WHERE $1 = 1",
		3,
		{INT8OID, BYTEAOID, TEXTOID},
		NULL};
	VciStatement *statement = row->kind == VCI_SEALED_DATA_KEY		? &data_key
							  : row->kind == VCI_SEALED_SIGNING_KEY ? &signing_key
																	: &event_key;
	VciArguments args = {0};

	vci_put_int64(&args, row->id);
	vci_put_bytea(&args, row->sealed);
	vci_put_text(&args, row->root_key_id);
	vci_run(store, statement, &args);
}

VciRootKeyUse *
vci_store_root_key_uses(VciStore *store, int *count)
{
	static VciStatement statement = {
		"SELECT s.root_key_id, count(*) FROM ("
		"SELECT root_key_id FROM openid4vci.vci_issuer UNION ALL "
		"SELECT root_key_id FROM openid4vci.vci_key WHERE private_key IS NOT NULL UNION ALL "
		"SELECT root_key_id FROM openid4vci.vci_database WHERE event_key IS NOT NULL) AS s "
		"GROUP BY s.root_key_id ORDER BY s.root_key_id",
		0,
		{0},
		NULL};
	VciArguments args = {0};
	VciRootKeyUse *uses;

	*count = vci_read(store, &statement, &args);
	uses = palloc0(sizeof(VciRootKeyUse) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		uses[i].root_key_id = vci_column_text(store, i, 1);
		uses[i].rows = vci_column_int64(i, 2);
	}
	return uses;
}
