#include "compat.h"

#include "store_person.h"
#include "store_statement.h"

#define LATEST CppAsString2(VCI_PERSON_MAX)

static void
put_key(VciArguments *args, const VciPersonKey *key)
{
	vci_put_int64(args, key->issuer_id);
	vci_put_text(args, key->reference);
	vci_put_text(args, key->subject_model);
	vci_put_text(args, key->subject_id);
}

#define KEY_TYPES INT8OID, TEXTOID, TEXTOID, TEXTOID

/* Of a row r with reference and subject; which of the two finds it is said apart, for the index. */
#define IS_OF_PERSON                                                                               \
	"($2 IS NULL OR r.reference = $2) AND ($4 IS NULL OR r.subject_id = $4) "                      \
	"AND ($3 IS NULL OR r.subject_model = $3)"

/* The recipient is looked up by the offer's id, one offer at a time. */
#define OFFERS(found_by)                                                                           \
	{                                                                                              \
		"SELECT o.id, o.created_at, o.tx_code_failures, o.tx_code_failed_at, o.opened_at, "        \
		"c.name, p.delivery, p.delivery_note, p.delivery_at "                                      \
		"FROM (SELECT r.* FROM openid4vci.vci_offer AS r WHERE r.issuer_id = $1 AND " found_by     \
		" AND " IS_OF_PERSON " ORDER BY r.created_at DESC, r.id DESC LIMIT " LATEST ") AS o "      \
		"LEFT JOIN LATERAL (SELECT x.* FROM openid4vci.vci_campaign_recipient AS x "               \
		"WHERE x.offer_id = o.id ORDER BY x.id DESC LIMIT 1) AS p ON true "                        \
		"LEFT JOIN openid4vci.vci_campaign AS c ON c.id = p.campaign_id "                          \
		"ORDER BY o.created_at DESC, o.id DESC",                                                   \
			4, {KEY_TYPES}, NULL                                                                   \
	}

VciPersonOffer *
vci_store_person_offers(VciStore *store, const VciPersonKey *key, int *count)
{
	static VciStatement by_reference = OFFERS("r.reference = $2");
	static VciStatement by_subject = OFFERS("r.subject_id = $4");
	VciArguments args = {0};
	VciPersonOffer *rows;

	put_key(&args, key);
	*count = vci_read(store, key->reference != NULL ? &by_reference : &by_subject, &args);
	rows = palloc0(sizeof(VciPersonOffer) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		rows[i] = (VciPersonOffer){.id = vci_column_int64(i, 1),
								   .created_at = vci_column_int64(i, 2),
								   .tx_code_failures = vci_column_int32(i, 3),
								   .tx_code_failed_at = vci_column_int64(i, 4),
								   .opened_at = vci_column_int64(i, 5),
								   .campaign = vci_column_text(store, i, 6),
								   .delivery = vci_column_text(store, i, 7),
								   .delivery_note = vci_column_text(store, i, 8),
								   .delivery_at = vci_column_int64(i, 9)};
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

VciPersonDeferral *
vci_store_person_deferrals(VciStore *store, Datum offers, int *count)
{
	static VciStatement statement = {
		"SELECT d.id, d.offer_id, d.created_at, d.configuration_id, "
		"CASE WHEN d.issued_at IS NOT NULL THEN 'issued' WHEN d.denied_at IS NOT NULL THEN "
		"'denied' "
		"WHEN d.expires_at <= $2 THEN 'expired' "
		"WHEN o.cancelled_at IS NULL AND o.generation = d.generation THEN "
		"CASE WHEN d.completed_at IS NOT NULL THEN 'ready' ELSE 'waiting' END ELSE 'withdrawn' "
		"END, "
		"d.reason, d.by_source "
		"FROM openid4vci.vci_deferred AS d JOIN openid4vci.vci_offer AS o ON o.id = d.offer_id "
		"WHERE d.offer_id = ANY ($1) ORDER BY d.created_at DESC, d.id DESC LIMIT " LATEST,
		2,
		{INT8ARRAYOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	VciPersonDeferral *rows;

	vci_put_datum(&args, offers);
	vci_put_now(&args);
	*count = vci_read(store, &statement, &args);
	rows = palloc0(sizeof(VciPersonDeferral) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		rows[i] = (VciPersonDeferral){.id = vci_column_int64(i, 1),
									  .offer_id = vci_column_int64(i, 2),
									  .created_at = vci_column_int64(i, 3),
									  .configuration_id = vci_column_text(store, i, 4),
									  .state = vci_column_text(store, i, 5),
									  .reason = vci_column_text(store, i, 6),
									  .by_source = vci_column_boolean(i, 7)};
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

#define CREDENTIAL_COLUMNS                                                                         \
	"r.id, r.offer_id, r.issued_at, r.configuration_id, r.status, r.expires_at, "                  \
	"r.status_reason, r.notification, r.notification_description"

VciPersonCredential *
vci_store_person_credentials(VciStore *store, const VciPersonKey *key, Datum offers, int *count)
{
	static VciStatement statement = {
		"SELECT u.id, u.offer_id, u.issued_at, u.configuration_id, CASE WHEN u.status = 1 "
		"THEN 'revoked' WHEN u.expires_at <= $6 THEN 'expired' WHEN u.status = 2 "
		"THEN 'suspended' ELSE 'valid' END, u.status_reason, u.notification, "
		"u.notification_description FROM (SELECT " CREDENTIAL_COLUMNS
		" FROM openid4vci.vci_credential AS r WHERE r.offer_id = ANY ($5) UNION "
		"SELECT " CREDENTIAL_COLUMNS " FROM openid4vci.vci_credential AS r "
		"WHERE r.issuer_id = $1 AND r.subject_id = $4 AND $2 IS NULL "
		"AND ($3 IS NULL OR r.subject_model = $3)) AS u "
		"ORDER BY u.issued_at DESC, u.id DESC LIMIT " LATEST,
		6,
		{KEY_TYPES, INT8ARRAYOID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	VciPersonCredential *rows;

	put_key(&args, key);
	vci_put_datum(&args, offers);
	vci_put_now(&args);
	*count = vci_read(store, &statement, &args);
	rows = palloc0(sizeof(VciPersonCredential) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		rows[i] = (VciPersonCredential){.id = vci_column_int64(i, 1),
										.offer_id = vci_column_int64(i, 2),
										.issued_at = vci_column_int64(i, 3),
										.configuration_id = vci_column_text(store, i, 4),
										.state = vci_column_text(store, i, 5),
										.status_reason = vci_column_text(store, i, 6),
										.notification = vci_column_text(store, i, 7),
										.notification_description = vci_column_text(store, i, 8)};
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

#define RECIPIENTS(found_by)                                                                       \
	{                                                                                              \
		"SELECT r.id, COALESCE(r.failed_at, c.loaded_at), c.name, c.configuration_ids, r.failure " \
		"FROM openid4vci.vci_campaign_recipient AS r "                                             \
		"JOIN openid4vci.vci_campaign AS c ON c.id = r.campaign_id "                               \
		"WHERE r.campaign_id = ANY (ARRAY(SELECT i.id FROM openid4vci.vci_campaign AS i "          \
		"WHERE i.issuer_id = $1)) AND " found_by " AND " IS_OF_PERSON                              \
		" AND r.offer_id IS NULL ORDER BY r.id DESC LIMIT " LATEST,                                \
			4, {KEY_TYPES}, NULL                                                                   \
	}

/* By reference each; by subject, which no index tells, those who could get none. */
VciPersonRecipient *
vci_store_person_recipients(VciStore *store, const VciPersonKey *key, int *count)
{
	static VciStatement by_reference = RECIPIENTS("r.reference = $2");
	static VciStatement by_subject = RECIPIENTS("r.subject_id = $4 AND r.failed_at IS NOT NULL");
	VciArguments args = {0};
	VciPersonRecipient *rows;

	put_key(&args, key);
	*count = vci_read(store, key->reference != NULL ? &by_reference : &by_subject, &args);
	rows = palloc0(sizeof(VciPersonRecipient) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].id = vci_column_int64(i, 1);
		rows[i].at = vci_column_int64(i, 2);
		rows[i].campaign = vci_column_text(store, i, 3);
		rows[i].configuration_ids = vci_column_texts(store, i, 4, &rows[i].configuration_count);
		rows[i].failure = vci_column_text(store, i, 5);
	}
	SPI_freetuptable(SPI_tuptable);
	return rows;
}
