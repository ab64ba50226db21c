/*
 * Recipients of campaigns: whom nobody needs to reach any more is forgotten.
 */
#include "compat.h"

#include "store_purge.h"
#include "store_purge_terms.h"
#include "store_statement.h"

/* Of recipient x: when its offer has ended, or its campaign, of which it got none; NULL: not yet. */
#define RECIPIENT_END                                                                              \
	"CASE WHEN x.offer_id IS NULL THEN (SELECT COALESCE(c.cancelled_at, c.finished_at) "           \
	"FROM openid4vci.vci_campaign AS c WHERE c.id = x.campaign_id) "                               \
	"ELSE (SELECT " OFFER_END " FROM openid4vci.vci_offer AS r WHERE r.id = x.offer_id) END"

#define OF_CAMPAIGN_ISSUER(setting)                                                                \
	"(SELECT " setting " FROM openid4vci.vci_campaign AS c, openid4vci.vci_issuer AS i "           \
	"WHERE c.id = x.campaign_id AND i.id = c.issuer_id)"

#define RECIPIENT_IS_OVER                                                                          \
	"(" RECIPIENT_END " <= " BEFORE(                                                               \
		OF_CAMPAIGN_ISSUER("COALESCE(i.offer_retention, " VCI_RECIPIENT_SECONDS ")")) ")"

/* Its offer is purged; or it got none, and its issuer does not keep such things for good. */
#define RECIPIENT_IS_TO_GO                                                                         \
	"(CASE WHEN x.offer_id IS NOT NULL THEN (SELECT o.id FROM openid4vci.vci_offer AS o "          \
	"WHERE o.id = x.offer_id) IS NULL "                                                            \
	"ELSE " OF_CAMPAIGN_ISSUER("i.offer_retention IS NOT NULL") " AND " RECIPIENT_IS_OVER " END)"

#define RECIPIENT_IS_TO_BE_ERASED                                                                  \
	"(COALESCE(x.address, x.claims::text, x.delivery_note) IS NOT NULL AND " RECIPIENT_IS_OVER ")"

VciRecipientWindow
vci_store_look_at_recipients(VciStore *store, int64 now, int64 after_campaign, int64 after,
							 int64 max_rows, int32 max_due)
{
	static VciStatement statement = {
		"WITH w AS MATERIALIZED (SELECT x.campaign_id, x.id, "
		"row_number() OVER (ORDER BY x.campaign_id, x.id) AS n, "
		"COALESCE(" RECIPIENT_IS_TO_GO " OR " RECIPIENT_IS_TO_BE_ERASED ", false) AS due "
		"FROM (SELECT * FROM openid4vci.vci_campaign_recipient AS a "
		"WHERE (a.campaign_id, a.id) > ($2, $3) ORDER BY a.campaign_id, a.id LIMIT $4) AS x), "
		"d AS MATERIALIZED (SELECT w.campaign_id, w.id, w.n FROM w WHERE w.due ORDER BY w.n "
		"LIMIT $5), "
		"last AS (SELECT w.campaign_id, w.id FROM w WHERE w.n = CASE "
		"WHEN (SELECT count(*) FROM d) = $5 THEN (SELECT max(d.n) FROM d) "
		"ELSE (SELECT max(v.n) FROM w AS v) END) "
		"SELECT (SELECT l.campaign_id FROM last AS l), (SELECT l.id FROM last AS l), "
		"(SELECT count(*) FROM w), (SELECT count(*) FROM d)",
		5,
		{INT8OID, INT8OID, INT8OID, INT8OID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, now);
	vci_put_int64(&args, after_campaign);
	vci_put_int64(&args, after);
	vci_put_int64(&args, max_rows);
	vci_put_int32(&args, max_due);
	(void) vci_run(store, &statement, &args);
	return (VciRecipientWindow){.last_campaign = vci_column_int64(0, 1),
								.last = vci_column_int64(0, 2),
								.count = vci_column_int64(0, 3),
								.due_count = vci_column_int64(0, 4)};
}

/* Of those in between, the ones that are still so once they are locked. */
#define STILL(condition)                                                                           \
	" WHERE (t.campaign_id, t.id) > ($2, $3) AND (t.campaign_id, t.id) <= ($4, $5) "               \
	"AND t.ctid = ANY (ARRAY(SELECT x.ctid FROM openid4vci.vci_campaign_recipient AS x "           \
	"WHERE (x.campaign_id, x.id) > ($2, $3) AND (x.campaign_id, x.id) <= ($4, $5) "                \
	"AND " condition " FOR UPDATE SKIP LOCKED))"

static int64
clear_between(VciStore *store, VciStatement *statement, int64 now, int64 after_campaign,
			  int64 after, const VciRecipientWindow *window)
{
	VciArguments args = {0};

	vci_put_int64(&args, now);
	vci_put_int64(&args, after_campaign);
	vci_put_int64(&args, after);
	vci_put_int64(&args, window->last_campaign);
	vci_put_int64(&args, window->last);
	return vci_run(store, statement, &args);
}

int64
vci_store_clear_recipients(VciStore *store, int64 now, int64 after_campaign, int64 after,
						   const VciRecipientWindow *window)
{
	static VciStatement remove = {
		"DELETE FROM openid4vci.vci_campaign_recipient AS t" STILL(RECIPIENT_IS_TO_GO),
		5,
		{INT8OID, INT8OID, INT8OID, INT8OID, INT8OID},
		NULL};
	static VciStatement erase = {
		"UPDATE openid4vci.vci_campaign_recipient AS t SET address = NULL, claims = NULL, "
		"delivery_note = NULL" STILL(RECIPIENT_IS_TO_BE_ERASED),
		5,
		{INT8OID, INT8OID, INT8OID, INT8OID, INT8OID},
		NULL};

	return clear_between(store, &remove, now, after_campaign, after, window) +
		   clear_between(store, &erase, now, after_campaign, after, window);
}
