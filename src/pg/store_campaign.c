#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "store_campaign.h"
#include "store_statement.h"
#include "store_table.h"

void
vci_store_lock_campaign(int64 id, bool alone)
{
	static VciTable campaigns = {.name = "vci_campaign"};

	/* two that share the lower half of their ids wait for each other, no more */
	LockDatabaseObject(vci_table_oid(&campaigns), (Oid) id, 0, alone ? ExclusiveLock : ShareLock);
}

#define CAMPAIGN                                                                                   \
	"SELECT c.id, c.issuer_id, c.name, c.configuration_ids, c.recipients, c.created_by::text, "    \
	"(c.tx_code ->> 'length')::integer, c.tx_code ->> 'mode', c.tx_code ->> 'description', "       \
	"c.expires_in::text, c.pace, c.channel, c.loaded_at IS NOT NULL, c.started_at IS NOT NULL, "   \
	"c.paused_at IS NOT NULL, c.finished_at IS NOT NULL, c.cancelled_at IS NOT NULL, "             \
	"c.recipient_count, c.made_count, c.existing_count, c.failed_count, "                          \
	"COALESCE(c.rate, 0), CASE WHEN c.pace IS NULL OR c.paced_until <= $2 THEN 0 ELSE "            \
	"COALESCE(extract(epoch FROM c.paced_until - $2), 0) END::double precision, c.labels, "        \
	"extract(epoch FROM c.expires_in)::bigint FROM openid4vci.vci_campaign AS c WHERE c.id = $1"

static Datum
column_jsonb(int row, int number)
{
	bool is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, &is_null);

	return is_null ? (Datum) 0 : JsonbPGetDatum(DatumGetJsonbPCopy(value));
}

static void
read_progress(VciCampaignRow *campaign)
{
	campaign->loaded = vci_column_boolean(0, 13);
	campaign->started = vci_column_boolean(0, 14);
	campaign->paused = vci_column_boolean(0, 15);
	campaign->finished = vci_column_boolean(0, 16);
	campaign->cancelled = vci_column_boolean(0, 17);
	campaign->recipient_count = vci_column_int64(0, 18);
	campaign->made_count = vci_column_int64(0, 19);
	campaign->existing_count = vci_column_int64(0, 20);
	campaign->failed_count = vci_column_int64(0, 21);
	campaign->rate = vci_column_double(0, 22);
	campaign->paced_for = vci_column_double(0, 23);
}

VciCampaignRow *
vci_store_campaign(VciStore *store, int64 id, bool keep)
{
	static VciStatement read = {CAMPAIGN, 2, {INT8OID, TIMESTAMPTZOID}, NULL};
	/* under REPEATABLE READ it raises 40001 when the row was changed since */
	static VciStatement keeping = {
		CAMPAIGN " FOR KEY SHARE OF c", 2, {INT8OID, TIMESTAMPTZOID}, NULL};
	VciArguments args = {0};
	VciCampaignRow *campaign = NULL;

	vci_put_int64(&args, id);
	vci_put_now(&args);
	if (vci_run(store, keep ? &keeping : &read, &args) > 0)
	{
		campaign = palloc0(sizeof(VciCampaignRow));
		campaign->id = vci_column_int64(0, 1);
		campaign->issuer_id = vci_column_int64(0, 2);
		campaign->name = vci_column_text(store, 0, 3);
		campaign->configuration_ids = vci_column_texts(store, 0, 4, &campaign->configuration_count);
		campaign->recipients = vci_column_text(store, 0, 5);
		campaign->created_by = vci_column_text(store, 0, 6);
		campaign->tx_code_length = vci_column_int32(0, 7);
		campaign->tx_code_mode = vci_column_text(store, 0, 8);
		campaign->tx_code_description = vci_column_text(store, 0, 9);
		campaign->expires_in = vci_column_text(store, 0, 10);
		campaign->pace = vci_column_int32(0, 11);
		campaign->channel = vci_column_text(store, 0, 12);
		read_progress(campaign);
		campaign->labels = column_jsonb(0, 24);
		campaign->expires_after = vci_column_int64(0, 25);
	}
	SPI_freetuptable(SPI_tuptable);
	return campaign;
}

/* Arguments $2 and on, which creating and altering have in common. */
#define CAMPAIGN_TERMS 11
#define TX_CODE                                                                                    \
	"CASE WHEN $5::integer IS NOT NULL THEN pg_catalog.jsonb_strip_nulls("                         \
	"pg_catalog.jsonb_build_object('length', $5, 'mode', $6, 'description', $7)) END"

static void
put_terms(VciArguments *args, const VciCampaignRow *campaign)
{
	vci_put_text(args, campaign->name);
	vci_put_texts(args, campaign->configuration_ids, campaign->configuration_count);
	vci_put_text(args, campaign->recipients);
	vci_put_int64_or_null(args, campaign->tx_code_length);
	vci_put_text(args, campaign->tx_code_mode);
	vci_put_text(args, campaign->tx_code_description);
	vci_put_text(args, campaign->expires_in);
	vci_put_int64_or_null(args, campaign->pace);
	vci_put_text(args, campaign->channel);
	vci_put_json(args, campaign->labels);
	vci_put_name(args, campaign->created_by);
}

#define TERM_TYPES                                                                                 \
	INT8OID, TEXTOID, TEXTARRAYOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, \
		JSONBOID, NAMEOID

int64
vci_store_insert_campaign(VciStore *store, const VciCampaignRow *campaign)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_campaign (issuer_id, name, configuration_ids, recipients, "
		"tx_code, expires_in, pace, channel, labels, created_by) VALUES ($1, $2, $3, $4, " TX_CODE
		", $8::interval, $9, $10, $11, $12) ON CONFLICT (issuer_id, name) DO NOTHING RETURNING id",
		1 + CAMPAIGN_TERMS,
		{TERM_TYPES},
		NULL};
	VciArguments args = {0};
	int64 id;

	vci_put_int64(&args, campaign->issuer_id);
	put_terms(&args, campaign);
	id = vci_run(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : 0;
	SPI_freetuptable(SPI_tuptable);
	return id;
}

static bool
name_is_taken(VciStore *store, const VciCampaignRow *campaign)
{
	static VciStatement statement = {
		"SELECT FROM openid4vci.vci_campaign WHERE issuer_id = $1 AND name = $2 AND id <> $3",
		3,
		{INT8OID, TEXTOID, INT8OID},
		NULL};
	VciArguments args = {0};
	bool taken;

	vci_put_int64(&args, campaign->issuer_id);
	vci_put_text(&args, campaign->name);
	vci_put_int64(&args, campaign->id);
	taken = vci_run(store, &statement, &args) > 0;
	SPI_freetuptable(SPI_tuptable);
	return taken;
}

bool
vci_store_alter_campaign(VciStore *store, const VciCampaignRow *campaign)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign SET name = $2, configuration_ids = $3, recipients = $4, "
		"tx_code = " TX_CODE ", expires_in = $8::interval, pace = $9, channel = $10, labels = $11, "
		"created_by = $12 WHERE id = $1",
		1 + CAMPAIGN_TERMS,
		{TERM_TYPES},
		NULL};
	VciArguments args = {0};

	if (name_is_taken(store, campaign))
		return false;
	vci_put_int64(&args, campaign->id);
	put_terms(&args, campaign);
	(void) vci_run(store, &statement, &args);
	return true;
}

void
vci_store_disown_campaigns(VciStore *store, const char *role_name)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign SET created_by = '' WHERE created_by = $1 AND NOT EXISTS ("
		"SELECT FROM pg_namespace AS n LEFT JOIN aclexplode(n.nspacl) AS a "
		"ON a.privilege_type = 'USAGE' JOIN pg_roles AS r ON r.oid = a.grantee OR r.rolsuper "
		"OR r.oid = n.nspowner WHERE n.nspname = 'openid4vci' AND r.rolname = $1)",
		1,
		{NAMEOID},
		NULL};
	VciArguments args = {0};

	vci_put_name(&args, role_name);
	(void) vci_run(store, &statement, &args);
}

/* What happens to a campaign at the time $2. */
#define CAMPAIGN_UPDATE(function, change)                                                          \
	void function(VciStore *store, int64 id)                                                       \
	{                                                                                              \
		static VciStatement statement = {"UPDATE openid4vci.vci_campaign SET " change              \
										 " WHERE id = $1",                                         \
										 2,                                                        \
										 {INT8OID, TIMESTAMPTZOID},                                \
										 NULL};                                                    \
		VciArguments args = {0};                                                                   \
                                                                                                   \
		vci_put_int64(&args, id);                                                                  \
		vci_put_now(&args);                                                                        \
		(void) vci_run(store, &statement, &args);                                                  \
	}

/* clang-format off */
CAMPAIGN_UPDATE(vci_store_pause_campaign, "paused_at = $2")
CAMPAIGN_UPDATE(vci_store_resume_campaign, "paused_at = NULL, paced_until = LEAST(paced_until, $2)")
CAMPAIGN_UPDATE(vci_store_cancel_campaign, "cancelled_at = $2")
CAMPAIGN_UPDATE(vci_store_finish_campaign, "finished_at = COALESCE(finished_at, $2), "
				"started_at = COALESCE(started_at, $2)")
/* clang-format on */

void
vci_store_note_loaded(VciStore *store, int64 id, int64 added)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign SET loaded_at = $3, finished_at = NULL, "
		"recipient_count = recipient_count + $2 WHERE id = $1",
		3,
		{INT8OID, INT8OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, added);
	vci_put_now(&args);
	(void) vci_run(store, &statement, &args);
}

void
vci_store_note_unloaded(VciStore *store, int64 id, int64 dropped, int64 failed)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign SET loaded_at = NULL, finished_at = NULL, "
		"recipient_count = recipient_count - $2, failed_count = failed_count - $3 WHERE id = $1",
		3,
		{INT8OID, INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, dropped);
	vci_put_int64(&args, failed);
	(void) vci_run(store, &statement, &args);
}

/*
 * The last statement of a chunk, since it locks the row for other runners. The rate forgets in
 * half a minute; behind a rest, it begins with this chunk alone.
 */
void
vci_store_count_chunk(VciStore *store, int64 id, int64 made, int64 existing, int64 failed,
					  TimestampTz since)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign AS c SET made_count = c.made_count + $2, "
		"existing_count = c.existing_count + $3, failed_count = c.failed_count + $4, "
		"started_at = COALESCE(c.started_at, $5), counted_at = $6, "
		"rate = COALESCE(c.rate, n.rate) + (n.rate - COALESCE(c.rate, n.rate)) * "
		"CASE WHEN n.rested THEN 1 ELSE 1 - pg_catalog.exp(-n.seconds / 30) END, "
		"paced_until = CASE WHEN c.pace IS NOT NULL THEN GREATEST(c.paced_until, $6) "
		"+ pg_catalog.make_interval(secs => 60.0 * $2 / c.pace) END "
		"FROM (SELECT s.seconds, s.rested, ($2 + $3 + $4) / s.seconds AS rate FROM ("
		"SELECT GREATEST(extract(epoch FROM $6 - CASE WHEN t.rested THEN $5 ELSE t.at END), "
		"0.001)::double precision AS seconds, t.rested FROM ("
		"SELECT b.counted_at AS at, b.counted_at IS NULL OR b.counted_at > $6 "
		"OR b.counted_at < $6 - interval '2 minutes' AS rested "
		"FROM openid4vci.vci_campaign AS b WHERE b.id = $1) AS t) AS s) AS n WHERE c.id = $1",
		6,
		{INT8OID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, made);
	vci_put_int64(&args, existing);
	vci_put_int64(&args, failed);
	vci_put_datum(&args, TimestampTzGetDatum(since));
	vci_put_now(&args);
	(void) vci_run(store, &statement, &args);
}

int64 *
vci_store_cancel_campaign_offers(VciStore *store, int64 id, int32 max, int *count)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_offer AS o SET cancelled_at = $3, ends_at = $3 "
		"WHERE o.id = ANY (ARRAY(SELECT d.id FROM openid4vci.vci_campaign_recipient AS r "
		"JOIN openid4vci.vci_offer AS d ON d.id = r.offer_id WHERE r.campaign_id = $1 "
		"AND d.campaign_id = $1 AND d.cancelled_at IS NULL AND d.issued_at IS NULL "
		"ORDER BY d.id LIMIT $2 FOR NO KEY UPDATE OF d)) RETURNING o.id",
		3,
		{INT8OID, INT4OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	int64 *ids;

	vci_put_int64(&args, id);
	vci_put_int32(&args, max);
	vci_put_now(&args);
	*count = vci_run(store, &statement, &args);
	ids = palloc(sizeof(int64) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		ids[i] = vci_column_int64(i, 1);
	SPI_freetuptable(SPI_tuptable);
	return ids;
}
