#include "compat.h"

#include "store_delivery.h"
#include "store_statement.h"

VciDeliveryCampaign *
vci_store_delivery_campaigns(VciStore *store, int64 id, int *count)
{
	static VciStatement statement = {
		"SELECT c.id, c.issuer_id, c.name, c.channel, c.paused_at IS NOT NULL "
		"FROM openid4vci.vci_campaign AS c WHERE $1 = 0 OR c.id = $1 ORDER BY c.id",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	VciDeliveryCampaign *campaigns;

	vci_put_int64(&args, id);
	*count = vci_run(store, &statement, &args);
	campaigns = palloc0(sizeof(VciDeliveryCampaign) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		campaigns[i].id = vci_column_int64(i, 1);
		campaigns[i].issuer_id = vci_column_int64(i, 2);
		campaigns[i].name = vci_column_text(store, i, 3);
		campaigns[i].channel = vci_column_text(store, i, 4);
		campaigns[i].paused = vci_column_boolean(i, 5);
	}
	SPI_freetuptable(SPI_tuptable);
	return campaigns;
}

/* Of a recipient r, in the order in which read_deliveries takes them. */
#define DELIVERY_COLUMNS                                                                           \
	"r.campaign_id, r.id, r.offer_id, r.reference, r.channel, r.address, r.language, r.delivery, " \
	"r.attempts, r.sent_at IS NOT NULL, r.delivered_at IS NOT NULL"

static VciDelivery *
read_deliveries(VciStore *store, int count)
{
	VciDelivery *rows = palloc0(sizeof(VciDelivery) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		rows[i].campaign_id = vci_column_int64(i, 1);
		rows[i].id = vci_column_int64(i, 2);
		rows[i].offer_id = vci_column_int64(i, 3);
		rows[i].reference = vci_column_text(store, i, 4);
		rows[i].channel = vci_column_text(store, i, 5);
		rows[i].address = vci_column_text(store, i, 6);
		rows[i].language = vci_column_text(store, i, 7);
		rows[i].state = vci_column_text(store, i, 8);
		rows[i].attempts = vci_column_int32(i, 9);
		rows[i].sent = vci_column_boolean(i, 10);
		rows[i].delivered = vci_column_boolean(i, 11);
	}
	return rows;
}

/*
 * The rows are looked for by the index of the queue alone, and locked before they are changed;
 * their offers are read one by one later: a join could read all offers there are.
 */
#define TAKE(channel)                                                                              \
	{                                                                                              \
		"UPDATE openid4vci.vci_campaign_recipient AS r SET delivery = 'taken', "                   \
		"delivery_at = $4, delivery_note = NULL, attempts = r.attempts + 1 "                       \
		"WHERE r.campaign_id = $1 AND r.id = ANY (ARRAY("                                          \
		"SELECT q.id FROM openid4vci.vci_campaign_recipient AS q WHERE q.campaign_id = $1 "        \
		"AND q.delivery IN ('queued', 'taken') "                                                   \
		"AND (q.delivery = 'queued' OR q.delivery_at <= $3) AND " channel                          \
		" ORDER BY q.channel, q.id LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED)) "                      \
		"RETURNING " DELIVERY_COLUMNS,                                                             \
			5, {INT8OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID}, NULL                   \
	}

VciDelivery *
vci_store_take_deliveries(VciStore *store, int64 campaign_id, VciChannelMatch match,
						  const char *channel, TimestampTz now, TimestampTz until, int32 max,
						  int *count)
{
	static VciStatement statements[] = {[VCI_CHANNEL_ANY] = TAKE("$2 IS NULL"),
										[VCI_CHANNEL_NAMED] = TAKE("q.channel = $2"),
										[VCI_CHANNEL_UNNAMED] =
											TAKE("q.channel IS NULL AND $2 IS NULL")};
	VciArguments args = {0};

	vci_put_int64(&args, campaign_id);
	vci_put_text(&args, match == VCI_CHANNEL_NAMED ? channel : NULL);
	vci_put_datum(&args, TimestampTzGetDatum(now));
	vci_put_datum(&args, TimestampTzGetDatum(until));
	vci_put_int32(&args, max);
	*count = vci_run(store, &statements[match], &args);
	return read_deliveries(store, *count);
}

void
vci_store_refuse_deliveries(VciStore *store, int64 campaign_id, Datum ids, TimestampTz now,
							const char *note)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign_recipient AS r SET delivery = 'failed', "
		"delivery_at = $3, delivery_note = $4, attempts = r.attempts - 1 "
		"WHERE r.campaign_id = $1 AND r.id = ANY ($2)",
		4,
		{INT8OID, INT8ARRAYOID, TIMESTAMPTZOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, campaign_id);
	vci_put_datum(&args, ids);
	vci_put_datum(&args, TimestampTzGetDatum(now));
	vci_put_text(&args, note);
	(void) vci_run(store, &statement, &args);
}

/* In one order, so that two of them never wait for each other. */
VciDelivery *
vci_store_lock_deliveries(VciStore *store, Datum campaigns, Datum ids, int *count)
{
	static VciStatement statement = {
		"SELECT " DELIVERY_COLUMNS " FROM openid4vci.vci_campaign_recipient AS r "
		"WHERE r.campaign_id = ANY ($1) AND r.id = ANY ($2) AND r.delivery IS NOT NULL "
		"ORDER BY r.campaign_id, r.id FOR NO KEY UPDATE",
		2,
		{INT8ARRAYOID, INT8ARRAYOID},
		NULL};
	VciArguments args = {0};

	vci_put_datum(&args, campaigns);
	vci_put_datum(&args, ids);
	*count = vci_run(store, &statement, &args);
	return read_deliveries(store, *count);
}

void
vci_store_mark_deliveries(VciStore *store, Datum campaigns, Datum ids, const char *state,
						  const char *note, TimestampTz now)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_campaign_recipient AS r SET delivery = $3, delivery_at = $5, "
		"delivery_note = $4, "
		"sent_at = CASE WHEN $3 = 'failed' THEN r.sent_at ELSE COALESCE(r.sent_at, $5) END, "
		"delivered_at = CASE WHEN $3 = 'delivered' THEN COALESCE(r.delivered_at, $5) "
		"ELSE r.delivered_at END WHERE r.campaign_id = ANY ($1) AND r.id = ANY ($2)",
		5,
		{INT8ARRAYOID, INT8ARRAYOID, TEXTOID, TEXTOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	vci_put_datum(&args, campaigns);
	vci_put_datum(&args, ids);
	vci_put_text(&args, state);
	vci_put_text(&args, note);
	vci_put_datum(&args, TimestampTzGetDatum(now));
	(void) vci_run(store, &statement, &args);
}

VciDelivery *
vci_store_delivery(VciStore *store, int64 campaign_id, int64 id, int64 *issuer_id)
{
	static VciStatement statement = {
		"SELECT " DELIVERY_COLUMNS ", (SELECT c.issuer_id FROM openid4vci.vci_campaign AS c "
		"WHERE c.id = r.campaign_id) FROM openid4vci.vci_campaign_recipient AS r "
		"WHERE r.campaign_id = $1 AND r.id = $2",
		2,
		{INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};
	VciDelivery *row;

	vci_put_int64(&args, campaign_id);
	vci_put_int64(&args, id);
	if (vci_read(store, &statement, &args) != 1)
		return NULL;
	*issuer_id = vci_column_int64(0, 12);
	row = read_deliveries(store, 1);
	SPI_freetuptable(SPI_tuptable);
	return row;
}

/* Is the offer of recipient r still to be redeemed at $5? It is looked up by its id alone. */
#define OFFER_IS_OPEN                                                                              \
	"(SELECT o.cancelled_at IS NULL AND o.redeemed_at IS NULL AND o.expires_at > $5 "              \
	"AND ($2 IS NULL OR o.labels @> $2) FROM openid4vci.vci_offer AS o WHERE o.id = r.offer_id)"

#define QUEUE_AGAIN(which)                                                                         \
	{                                                                                              \
		"WITH again AS MATERIALIZED (SELECT r.campaign_id, r.id "                                  \
		"FROM openid4vci.vci_campaign_recipient AS r WHERE " which                                 \
		" AND r.delivery IN ('sent', 'delivered', 'failed') "                                      \
		"AND ($4 IS NULL OR r.delivery = $4) AND " OFFER_IS_OPEN                                   \
		" ORDER BY r.campaign_id, r.id LIMIT $6 FOR NO KEY UPDATE) "                               \
		"UPDATE openid4vci.vci_campaign_recipient AS x SET delivery = 'queued', "                  \
		"delivery_at = $5, delivery_note = NULL "                                                  \
		"WHERE x.campaign_id = ANY (ARRAY(SELECT DISTINCT a.campaign_id FROM again AS a)) "        \
		"AND x.id = ANY (ARRAY(SELECT a.id FROM again AS a))",                                     \
			7, {INT8ARRAYOID, JSONBOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, INT8OID}, NULL  \
	}

/* By the index that the choice has: of the reference, of labels, or the campaign's rows. */
int64
vci_store_queue_again(VciStore *store, const VciResendChoice *choice, int32 max)
{
	static VciStatement by_reference =
		QUEUE_AGAIN("r.campaign_id = ANY ($1) AND r.reference = $3 AND $7 IS NOT NULL");
	static VciStatement by_labels =
		QUEUE_AGAIN("r.campaign_id = ANY ($1) AND $3 IS NULL AND r.offer_id = ANY (ARRAY("
					"SELECT l.id FROM openid4vci.vci_offer AS l WHERE l.issuer_id = $7 "
					"AND l.labels @> $2))");
	static VciStatement by_campaign =
		QUEUE_AGAIN("r.campaign_id = ANY ($1) AND $3 IS NULL AND $7 IS NOT NULL");
	VciStatement *statement = &by_campaign;
	VciArguments args = {0};

	if (choice->reference != NULL)
		statement = &by_reference;
	else if (choice->labels != (Datum) 0)
		statement = &by_labels;
	vci_put_datum(&args, choice->campaigns);
	vci_put_json(&args, choice->labels);
	vci_put_text(&args, choice->reference);
	vci_put_text(&args, choice->state);
	vci_put_now(&args);
	vci_put_int32(&args, max);
	vci_put_int64(&args, choice->issuer_id);
	return vci_run(store, statement, &args);
}
