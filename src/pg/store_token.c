#include "compat.h"

#include "../jose/seal.h"
#include "store_insert.h"
#include "store_row.h"

/* In the order of TOKEN_COLUMNS. */
typedef enum TokenColumn
{
	TOKEN_ID,
	TOKEN_ISSUER_ID,
	TOKEN_OFFER_ID,
	TOKEN_GENERATION,
	TOKEN_OFFER_GENERATION,
	TOKEN_CONFIGURATION_IDS,
	TOKEN_IDENTIFIERS,
	TOKEN_EXPIRES_AT,
	TOKEN_CLIENT_ID,
	TOKEN_JKT
} TokenColumn;

/* clang-format off */
#define TOKEN_COLUMNS                                                                              \
	{{"id", INT8OID}, {"issuer_id", INT8OID}, {"offer_id", INT8OID}, {"generation", INT4OID},      \
	 {"offer_generation", INT4OID}, {"configuration_ids", TEXTARRAYOID},                           \
	 {"identifiers", BOOLOID}, {"expires_at", TIMESTAMPTZOID}, {"client_id", TEXTOID},             \
	 {"jkt", TEXTOID}}
/* clang-format on */

/* Closes the row; NULL for NULL. */
static VciTokenRow *
token_of(VciRow *row)
{
	VciTokenRow *token;

	if (row == NULL)
		return NULL;
	token = palloc0(sizeof(VciTokenRow));
	token->id = vci_row_int64(row, TOKEN_ID);
	token->issuer_id = vci_row_int64(row, TOKEN_ISSUER_ID);
	token->offer_id = vci_row_int64(row, TOKEN_OFFER_ID);
	token->generation = vci_row_int32(row, TOKEN_GENERATION);
	token->offer_generation = vci_row_int32(row, TOKEN_OFFER_GENERATION);
	token->configuration_ids =
		vci_row_texts(row, TOKEN_CONFIGURATION_IDS, &token->configuration_count);
	token->identifiers = vci_row_boolean(row, TOKEN_IDENTIFIERS);
	token->expires_at = vci_row_seconds(row, TOKEN_EXPIRES_AT);
	token->client_id = vci_row_text(row, TOKEN_CLIENT_ID);
	token->jkt = vci_row_text(row, TOKEN_JKT);
	vci_row_close(row);
	return token;
}

/* Inserts unless one of this external key (NULL: none) is there; 0 then. */
static int64
insert_token(VciStore *store, const VciTokenRow *token, const unsigned char *external_key)
{
	static VciInsert insert = {.table = "vci_token",
							   .columns = {{"id", INT8OID},
										   {"issuer_id", INT8OID},
										   {"offer_id", INT8OID},
										   {"generation", INT4OID},
										   {"offer_generation", INT4OID},
										   {"configuration_ids", TEXTARRAYOID},
										   {"identifiers", BOOLOID},
										   {"created_at", TIMESTAMPTZOID},
										   {"expires_at", TIMESTAMPTZOID},
										   {"client_id", TEXTOID},
										   {"jkt", TEXTOID},
										   {"external_key", BYTEAOID}},
							   .unique = {"issuer_id", "external_key"},
							   .unique_where = "external_key IS NOT NULL"};
	static VciTable ids = {.name = "vci_token_id_seq"};
	VciArguments args = {0};
	int64 id = vci_next_id(&ids);

	vci_put_int64(&args, id);
	vci_put_int64(&args, token->issuer_id);
	vci_put_int64(&args, token->offer_id);
	vci_put_int32(&args, token->generation);
	vci_put_int32(&args, token->offer_generation);
	vci_put_texts(&args, token->configuration_ids, token->configuration_count);
	vci_put_boolean(&args, token->identifiers);
	vci_put_now(&args);
	vci_put_time(&args, token->expires_at);
	vci_put_text(&args, token->client_id);
	vci_put_text(&args, token->jkt);
	vci_put_bytes(&args, external_key, VCI_DIGEST_BYTES);
	return vci_insert(store, &insert, &args) ? id : 0;
}

int64
vci_store_insert_token(VciStore *store, const VciTokenRow *token)
{
	return insert_token(store, token, NULL);
}

/* Of a ticket of version 0.1.0, which does not tell; 0: none. A row's offer never changes. */
static int64
offer_of_row(VciStore *store, VciStatement *statement, int64 id)
{
	VciArguments args = {0};

	vci_put_int64(&args, id);
	return vci_run(store, statement, &args) == 1 ? vci_column_int64(0, 1) : 0;
}

VciTokenRow *
vci_store_token(VciStore *store, int64 id, int64 offer_id)
{
	static VciStatement offer = {
		"SELECT offer_id FROM openid4vci.vci_token WHERE id = $1", 1, {INT8OID}, NULL};
	static VciRows tokens = {.table = {.name = "vci_token"},
							 .lock = RowShareLock,
							 .key = {{"id", INT8OID}, {"offer_id", INT8OID}},
							 .columns = TOKEN_COLUMNS};
	VciArguments key = {0};

	vci_put_int64(&key, id);
	vci_put_int64(&key, offer_id != 0 ? offer_id : offer_of_row(store, &offer, id));
	return token_of(vci_row_find(store, &tokens, &key, VCI_ROW_LOCK));
}

static VciTokenRow *
find_external_token(VciStore *store, int64 issuer_id, const unsigned char *external_key)
{
	static VciRows tokens = {.table = {.name = "vci_token"},
							 .lock = RowShareLock,
							 .key = {{"issuer_id", INT8OID}, {"external_key", BYTEAOID}},
							 .columns = TOKEN_COLUMNS};
	VciArguments key = {0};

	vci_put_int64(&key, issuer_id);
	vci_put_bytes(&key, external_key, VCI_DIGEST_BYTES);
	return token_of(vci_row_find(store, &tokens, &key, VCI_ROW_LOCK));
}

VciTokenRow *
vci_store_external_token(VciStore *store, const VciTokenRow *token, const unsigned char *key,
						 const VciNewOffer *offer, bool *created)
{
	VciTokenRow *row = find_external_token(store, token->issuer_id, key);

	*created = false;
	if (row != NULL || offer == NULL)
		return row;
	/* the token first: who comes second waits here, and makes no offer */
	*created = insert_token(store, token, key) != 0;
	if (*created)
	{
		(void) vci_store_insert_offer(store, offer);
		vci_store_redeem_offer(store, offer->id, token->expires_at);
	}
	return find_external_token(store, token->issuer_id, key);
}

int64
vci_store_insert_refresh_token(VciStore *store, const VciRefreshTokenRow *token)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_refresh_token (issuer_id, offer_id, offer_generation, "
		"configuration_ids, identifiers, expires_at, generation, client_id, jkt) "
		"VALUES ($1, $2, $3, $4, $5, pg_catalog.to_timestamp($6), $7, $8, $9) RETURNING id",
		9,
		{INT8OID, INT8OID, INT4OID, TEXTARRAYOID, BOOLOID, INT8OID, INT4OID, TEXTOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, token->issuer_id);
	vci_put_int64(&args, token->offer_id);
	vci_put_int32(&args, token->offer_generation);
	vci_put_texts(&args, token->configuration_ids, token->configuration_count);
	vci_put_boolean(&args, token->identifiers);
	vci_put_int64(&args, token->expires_at);
	vci_put_int32(&args, token->generation);
	vci_put_text(&args, token->client_id);
	vci_put_text(&args, token->jkt);
	vci_run(store, &statement, &args);
	return vci_column_int64(0, 1);
}

VciRefreshTokenRow *
vci_store_refresh_token(VciStore *store, int64 id, int64 offer_id)
{
	static VciStatement offer = {
		"SELECT offer_id FROM openid4vci.vci_refresh_token WHERE id = $1", 1, {INT8OID}, NULL};
	static VciStatement statement = {
		"SELECT id, issuer_id, offer_id, generation, offer_generation, successor_id, "
		"configuration_ids, identifiers, floor(extract(epoch FROM expires_at))::bigint, "
		"used_at IS NOT NULL, client_id, jkt "
		"FROM openid4vci.vci_refresh_token WHERE id = $1 AND offer_id = $2 FOR NO KEY UPDATE",
		2,
		{INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};
	VciRefreshTokenRow *row;

	vci_put_int64(&args, id);
	vci_put_int64(&args, offer_id != 0 ? offer_id : offer_of_row(store, &offer, id));
	if (vci_run(store, &statement, &args) != 1)
		return NULL;
	row = palloc0(sizeof(VciRefreshTokenRow));
	row->id = vci_column_int64(0, 1);
	row->issuer_id = vci_column_int64(0, 2);
	row->offer_id = vci_column_int64(0, 3);
	row->generation = vci_column_int32(0, 4);
	row->offer_generation = vci_column_int32(0, 5);
	row->successor_id = vci_column_int64(0, 6);
	row->configuration_ids = vci_column_texts(store, 0, 7, &row->configuration_count);
	row->identifiers = vci_column_boolean(0, 8);
	row->expires_at = vci_column_int64(0, 9);
	row->used = vci_column_boolean(0, 10);
	row->client_id = vci_column_text(store, 0, 11);
	row->jkt = vci_column_text(store, 0, 12);
	return row;
}

/* A statement of (id, offer's id, now, value) that notes the token's use. */
static void
note_use(VciStore *store, VciStatement *statement, const VciRefreshTokenRow *token, int64 value)
{
	VciArguments args = {0};

	vci_put_int64(&args, token->id);
	vci_put_int64(&args, token->offer_id);
	vci_put_now(&args);
	vci_put_int64_or_null(&args, value);
	vci_run(store, statement, &args);
}

void
vci_store_use_refresh_token(VciStore *store, const VciRefreshTokenRow *token, int64 successor_id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_refresh_token SET used_at = COALESCE(used_at, $3), "
		"successor_id = $4 WHERE id = $1 AND offer_id = $2",
		4,
		{INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID},
		NULL};

	note_use(store, &statement, token, successor_id);
}

void
vci_store_extend_refresh_token(VciStore *store, const VciRefreshTokenRow *token, int64 expires_at)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_refresh_token SET used_at = COALESCE(used_at, $3), "
		"expires_at = pg_catalog.to_timestamp($4) WHERE id = $1 AND offer_id = $2",
		4,
		{INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID},
		NULL};

	note_use(store, &statement, token, expires_at);
}
