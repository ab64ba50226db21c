#include "compat.h"

#include "miscadmin.h"

#include "store_statement.h"

int64
vci_store_insert_authorization(VciStore *store, const VciAuthorizationRow *row)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_authorization (issuer_id, generation, offer_id, "
		"offer_generation, expires_at, opened_at, pushed, identifiers, client_id, redirect_uri, "
		"state, code_challenge, jkt, configuration_ids, browser) "
		"VALUES ($1, $2, $3, $4, pg_catalog.to_timestamp($5), "
		"CASE WHEN $6 THEN clock_timestamp() END, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
		"RETURNING id",
		15,
		{INT8OID, INT4OID, INT8OID, INT4OID, INT8OID, BOOLOID, BOOLOID, BOOLOID, TEXTOID, TEXTOID,
		 TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, BYTEAOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, row->issuer_id);
	vci_put_int32(&args, row->generation);
	vci_put_int64_or_null(&args, row->offer_id);
	if (row->offer_id == 0)
		vci_put_null(&args);
	else
		vci_put_int32(&args, row->offer_generation);
	vci_put_int64(&args, row->expires_at);
	vci_put_boolean(&args, row->opened);
	vci_put_boolean(&args, row->pushed);
	vci_put_boolean(&args, row->identifiers);
	vci_put_text(&args, row->client_id);
	vci_put_text(&args, row->redirect_uri);
	vci_put_text(&args, row->state);
	vci_put_text(&args, row->code_challenge);
	vci_put_text(&args, row->jkt);
	vci_put_texts(&args, row->configuration_ids, row->configuration_count);
	vci_put_bytea(&args, row->browser);
	vci_run(store, &statement, &args);
	return vci_column_int64(0, 1);
}

#define AUTHORIZATION_COLUMNS                                                                      \
	"id, issuer_id, generation, login_failures, offer_id, offer_generation, "                      \
	"floor(extract(epoch FROM expires_at))::bigint, "                                              \
	"floor(extract(epoch FROM code_expires_at))::bigint, opened_at IS NOT NULL, "                  \
	"approved_at IS NOT NULL, denied_at IS NOT NULL, redeemed_at IS NOT NULL, pushed, "            \
	"identifiers, client_id, redirect_uri, state, code_challenge, jkt, configuration_ids, "        \
	"browser FROM openid4vci.vci_authorization "

static VciAuthorizationRow *
authorization_row(VciStore *store)
{
	VciAuthorizationRow *row = palloc0(sizeof(VciAuthorizationRow));

	row->id = vci_column_int64(0, 1);
	row->issuer_id = vci_column_int64(0, 2);
	row->generation = vci_column_int32(0, 3);
	row->login_failures = vci_column_int32(0, 4);
	row->offer_id = vci_column_int64(0, 5);
	row->offer_generation = vci_column_int32(0, 6);
	row->expires_at = vci_column_int64(0, 7);
	row->code_expires_at = vci_column_int64(0, 8);
	row->opened = vci_column_boolean(0, 9);
	row->approved = vci_column_boolean(0, 10);
	row->denied = vci_column_boolean(0, 11);
	row->redeemed = vci_column_boolean(0, 12);
	row->pushed = vci_column_boolean(0, 13);
	row->identifiers = vci_column_boolean(0, 14);
	row->client_id = vci_column_text(store, 0, 15);
	row->redirect_uri = vci_column_text(store, 0, 16);
	row->state = vci_column_text(store, 0, 17);
	row->code_challenge = vci_column_text(store, 0, 18);
	row->jkt = vci_column_text(store, 0, 19);
	row->configuration_ids = vci_column_texts(store, 0, 20, &row->configuration_count);
	row->browser = vci_column_bytea(store, 0, 21);
	return row;
}

VciAuthorizationRow *
vci_store_authorization(VciStore *store, int64 id, bool lock)
{
	static VciStatement read = {
		"SELECT " AUTHORIZATION_COLUMNS "WHERE id = $1", 1, {INT8OID}, NULL};
	static VciStatement lock_row = {
		"SELECT " AUTHORIZATION_COLUMNS "WHERE id = $1 FOR NO KEY UPDATE", 1, {INT8OID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	return vci_run(store, lock ? &lock_row : &read, &args) == 1 ? authorization_row(store) : NULL;
}

void
vci_store_open_authorization(VciStore *store, int64 id, bytea *browser, int64 expires_at)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization SET opened_at = clock_timestamp(), browser = $2, "
		"expires_at = pg_catalog.to_timestamp($3) WHERE id = $1",
		3,
		{INT8OID, BYTEAOID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_bytea(&args, browser);
	vci_put_int64(&args, expires_at);
	vci_run(store, &statement, &args);
}

void
vci_store_approve_authorization(VciStore *store, int64 id, int64 offer_id, int32 offer_generation,
								int64 code_expires_at)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization SET approved_at = clock_timestamp(), offer_id = $2, "
		"offer_generation = $3, code_expires_at = pg_catalog.to_timestamp($4), decided_by = $5 "
		"WHERE id = $1",
		5,
		{INT8OID, INT8OID, INT4OID, INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, offer_id);
	vci_put_int32(&args, offer_generation);
	vci_put_int64(&args, code_expires_at);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_run(store, &statement, &args);
}

void
vci_store_deny_authorization(VciStore *store, int64 id, const char *reason)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization SET denied_at = clock_timestamp(), reason = $2, "
		"decided_by = $3 WHERE id = $1",
		3,
		{INT8OID, TEXTOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_text(&args, reason);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_run(store, &statement, &args);
}

void
vci_store_redeem_authorization(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization SET redeemed_at = clock_timestamp() WHERE id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_run(store, &statement, &args);
}

void
vci_store_count_login_failure(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_authorization SET login_failures = login_failures + 1 "
		"WHERE id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_run(store, &statement, &args);
}

double
vci_store_authorization_age(VciStore *store, int64 issuer_id, int32 limit)
{
	static VciStatement statement = {
		"SELECT extract(epoch FROM clock_timestamp() - created_at)::double precision "
		"FROM openid4vci.vci_authorization WHERE issuer_id = $1 "
		"AND created_at > now() - interval '1 minute' "
		"ORDER BY created_at DESC OFFSET $2 LIMIT 1",
		2,
		{INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_int64(&args, (int64) limit - 1);
	return vci_run(store, &statement, &args) == 1 ? vci_column_double(0, 1) : -1;
}
