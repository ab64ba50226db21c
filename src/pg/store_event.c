#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/xid8.h"

#include "store_insert.h"

#define CHANNEL "openid4vci"

static void
append_id(StringInfo payload, const char *name, int64 id)
{
	if (id != 0)
		appendStringInfo(payload, ", \"%s\": " INT64_FORMAT, name, id);
}

/* Who listens gets the ids; the rest stands in the table. */
static void
send_notification(int64 id, const VciEvent *event)
{
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfo(&payload, "{\"id\": " INT64_FORMAT ", \"kind\": \"%s\"", id, event->kind);
	append_id(&payload, "issuer_id", event->issuer_id);
	append_id(&payload, "offer_id", event->offer_id);
	append_id(&payload, "authorization_id", event->authorization_id);
	append_id(&payload, "token_id", event->token_id);
	append_id(&payload, "deferred_id", event->deferred_id);
	append_id(&payload, "credential_id", event->credential_id);
	append_id(&payload, "key_id", event->key_id);
	appendStringInfoChar(&payload, '}');
	Async_Notify(CHANNEL, payload.data);
}

/*
 * Our own transaction id is assigned before the event's id is drawn, and horizon is read
 * after it: whoever draws an earlier event id has a transaction id below horizon. So once
 * every transaction below horizon has ended, no earlier event can appear any more.
 */
void
vci_store_record_event(VciStore *store, const VciEvent *event, bool notify)
{
	static VciInsert insert = {.table = "vci_event",
							   .columns = {{"id", INT8OID},
										   {"horizon", XID8OID},
										   {"at", TIMESTAMPTZOID},
										   {"issuer_id", INT8OID},
										   {"offer_id", INT8OID},
										   {"authorization_id", INT8OID},
										   {"token_id", INT8OID},
										   {"deferred_id", INT8OID},
										   {"credential_id", INT8OID},
										   {"kind", TEXTOID},
										   {"actor", NAMEOID},
										   {"key_id", INT8OID},
										   {"role_name", NAMEOID},
										   {"duty", TEXTOID}}};
	static VciTable ids = {.name = "vci_event_id_seq"};
	VciArguments args = {0};
	int64 id;

	(void) GetTopFullTransactionId();
	/* what is evidence is on disk, also of a session that cancels or restores asynchronously */
	ForceSyncCommit();
	id = vci_next_id(&ids);
	vci_put_int64(&args, id);
	vci_put_datum(&args, FullTransactionIdGetDatum(ReadNextFullTransactionId()));
	vci_put_datum(&args, TimestampTzGetDatum(GetCurrentTimestamp()));
	vci_put_int64_or_null(&args, event->issuer_id);
	vci_put_int64_or_null(&args, event->offer_id);
	vci_put_int64_or_null(&args, event->authorization_id);
	vci_put_int64_or_null(&args, event->token_id);
	vci_put_int64_or_null(&args, event->deferred_id);
	vci_put_int64_or_null(&args, event->credential_id);
	vci_put_text(&args, event->kind);
	vci_put_role(&args, store->caller);
	vci_put_int64_or_null(&args, event->key_id);
	vci_put_name(&args, event->role_name);
	vci_put_text(&args, event->duty);
	(void) vci_insert(store, &insert, &args);
	if (notify)
		send_notification(id, event);
}

VciEventRow *
vci_store_events(VciStore *store, int64 after, int32 max, int *count)
{
	/* a horizon in the future is of the cluster that a dump came from, where all have ended */
	static VciStatement statement = {
		"SELECT e.id, e.at, "
		"e.horizon <= pg_snapshot_xmin(pg_current_snapshot()) OR e.horizon > $3, "
		"e.issuer_id, e.offer_id, e.authorization_id, e.token_id, e.deferred_id, "
		"e.credential_id, e.kind, (SELECT i.url FROM openid4vci.vci_issuer AS i "
		"WHERE i.id = e.issuer_id), e.key_id, e.role_name::text, e.duty "
		"FROM openid4vci.vci_event AS e WHERE e.id > $1 ORDER BY e.id LIMIT $2",
		3,
		{INT8OID, INT4OID, XID8OID},
		NULL};
	VciArguments args = {0};
	VciEventRow *rows;

	vci_put_int64(&args, after);
	vci_put_int32(&args, max);
	vci_put_datum(&args, FullTransactionIdGetDatum(ReadNextFullTransactionId()));
	*count = vci_read(store, &statement, &args);
	rows = palloc0(sizeof(VciEventRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].id = vci_column_int64(i, 1);
		rows[i].at = vci_column_int64(i, 2);
		rows[i].settled = vci_column_boolean(i, 3);
		rows[i].event.issuer_id = vci_column_int64(i, 4);
		rows[i].event.offer_id = vci_column_int64(i, 5);
		rows[i].event.authorization_id = vci_column_int64(i, 6);
		rows[i].event.token_id = vci_column_int64(i, 7);
		rows[i].event.deferred_id = vci_column_int64(i, 8);
		rows[i].event.credential_id = vci_column_int64(i, 9);
		rows[i].event.kind = vci_column_text(store, i, 10);
		rows[i].issuer = vci_column_text(store, i, 11);
		rows[i].event.key_id = vci_column_int64(i, 12);
		rows[i].event.role_name = vci_column_text(store, i, 13);
		rows[i].event.duty = vci_column_text(store, i, 14);
	}
	SPI_freetuptable(SPI_tuptable);
	return rows;
}
