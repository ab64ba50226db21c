#include "compat.h"

#include "store_statement.h"

int64
vci_store_next_issuer_id(VciStore *store)
{
	static VciStatement statement = {
		"SELECT nextval('openid4vci.vci_issuer_id_seq')", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
	return vci_column_int64(0, 1);
}

bool
vci_store_insert_issuer(VciStore *store, int64 id, const char *url, bytea *data_key,
						const char *root_key_id)
{
	static VciStatement statement = {"INSERT INTO openid4vci.vci_issuer (id, url, data_key, "
									 "root_key_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
									 4,
									 {INT8OID, TEXTOID, BYTEAOID, TEXTOID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_text(&args, url);
	vci_put_bytea(&args, data_key);
	vci_put_text(&args, root_key_id);
	if (vci_run(store, &statement, &args) == 0)
		return false;
	vci_store_bind_database(store, id);
	return true;
}

/* A member that is there sets its column; JSON null sets NULL or the column's default. */
#define SETTING(name, type)                                                                        \
	name " = CASE WHEN $2 ? '" name "' THEN ($2 ->> '" name "')::" type " ELSE " name " END"
#define FLAG(name)                                                                                 \
	name " = CASE WHEN $2 ? '" name "' THEN COALESCE(($2 ->> '" name                               \
		 "')::boolean, false) ELSE " name " END"
#define DOCUMENT(name)                                                                             \
	name " = CASE WHEN $2 ? '" name "' THEN NULLIF($2 -> '" name "', 'null') ELSE " name " END"

void
vci_store_update_issuer(VciStore *store, int64 id, Datum settings, const char *authenticate_owner)
{
	/* clang-format off */
	static VciStatement statement = {
		"UPDATE openid4vci.vci_issuer SET "
		"base_path = CASE WHEN $2 ? 'base_path' THEN COALESCE($2 ->> 'base_path', "
		"'/api/v1/openid4vci') ELSE base_path END, "
		"profile = COALESCE($2 ->> 'profile', profile), "
		"endpoints = CASE WHEN NOT $2 ? 'endpoints' THEN endpoints "
		"WHEN $2 -> 'endpoints' = 'null' THEN '{}' "
		"ELSE jsonb_strip_nulls(endpoints || ($2 -> 'endpoints')) END, "
		"authenticate_owner = CASE WHEN $2 ? 'authenticate' THEN $3 ELSE authenticate_owner END, "
		FLAG("iss_did_web") ", "
		FLAG("issuance_paused") ", "
		FLAG("notify_events") ", "
		FLAG("keep_claims") ", "
		SETTING("token_retention", "integer") ", "
		SETTING("offer_retention", "integer") ", "
		SETTING("credential_retention", "integer") ", "
		SETTING("event_retention", "integer") ", "
		DOCUMENT("display") ", "
		DOCUMENT("login_fields") ", "
		SETTING("offer_lifetime", "integer") ", "
		SETTING("access_token_lifetime", "integer") ", "
		SETTING("c_nonce_lifetime", "integer") ", "
		SETTING("retry_window", "integer") ", "
		SETTING("time_rounding", "integer") ", "
		SETTING("proof_max_age", "integer") ", "
		SETTING("tx_code_max_failures", "integer") ", "
		SETTING("batch_size", "integer") ", "
		SETTING("dpop", "text") ", "
		SETTING("dpop_nonce", "boolean") ", "
		SETTING("dpop_proof_max_age", "integer") ", "
		SETTING("refresh_token_lifetime", "integer") ", "
		SETTING("authorization_request_lifetime", "integer") ", "
		SETTING("authorization_code_lifetime", "integer") ", "
		SETTING("authorization_request_rate", "integer") ", "
		SETTING("tx_code_retry_delay", "integer") ", "
		SETTING("deferred_interval", "integer") ", "
		SETTING("deferred_lifetime", "integer") ", "
		SETTING("status_list_size", "integer") ", "
		SETTING("status_list_ttl", "integer") ", "
		SETTING("status_list_lifetime", "integer") ", "
		SETTING("login_url", "text") ", "
		SETTING("wallet_url", "text") ", "
		SETTING("authenticate", "text") ", "
		"report_labels = CASE WHEN $2 ? 'report_labels' THEN ARRAY(SELECT DISTINCT l.name "
		"FROM jsonb_array_elements_text(COALESCE(NULLIF($2 -> 'report_labels', 'null'), '[]')) "
		"AS l (name)) ELSE report_labels END"
		" WHERE id = $1",
		3,
		{INT8OID, JSONBOID, TEXTOID},
		NULL};
	/* clang-format on */
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_datum(&args, settings);
	vci_put_text(&args, authenticate_owner);
	vci_run(store, &statement, &args);
}

void
vci_store_retire_issuer(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_issuer SET retired_at = clock_timestamp() WHERE id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_run(store, &statement, &args);
}

void
vci_store_serialize_issuers(VciStore *store)
{
	/* a written row, not a lock alone: under REPEATABLE READ that is what raises 40001 */
	static VciStatement statement = {"UPDATE openid4vci.vci_epoch SET epoch = epoch", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

int64 *
vci_store_issuer_ids(VciStore *store, int *count)
{
	static VciStatement statement = {
		"SELECT id FROM openid4vci.vci_issuer ORDER BY id", 0, {0}, NULL};
	VciArguments args = {0};
	int64 *ids;

	*count = vci_run(store, &statement, &args);
	ids = palloc(sizeof(int64) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		ids[i] = vci_column_int64(i, 1);
	return ids;
}

static void
read_oauth_settings(VciStore *store, int i, VciIssuerRow *row)
{
	row->dpop = vci_column_text(store, i, 18);
	row->dpop_nonce = vci_column_int32(i, 19);
	row->dpop_proof_max_age = vci_column_int32(i, 20);
	row->refresh_token_lifetime = vci_column_int32(i, 21);
	row->authorization_request_lifetime = vci_column_int32(i, 22);
	row->authorization_code_lifetime = vci_column_int32(i, 23);
	row->authorization_request_rate = vci_column_int32(i, 24);
	row->tx_code_retry_delay = vci_column_int32(i, 25);
	row->deferred_interval = vci_column_int32(i, 26);
	row->deferred_lifetime = vci_column_int32(i, 27);
	row->login_url = vci_column_text(store, i, 28);
	row->authenticate = vci_column_text(store, i, 29);
	row->authenticate_owner = vci_column_text(store, i, 30);
	row->login_fields = vci_column_text(store, i, 31);
	row->endpoints = vci_column_text(store, i, 32);
	row->issuance_paused = vci_column_boolean(i, 33);
	row->notify_events = vci_column_boolean(i, 34);
	row->keep_claims = vci_column_boolean(i, 35);
	row->status_list_size = vci_column_int32(i, 36);
	row->status_list_ttl = vci_column_int32(i, 37);
	row->status_list_lifetime = vci_column_int32(i, 38);
	row->wallet_url = vci_column_text(store, i, 39);
}

VciIssuerRow *
vci_store_issuers(VciStore *store, int *count)
{
	static VciStatement statement = {
		"SELECT id, url, base_path, profile, iss_did_web, offer_lifetime, access_token_lifetime, "
		"c_nonce_lifetime, COALESCE(retry_window, -1), time_rounding, proof_max_age, "
		"tx_code_max_failures, batch_size, display::text, data_key, root_key_id, nonce_generation, "
		"dpop, COALESCE(dpop_nonce::integer, -1), dpop_proof_max_age, refresh_token_lifetime, "
		"authorization_request_lifetime, authorization_code_lifetime, authorization_request_rate, "
		"tx_code_retry_delay, deferred_interval, deferred_lifetime, login_url, authenticate, "
		"authenticate_owner::text, login_fields::text, endpoints::text, issuance_paused, "
		"notify_events, keep_claims, status_list_size, status_list_ttl, status_list_lifetime, "
		"wallet_url "
		"FROM openid4vci.vci_issuer WHERE retired_at IS NULL ORDER BY id",
		0,
		{0},
		NULL};
	VciArguments args = {0};
	VciIssuerRow *rows;

	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciIssuerRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		VciIssuerRow *row = &rows[i];

		row->id = vci_column_int64(i, 1);
		row->url = vci_column_text(store, i, 2);
		row->base_path = vci_column_text(store, i, 3);
		row->profile = vci_column_text(store, i, 4);
		row->iss_did_web = vci_column_boolean(i, 5);
		row->offer_lifetime = vci_column_int32(i, 6);
		row->access_token_lifetime = vci_column_int32(i, 7);
		row->c_nonce_lifetime = vci_column_int32(i, 8);
		row->retry_window = vci_column_int32(i, 9);
		row->time_rounding = vci_column_int32(i, 10);
		row->proof_max_age = vci_column_int32(i, 11);
		row->tx_code_max_failures = vci_column_int32(i, 12);
		row->batch_size = vci_column_int32(i, 13);
		row->display = vci_column_text(store, i, 14);
		row->data_key = vci_column_bytea(store, i, 15);
		row->root_key_id = vci_column_text(store, i, 16);
		row->nonce_generation = vci_column_int32(i, 17);
		read_oauth_settings(store, i, row);
	}
	return rows;
}

bool
vci_store_issuer_exists(VciStore *store, const char *url)
{
	static VciStatement statement = {
		"SELECT FROM openid4vci.vci_issuer WHERE $1 IS NULL OR url = $1 LIMIT 1",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, url);
	return vci_run(store, &statement, &args) > 0;
}

int64
vci_store_epoch(VciStore *store)
{
	static VciStatement statement = {"SELECT epoch FROM openid4vci.vci_epoch", 0, {0}, NULL};
	VciArguments args = {0};

	if (vci_run(store, &statement, &args) != 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("openid4vci.vci_epoch must hold exactly one row")));
	return vci_column_int64(0, 1);
}

void
vci_store_void_nonces(VciStore *store, int64 issuer_id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_issuer SET nonce_generation = nonce_generation + 1 WHERE id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_run(store, &statement, &args);
}
