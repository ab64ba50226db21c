#include "compat.h"

#include "store_key.h"
#include "store_statement.h"

void
vci_store_lock_keys(VciStore *store, int64 issuer_id)
{
	/* a written row, not a lock alone: under REPEATABLE READ that is what raises 40001 */
	static VciStatement statement = {
		"UPDATE openid4vci.vci_issuer SET created_at = created_at WHERE id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_run(store, &statement, &args);
}

int64
vci_store_next_key_id(VciStore *store)
{
	static VciStatement statement = {"SELECT nextval('openid4vci.vci_key_id_seq')", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
	return vci_column_int64(0, 1);
}

bool
vci_store_insert_key(VciStore *store, const VciNewKey *key)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_key (id, issuer_id, kid, alg, state, public_jwk, x5c, "
		"private_key, root_key_id, activated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
		"CASE WHEN $5 = 'active' THEN clock_timestamp() END) ON CONFLICT DO NOTHING",
		9,
		{INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID, BYTEAOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, key->id);
	vci_put_int64(&args, key->issuer_id);
	vci_put_text(&args, key->kid);
	vci_put_text(&args, key->alg);
	vci_put_text(&args, key->state);
	vci_put_datum(&args, key->public_jwk);
	vci_put_json(&args, key->x5c);
	vci_put_bytea(&args, key->private_key);
	vci_put_text(&args, key->root_key_id);
	return vci_run(store, &statement, &args) > 0;
}

#define KEY_COLUMNS                                                                                \
	"SELECT id, kid, alg, state, COALESCE(floor(extract(epoch FROM published_until))::bigint, "    \
	"9223372036854775807), extract(epoch FROM clock_timestamp() - created_at)::float8, "           \
	"public_jwk::text, x5c::text, private_key, root_key_id FROM openid4vci.vci_key "

/* Of the active keys the one that was activated last signs; 0.1.0 did not note when. */
#define KEY_ORDER                                                                                  \
	" ORDER BY CASE state WHEN 'active' THEN 0 WHEN 'next' THEN 1 ELSE 2 END, "                    \
	"COALESCE(activated_at, created_at) DESC, id DESC"

static void
read_key(VciStore *store, int row, VciKeyRow *key)
{
	key->id = vci_column_int64(row, 1);
	key->kid = vci_column_text(store, row, 2);
	key->alg = vci_column_text(store, row, 3);
	key->state = vci_column_text(store, row, 4);
	key->published_until = vci_column_int64(row, 5);
	key->age = vci_column_double(row, 6);
	key->public_jwk = vci_column_text(store, row, 7);
	key->x5c = vci_column_text(store, row, 8);
	key->private_key = vci_column_bytea(store, row, 9);
	key->root_key_id = vci_column_text(store, row, 10);
}

static VciKeyRow *
read_keys(VciStore *store, int count)
{
	VciKeyRow *rows = palloc0(sizeof(VciKeyRow) * Max(count, 1));

	for (int i = 0; i < count; i++)
		read_key(store, i, &rows[i]);
	return rows;
}

VciKeyRow *
vci_store_keys(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		KEY_COLUMNS "WHERE issuer_id = $1 AND (state IN ('active', 'next') "
					"OR published_until IS NULL OR published_until > clock_timestamp())" KEY_ORDER,
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	return read_keys(store, *count);
}

VciKeyRow *
vci_store_key(VciStore *store, int64 issuer_id, const char *kid)
{
	static VciStatement statement = {
		KEY_COLUMNS "WHERE issuer_id = $1 AND kid = $2", 2, {INT8OID, TEXTOID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, kid);
	return vci_run(store, &statement, &args) > 0 ? read_keys(store, 1) : NULL;
}

VciKeyRow *
vci_store_active_keys(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		KEY_COLUMNS "WHERE issuer_id = $1 AND state = 'active'" KEY_ORDER, 1, {INT8OID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	return read_keys(store, *count);
}

VciKeyRow *
vci_store_waiting_key(VciStore *store, int64 issuer_id, const char *alg)
{
	static VciStatement statement = {
		KEY_COLUMNS "WHERE issuer_id = $1 AND state = 'next' AND alg = COALESCE($2, alg) "
					"ORDER BY created_at, id LIMIT 1",
		2,
		{INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, alg);
	return vci_run(store, &statement, &args) > 0 ? read_keys(store, 1) : NULL;
}

void
vci_store_activate_key(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_key SET state = 'active', activated_at = clock_timestamp(), "
		"retired_at = NULL, published_until = NULL WHERE id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_run(store, &statement, &args);
}

void
vci_store_retire_key(VciStore *store, int64 id, int32 status_list_lifetime)
{
	/*
	 * Seconds, not calendar months, as exp is computed. A transaction under way may sign for
	 * some time yet, and verifiers' clocks differ: hence the hour. What never signed (next)
	 * need not stay. FOR SHARE waits for a configuration that is being altered. An active key
	 * also signs status list tokens, where there are lists.
	 */
	static VciStatement statement = {
		"UPDATE openid4vci.vci_key k SET state = 'retired', retired_at = clock_timestamp(), "
		"published_until = CASE WHEN k.state = 'next' THEN clock_timestamp() ELSE ("
		"SELECT CASE WHEN count(*) = count(c.longest_validity) THEN clock_timestamp() "
		"+ interval '1 hour' + make_interval(secs => GREATEST(0, "
		"max(extract(epoch FROM c.longest_validity))::float8, (SELECT $2 WHERE EXISTS "
		"(SELECT FROM openid4vci.vci_status_list l WHERE l.issuer_id = k.issuer_id)))) END "
		"FROM (SELECT longest_validity FROM openid4vci.vci_configuration "
		"WHERE issuer_id = k.issuer_id FOR SHARE) c) END WHERE k.id = $1",
		2,
		{INT8OID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int32(&args, status_list_lifetime);
	vci_run(store, &statement, &args);
}

void
vci_store_destroy_key(VciStore *store, int64 id, bool unpublish)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_key SET state = 'destroyed', private_key = NULL, "
		"retired_at = COALESCE(retired_at, clock_timestamp()), "
		"destroyed_at = COALESCE(destroyed_at, clock_timestamp()), "
		"published_until = CASE WHEN $2 THEN LEAST(published_until, clock_timestamp()) "
		"ELSE published_until END WHERE id = $1",
		2,
		{INT8OID, BOOLOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_boolean(&args, unpublish);
	vci_run(store, &statement, &args);
}

void
vci_store_set_key_certificates(VciStore *store, int64 id, Datum x5c)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_key SET x5c = $2 WHERE id = $1", 2, {INT8OID, JSONBOID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_json(&args, x5c);
	vci_run(store, &statement, &args);
}

VciKeyCounts
vci_store_count_keys(VciStore *store)
{
	static VciStatement statement = {
		"SELECT count(*), count(*) FILTER (WHERE active = 0), COALESCE(sum(waiting), 0)::bigint "
		"FROM (SELECT count(*) FILTER (WHERE k.state = 'active') AS active, "
		"count(*) FILTER (WHERE k.state = 'next') AS waiting "
		"FROM openid4vci.vci_issuer i LEFT JOIN openid4vci.vci_key k ON k.issuer_id = i.id "
		"WHERE i.retired_at IS NULL GROUP BY i.id) AS issuer",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	vci_read(store, &statement, &args);
	return (VciKeyCounts){.issuers = vci_column_int64(0, 1),
						  .without_key = vci_column_int64(0, 2),
						  .waiting = vci_column_int64(0, 3)};
}
