#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store_row.h"
#include "values.h"

/* Where a statement would do no more than read and lock. */
static bool
is_plain_table(Relation relation)
{
	const AclMode needed = ACL_SELECT | ACL_UPDATE;

	if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relispartition ||
		relation->rd_rel->relhassubclass || relation->rd_rel->relrowsecurity)
		return false;
	/* a statement checks it, here nobody would */
	return pg_class_aclmask(RelationGetRelid(relation), GetUserId(), needed, ACLMASK_ALL) == needed;
}

/* Where an UPDATE would do no more than write columns. */
static bool
is_plain_to_write(Relation relation)
{
	const TupleConstr *constraints = RelationGetDescr(relation)->constr;

	return relation->rd_rules == NULL && relation->trigdesc == NULL &&
		   (constraints == NULL ||
			(constraints->num_check == 0 && !constraints->has_generated_stored));
}

static int
count_columns(const VciColumn *columns, int max)
{
	int count = 0;

	while (count < max && columns[count].name != NULL)
		count++;
	return count;
}

static int
key_count(const VciRows *rows)
{
	return count_columns(rows->key, VCI_ROW_MAX_KEY);
}

static int
column_count(const VciRows *rows)
{
	return count_columns(rows->columns, VCI_ROW_MAX_COLUMNS);
}

static AttrNumber
number_of_column(TupleDesc descriptor, const VciColumn *column)
{
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), column->name) == 0)
			return attribute->atttypid == column->type ? attribute->attnum : InvalidAttrNumber;
	}
	return InvalidAttrNumber;
}

/* Finds columns by name, since an altered table may have more of them or others. */
static bool
match_columns(TupleDesc descriptor, const VciColumn *columns, int count, AttrNumber *numbers)
{
	for (int i = 0; i < count; i++)
	{
		numbers[i] = number_of_column(descriptor, &columns[i]);
		if (numbers[i] == InvalidAttrNumber)
			return false;
	}
	return true;
}

static bool
is_key_index(const VciRows *rows, Relation index)
{
	Form_pg_index form = index->rd_index;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisunique || !form->indimmediate ||
		!form->indisvalid || form->indnkeyatts > key_count(rows) ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
		if (form->indkey.values[i] != rows->key_numbers[i] ||
			index->rd_opcintype[i] != rows->key[i].type)
			return false;
	return true;
}

static bool
find_index(VciRows *rows, Relation relation)
{
	ListCell *cell;

	rows->index = InvalidOid;
	foreach (cell, RelationGetIndexList(relation))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_key_index(rows, index))
		{
			rows->index = RelationGetRelid(index);
			rows->index_keys = index->rd_index->indnkeyatts;
		}
		index_close(index, AccessShareLock);
	}
	return OidIsValid(rows->index);
}

static bool
describe(VciRows *rows, Relation relation)
{
	TupleDesc descriptor = RelationGetDescr(relation);

	return is_plain_table(relation) &&
		   match_columns(descriptor, rows->key, key_count(rows), rows->key_numbers) &&
		   match_columns(descriptor, rows->columns, column_count(rows), rows->numbers) &&
		   find_index(rows, relation);
}

static Relation
open_rows(VciRows *rows, LOCKMODE lock)
{
	Relation relation = vci_table_open(&rows->table, lock);

	if (!rows->table.described)
	{
		rows->plain = describe(rows, relation);
		rows->plain_to_write = is_plain_to_write(relation);
		rows->locked_by = InvalidFullTransactionId;
	}
	rows->table.described = true;
	return relation;
}

static RegProcedure
equality_of(Oid type)
{
	switch (type)
	{
		case INT8OID:
			return F_INT8EQ;
		case INT4OID:
			return F_INT4EQ;
		case TEXTOID:
			return F_TEXTEQ;
		default:
			elog(ERROR, "no key has type %u", type);
	}
}

static bool
look_up(VciRow *row, const Datum *key, LOCKMODE lock)
{
	const VciRows *rows = row->rows;
	Relation index = index_open(rows->index, lock);
	ScanKeyData scan_keys[VCI_ROW_MAX_KEY];
	IndexScanDesc scan;
	bool found;

	for (int i = 0; i < rows->index_keys; i++)
		ScanKeyEntryInitialize(&scan_keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[i], equality_of(rows->key[i].type), key[i]);
	scan = VciIndexBeginScan(row->relation, index, GetActiveSnapshot(), rows->index_keys);
	index_rescan(scan, scan_keys, rows->index_keys, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, row->slot);
	index_endscan(scan);
	index_close(index, NoLock);
	return found;
}

static _Noreturn void
raise_concurrent(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("could not serialize access due to concurrent %s", what)));
}

/* As SELECT ... FOR NO KEY UPDATE does it: the row's newest version, or an error where the
 * transaction may see an old one alone. */
static bool
lock_version(VciRow *row)
{
	ItemPointerData place = row->slot->tts_tid;
	uint8 flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS;
	TM_FailureData failure;

	if (!IsolationUsesXactSnapshot())
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	switch (table_tuple_lock(row->relation, &place, GetActiveSnapshot(), row->slot,
							 GetCurrentCommandId(true), LockTupleNoKeyExclusive, LockWaitBlock,
							 flags, &failure))
	{
		case TM_Ok:
			return true;
		case TM_SelfModified:
			return false;
		case TM_Updated:
			if (IsolationUsesXactSnapshot())
				raise_concurrent("update");
			elog(ERROR, "a row was updated while it was locked");
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				raise_concurrent("delete");
			return false;
		case TM_Invisible:
			elog(ERROR, "a row that is not visible was to be locked");
		default:
			elog(ERROR, "a row could not be locked");
	}
}

static bool
equals(Oid type, Datum a, Datum b)
{
	switch (type)
	{
		case INT8OID:
			return DatumGetInt64(a) == DatumGetInt64(b);
		case INT4OID:
			return DatumGetInt32(a) == DatumGetInt32(b);
		default:
			return DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, a, b));
	}
}

/* The index has found its columns of the key; the others, and what a wait for the lock left? */
static bool
has_key(const VciRow *row, const Datum *key)
{
	const VciRows *rows = row->rows;

	for (int i = 0; i < key_count(rows); i++)
	{
		bool is_null;
		Datum value = slot_getattr(row->slot, rows->key_numbers[i], &is_null);

		if (is_null || !equals(rows->key[i].type, value, key[i]))
			return false;
	}
	return true;
}

static VciRow *
new_row(const VciRows *rows, Relation relation, TupleTableSlot *slot)
{
	VciRow *row = palloc0(sizeof(VciRow));

	row->rows = rows;
	row->relation = relation;
	row->slot = slot;
	return row;
}

/* A text may be gone when it is to be compared. */
static bool
has_plain_key(const VciRows *rows)
{
	for (int i = 0; i < key_count(rows); i++)
		if (rows->key[i].type != INT8OID && rows->key[i].type != INT4OID)
			return false;
	return true;
}

static void
remember_lock(VciRows *rows, const VciRow *row, const Datum *key)
{
	if (!has_plain_key(rows))
		return;
	rows->locked_by = GetCurrentFullTransactionId();
	memcpy(rows->locked_key, key, sizeof(Datum) * key_count(rows));
	rows->locked_at = row->slot->tts_tid;
}

/*
 * Has this very subtransaction locked the row, so that nobody else can have changed it since?
 * What we have changed ourselves is not seen where it lay, and is looked up again.
 */
static bool
fetch_locked(VciRow *row, const Datum *key)
{
	const VciRows *rows = row->rows;

	if (!FullTransactionIdIsValid(rows->locked_by) ||
		!FullTransactionIdEquals(rows->locked_by, GetCurrentFullTransactionIdIfAny()) ||
		memcmp(rows->locked_key, key, sizeof(Datum) * key_count(rows)) != 0)
		return false;
	return table_tuple_fetch_row_version(row->relation, (ItemPointer) &rows->locked_at,
										 GetActiveSnapshot(), row->slot);
}

static bool
find_and_lock(VciRows *rows, VciRow *row, const Datum *key)
{
	if (!look_up(row, key, rows->lock) || !lock_version(row) || !has_key(row, key))
		return false;
	remember_lock(rows, row, key);
	return true;
}

/* The relation is closed with the row; its lock stays until the transaction ends. */
static VciRow *
find_directly(VciRows *rows, Relation relation, const Datum *key, VciRowLock lock)
{
	VciRow *row = new_row(
		rows, relation,
		MakeSingleTupleTableSlot(RelationGetDescr(relation), table_slot_callbacks(relation)));
	bool found;

	PushActiveSnapshot(GetTransactionSnapshot());
	if (lock == VCI_ROW_LOCK)
		found = fetch_locked(row, key) || find_and_lock(rows, row, key);
	else
		found = look_up(row, key, AccessShareLock) && has_key(row, key);
	PopActiveSnapshot();
	if (found)
		return row;
	vci_row_close(row);
	return NULL;
}

/* Names in a description are our own, so none needs quotes. */
static void
make_statement(const VciRows *rows, VciRowLock lock, VciStatement *statement)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < column_count(rows); i++)
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "", rows->columns[i].name);
	appendStringInfo(&sql, " FROM openid4vci.%s", rows->table.name);
	for (int i = 0; i < key_count(rows); i++)
	{
		appendStringInfo(&sql, "%s%s = $%d", i > 0 ? " AND " : " WHERE ", rows->key[i].name, i + 1);
		statement->types[i] = rows->key[i].type;
	}
	if (lock == VCI_ROW_LOCK)
		appendStringInfoString(&sql, " FOR NO KEY UPDATE");
	statement->nargs = key_count(rows);
	statement->sql = sql.data;
	MemoryContextSwitchTo(old);
}

static VciRow *
find_by_statement(VciStore *store, VciRows *rows, VciArguments *key, VciRowLock lock)
{
	VciStatement *statement = lock == VCI_ROW_LOCK ? &rows->read_locked : &rows->read;
	TupleTableSlot *slot;

	if (statement->sql == NULL)
		make_statement(rows, lock, statement);
	if (vci_run(store, statement, key) != 1)
		return NULL;
	slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(SPI_tuptable->tupdesc), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(heap_copytuple(SPI_tuptable->vals[0]), slot, true);
	SPI_freetuptable(SPI_tuptable);
	return new_row(rows, NULL, slot);
}

VciRow *
vci_row_find(VciStore *store, VciRows *rows, VciArguments *key, VciRowLock lock)
{
	LOCKMODE mode = lock == VCI_ROW_LOCK ? rows->lock : AccessShareLock;
	Relation relation;

	if (lock == VCI_ROW_LOCK)
	{
		PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
		PreventCommandIfParallelMode("SELECT FOR NO KEY UPDATE");
		/* a statement would lock what the calling one has changed, too */
		CommandCounterIncrement();
	}
	Assert(key->count == key_count(rows));
	relation = open_rows(rows, mode);
	if (rows->plain && !vci_statements_are_watched())
		return find_directly(rows, relation, key->values, lock);
	table_close(relation, NoLock);
	return find_by_statement(store, rows, key, lock);
}

void
vci_row_close(VciRow *row)
{
	ExecDropSingleTupleTableSlot(row->slot);
	if (row->relation != NULL)
		table_close(row->relation, NoLock);
	pfree(row);
}

bool
vci_row_is_direct(const VciRow *row)
{
	return row->relation != NULL && row->rows->plain_to_write;
}

/* A statement's columns stand as described. */
static AttrNumber
number_in_slot(const VciRow *row, int column)
{
	return row->relation != NULL ? row->rows->numbers[column] : column + 1;
}

static Datum
value_of(const VciRow *row, int column, bool *is_null)
{
	return slot_getattr(row->slot, number_in_slot(row, column), is_null);
}

bool
vci_row_is_null(const VciRow *row, int column)
{
	bool is_null;

	(void) value_of(row, column, &is_null);
	return is_null;
}

int64
vci_row_int64(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

int32
vci_row_int32(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? 0 : DatumGetInt32(value);
}

bool
vci_row_boolean(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return !is_null && DatumGetBool(value);
}

int64
vci_row_seconds(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? 0 : vci_seconds_of_timestamp(DatumGetTimestampTz(value));
}

double
vci_row_age(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? -1
				   : (double) (GetCurrentTimestamp() - DatumGetTimestampTz(value)) / USECS_PER_SEC;
}

char *
vci_row_text(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

Datum
vci_row_jsonb(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? (Datum) 0 : PointerGetDatum(DatumGetJsonbPCopy(value));
}

char *
vci_row_json_text(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);
	Jsonb *json;

	if (is_null)
		return NULL;
	json = DatumGetJsonbP(value);
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

bytea *
vci_row_bytea(const VciRow *row, int column)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	return is_null ? NULL : DatumGetByteaPCopy(value);
}

char **
vci_row_texts(const VciRow *row, int column, int *count)
{
	bool is_null;
	Datum value = value_of(row, column, &is_null);

	*count = 0;
	return is_null ? NULL : vci_text_array(DatumGetArrayTypeP(value), "column", count);
}

void
vci_row_put_time(VciRow *row, int column, TimestampTz value)
{
	row->changed[column] = true;
	row->values[column] = TimestampTzGetDatum(value);
	row->nulls[column] = false;
}

/* The row as it shall be. Made at once, since a slot of values would copy each of them first. */
static TupleTableSlot *
changed_slot(const VciRow *row)
{
	TupleDesc descriptor = RelationGetDescr(row->relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsHeapTuple);
	Datum values[MaxHeapAttributeNumber];
	bool nulls[MaxHeapAttributeNumber];

	slot_getallattrs(row->slot);
	memcpy(values, row->slot->tts_values, sizeof(Datum) * descriptor->natts);
	memcpy(nulls, row->slot->tts_isnull, sizeof(bool) * descriptor->natts);
	/* what was dropped goes with the old version */
	for (int i = 0; i < descriptor->natts; i++)
		nulls[i] |= TupleDescAttr(descriptor, i)->attisdropped;
	for (int i = 0; i < VCI_ROW_MAX_COLUMNS; i++)
	{
		if (!row->changed[i])
			continue;
		values[row->rows->numbers[i] - 1] = row->values[i];
		nulls[row->rows->numbers[i] - 1] = row->nulls[i];
	}
	ExecStoreHeapTuple(heap_form_tuple(descriptor, values, nulls), slot, true);
	return slot;
}

/* The new version lies on another page than the old one, so that the indexes have to know. */
static void
index_version(const VciRow *row, TupleTableSlot *slot, bool only_summarizing pg_attribute_unused())
{
	EState *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *target = makeNode(ResultRelInfo);

	InitResultRelInfo(target, row->relation, 0, NULL, 0);
	ExecOpenIndices(target, false);
	list_free(VciExecInsertChangedIndexTuples(target, slot, estate, only_summarizing));
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

void
vci_row_write(VciStore *store, VciRow *row)
{
	TupleTableSlot *slot = changed_slot(row);
	VciUpdateIndexes indexes;

	CheckCmdReplicaIdentity(row->relation, CMD_UPDATE);
	PushActiveSnapshot(GetTransactionSnapshot());
	simple_table_tuple_update(row->relation, &row->slot->tts_tid, slot, GetActiveSnapshot(),
							  &indexes);
	if (VciUpdatesIndexes(indexes))
	{
		/* an index may compute what it holds, by functions that the pinned path shall find */
		vci_store_connect(store);
		index_version(row, slot, VciUpdatesOnlySummarizing(indexes));
	}
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(slot);
	vci_row_close(row);
	CommandCounterIncrement();
}
