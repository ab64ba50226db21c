#include "compat.h"

#include "access/xact.h"

#include "store_insert.h"
#include "store_status.h"

int64
vci_store_next_status_position(VciStore *store pg_attribute_unused())
{
	static VciTable positions = {.name = "vci_status_position_seq"};

	return vci_next_id(&positions);
}

#define LIST_COLUMNS "l.id, l.issuer_id, l.name, l.bits, l.size "

static VciStatusListRow *
list_of_result(VciStore *store, int count)
{
	VciStatusListRow *row;

	if (count != 1)
		return NULL;
	row = palloc0(sizeof(VciStatusListRow));
	row->id = vci_column_int64(0, 1);
	row->issuer_id = vci_column_int64(0, 2);
	row->name = vci_column_text(store, 0, 3);
	row->bits = vci_column_int32(0, 4);
	row->size = vci_column_int32(0, 5);
	return row;
}

static void
put_part(VciArguments *args, int64 issuer_id, int32 bits, int32 size, int64 part)
{
	vci_put_int64(args, issuer_id);
	vci_put_int32(args, bits);
	vci_put_int32(args, size);
	vci_put_int64(args, part);
}

static VciStatusListRow *
find_open_list(VciStore *store, int64 issuer_id, int32 bits, int32 size, int64 part)
{
	static VciStatement statement = {
		"SELECT " LIST_COLUMNS "FROM openid4vci.vci_status_list AS l WHERE l.issuer_id = $1 "
		"AND l.bits = $2 AND l.size = $3 AND l.part = $4 AND l.closed_at IS NULL",
		4,
		{INT8OID, INT4OID, INT4OID, INT8OID},
		NULL};
	VciArguments args = {0};

	put_part(&args, issuer_id, bits, size, part);
	return list_of_result(store, vci_run(store, &statement, &args));
}

static void
insert_list(VciStore *store, int64 issuer_id, int32 bits, int32 size, int64 part, const char *name)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_status_list (issuer_id, bits, size, part, name) "
		"VALUES ($1, $2, $3, $4, $5) "
		"ON CONFLICT (issuer_id, bits, size, part) WHERE closed_at IS NULL DO NOTHING",
		5,
		{INT8OID, INT4OID, INT4OID, INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	put_part(&args, issuer_id, bits, size, part);
	vci_put_text(&args, name);
	vci_run(store, &statement, &args);
}

VciStatusListRow *
vci_store_open_status_list(VciStore *store, int64 issuer_id, int32 bits, int32 size, int64 part,
						   const char *name)
{
	VciStatusListRow *row = find_open_list(store, issuer_id, bits, size, part);

	if (row == NULL)
	{
		insert_list(store, issuer_id, bits, size, part, name);
		row = find_open_list(store, issuer_id, bits, size, part);
	}
	if (row == NULL)
		elog(ERROR, "status list of part %lld can't be read", (long long) part);
	return row;
}

void
vci_store_make_next_status_list(VciStore *store, int64 issuer_id, int32 bits, int32 size,
								int64 part, const char *name)
{
	/*
	 * Where two keys collide, one list is made a little later. Who had the lock may have committed
	 * after this statement's snapshot was taken: that is the conflict.
	 */
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_status_list (issuer_id, bits, size, part, name) "
		"SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM openid4vci.vci_status_list AS l "
		"WHERE l.issuer_id = $1 AND l.bits = $2 AND l.size = $3 AND l.part = $4 "
		"AND l.closed_at IS NULL) "
		"AND pg_try_advisory_xact_lock(hashtextextended('openid4vci.vci_status_list ' || $1 || ' ' "
		"|| $2 || ' ' || $3 || ' ' || $4, 0)) "
		"ON CONFLICT (issuer_id, bits, size, part) WHERE closed_at IS NULL DO NOTHING",
		5,
		{INT8OID, INT4OID, INT4OID, INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	/* who made it may be invisible to an old snapshot; then it is there, and nothing to do */
	if (IsolationUsesXactSnapshot())
		return;
	put_part(&args, issuer_id, bits, size, part);
	vci_put_text(&args, name);
	vci_run(store, &statement, &args);
}

VciStatusListRow *
vci_store_status_list(VciStore *store, int64 id)
{
	static VciStatement statement = {"SELECT " LIST_COLUMNS
									 "FROM openid4vci.vci_status_list AS l WHERE l.id = $1",
									 1,
									 {INT8OID},
									 NULL};
	VciArguments args = {0};

	vci_put_int64(&args, id);
	return list_of_result(store, vci_run(store, &statement, &args));
}

void
vci_store_close_status_lists(VciStore *store)
{
	/* locked in the order in which changes of statuses lock them */
	static VciStatement statement = {
		"UPDATE openid4vci.vci_status_list AS u SET closed_at = clock_timestamp(), "
		"version = u.version + 1 WHERE u.id = ANY (ARRAY(SELECT l.id FROM "
		"openid4vci.vci_status_list AS l "
		"WHERE l.closed_at IS NULL ORDER BY l.id FOR NO KEY UPDATE))",
		0,
		{0},
		NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

/* With fresh eyes, but where several processes share one snapshot. */
static int
read_now(VciStore *store, VciStatement *statement, VciArguments *args)
{
	return IsInParallelMode() ? vci_read(store, statement, args) : vci_run(store, statement, args);
}

int32
vci_store_read_status(VciStore *store, int64 issuer_id, const char *name, int64 index)
{
	/* statuses of b bits stand in each byte from the least significant one on */
	static VciStatement statement = {
		"SELECT COALESCE((SELECT (get_byte(k.statuses, (($3 * l.bits / 8) % 1024)::integer) "
		">> ($3 * l.bits % 8)::integer) & ((1 << l.bits) - 1) "
		"FROM openid4vci.vci_status_chunk AS k WHERE k.list_id = l.id "
		"AND k.chunk = ($3 * l.bits / 8192)::integer), 0) "
		"FROM openid4vci.vci_status_list AS l WHERE l.name = $1 AND l.issuer_id = $2 "
		"AND $3 BETWEEN 0 AND l.size - 1",
		3,
		{TEXTOID, INT8OID, INT8OID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, name);
	vci_put_int64(&args, issuer_id);
	vci_put_int64(&args, index);
	return read_now(store, &statement, &args) == 1 ? vci_column_int32(0, 1) : -1;
}

VciCredentialStatusRow *
vci_store_credential_status(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"SELECT c.issuer_id, c.status, c.status_index, l.name, c.status_reason, "
		"c.status_changed_at, c.status_changed_by::text, COALESCE(c.expires_at <= $2, false) "
		"FROM openid4vci.vci_credential AS c LEFT JOIN openid4vci.vci_status_list AS l "
		"ON l.id = c.status_list_id WHERE c.id = $1",
		2,
		{INT8OID, TIMESTAMPTZOID},
		NULL};
	VciArguments args = {0};
	VciCredentialStatusRow *row;

	vci_put_int64(&args, id);
	vci_put_now(&args);
	if (read_now(store, &statement, &args) != 1)
		return NULL;
	row = palloc0(sizeof(VciCredentialStatusRow));
	row->issuer_id = vci_column_int64(0, 1);
	row->value = vci_column_int32(0, 2);
	row->index = vci_column_int32(0, 3);
	row->list_name = vci_column_text(store, 0, 4);
	row->reason = vci_column_text(store, 0, 5);
	row->changed_at = vci_column_int64(0, 6);
	row->changed_by = vci_column_text(store, 0, 7);
	row->expired = vci_column_boolean(0, 8);
	return row;
}

/* The first column of the one row of this id, 0 when there is none. */
static int64
look_up(VciStore *store, VciStatement *statement, int64 id)
{
	VciArguments args = {0};

	vci_put_int64(&args, id);
	return vci_run(store, statement, &args) > 0 ? vci_column_int64(0, 1) : 0;
}

int64
vci_store_issuer_of_credential(VciStore *store, int64 id)
{
	static VciStatement statement = {
		"SELECT c.issuer_id FROM openid4vci.vci_credential AS c WHERE c.id = $1",
		1,
		{INT8OID},
		NULL};

	return look_up(store, &statement, id);
}

int64
vci_store_issuer_of_offered(VciStore *store, int64 offer_id)
{
	/* records are kept when the offer is purged */
	static VciStatement statement = {
		"SELECT o.issuer_id FROM openid4vci.vci_offer AS o WHERE o.id = $1 UNION ALL "
		"(SELECT c.issuer_id FROM openid4vci.vci_credential AS c WHERE c.offer_id = $1 LIMIT 1)",
		1,
		{INT8OID},
		NULL};

	return look_up(store, &statement, offer_id);
}

int64
vci_store_campaign_of_name(VciStore *store, int64 issuer_id, const char *name)
{
	static VciStatement statement = {
		"SELECT g.id FROM openid4vci.vci_campaign AS g WHERE g.issuer_id = $1 AND g.name = $2",
		2,
		{INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, name);
	return vci_run(store, &statement, &args) == 1 ? vci_column_int64(0, 1) : 0;
}
