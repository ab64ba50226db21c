#include "compat.h"

#include "utils/array.h"

#include "store_offer_bulk.h"
#include "store_offer_terms.h"
#include "store_statement.h"

/*
 * The offers in question, each by its own index; then those among them that can be changed, once
 * they are locked: offers are locked in the order of their ids wherever several are.
 */
#define LOCK_OFFERS(which, changeable)                                                             \
	{                                                                                              \
		"SELECT o.id, o.expiry_noted_at IS NOT NULL FROM openid4vci.vci_offer AS o "               \
		"WHERE o.issuer_id = $1 AND ($3 IS NULL OR o.labels @> $3) AND o.id = ANY (ARRAY(" which   \
		")) AND " changeable " ORDER BY o.id LIMIT $4 FOR NO KEY UPDATE",                          \
			5, {INT8OID, INT8OID, JSONBOID, INT8OID, INT8OID}, NULL                                \
	}

#define OF_CAMPAIGN                                                                                \
	"SELECT r.offer_id FROM openid4vci.vci_campaign_recipient AS r WHERE r.campaign_id = $2 "      \
	"AND r.offer_id IS NOT NULL"

#define WITH_LABELS                                                                                \
	"SELECT l.id FROM openid4vci.vci_offer AS l WHERE l.issuer_id = $1 AND l.labels @> $3 "        \
	"AND $2 = 0"

/* Nobody has redeemed it, what it offers is there, and it expires before $5. */
#define EXTENDABLE                                                                                 \
	"o.cancelled_at IS NULL AND o.redeemed_at IS NULL AND o.claims_erased_at IS NULL "             \
	"AND o.expires_at < pg_catalog.to_timestamp($5)"

/* A credential may come of it; $5 is 1 where another one may come after the first. */
#define CANCELLABLE                                                                                \
	"o.cancelled_at IS NULL AND (o.issued_at IS NULL OR $5 = 1 OR o.datasets IS NOT NULL "         \
	"OR cardinality(o.configuration_ids) > 1)"

static VciChangedOffer *
lock_offers(VciStore *store, VciStatement *statement, const VciOfferSet *set, int64 condition,
			int *count)
{
	VciArguments args = {0};
	VciChangedOffer *offers;

	vci_put_int64(&args, set->issuer_id);
	vci_put_int64(&args, set->campaign_id);
	vci_put_json(&args, set->labels);
	vci_put_int64(&args, set->max);
	vci_put_int64(&args, condition);
	*count = vci_run(store, statement, &args);
	offers = palloc(sizeof(VciChangedOffer) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		offers[i] = (VciChangedOffer){vci_column_int64(i, 1), vci_column_boolean(i, 2)};
	SPI_freetuptable(SPI_tuptable);
	return offers;
}

/* Runs a statement of (ids, second argument, now) on those that are locked. */
static void
change_offers(VciStore *store, VciStatement *statement, const VciChangedOffer *offers, int count,
			  int64 second)
{
	VciArguments args = {0};
	Datum *ids;

	if (count == 0)
		return;
	ids = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
		ids[i] = Int64GetDatum(offers[i].id);
	vci_put_datum(&args, PointerGetDatum(construct_array(ids, count, INT8OID, sizeof(int64),
														 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	vci_put_int64(&args, second);
	vci_put_now(&args);
	(void) vci_run(store, statement, &args);
}

VciChangedOffer *
vci_store_extend_offers(VciStore *store, const VciOfferSet *set, int64 expires_at, int *count)
{
	static VciStatement of_campaign = LOCK_OFFERS(OF_CAMPAIGN, EXTENDABLE);
	static VciStatement with_labels = LOCK_OFFERS(WITH_LABELS, EXTENDABLE);
	static VciStatement extend = {"UPDATE openid4vci.vci_offer SET " EXPIRES
								  " WHERE id = ANY ($1) AND $3 IS NOT NULL",
								  3,
								  {INT8ARRAYOID, INT8OID, TIMESTAMPTZOID},
								  NULL};
	VciChangedOffer *offers = lock_offers(
		store, set->campaign_id != 0 ? &of_campaign : &with_labels, set, expires_at, count);

	change_offers(store, &extend, offers, *count, expires_at);
	return offers;
}

VciChangedOffer *
vci_store_cancel_offers(VciStore *store, const VciOfferSet *set, bool brings_more, int *count)
{
	static VciStatement of_campaign = LOCK_OFFERS(OF_CAMPAIGN, CANCELLABLE);
	static VciStatement with_labels = LOCK_OFFERS(WITH_LABELS, CANCELLABLE);
	static VciStatement cancel = {"UPDATE openid4vci.vci_offer SET cancelled_at = $3, ends_at = $3 "
								  "WHERE id = ANY ($1) AND $2 = 0",
								  3,
								  {INT8ARRAYOID, INT8OID, TIMESTAMPTZOID},
								  NULL};
	VciChangedOffer *offers =
		lock_offers(store, set->campaign_id != 0 ? &of_campaign : &with_labels, set,
					brings_more ? 1 : 0, count);

	change_offers(store, &cancel, offers, *count, 0);
	return offers;
}
