#include "compat.h"

#include "store_statement.h"

int64
vci_store_next_key_id(VciStore *store)
{
	static VciStatement statement = {"SELECT nextval('openid4vci.vci_key_id_seq')", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
	return vci_column_int64(0, 1);
}

void
vci_store_insert_key(VciStore *store, int64 id, int64 issuer_id, const char *kid, const char *alg,
					 Datum public_jwk, bytea *private_key, const char *root_key_id)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_key (id, issuer_id, kid, alg, public_jwk, private_key, "
		"root_key_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		7,
		{INT8OID, INT8OID, TEXTOID, TEXTOID, JSONBOID, BYTEAOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, kid);
	vci_put_text(&args, alg);
	vci_put_datum(&args, public_jwk);
	vci_put_bytea(&args, private_key);
	vci_put_text(&args, root_key_id);
	vci_run(store, &statement, &args);
}

bool
vci_store_alter_key(VciStore *store, int64 issuer_id, const char *kid, const char *state)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_key SET state = $3, retired_at = CASE WHEN $3 = 'retired' "
		"THEN COALESCE(retired_at, clock_timestamp()) END WHERE issuer_id = $1 AND kid = $2",
		3,
		{INT8OID, TEXTOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, kid);
	vci_put_text(&args, state);
	return vci_run(store, &statement, &args) > 0;
}

VciKeyRow *
vci_store_keys(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		"SELECT id, kid, alg, state = 'active', public_jwk::text, private_key, root_key_id "
		"FROM openid4vci.vci_key WHERE issuer_id = $1 ORDER BY id DESC",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	VciKeyRow *rows;

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciKeyRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].id = vci_column_int64(i, 1);
		rows[i].kid = vci_column_text(store, i, 2);
		rows[i].alg = vci_column_text(store, i, 3);
		rows[i].active = vci_column_boolean(i, 4);
		rows[i].public_jwk = vci_column_text(store, i, 5);
		rows[i].private_key = vci_column_bytea(store, i, 6);
		rows[i].root_key_id = vci_column_text(store, i, 7);
	}
	return rows;
}

int64
vci_store_count_issuers_without_key(VciStore *store, int64 *issuers)
{
	static VciStatement statement = {
		"SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM openid4vci.vci_key k "
		"WHERE k.issuer_id = i.id AND k.state = 'active')), count(*) "
		"FROM openid4vci.vci_issuer i WHERE i.retired_at IS NULL",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	vci_read(store, &statement, &args);
	*issuers = vci_column_int64(0, 2);
	return vci_column_int64(0, 1);
}
