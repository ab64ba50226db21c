#include "compat.h"

#include "../jose/seal.h"
#include "store_statement.h"

#define TOKEN_COLUMNS                                                                              \
	"id, issuer_id, offer_id, offer_generation, configuration_ids, identifiers, "                  \
	"floor(extract(epoch FROM expires_at))::bigint, generation, client_id, jkt "                   \
	"FROM openid4vci.vci_token "

static VciTokenRow *
token_row(VciStore *store)
{
	VciTokenRow *row = palloc0(sizeof(VciTokenRow));

	row->id = vci_column_int64(0, 1);
	row->issuer_id = vci_column_int64(0, 2);
	row->offer_id = vci_column_int64(0, 3);
	row->offer_generation = vci_column_int32(0, 4);
	row->configuration_ids = vci_column_texts(store, 0, 5, &row->configuration_count);
	row->identifiers = vci_column_boolean(0, 6);
	row->expires_at = vci_column_int64(0, 7);
	row->generation = vci_column_int32(0, 8);
	row->client_id = vci_column_text(store, 0, 9);
	row->jkt = vci_column_text(store, 0, 10);
	return row;
}

#define INSERT_TOKEN                                                                               \
	"INSERT INTO openid4vci.vci_token (issuer_id, offer_id, offer_generation, "                    \
	"configuration_ids, identifiers, expires_at, generation, client_id, jkt, external_key) "       \
	"VALUES ($1, $2, $3, $4, $5, pg_catalog.to_timestamp($6), $7, $8, $9, $10) "

/* clang-format off */
#define TOKEN_TYPES                                                                                \
	{INT8OID, INT8OID, INT4OID, TEXTARRAYOID, BOOLOID, INT8OID, INT4OID, TEXTOID, TEXTOID, BYTEAOID}
/* clang-format on */

/* Inserts unless one of this external key (NULL: none) is there; 0 then. */
static int64
insert_token(VciStore *store, const VciTokenRow *token, const unsigned char *external_key)
{
	static VciStatement own = {INSERT_TOKEN "RETURNING id", 10, TOKEN_TYPES, NULL};
	static VciStatement external = {
		INSERT_TOKEN "ON CONFLICT (issuer_id, external_key) WHERE external_key IS NOT NULL "
					 "DO NOTHING RETURNING id",
		10, TOKEN_TYPES, NULL};
	VciStatement *statement = external_key == NULL ? &own : &external;
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
	vci_put_bytes(&args, external_key, VCI_DIGEST_BYTES);
	return vci_run(store, statement, &args) == 1 ? vci_column_int64(0, 1) : 0;
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
	static VciStatement statement = {"SELECT " TOKEN_COLUMNS
									 "WHERE id = $1 AND offer_id = $2 FOR NO KEY UPDATE",
									 2,
									 {INT8OID, INT8OID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, offer_id != 0 ? offer_id : offer_of_row(store, &offer, id));
	return vci_run(store, &statement, &args) == 1 ? token_row(store) : NULL;
}

static VciTokenRow *
find_external_token(VciStore *store, int64 issuer_id, const unsigned char *key)
{
	static VciStatement statement = {"SELECT " TOKEN_COLUMNS
									 "WHERE issuer_id = $1 AND external_key = $2 FOR NO KEY UPDATE",
									 2,
									 {INT8OID, BYTEAOID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_bytes(&args, key, VCI_DIGEST_BYTES);
	return vci_run(store, &statement, &args) == 1 ? token_row(store) : NULL;
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
