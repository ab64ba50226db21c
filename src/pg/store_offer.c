#include "compat.h"

#include "utils/builtins.h"

#include "store_insert.h"
#include "store_purge_terms.h"
#include "values.h"

int64
vci_store_next_offer_id(VciStore *store pg_attribute_unused())
{
	return vci_next_id("vci_offer_id_seq");
}

/* A code that was given out at the last moment lives on, as long as any setting lets it. */
#define CODE_LEEWAY_SECONDS 600
#define CODE_LEEWAY(grants)                                                                        \
	"CASE WHEN 'authorization_code' = ANY (" grants                                                \
	") THEN interval '" CppAsString2(CODE_LEEWAY_SECONDS) " seconds' "                             \
														  "ELSE interval '0' END"

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
										   {"tx_code_verifier", BYTEAOID}},
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

#define OFFER_COLUMNS                                                                              \
	"id, issuer_id, generation, tx_code_failures, floor(extract(epoch FROM expires_at))::bigint, " \
	"redeemed_at IS NOT NULL, issued_at IS NOT NULL, cancelled_at IS NOT NULL, tx_code_length, "   \
	"tx_code_mode, tx_code_description, tx_code_verifier, configuration_ids, subject_model, "      \
	"subject_id, holder_did, holder_jwk::text, claims::text, grants, client_id, "                  \
	"authorization_server, datasets::text, "                                                       \
	"COALESCE(extract(epoch FROM clock_timestamp() - tx_code_failed_at), -1)::float8, "            \
	"floor(extract(epoch FROM ends_at))::bigint, claims_erased_at IS NOT NULL "                    \
	"FROM openid4vci.vci_offer "

static VciOfferRow *
offer_row(VciStore *store)
{
	VciOfferRow *row = palloc0(sizeof(VciOfferRow));

	row->id = vci_column_int64(0, 1);
	row->issuer_id = vci_column_int64(0, 2);
	row->generation = vci_column_int32(0, 3);
	row->tx_code_failures = vci_column_int32(0, 4);
	row->expires_at = vci_column_int64(0, 5);
	row->redeemed = vci_column_boolean(0, 6);
	row->issued = vci_column_boolean(0, 7);
	row->cancelled = vci_column_boolean(0, 8);
	row->tx_code_length = vci_column_int32(0, 9);
	row->tx_code_mode = vci_column_text(store, 0, 10);
	row->tx_code_description = vci_column_text(store, 0, 11);
	row->tx_code_verifier = vci_column_bytea(store, 0, 12);
	row->configuration_ids = vci_column_texts(store, 0, 13, &row->configuration_count);
	row->subject_model = vci_column_text(store, 0, 14);
	row->subject_id = vci_column_text(store, 0, 15);
	row->holder_did = vci_column_text(store, 0, 16);
	row->holder_jwk = vci_column_text(store, 0, 17);
	row->claims = vci_column_text(store, 0, 18);
	row->grants = vci_column_texts(store, 0, 19, &row->grant_count);
	row->client_id = vci_column_text(store, 0, 20);
	row->authorization_server = vci_column_text(store, 0, 21);
	row->datasets = vci_column_text(store, 0, 22);
	row->tx_code_failed_ago = vci_column_double(0, 23);
	row->ends_at = vci_column_int64(0, 24);
	row->claims_erased = vci_column_boolean(0, 25);
	return row;
}

VciOfferRow *
vci_store_offer_by_reference(VciStore *store, int64 issuer_id, const char *reference)
{
	static VciStatement statement = {"SELECT " OFFER_COLUMNS
									 "WHERE issuer_id = $1 AND reference = $2",
									 2,
									 {INT8OID, TEXTOID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, reference);
	return vci_run(store, &statement, &args) == 1 ? offer_row(store) : NULL;
}

VciOfferRow *
vci_store_offer(VciStore *store, int64 id, bool lock)
{
	static VciStatement read = {"SELECT " OFFER_COLUMNS "WHERE id = $1", 1, {INT8OID}, NULL};
	static VciStatement lock_row = {
		"SELECT " OFFER_COLUMNS "WHERE id = $1 FOR NO KEY UPDATE", 1, {INT8OID}, NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	return vci_run(store, lock ? &lock_row : &read, &args) == 1 ? offer_row(store) : NULL;
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

/* What is true of an offer that expires at $2 and may be redeemed until then. */
/* clang-format off */
#define EXPIRES                                                                                    \
	"expires_at = pg_catalog.to_timestamp($2), "                                                   \
	"ends_at = pg_catalog.to_timestamp($2) + " CODE_LEEWAY("grants") ", "                          \
	"claims_due = CASE WHEN claims_due IS NOT NULL THEN pg_catalog.to_timestamp($2) END "

OFFER_UPDATE_UNTIL(vci_store_redeem_offer,
				   "redeemed_at = $3, ends_at = pg_catalog.to_timestamp($2)")
OFFER_UPDATE_UNTIL(vci_store_mark_issued,
				   "issued_at = COALESCE(issued_at, $3), "
				   "ends_at = COALESCE(pg_catalog.to_timestamp($2), ends_at)")
OFFER_UPDATE_UNTIL(vci_store_extend_offer, EXPIRES)
OFFER_UPDATE_UNTIL(vci_store_reopen_offer,
				   "redeemed_at = NULL, cancelled_at = NULL, tx_code_failures = 0, "
				   "tx_code_failed_at = NULL, generation = generation + 1, " EXPIRES)
/* clang-format on */

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
