#include "compat.h"

#include "../jose/seal.h"
#include "store_insert.h"
#include "store_status.h"
#include "values.h"

int64
vci_store_insert_credential(VciStore *store, const VciNewCredential *credential)
{
	static VciInsert insert = {.table = "vci_credential",
							   .columns = {{"id", INT8OID},
										   {"issuer_id", INT8OID},
										   {"offer_id", INT8OID},
										   {"token_id", INT8OID},
										   {"key_id", INT8OID},
										   {"dataset", INT4OID},
										   {"instance", INT4OID},
										   {"issued_at", TIMESTAMPTZOID},
										   {"expires_at", TIMESTAMPTZOID},
										   {"configuration_id", TEXTOID},
										   {"format", TEXTOID},
										   {"issued_by", NAMEOID},
										   {"subject_model", TEXTOID},
										   {"subject_id", TEXTOID},
										   {"holder_thumbprint", TEXTOID},
										   {"request_digest", BYTEAOID},
										   {"notification_changes", INT4OID},
										   {"status", INT4OID},
										   {"status_list_id", INT8OID},
										   {"status_index", INT4OID}}};
	static VciTable ids = {.name = "vci_credential_id_seq"};
	VciArguments args = {0};
	int64 id = vci_next_id(&ids);

	vci_put_int64(&args, id);
	vci_put_int64(&args, credential->issuer_id);
	vci_put_int64_or_null(&args, credential->offer_id);
	vci_put_int64_or_null(&args, credential->token_id);
	vci_put_int64(&args, credential->key_id);
	vci_put_int32(&args, credential->dataset);
	vci_put_int32(&args, credential->instance);
	vci_put_time(&args, credential->issued_at);
	vci_put_time_or_null(&args, credential->expires_at);
	vci_put_text(&args, credential->configuration_id);
	vci_put_text(&args, credential->format);
	vci_put_role(&args, store->caller);
	vci_put_text(&args, credential->subject_model);
	vci_put_text(&args, credential->subject_id);
	vci_put_text(&args, credential->holder_thumbprint);
	vci_put_bytes(&args, credential->request_digest, VCI_DIGEST_BYTES);
	vci_put_int32(&args, 0);
	vci_put_int32(&args, VCI_STATUS_VALID);
	vci_put_int64_or_null(&args, credential->status_list_id);
	if (credential->status_list_id != 0)
		vci_put_int32(&args, credential->status_index);
	else
		vci_put_null(&args);
	(void) vci_insert(store, &insert, &args);
	return id;
}

void
vci_store_set_credential_key(VciStore *store, int64 id, int64 offer_id, int64 key_id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_credential SET key_id = $3 WHERE id = $1 AND offer_id = $2",
		3,
		{INT8OID, INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	vci_put_int64(&args, offer_id);
	vci_put_int64(&args, key_id);
	vci_run(store, &statement, &args);
}

VciCredentialRow *
vci_store_credentials_of_token(VciStore *store, int64 token_id, int64 offer_id,
							   const char *configuration_id, int32 dataset, int *count)
{
	static VciStatement statement = {
		"SELECT id, floor(extract(epoch FROM issued_at))::bigint, "
		"extract(epoch FROM clock_timestamp() - issued_at)::float8, request_digest, key_id, "
		"status_list_id, status_index "
		"FROM openid4vci.vci_credential WHERE token_id = $1 AND configuration_id = $2 "
		"AND dataset = $3 AND offer_id = $4 ORDER BY instance",
		4,
		{INT8OID, TEXTOID, INT4OID, INT8OID},
		NULL};
	VciArguments args = {0};
	VciCredentialRow *rows;

	vci_put_int64(&args, token_id);
	vci_put_text(&args, configuration_id);
	vci_put_int32(&args, dataset);
	vci_put_int64(&args, offer_id);
	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciCredentialRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].id = vci_column_int64(i, 1);
		rows[i].issued_at = vci_column_int64(i, 2);
		rows[i].age = vci_column_double(i, 3);
		rows[i].request_digest = vci_column_bytea(store, i, 4);
		rows[i].key_id = vci_column_int64(i, 5);
		rows[i].status_list_id = vci_column_int64(i, 6);
		rows[i].status_index = vci_column_int32(i, 7);
	}
	return rows;
}

/* A wallet that keeps changing its mind is heard no more: each change is an event for good. */
#define NOTIFICATION_CHANGES_MAX 16

/* The credential's row, locked: whether it is there, what was noted, and may it change? */
static bool
lock_notified(VciStore *store, int64 credential_id, int64 offer_id, int64 token_id, char **event,
			  char **description, bool *open)
{
	static VciStatement statement = {
		"SELECT notification, notification_description, notification_changes < $4 "
		"FROM openid4vci.vci_credential "
		"WHERE id = $1 AND offer_id = $2 AND ($3 IS NULL OR token_id = $3) FOR NO KEY UPDATE",
		4,
		{INT8OID, INT8OID, INT8OID, INT4OID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, credential_id);
	vci_put_int64(&args, offer_id);
	vci_put_int64_or_null(&args, token_id);
	vci_put_int32(&args, NOTIFICATION_CHANGES_MAX);
	if (vci_run(store, &statement, &args) != 1)
		return false;
	*event = vci_column_text(store, 0, 1);
	*description = vci_column_text(store, 0, 2);
	*open = vci_column_boolean(0, 3);
	return true;
}

bool
vci_store_note_notification(VciStore *store, int64 credential_id, int64 offer_id, int64 token_id,
							const char *event, const char *description, bool *changed)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_credential AS c SET notification = $2, "
		"notification_description = $3, notified_at = $5, "
		"notification_changes = c.notification_changes + 1 "
		"FROM openid4vci.vci_credential AS f WHERE f.id = $1 AND f.offer_id = $4 "
		"AND c.offer_id = $4 AND c.token_id = f.token_id "
		"AND c.configuration_id = f.configuration_id AND c.dataset = f.dataset",
		5,
		{INT8OID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	char *known_event = NULL;
	char *known_description = NULL;
	bool open = false;

	*changed = false;
	if (!lock_notified(store, credential_id, offer_id, token_id, &known_event, &known_description,
					   &open))
		return false;
	if (!open)
		return true;
	*changed = !vci_same_text(known_event, event);
	if (!*changed && vci_same_text(known_description, description))
		return true;
	vci_put_int64(&args, credential_id);
	vci_put_text(&args, event);
	vci_put_text(&args, description);
	vci_put_int64(&args, offer_id);
	vci_put_now(&args);
	vci_run(store, &statement, &args);
	return true;
}
