#include "compat.h"

#include "utils/builtins.h"

#include "store_insert.h"
#include "store_offer_terms.h"
#include "store_purge_terms.h"
#include "store_row.h"
#include "values.h"

int64
vci_store_next_offer_id(VciStore *store pg_attribute_unused())
{
	static VciTable ids = {.name = "vci_offer_id_seq"};

	return vci_next_id(&ids);
}

static int64
code_leeway(const VciNewOffer *offer)
{
	for (int i = 0; i < offer->grant_count; i++)
		if (strcmp(offer->grants[i], "authorization_code") == 0)
			return CODE_LEEWAY_SECONDS;
	return 0;
}

/* Does one of the datasets (jsonb array of objects, or 0) bring claims of its own? */
static bool
have_claims(Datum datasets)
{
	Jsonb *array;
	JsonbValue name = {.type = jbvString, .val.string = {sizeof("claims") - 1, "claims"}};

	if (datasets == (Datum) 0)
		return false;
	array = DatumGetJsonbP(datasets);
	for (uint32 i = 0; i < JB_ROOT_COUNT(array); i++)
	{
		JsonbValue *dataset = getIthJsonbValueFromContainer(&array->root, i);

		if (dataset->type == jbvBinary &&
			findJsonbValueFromContainer(dataset->val.binary.data, JB_FOBJECT, &name) != NULL)
			return true;
	}
	return false;
}

static void
put_offer_subject(VciArguments *args, const VciNewOffer *offer)
{
	vci_put_text(args, offer->subject_model);
	vci_put_text(args, offer->subject_id);
	vci_put_text(args, offer->reference);
	vci_put_text(args, offer->holder_did);
	vci_put_json(args, offer->holder_jwk);
	vci_put_text(args, offer->client_id);
	vci_put_text(args, offer->authorization_server);
	vci_put_json(args, offer->labels);
	vci_put_json(args, offer->claims);
	vci_put_json(args, offer->datasets);
}

static void
put_offer_tx_code(VciArguments *args, const VciNewOffer *offer)
{
	if (offer->tx_code_mode == NULL)
		vci_put_null(args);
	else
		vci_put_int32(args, offer->tx_code_length);
	vci_put_text(args, offer->tx_code_mode);
	vci_put_text(args, offer->tx_code_description);
	vci_put_bytea(args, offer->tx_code_verifier);
}

bool
vci_store_insert_offer(VciStore *store, const VciNewOffer *offer)
{
	static VciInsert insert = {.table = "vci_offer",
							   .columns = {{"id", INT8OID},
										   {"issuer_id", INT8OID},
										   {"generation", INT4OID},
										   {"tx_code_failures", INT4OID},
										   {"created_at", TIMESTAMPTZOID},
										   {"expires_at", TIMESTAMPTZOID},
										   {"ends_at", TIMESTAMPTZOID},
										   {"claims_due", TIMESTAMPTZOID},
										   {"configuration_ids", TEXTARRAYOID},
										   {"grants", TEXTARRAYOID},
										   {"created_by", NAMEOID},
										   {"subject_model", TEXTOID},
										   {"subject_id", TEXTOID},
										   {"reference", TEXTOID},
										   {"holder_did", TEXTOID},
										   {"holder_jwk", JSONBOID},
										   {"client_id", TEXTOID},
										   {"authorization_server", TEXTOID},
										   {"labels", JSONBOID},
										   {"claims", JSONBOID},
										   {"datasets", JSONBOID},
										   {"tx_code_length", INT4OID},
										   {"tx_code_mode", TEXTOID},
										   {"tx_code_description", TEXTOID},
										   {"tx_code_verifier", BYTEAOID},
										   {"campaign_id", INT8OID}},
							   .unique = {"issuer_id", "reference"},
							   .unique_where = "reference IS NOT NULL"};
	VciArguments args = {0};
	bool erasable =
		!offer->keep_claims && (offer->claims != (Datum) 0 || have_claims(offer->datasets));

	vci_put_int64(&args, offer->id);
	vci_put_int64(&args, offer->issuer_id);
	vci_put_int32(&args, offer->generation);
	vci_put_int32(&args, 0);
	vci_put_datum(&args, TimestampTzGetDatum(GetCurrentTimestamp()));
	vci_put_time(&args, offer->expires_at);
	vci_put_time(&args, offer->expires_at + code_leeway(offer));
	vci_put_time_or_null(&args, erasable ? offer->expires_at : 0);
	vci_put_texts(&args, offer->configuration_ids, offer->configuration_count);
	vci_put_texts(&args, offer->grants, offer->grant_count);
	vci_put_role(&args, store->caller);
	put_offer_subject(&args, offer);
	put_offer_tx_code(&args, offer);
	vci_put_int64_or_null(&args, offer->campaign_id);
	return vci_insert(store, &insert, &args);
}

void
vci_store_set_tx_code(VciStore *store, int64 id, bytea *verifier, int32 length)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_offer SET tx_code_verifier = $2, tx_code_length = $3, "
		"tx_code_failures = 0, tx_code_failed_at = NULL WHERE id = $1",
		3,
		{INT8OID, BYTEAOID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_bytea(&args, verifier);
	vci_put_int32(&args, length);
	vci_run(store, &statement, &args);
}

/* In the order of OFFER_COLUMNS. */
typedef enum OfferColumn
{
	OFFER_ID,
	OFFER_ISSUER_ID,
	OFFER_GENERATION,
	OFFER_TX_CODE_FAILURES,
	OFFER_EXPIRES_AT,
	OFFER_REDEEMED_AT,
	OFFER_ISSUED_AT,
	OFFER_CANCELLED_AT,
	OFFER_TX_CODE_FAILED_AT,
	OFFER_TX_CODE_LENGTH,
	OFFER_TX_CODE_MODE,
	OFFER_TX_CODE_DESCRIPTION,
	OFFER_TX_CODE_VERIFIER,
	OFFER_CONFIGURATION_IDS,
	OFFER_GRANTS,
	OFFER_SUBJECT_MODEL,
	OFFER_SUBJECT_ID,
	OFFER_HOLDER_DID,
	OFFER_HOLDER_JWK,
	OFFER_CLIENT_ID,
	OFFER_AUTHORIZATION_SERVER,
	OFFER_CLAIMS,
	OFFER_DATASETS,
	OFFER_ENDS_AT,
	OFFER_CLAIMS_ERASED_AT,
	OFFER_EXPIRY_NOTED_AT,
	OFFER_OPENED_AT
} OfferColumn;

/* clang-format off */
#define OFFER_COLUMNS                                                                              \
	{{"id", INT8OID}, {"issuer_id", INT8OID}, {"generation", INT4OID},                             \
	 {"tx_code_failures", INT4OID}, {"expires_at", TIMESTAMPTZOID},                                \
	 {"redeemed_at", TIMESTAMPTZOID}, {"issued_at", TIMESTAMPTZOID},                               \
	 {"cancelled_at", TIMESTAMPTZOID}, {"tx_code_failed_at", TIMESTAMPTZOID},                      \
	 {"tx_code_length", INT4OID}, {"tx_code_mode", TEXTOID}, {"tx_code_description", TEXTOID},     \
	 {"tx_code_verifier", BYTEAOID}, {"configuration_ids", TEXTARRAYOID},                          \
	 {"grants", TEXTARRAYOID}, {"subject_model", TEXTOID}, {"subject_id", TEXTOID},                \
	 {"holder_did", TEXTOID}, {"holder_jwk", JSONBOID}, {"client_id", TEXTOID},                    \
	 {"authorization_server", TEXTOID}, {"claims", JSONBOID}, {"datasets", JSONBOID},              \
	 {"ends_at", TIMESTAMPTZOID}, {"claims_erased_at", TIMESTAMPTZOID},                            \
	 {"expiry_noted_at", TIMESTAMPTZOID}, {"opened_at", TIMESTAMPTZOID}}
/* clang-format on */

static VciRows offers = {.table = {.name = "vci_offer"},
						 .lock = RowExclusiveLock,
						 .key = {{"id", INT8OID}},
						 .columns = OFFER_COLUMNS};

static void
read_offer_state(const VciRow *row, VciOfferRow *offer)
{
	offer->id = vci_row_int64(row, OFFER_ID);
	offer->issuer_id = vci_row_int64(row, OFFER_ISSUER_ID);
	offer->generation = vci_row_int32(row, OFFER_GENERATION);
	offer->tx_code_failures = vci_row_int32(row, OFFER_TX_CODE_FAILURES);
	offer->expires_at = vci_row_seconds(row, OFFER_EXPIRES_AT);
	offer->redeemed = !vci_row_is_null(row, OFFER_REDEEMED_AT);
	offer->issued = !vci_row_is_null(row, OFFER_ISSUED_AT);
	offer->cancelled = !vci_row_is_null(row, OFFER_CANCELLED_AT);
	offer->tx_code_failed_ago = vci_row_age(row, OFFER_TX_CODE_FAILED_AT);
	offer->ends_at = vci_row_seconds(row, OFFER_ENDS_AT);
	offer->claims_erased = !vci_row_is_null(row, OFFER_CLAIMS_ERASED_AT);
	offer->expiry_noted = !vci_row_is_null(row, OFFER_EXPIRY_NOTED_AT);
	offer->opened = !vci_row_is_null(row, OFFER_OPENED_AT);
}

/* Closes the row; NULL for NULL. */
static VciOfferRow *
offer_of(VciRow *row)
{
	VciOfferRow *offer;

	if (row == NULL)
		return NULL;
	offer = palloc0(sizeof(VciOfferRow));
	read_offer_state(row, offer);
	offer->tx_code_length = vci_row_int32(row, OFFER_TX_CODE_LENGTH);
	offer->tx_code_mode = vci_row_text(row, OFFER_TX_CODE_MODE);
	offer->tx_code_description = vci_row_text(row, OFFER_TX_CODE_DESCRIPTION);
	offer->tx_code_verifier = vci_row_bytea(row, OFFER_TX_CODE_VERIFIER);
	offer->configuration_ids =
		vci_row_texts(row, OFFER_CONFIGURATION_IDS, &offer->configuration_count);
	offer->grants = vci_row_texts(row, OFFER_GRANTS, &offer->grant_count);
	offer->subject_model = vci_row_text(row, OFFER_SUBJECT_MODEL);
	offer->subject_id = vci_row_text(row, OFFER_SUBJECT_ID);
	offer->holder_did = vci_row_text(row, OFFER_HOLDER_DID);
	offer->holder_jwk = vci_row_json_text(row, OFFER_HOLDER_JWK);
	offer->client_id = vci_row_text(row, OFFER_CLIENT_ID);
	offer->authorization_server = vci_row_text(row, OFFER_AUTHORIZATION_SERVER);
	offer->claims = vci_row_jsonb(row, OFFER_CLAIMS);
	offer->datasets = vci_row_jsonb(row, OFFER_DATASETS);
	vci_row_close(row);
	return offer;
}

VciOfferRow *
vci_store_offer_by_reference(VciStore *store, int64 issuer_id, const char *reference)
{
	static VciRows referenced = {.table = {.name = "vci_offer"},
								 .lock = RowExclusiveLock,
								 .key = {{"issuer_id", INT8OID}, {"reference", TEXTOID}},
								 .columns = OFFER_COLUMNS};
	VciArguments key = {0};

	vci_put_int64(&key, issuer_id);
	vci_put_text(&key, reference);
	return offer_of(vci_row_find(store, &referenced, &key, VCI_ROW_READ));
}

static VciRow *
find_offer(VciStore *store, int64 id, VciRowLock lock)
{
	VciArguments key = {0};

	vci_put_int64(&key, id);
	return vci_row_find(store, &offers, &key, lock);
}

VciOfferRow *
vci_store_offer(VciStore *store, int64 id, bool lock)
{
	return offer_of(find_offer(store, id, lock ? VCI_ROW_LOCK : VCI_ROW_READ));
}

/* One of the small changes that a step makes to the row it has locked. */
static void
update_offer(VciStore *store, VciStatement *statement, int64 id)
{
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_now(&args);
	vci_run(store, statement, &args);
}

/* A function that makes one such change, at the time $2. */
#define OFFER_UPDATE(function, change)                                                             \
	void function(VciStore *store, int64 id)                                                       \
	{                                                                                              \
		static VciStatement statement = {"UPDATE openid4vci.vci_offer SET " change                 \
										 " WHERE id = $1",                                         \
										 2,                                                        \
										 {INT8OID, TIMESTAMPTZOID},                                \
										 NULL};                                                    \
                                                                                                   \
		update_offer(store, &statement, id);                                                       \
	}

/* clang-format off */
OFFER_UPDATE(vci_store_count_tx_code_failure,
			 "tx_code_failures = tx_code_failures + 1, tx_code_failed_at = $2")
OFFER_UPDATE(vci_store_mark_opened, "opened_at = COALESCE(opened_at, $2)")
OFFER_UPDATE(vci_store_raise_generation, "generation = generation + 1")
OFFER_UPDATE(vci_store_cancel_offer, "cancelled_at = $2, ends_at = $2")
/* clang-format on */

/* The same at $3 with a time $2 (seconds since 1970; 0: null); false when there was no row. */
static bool
update_offer_until(VciStore *store, VciStatement *statement, int64 id, int64 until)
{
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64_or_null(&args, until);
	vci_put_now(&args);
	return vci_run(store, statement, &args) == 1;
}

#define OFFER_UPDATE_UNTIL(function, change)                                                       \
	void function(VciStore *store, int64 id, int64 until)                                          \
	{                                                                                              \
		static VciStatement statement = {"UPDATE openid4vci.vci_offer AS r SET " change            \
										 " WHERE r.id = $1",                                       \
										 3,                                                        \
										 {INT8OID, INT8OID, TIMESTAMPTZOID},                       \
										 NULL};                                                    \
                                                                                                   \
		(void) update_offer_until(store, &statement, id, until);                                   \
	}

/* clang-format off */
OFFER_UPDATE_UNTIL(vci_store_extend_offer, EXPIRES)
OFFER_UPDATE_UNTIL(vci_store_reopen_offer,
				   "redeemed_at = NULL, cancelled_at = NULL, tx_code_failures = 0, "
				   "tx_code_failed_at = NULL, generation = generation + 1, " EXPIRES)
/* clang-format on */

/* The steps of every wallet: the row that is locked is written where it lies. */
void
vci_store_redeem_offer(VciStore *store, int64 id, int64 ends_at)
{
	static VciStatement statement = {"UPDATE openid4vci.vci_offer SET redeemed_at = $3, "
									 "ends_at = pg_catalog.to_timestamp($2) WHERE id = $1",
									 3,
									 {INT8OID, INT8OID, TIMESTAMPTZOID},
									 NULL};
	VciRow *row = find_offer(store, id, VCI_ROW_LOCK);

	if (row == NULL)
		return;
	if (vci_row_is_direct(row))
	{
		vci_row_put_time(row, OFFER_REDEEMED_AT, GetCurrentTimestamp());
		vci_row_put_time(row, OFFER_ENDS_AT, vci_timestamp_of_seconds(ends_at));
		vci_row_write(store, row);
		return;
	}
	vci_row_close(row);
	(void) update_offer_until(store, &statement, id, ends_at);
}

void
vci_store_mark_issued(VciStore *store, int64 id, int64 ends_at)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_offer SET issued_at = COALESCE(issued_at, $3), "
		"ends_at = COALESCE(pg_catalog.to_timestamp($2), ends_at) WHERE id = $1",
		3,
		{INT8OID, INT8OID, TIMESTAMPTZOID},
		NULL};
	VciRow *row = find_offer(store, id, VCI_ROW_LOCK);

	if (row == NULL)
		return;
	if (vci_row_is_direct(row))
	{
		if (vci_row_is_null(row, OFFER_ISSUED_AT))
			vci_row_put_time(row, OFFER_ISSUED_AT, GetCurrentTimestamp());
		if (ends_at != 0)
			vci_row_put_time(row, OFFER_ENDS_AT, vci_timestamp_of_seconds(ends_at));
		vci_row_write(store, row);
		return;
	}
	vci_row_close(row);
	(void) update_offer_until(store, &statement, id, ends_at);
}

void
vci_store_prolong_offer(VciStore *store, int64 id, int64 until)
{
	static VciStatement known = {
		"UPDATE openid4vci.vci_offer SET ends_at = GREATEST(ends_at, "
		"pg_catalog.to_timestamp($2)) WHERE id = $1 AND ends_at IS NOT NULL",
		3,
		{INT8OID, INT8OID, TIMESTAMPTZOID},
		NULL};
	/* it may lie later: a deferral or refresh token of version 0.1.0 may still live */
	static VciStatement unknown = {
		"UPDATE openid4vci.vci_offer AS r SET ends_at = GREATEST(" OFFER_END
		", pg_catalog.to_timestamp($2)) WHERE r.id = $1",
		3,
		{INT8OID, INT8OID, TIMESTAMPTZOID},
		NULL};

	if (!update_offer_until(store, &known, id, until))
		(void) update_offer_until(store, &unknown, id, until);
}
