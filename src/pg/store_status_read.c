#include "compat.h"

#include "../protocol/status_list.h"
#include "store_statement.h"
#include "store_status_read.h"

VciPublishedStatusList *
vci_store_published_status_list(VciStore *store, int64 issuer_id, const char *name)
{
	static VciStatement statement = {
		"SELECT id, bits, size, version, (extract(epoch FROM changed_at) * 1000000)::bigint, "
		"floor(extract(epoch FROM changed_at))::bigint, "
		"xmin = pg_current_xact_id_if_assigned()::xid "
		"FROM openid4vci.vci_status_list WHERE name = $1 AND issuer_id = $2",
		2,
		{TEXTOID, INT8OID},
		NULL};
	VciArguments args = {0};
	VciPublishedStatusList *list;

	vci_put_text(&args, name);
	vci_put_int64(&args, issuer_id);
	if (vci_run(store, &statement, &args) == 0)
		return NULL;
	list = palloc0(sizeof(VciPublishedStatusList));
	list->id = vci_column_int64(0, 1);
	list->bits = vci_column_int32(0, 2);
	list->size = vci_column_int32(0, 3);
	list->version = vci_column_int64(0, 4);
	list->changed_at = vci_column_int64(0, 5);
	list->changed_second = vci_column_int64(0, 6);
	list->uncommitted = vci_column_boolean(0, 7);
	return list;
}

unsigned char *
vci_store_statuses(VciStore *store, int64 list_id, size_t len)
{
	static VciStatement statement = {
		"SELECT chunk, statuses FROM openid4vci.vci_status_chunk WHERE list_id = $1",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	unsigned char *statuses = palloc0(len);
	int count;

	vci_put_int64(&args, list_id);
	count = vci_run(store, &statement, &args);
	for (int i = 0; i < count; i++)
	{
		size_t start = (size_t) vci_column_int32(i, 1) * VCI_STATUS_CHUNK_BYTES;
		bytea *chunk = vci_column_bytea(store, i, 2);
		size_t chunk_len = VARSIZE_ANY_EXHDR(chunk);

		if (start < len)
			memcpy(statuses + start, VARDATA_ANY(chunk), Min(chunk_len, len - start));
		pfree(chunk);
	}
	return statuses;
}

char **
vci_store_status_list_names(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		"SELECT name FROM openid4vci.vci_status_list WHERE issuer_id = $1 ORDER BY id",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	char **names;

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	names = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		names[i] = vci_column_text(store, i, 1);
	return names;
}
