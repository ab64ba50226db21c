#include "compat.h"

#include "store_funnel.h"
#include "store_statement.h"

bool
vci_store_lock_funnel(VciStore *store, VciFunnelState *state)
{
	/* of two that come first, the second does not wait to see what became of the first */
	static VciStatement make = {
		"INSERT INTO openid4vci.vci_funnel_state (mark) SELECT 0 WHERE "
		"pg_try_advisory_xact_lock('openid4vci.vci_funnel_state'::regclass::oid::integer, 1) "
		"ON CONFLICT DO NOTHING",
		0,
		{0},
		NULL};
	static VciStatement lock = {
		"SELECT mark, expired_through FROM openid4vci.vci_funnel_state FOR UPDATE SKIP LOCKED",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	if (vci_run(store, &lock, &args) == 0)
	{
		vci_run(store, &make, &args);
		if (vci_run(store, &lock, &args) == 0)
			return false;
	}
	state->mark = vci_column_int64(0, 1);
	state->expired = vci_column_int64(0, 2);
	return true;
}

static void
put_time_or_null(VciArguments *args, TimestampTz time)
{
	if (time == 0)
		vci_put_null(args);
	else
		vci_put_datum(args, TimestampTzGetDatum(time));
}

void
vci_store_set_funnel(VciStore *store, const VciFunnelState *state)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_funnel_state SET mark = $1, expired_through = $2, as_of = $3",
		3,
		{INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, state->mark);
	put_time_or_null(&args, state->expired);
	put_time_or_null(&args, state->as_of);
	vci_run(store, &statement, &args);
}

int64
vci_store_funnel_mark(VciStore *store)
{
	static VciStatement statement = {
		"SELECT s.mark FROM openid4vci.vci_funnel_state AS s", 0, {0}, NULL};
	VciArguments args = {0};
	int64 mark = vci_read(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : 0;

	SPI_freetuptable(SPI_tuptable);
	return mark;
}

int64
vci_store_funnel_counted_through(VciStore *store, int64 max_events)
{
	static VciStatement statement = {
		"SELECT floor(extract(epoch FROM LEAST(s.expired_through, u.first, $1)))::bigint, "
		"u.events FROM openid4vci.vci_funnel_state AS s, LATERAL (SELECT count(*) AS events, "
		"min(CASE e.kind WHEN 'offer_expired' THEN (SELECT LEAST(e.at, o.expires_at) "
		"FROM openid4vci.vci_offer AS o WHERE o.id = e.offer_id LIMIT 1) ELSE e.at END) AS first "
		"FROM (SELECT n.at, n.kind, n.offer_id FROM openid4vci.vci_event AS n "
		"WHERE n.id > s.mark ORDER BY n.id LIMIT $2) AS e) AS u "
		"WHERE s.expired_through IS NOT NULL",
		2,
		{TIMESTAMPTZOID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_now(&args);
	vci_put_int64(&args, max_events);
	if (vci_run(store, &statement, &args) == 0 || vci_column_int64(0, 2) >= max_events)
		return 0;
	return vci_column_int64(0, 1);
}

/* Expired between $1 and $2, which nobody noted. */
#define UNNOTED                                                                                    \
	"r.expires_at > $1 AND r.expires_at <= $2 AND r.redeemed_at IS NULL "                          \
	"AND r.cancelled_at IS NULL AND r.expiry_noted_at IS NULL"

VciExpiredOffer *
vci_store_note_expired_offers(VciStore *store, TimestampTz since, int32 max, int *count)
{
	static VciStatement statement = {
		"WITH noted AS (UPDATE openid4vci.vci_offer AS x SET expiry_noted_at = $2 "
		"WHERE x.id = ANY (ARRAY(SELECT r.id FROM openid4vci.vci_offer AS r "
		"WHERE " UNNOTED " ORDER BY r.expires_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)) "
		"RETURNING x.id, x.issuer_id, x.expires_at) "
		"SELECT n.id, n.issuer_id, n.expires_at FROM noted AS n ORDER BY n.expires_at, n.id",
		3,
		{TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID},
		NULL};
	VciArguments args = {0};
	VciExpiredOffer *offers;

	vci_put_datum(&args, TimestampTzGetDatum(since));
	vci_put_now(&args);
	vci_put_int32(&args, max);
	*count = vci_run(store, &statement, &args);
	offers = MemoryContextAlloc(store->context, sizeof(VciExpiredOffer) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		offers[i].id = vci_column_int64(i, 1);
		offers[i].issuer_id = vci_column_int64(i, 2);
		offers[i].expires_at = vci_column_int64(i, 3);
	}
	SPI_freetuptable(SPI_tuptable);
	return offers;
}

TimestampTz
vci_store_first_unnoted(VciStore *store, TimestampTz since)
{
	static VciStatement statement = {
		"SELECT r.expires_at FROM openid4vci.vci_offer AS r WHERE " UNNOTED
		" ORDER BY r.expires_at LIMIT 1",
		2,
		{TIMESTAMPTZOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};

	vci_put_datum(&args, TimestampTzGetDatum(since));
	vci_put_now(&args);
	return vci_run(store, &statement, &args) > 0 ? vci_column_int64(0, 1) : 0;
}

/* Steps by the kind of their event; what revives an expired offer takes one away. */
#define STEP_OF_KIND                                                                               \
	"(VALUES ('offer_created', 'created', 1), ('offer_sent', 'sent', 1), "                         \
	"('offer_delivered', 'delivered', 1), ('offer_undelivered', 'undelivered', 1), "               \
	"('offer_opened', 'opened', 1), ('offer_redeemed', 'redeemed', 1), "                           \
	"('offer_reopened', 'reopened', 1), ('credential_issued', 'issued', 1), "                      \
	"('credential_accepted', 'accepted', 1), ('credential_failure', 'failed', 1), "                \
	"('offer_locked', 'locked', 1), ('offer_expired', 'expired', 1), "                             \
	"('offer_revived', 'expired', -1), ('offer_cancelled', 'cancelled', 1), "                      \
	"('credential_revoked', 'revoked', 1)) AS s (kind, step, change)"

/*
 * Each event's offer is looked up by its id: a join would read all offers. An offer counts as
 * issued by the first credential of its first answer, which is noted before the offer's
 * issued_at; how long that took is counted in buckets, eight to each doubling.
 */
int64
vci_store_count_events(VciStore *store, VciFunnelState *state, int64 last, int32 max)
{
	static VciStatement statement = {
		"WITH seen AS MATERIALIZED (SELECT e.id, e.at, e.kind, e.offer_id, e.credential_id "
		"FROM openid4vci.vci_event AS e WHERE e.id > $1 AND e.id <= $2 ORDER BY e.id LIMIT $3), "
		"told AS (SELECT e.id, e.at, e.kind, s.step, s.change, o.*, "
		"c.instance, c.issued_at AS credential_issued_at FROM seen AS e "
		"JOIN " STEP_OF_KIND " ON s.kind = e.kind "
		"LEFT JOIN LATERAL (SELECT r.offer_id, r.instance, r.issued_at "
		"FROM openid4vci.vci_credential AS r WHERE r.id = e.credential_id LIMIT 1) AS c ON true "
		"JOIN LATERAL (SELECT r.id AS offer_id, r.issuer_id, r.labels, r.created_at, r.issued_at, "
		"COALESCE(r.campaign_id, 0) AS campaign_id FROM openid4vci.vci_offer AS r "
		"WHERE r.id = COALESCE(e.offer_id, c.offer_id) LIMIT 1) AS o ON true), "
		"counted AS (SELECT t.*, 0 AS bucket FROM told AS t WHERE t.kind <> 'credential_issued' "
		"UNION ALL SELECT f.* FROM (SELECT DISTINCT ON (t.offer_id) t.*, 0 FROM told AS t "
		"WHERE t.kind = 'credential_issued' AND t.instance = 1 AND t.at <= t.issued_at "
		"ORDER BY t.offer_id, t.id) AS f), "
		"steps AS (SELECT c.issuer_id, c.campaign_id, c.labels, c.created_at, c.step, c.bucket, "
		"c.change FROM counted AS c UNION ALL SELECT c.issuer_id, c.campaign_id, c.labels, "
		"c.created_at, 'latency', floor(8 * ln(1 + GREATEST(0, extract(epoch FROM c.at - "
		"c.created_at)::float8)) / ln(2::float8))::integer, 1 FROM counted AS c "
		"WHERE c.step = 'issued'), "
		"added AS (INSERT INTO openid4vci.vci_funnel AS f (issuer_id, campaign_id, day, label, "
		"value, step, bucket, count) SELECT s.issuer_id, s.campaign_id, "
		"(s.created_at AT TIME ZONE 'UTC')::date, l.label, l.value, s.step, s.bucket, "
		"sum(s.change) FROM steps AS s, LATERAL (SELECT '' AS label, '' AS value UNION ALL "
		"SELECT n.name, left(s.labels ->> n.name, 200) FROM openid4vci.vci_issuer AS i, "
		"unnest(i.report_labels) AS n (name) WHERE i.id = s.issuer_id "
		"AND s.labels ->> n.name IS NOT NULL) AS l GROUP BY 1, 2, 3, 4, 5, 6, 7 "
		"ORDER BY 1, 2, 3, 4, 5, 6, 7 "
		"ON CONFLICT (issuer_id, campaign_id, day, label, value, step, bucket) "
		"DO UPDATE SET count = f.count + excluded.count) "
		"SELECT count(*), max(e.id), max(e.at) FROM seen AS e",
		3,
		{INT8OID, INT8OID, INT4OID},
		NULL};
	VciArguments args = {0};
	int64 count;

	vci_put_int64(&args, state->mark);
	vci_put_int64(&args, last);
	vci_put_int32(&args, max);
	vci_run(store, &statement, &args);
	count = vci_column_int64(0, 1);
	if (count == 0)
		return 0;
	state->mark = vci_column_int64(0, 2);
	state->as_of = vci_column_int64(0, 3);
	return count;
}

bool
vci_store_forget_funnel(VciStore *store)
{
	static VciStatement purged = {
		"SELECT FROM openid4vci.vci_event_seal WHERE kind = 'checkpoint' LIMIT 1", 0, {0}, NULL};
	static VciStatement forget = {"DELETE FROM openid4vci.vci_funnel", 0, {0}, NULL};
	VciArguments args = {0};

	if (vci_run(store, &purged, &args) > 0)
		return false;
	vci_run(store, &forget, &args);
	return true;
}
