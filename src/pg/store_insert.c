#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store_insert.h"

static int
column_count(const VciInsert *insert)
{
	int count = 0;

	while (count < VCI_STATEMENT_MAX_ARGS && insert->columns[count].name != NULL)
		count++;
	return count;
}

/* Where an INSERT would do no more than write values as they are given and make index entries. */
static bool
is_plain_table(Relation relation)
{
	const TriggerDesc *triggers = relation->trigdesc;

	if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relispartition ||
		relation->rd_rel->relrowsecurity || relation->rd_rules != NULL)
		return false;
	if (triggers != NULL &&
		(triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
		 triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
		 triggers->trig_insert_after_statement))
		return false;
	/* a statement checks it, here nobody would */
	return pg_class_aclcheck(RelationGetRelid(relation), GetUserId(), ACL_INSERT) == ACLCHECK_OK;
}

/* Is the column stored as the description gives it, without a cast or a length to check? */
static bool
is_plain_column(Form_pg_attribute attribute, Oid type)
{
	return attribute->atttypid == type && attribute->atttypmod < 0 &&
		   attribute->attgenerated == '\0';
}

/* Would NULL stand in the column too if an INSERT did not name it? */
static bool
is_null_by_default(Form_pg_attribute attribute)
{
	return attribute->attisdropped || (!attribute->atthasdef && attribute->attidentity == '\0' &&
									   get_typtype(attribute->atttypid) != TYPTYPE_DOMAIN);
}

/* Position of a column in the description, -1 when it is not there. */
static int
position_of(const VciInsert *insert, const char *name)
{
	for (int i = 0; i < VCI_STATEMENT_MAX_ARGS && insert->columns[i].name != NULL; i++)
		if (strcmp(insert->columns[i].name, name) == 0)
			return i;
	return -1;
}

/* Finds the columns by name, since an altered table may have more of them or others. */
static bool
match_columns(VciInsert *insert, TupleDesc descriptor)
{
	int found = 0;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		int n = attribute->attisdropped ? -1 : position_of(insert, NameStr(attribute->attname));

		if (n < 0 && !is_null_by_default(attribute))
			return false;
		if (n < 0)
			continue;
		if (!is_plain_column(attribute, insert->columns[n].type))
			return false;
		insert->numbers[n] = attribute->attnum;
		found++;
	}
	return found == column_count(insert);
}

static bool
is_null_test(Node *node)
{
	return IsA(node, NullTest) && IsA(((NullTest *) node)->arg, Var);
}

/* Does an entry take more than values of columns, and whether they are null? */
static bool
index_computes(Oid oid)
{
	Relation index = index_open(oid, RowExclusiveLock);
	bool computes = RelationGetIndexExpressions(index) != NIL;
	ListCell *cell;

	foreach (cell, RelationGetIndexPredicate(index))
		computes |= !is_null_test(lfirst(cell));
	index_close(index, NoLock);
	return computes;
}

/*
 * Is it true of, or unknown for, every row that is inserted here: "column = ANY (ARRAY[...])" of
 * a column that stays NULL? Making such a check ready costs more than writing the row.
 */
static bool
passes_always(const VciInsert *insert, TupleDesc descriptor, Node *check)
{
	ScalarArrayOpExpr *in = (ScalarArrayOpExpr *) check;
	Var *column;
	ArrayExpr *array;

	if (!IsA(check, ScalarArrayOpExpr) || !op_strict(in->opno))
		return false;
	column = linitial(in->args);
	array = lsecond(in->args);
	return IsA(column, Var) && column->varattno > 0 && IsA(array, ArrayExpr) &&
		   array->elements != NIL &&
		   position_of(insert, NameStr(TupleDescAttr(descriptor, column->varattno - 1)->attname)) <
			   0;
}

static bool
needs_checks(const VciInsert *insert, TupleDesc descriptor)
{
	const TupleConstr *constraints = descriptor->constr;

	for (int i = 0; constraints != NULL && i < constraints->num_check; i++)
		if (!passes_always(insert, descriptor, stringToNode(constraints->check[i].ccbin)))
			return true;
	return false;
}

/* Are there functions that somebody's search_path could lead astray? */
static bool
indexes_compute(Relation relation)
{
	bool computes = false;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(relation))
		computes |= index_computes(lfirst_oid(cell));
	return computes;
}

static bool
is_unique_column(const VciInsert *insert, AttrNumber number)
{
	for (int i = 0; i < insert->unique_count; i++)
		if (insert->numbers[insert->unique_at[i]] == number)
			return true;
	return false;
}

static bool
is_index_on(const VciInsert *insert, Form_pg_index index)
{
	if (!index->indisunique || !index->indimmediate || index->indnkeyatts != insert->unique_count)
		return false;
	for (int i = 0; i < insert->unique_count; i++)
		if (index->indkey.values[i] != insert->numbers[insert->unique_at[i]])
			return false;
	return true;
}

/* Has it an entry for each of our rows that can meet another? */
static bool
holds_all_rows(const VciInsert *insert, Relation index)
{
	ListCell *cell;

	if (!index->rd_index->indisvalid)
		return false;
	foreach (cell, RelationGetIndexPredicate(index))
	{
		NullTest *test = lfirst(cell);
		Var *column;

		if (!is_null_test((Node *) test) || test->nulltesttype != IS_NOT_NULL)
			return false;
		column = (Var *) test->arg;
		if (!is_unique_column(insert, column->varattno))
			return false;
	}
	return true;
}

static void
find_unique_columns(VciInsert *insert)
{
	int count = 0;

	for (; count < VCI_INSERT_MAX_UNIQUE && insert->unique[count] != NULL; count++)
		insert->unique_at[count] = position_of(insert, insert->unique[count]);
	insert->unique_count = count;
}

static void
describe(VciInsert *insert, Relation relation)
{
	TupleDesc descriptor = RelationGetDescr(relation);

	find_unique_columns(insert);
	insert->plain = is_plain_table(relation) && match_columns(insert, descriptor);
	insert->checks = needs_checks(insert, descriptor);
	insert->computes = insert->checks || indexes_compute(relation);
	insert->simple = !insert->computes && vci_describe_indexes(relation, &insert->indexes);
}

static Relation
open_table(VciInsert *insert)
{
	Relation relation;

	insert->of.name = insert->table;
	relation = vci_table_open(&insert->of, RowExclusiveLock);
	if (!insert->of.described)
		describe(insert, relation);
	insert->of.described = true;
	return relation;
}

static void
append_columns(StringInfo sql, const VciInsert *insert)
{
	for (int i = 0; i < column_count(insert); i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "", insert->columns[i].name);
}

static void
append_conflict(StringInfo sql, const VciInsert *insert)
{
	appendStringInfoString(sql, " ON CONFLICT (");
	for (int i = 0; i < VCI_INSERT_MAX_UNIQUE && insert->unique[i] != NULL; i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "", insert->unique[i]);
	appendStringInfoChar(sql, ')');
	if (insert->unique_where != NULL)
		appendStringInfo(sql, " WHERE %s", insert->unique_where);
	appendStringInfoString(sql, " DO NOTHING");
}

/* Names in a description are our own, so none needs quotes. */
static void
make_statement(const VciInsert *insert, VciStatement *statement, bool unless_there)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO openid4vci.%s (", insert->table);
	append_columns(&sql, insert);
	appendStringInfoString(&sql, ") VALUES (");
	for (int i = 0; i < column_count(insert); i++)
	{
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
		statement->types[i] = insert->columns[i].type;
	}
	appendStringInfoChar(&sql, ')');
	if (unless_there)
		append_conflict(&sql, insert);
	statement->nargs = column_count(insert);
	statement->sql = sql.data;
	MemoryContextSwitchTo(old);
}

static void
fill_row(const VciInsert *insert, const VciArguments *args, int natts, const VciNewRow *row)
{
	memset(row->nulls, true, sizeof(bool) * natts);
	for (int i = 0; i < args->count; i++)
	{
		row->values[insert->numbers[i] - 1] = args->values[i];
		row->nulls[insert->numbers[i] - 1] = args->nulls[i] == 'n';
	}
}

/* Can this row meet another one in the unique index? */
static bool
may_conflict(const VciInsert *insert, const VciArguments *args)
{
	for (int i = 0; i < insert->unique_count; i++)
		if (args->nulls[insert->unique_at[i]] == 'n')
			return false;
	return insert->unique_count > 0;
}

/* The unique indexes that decide; two of them while one is rebuilt, which alone would not do. */
static List *
arbiters_of(const VciInsert *insert, const ResultRelInfo *target)
{
	List *arbiters = NIL;
	bool decided = false;

	for (int i = 0; i < target->ri_NumIndices; i++)
	{
		Relation index = target->ri_IndexRelationDescs[i];

		if (index == NULL || !is_index_on(insert, index->rd_index))
			continue;
		arbiters = lappend_oid(arbiters, RelationGetRelid(index));
		decided |= holds_all_rows(insert, index);
	}
	if (!decided)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table openid4vci.%s lacks the unique index of its rows", insert->table),
				 errhint("vci_health() and the extension's script show which.")));
	return arbiters;
}

/* As ON CONFLICT DO NOTHING: a row that the transaction's snapshot can't see is no answer. */
static void
require_visible(Relation relation, ItemPointer row, EState *estate)
{
	TupleTableSlot *slot;
	bool is_null;
	TransactionId xmin;

	if (!IsolationUsesXactSnapshot())
		return;
	slot =
		ExecInitExtraTupleSlot(estate, RelationGetDescr(relation), table_slot_callbacks(relation));
	if (!table_tuple_fetch_row_version(relation, row, SnapshotAny, slot))
		elog(ERROR, "the row that conflicts is gone");
	xmin = DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &is_null));
	if (!table_tuple_satisfies_snapshot(relation, slot, GetTransactionSnapshot()) &&
		!TransactionIdIsCurrentTransactionId(xmin))
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not serialize access due to concurrent update")));
}

/* One try; *conflict: another transaction was faster, so look again. */
static bool
insert_speculatively(ResultRelInfo *target, EState *estate, TupleTableSlot *slot, List *arbiters,
					 bool *conflict)
{
	Relation relation = target->ri_RelationDesc;
	ItemPointerData other;
	uint32 token;

	*conflict = false;
	if (!VciExecCheckIndexConstraints(target, slot, estate, &other, arbiters))
	{
		require_visible(relation, &other, estate);
		return false;
	}
	token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
	table_tuple_insert_speculative(relation, slot, GetCurrentCommandId(true), 0, NULL, token);
	list_free(VciExecInsertIndexTuples(target, slot, estate, true, conflict, arbiters));
	table_tuple_complete_speculative(relation, slot, token, !*conflict);
	SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	return !*conflict;
}

static bool
insert_unless_there(const VciInsert *insert, ResultRelInfo *target, EState *estate,
					TupleTableSlot *slot)
{
	List *arbiters = arbiters_of(insert, target);
	bool conflict;
	bool inserted;

	if (RelationGetDescr(target->ri_RelationDesc)->constr != NULL)
		ExecConstraints(target, slot, estate);
	do
	{
		CHECK_FOR_INTERRUPTS();
		inserted = insert_speculatively(target, estate, slot, arbiters, &conflict);
	} while (conflict);
	return inserted;
}

/* A check without an expression counts as passed (ExecCheck). */
static void
leave_out_checks(ResultRelInfo *target)
{
	const TupleConstr *constraints = RelationGetDescr(target->ri_RelationDesc)->constr;

	if (constraints != NULL && constraints->num_check > 0)
		target->VciCheckExprs = palloc0(sizeof(ExprState *) * constraints->num_check);
}

/*
 * False, and nothing is done, where a value is missing, of which the executor tells, or where an
 * index wants more than values.
 */
static bool
write_simply(const VciInsert *insert, Relation relation, const VciArguments *args)
{
	Datum values[MaxHeapAttributeNumber];
	bool nulls[MaxHeapAttributeNumber];
	VciNewRow row = {values, nulls};
	TupleDesc descriptor = RelationGetDescr(relation);

	fill_row(insert, args, descriptor->natts, &row);
	if (!vci_has_required_values(descriptor, &row) ||
		!vci_has_simple_entries(&insert->indexes, &row))
		return false;
	vci_write_row(relation, &insert->indexes, &row);
	return true;
}

static bool
insert_by_executor(const VciInsert *insert, Relation relation, const VciArguments *args)
{
	EState *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *target = makeNode(ResultRelInfo);
	bool unless_there = may_conflict(insert, args);
	bool inserted = true;
	TupleTableSlot *slot;

	InitResultRelInfo(target, relation, 0, NULL, 0);
	if (!insert->checks)
		leave_out_checks(target);
	ExecOpenIndices(target, unless_there);
	slot = ExecInitExtraTupleSlot(estate, RelationGetDescr(relation), &TTSOpsVirtual);
	fill_row(insert, args, RelationGetDescr(relation)->natts,
			 &(VciNewRow){slot->tts_values, slot->tts_isnull});
	ExecStoreVirtualTuple(slot);
	if (unless_there)
		inserted = insert_unless_there(insert, target, estate, slot);
	else
		ExecSimpleRelationInsert(target, estate, slot);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
	return inserted;
}

/* The relation is closed; its lock stays until the transaction ends. */
static bool
insert_directly(const VciInsert *insert, Relation relation, const VciArguments *args)
{
	bool inserted =
		(insert->simple && !may_conflict(insert, args) && write_simply(insert, relation, args)) ||
		insert_by_executor(insert, relation, args);

	table_close(relation, NoLock);
	CommandCounterIncrement();
	return inserted;
}

/* A row that can meet no other names no index: Citus has none on what it can't keep unique. */
static bool
insert_by_statement(VciStore *store, VciInsert *insert, VciArguments *args)
{
	bool unless_there = may_conflict(insert, args);
	VciStatement *statement = unless_there ? &insert->unless_there : &insert->statement;

	if (statement->sql == NULL)
		make_statement(insert, statement, unless_there);
	return vci_run(store, statement, args) == 1;
}

bool
vci_insert(VciStore *store, VciInsert *insert, VciArguments *args)
{
	Relation relation;

	PreventCommandIfReadOnly("INSERT");
	PreventCommandIfParallelMode("INSERT");
	relation = open_table(insert);
	Assert(args->count == column_count(insert));
	if (insert->computes)
		vci_store_connect(store);
	if (insert->plain && !vci_statements_are_watched())
		return insert_directly(insert, relation, args);
	table_close(relation, NoLock);
	return insert_by_statement(store, insert, args);
}

int64
vci_next_id(VciTable *sequence)
{
	/* our statements ran as the owner, who may */
	return nextval_internal(vci_table_oid(sequence), false);
}
