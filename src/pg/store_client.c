#include "compat.h"

#include "store_statement.h"

VciClientRow *
vci_store_clients(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		"SELECT client_id, redirect_uris, pkce_required, name FROM openid4vci.vci_client "
		"WHERE issuer_id = $1 AND retired_at IS NULL ORDER BY client_id",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	VciClientRow *rows;

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciClientRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].id = vci_column_text(store, i, 1);
		rows[i].redirect_uris = vci_column_texts(store, i, 2, &rows[i].redirect_uri_count);
		rows[i].pkce_required = vci_column_boolean(i, 3);
		rows[i].name = vci_column_text(store, i, 4);
	}
	return rows;
}

bool
vci_store_insert_client(VciStore *store, int64 issuer_id, const VciClientRow *client)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_client (issuer_id, client_id, redirect_uris, pkce_required, "
		"name) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		5,
		{INT8OID, TEXTOID, TEXTARRAYOID, BOOLOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, client->id);
	vci_put_texts(&args, client->redirect_uris, client->redirect_uri_count);
	vci_put_boolean(&args, client->pkce_required);
	vci_put_text(&args, client->name);
	return vci_run(store, &statement, &args) > 0;
}

bool
vci_store_update_client(VciStore *store, int64 issuer_id, const char *client_id, Datum changes)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_client SET "
		"redirect_uris = CASE WHEN $3 ? 'redirect_uris' "
		"THEN ARRAY(SELECT jsonb_array_elements_text($3 -> 'redirect_uris')) "
		"ELSE redirect_uris END, "
		"pkce_required = CASE WHEN $3 ? 'pkce_required' "
		"THEN COALESCE(($3 ->> 'pkce_required')::boolean, true) ELSE pkce_required END, "
		"name = CASE WHEN $3 ? 'name' THEN $3 ->> 'name' ELSE name END "
		"WHERE issuer_id = $1 AND client_id = $2 AND retired_at IS NULL",
		3,
		{INT8OID, TEXTOID, JSONBOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, client_id);
	vci_put_datum(&args, changes);
	return vci_run(store, &statement, &args) > 0;
}

bool
vci_store_retire_client(VciStore *store, int64 issuer_id, const char *client_id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_client SET retired_at = clock_timestamp() "
		"WHERE issuer_id = $1 AND client_id = $2 AND retired_at IS NULL",
		2,
		{INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, client_id);
	return vci_run(store, &statement, &args) > 0;
}

bool
vci_store_client_retired(VciStore *store, int64 issuer_id, const char *client_id)
{
	static VciStatement statement = {"SELECT FROM openid4vci.vci_client WHERE issuer_id = $1 "
									 "AND client_id = $2 AND retired_at IS NOT NULL",
									 2,
									 {INT8OID, TEXTOID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, client_id);
	return vci_run(store, &statement, &args) > 0;
}
