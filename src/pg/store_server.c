#include "compat.h"

#include "store_statement.h"

VciAuthorizationServerRow *
vci_store_authorization_servers(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		"SELECT url, audiences, client_ids, jwks::text, jwks_uri, accept_typ_jwt, subject_claim, "
		"subject_model, subject_source, subject_source_owner::text, accept_without_jti "
		"FROM openid4vci.vci_authorization_server WHERE issuer_id = $1 ORDER BY created_at, url",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	VciAuthorizationServerRow *rows;

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciAuthorizationServerRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		VciAuthorizationServerRow *row = &rows[i];

		row->url = vci_column_text(store, i, 1);
		row->audiences = vci_column_texts(store, i, 2, &row->audience_count);
		row->client_ids = vci_column_texts(store, i, 3, &row->client_id_count);
		row->jwks = vci_column_text(store, i, 4);
		row->jwks_uri = vci_column_text(store, i, 5);
		row->accept_typ_jwt = vci_column_boolean(i, 6);
		row->subject_claim = vci_column_text(store, i, 7);
		row->subject_model = vci_column_text(store, i, 8);
		row->subject_source = vci_column_text(store, i, 9);
		row->subject_source_owner = vci_column_text(store, i, 10);
		row->accept_without_jti = vci_column_boolean(i, 11);
	}
	return rows;
}

bool
vci_store_insert_authorization_server(VciStore *store, int64 issuer_id,
									  const VciAuthorizationServerRow *server)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_authorization_server (issuer_id, url, audiences) "
		"VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		3,
		{INT8OID, TEXTOID, TEXTARRAYOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, server->url);
	vci_put_texts(&args, server->audiences, server->audience_count);
	return vci_run(store, &statement, &args) == 1;
}

/* A member that is there sets its column; JSON null sets NULL, or the column's default. */
#define SETTING(name) name " = CASE WHEN $3 ? '" name "' THEN $3 ->> '" name "' ELSE " name " END"
#define DEFAULTED(name, value, fallback)                                                           \
	name " = CASE WHEN $3 ? '" name "' THEN COALESCE(" value ", " fallback ") ELSE " name " END"
#define STRINGS(name)                                                                              \
	"CASE WHEN jsonb_typeof($3 -> '" name "') = 'array' THEN ARRAY(SELECT "                        \
	"jsonb_array_elements_text($3 -> '" name "')) END"

bool
vci_store_update_authorization_server(VciStore *store, int64 issuer_id, const char *url,
									  Datum changes, const char *subject_source_owner)
{
	/* clang-format off */
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization_server SET "
		"subject_source_owner = CASE WHEN $3 ? 'subject_source' THEN $4 "
		"ELSE subject_source_owner END, "
		DEFAULTED("audiences", STRINGS("audiences"), "audiences") ", "
		DEFAULTED("client_ids", STRINGS("client_ids"), "'{}'") ", "
		DEFAULTED("accept_typ_jwt", "($3 ->> 'accept_typ_jwt')::boolean", "false") ", "
		DEFAULTED("accept_without_jti", "($3 ->> 'accept_without_jti')::boolean", "false") ", "
		DEFAULTED("subject_claim", "$3 ->> 'subject_claim'", "'sub'") ", "
		SETTING("jwks_uri") ", "
		SETTING("subject_model") ", "
		SETTING("subject_source")
		" WHERE issuer_id = $1 AND url = $2",
		4,
		{INT8OID, TEXTOID, JSONBOID, TEXTOID},
		NULL};
	/* clang-format on */
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, url);
	vci_put_datum(&args, changes);
	vci_put_text(&args, subject_source_owner);
	return vci_run(store, &statement, &args) == 1;
}

bool
vci_store_delete_authorization_server(VciStore *store, int64 issuer_id, const char *url)
{
	static VciStatement statement = {"DELETE FROM openid4vci.vci_authorization_server "
									 "WHERE issuer_id = $1 AND url = $2",
									 2,
									 {INT8OID, TEXTOID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, url);
	return vci_run(store, &statement, &args) == 1;
}

int64
vci_store_load_jwks(VciStore *store, int64 issuer_id, const char *url, Datum jwks)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization_server SET jwks = $3, "
		"jwks_loaded_at = clock_timestamp() WHERE issuer_id = $1 AND url = $2",
		3,
		{INT8OID, TEXTOID, JSONBOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, url);
	vci_put_datum(&args, jwks);
	return vci_run(store, &statement, &args);
}
