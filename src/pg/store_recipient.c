#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "store_recipient.h"
#include "store_statement.h"

/*
 * With a plan of its own: one that a session made for ten people reads the whole table, and would
 * do so for each thousand of two millions.
 */
static int
run_planned_anew(VciStore *store, VciStatement *statement, VciArguments *args)
{
	int guc_level;
	int count;

	vci_store_connect(store);
	guc_level = NewGUCNestLevel();
	(void) set_config_option("plan_cache_mode", "force_custom_plan", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	count = vci_run(store, statement, args);
	AtEOXact_GUC(false, guc_level);
	return count;
}

static void
put_array(VciArguments *args, Datum *values, bool *nulls, int count, Oid type)
{
	int lower = 1;
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	vci_put_datum(args, PointerGetDatum(construct_md_array(values, nulls, 1, &count, &lower, type,
														   length, by_value, align)));
}

/* One member of each struct of an array, as an array of its own. */
static void
put_texts_of(VciArguments *args, const void *rows, Size size, Size offset, int count)
{
	Datum *values = palloc(sizeof(Datum) * count);
	bool *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
	{
		const char *text = *(char *const *) ((const char *) rows + size * i + offset);

		nulls[i] = text == NULL;
		values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	}
	put_array(args, values, nulls, count, TEXTOID);
}

#define PUT_TEXTS(args, rows, type, member, count)                                                 \
	put_texts_of(args, rows, sizeof(type), offsetof(type, member), count)

static void
put_jsonbs_of(VciArguments *args, const VciRecipient *rows, Size offset, int count)
{
	Datum *values = palloc(sizeof(Datum) * count);
	bool *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
	{
		values[i] = *(const Datum *) ((const char *) &rows[i] + offset);
		nulls[i] = values[i] == (Datum) 0;
	}
	put_array(args, values, nulls, count, JSONBOID);
}

int64
vci_store_insert_recipients(VciStore *store, int64 campaign_id, const VciRecipient *rows, int count)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_campaign_recipient (campaign_id, reference, subject_model, "
		"subject_id, holder, channel, address, language, labels, claims) "
		"SELECT $1, r.* FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), "
		"pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6), "
		"pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9), "
		"pg_catalog.unnest($10)) AS r "
		"ON CONFLICT (campaign_id, reference) DO NOTHING",
		10,
		{INT8OID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		 TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID, JSONBARRAYOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, campaign_id);
	PUT_TEXTS(&args, rows, VciRecipient, reference, count);
	PUT_TEXTS(&args, rows, VciRecipient, subject_model, count);
	PUT_TEXTS(&args, rows, VciRecipient, subject_id, count);
	PUT_TEXTS(&args, rows, VciRecipient, holder, count);
	PUT_TEXTS(&args, rows, VciRecipient, channel, count);
	PUT_TEXTS(&args, rows, VciRecipient, address, count);
	PUT_TEXTS(&args, rows, VciRecipient, language, count);
	put_jsonbs_of(&args, rows, offsetof(VciRecipient, labels), count);
	put_jsonbs_of(&args, rows, offsetof(VciRecipient, claims), count);
	return vci_run(store, &statement, &args);
}

void
vci_store_analyze_recipients(VciStore *store)
{
	/* whoever has the table locked for that now does it, too */
	static VciStatement statement = {
		"ANALYZE (SKIP_LOCKED) openid4vci.vci_campaign_recipient", 0, {0}, NULL};
	VciArguments args = {0};

	(void) vci_run(store, &statement, &args);
}

/* A jsonb of the last result, copied; null: 0. */
static Datum
column_jsonb(int row, int number)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, &is_null);

	return is_null ? (Datum) 0 : JsonbPGetDatum(DatumGetJsonbPCopy(value));
}

VciRecipient *
vci_store_take_recipients(VciStore *store, int64 campaign_id, int64 behind, int32 max, int *count)
{
	static VciStatement statement = {
		"SELECT r.id, r.reference, r.subject_model, r.subject_id, r.holder, r.channel, r.address, "
		"r.language, r.labels, r.claims FROM openid4vci.vci_campaign_recipient AS r "
		"WHERE r.campaign_id = $1 AND r.id > $2 AND r.offer_id IS NULL AND r.failed_at IS NULL "
		"ORDER BY r.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
		3,
		{INT8OID, INT8OID, INT4OID},
		NULL};
	VciArguments args = {0};
	VciRecipient *rows;

	vci_put_int64(&args, campaign_id);
	vci_put_int64(&args, behind);
	vci_put_int32(&args, max);
	*count = run_planned_anew(store, &statement, &args);
	rows = palloc(sizeof(VciRecipient) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		rows[i] = (VciRecipient){
			.id = vci_column_int64(i, 1),
			.reference = vci_column_text(store, i, 2),
			.subject_model = vci_column_text(store, i, 3),
			.subject_id = vci_column_text(store, i, 4),
			.holder = vci_column_text(store, i, 5),
			.channel = vci_column_text(store, i, 6),
			.address = vci_column_text(store, i, 7),
			.language = vci_column_text(store, i, 8),
			.labels = column_jsonb(i, 9),
			.claims = column_jsonb(i, 10),
		};
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

static void
put_ids(VciArguments *args, const VciRecipient *rows, int count)
{
	Datum *values = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
		values[i] = Int64GetDatum(rows[i].id);
	put_array(args, values, NULL, count, INT8OID);
}

static void
put_offers(VciArguments *args, const VciRecipientOutcome *outcomes, int count)
{
	Datum *offers = palloc(sizeof(Datum) * count);
	Datum *queued = palloc(sizeof(Datum) * count);
	bool *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
	{
		offers[i] = Int64GetDatum(outcomes[i].offer_id);
		nulls[i] = outcomes[i].offer_id == 0;
		queued[i] = BoolGetDatum(outcomes[i].queued);
	}
	put_array(args, offers, nulls, count, INT8OID);
	put_array(args, queued, NULL, count, BOOLOID);
}

void
vci_store_settle_recipients(VciStore *store, int64 campaign_id, const VciRecipient *rows,
							const VciRecipientOutcome *outcomes, int count)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign_recipient AS r SET offer_id = u.offer_id, "
		"failure = u.failure, failed_at = CASE WHEN u.offer_id IS NULL THEN $6 END, "
		"claims = CASE WHEN u.offer_id IS NULL THEN r.claims END, "
		"delivery = CASE WHEN u.queued THEN 'queued' END, "
		"delivery_at = CASE WHEN u.queued THEN $6 END "
		"FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), "
		"pg_catalog.unnest($5)) AS u (id, offer_id, queued, failure) "
		"WHERE r.campaign_id = $1 AND r.id = u.id AND r.id BETWEEN $7 AND $8",
		8,
		{INT8OID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, INT8OID,
		 INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, campaign_id);
	put_ids(&args, rows, count);
	put_offers(&args, outcomes, count);
	PUT_TEXTS(&args, outcomes, VciRecipientOutcome, failure, count);
	vci_put_now(&args);
	/* they are in the order of their ids: else the whole table is read for them */
	vci_put_int64(&args, rows[0].id);
	vci_put_int64(&args, rows[count - 1].id);
	(void) run_planned_anew(store, &statement, &args);
}

bool
vci_store_has_open_recipients(VciStore *store, int64 campaign_id)
{
	static VciStatement statement = {
		"SELECT FROM openid4vci.vci_campaign_recipient AS r "
		"WHERE r.campaign_id = $1 AND r.offer_id IS NULL AND r.failed_at IS NULL LIMIT 1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	bool found;

	vci_put_int64(&args, campaign_id);
	found = run_planned_anew(store, &statement, &args) > 0;
	SPI_freetuptable(SPI_tuptable);
	return found;
}

int64
vci_store_drop_recipients(VciStore *store, int64 campaign_id, bool failed_only)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_campaign_recipient AS r "
		"WHERE r.campaign_id = $1 AND r.offer_id IS NULL AND (r.failed_at IS NOT NULL OR NOT $2)",
		2,
		{INT8OID, BOOLOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, campaign_id);
	vci_put_boolean(&args, failed_only);
	return vci_run(store, &statement, &args);
}

VciReferencedOffer *
vci_store_referenced_offers(VciStore *store, int64 issuer_id, char **configuration_ids,
							int configuration_count, const VciRecipient *rows, int row_count,
							int *count)
{
	static VciStatement statement = {
		"SELECT n.row::integer, o.id, o.cancelled_at IS NULL AND o.redeemed_at IS NULL "
		"AND o.expires_at > $4, o.configuration_ids @> $3 AND o.configuration_ids <@ $3 "
		"FROM pg_catalog.unnest($2) WITH ORDINALITY AS n (reference, row) "
		"JOIN openid4vci.vci_offer AS o ON o.issuer_id = $1 AND o.reference = n.reference",
		4,
		{INT8OID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	VciReferencedOffer *offers;

	vci_put_int64(&args, issuer_id);
	PUT_TEXTS(&args, rows, VciRecipient, reference, row_count);
	vci_put_texts(&args, configuration_ids, configuration_count);
	vci_put_now(&args);
	*count = run_planned_anew(store, &statement, &args);
	offers = palloc(sizeof(VciReferencedOffer) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		offers[i] = (VciReferencedOffer){
			.row = vci_column_int32(i, 1) - 1,
			.id = vci_column_int64(i, 2),
			.pending = vci_column_boolean(i, 3),
			.fits = vci_column_boolean(i, 4),
		};
	SPI_freetuptable(SPI_tuptable);
	return offers;
}
