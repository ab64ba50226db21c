#include "compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

#include "store_write.h"

static bool
add_test(VciIndexRule *rule, Node *condition)
{
	NullTest *test = (NullTest *) condition;

	if (!IsA(test, NullTest) || !IsA(test->arg, Var) || rule->tests == VCI_WRITE_MAX_TESTS)
		return false;
	rule->test[rule->tests].number = ((Var *) test->arg)->varattno;
	rule->test[rule->tests].is_null = test->nulltesttype == IS_NULL;
	return rule->test[rule->tests++].number > 0;
}

static bool
takes_values_at_once(Relation index)
{
	Form_pg_index form = index->rd_index;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indimmediate || form->indisexclusion)
		return false;
	for (int i = 0; i < form->indnatts; i++)
		if (form->indkey.values[i] <= 0)
			return false;
	return true;
}

/* A condition that is no test here lets more rows have an entry than have one. */
static void
describe_index(Relation index, VciIndexRule *rule)
{
	ListCell *cell;

	rule->index = RelationGetRelid(index);
	rule->tests = 0;
	rule->simple = takes_values_at_once(index);
	foreach (cell, RelationGetIndexPredicate(index))
		rule->simple &= add_test(rule, lfirst(cell));
}

bool
vci_describe_indexes(Relation relation, VciIndexRules *rules)
{
	ListCell *cell;

	rules->count = 0;
	foreach (cell, RelationGetIndexList(relation))
	{
		Relation index;

		if (rules->count == VCI_WRITE_MAX_INDEXES)
			return false;
		index = index_open(lfirst_oid(cell), RowExclusiveLock);
		describe_index(index, &rules->of[rules->count++]);
		index_close(index, NoLock);
	}
	return relation->rd_rel->relam == HEAP_TABLE_AM_OID;
}

bool
vci_has_required_values(TupleDesc descriptor, const VciNewRow *row)
{
	for (int i = 0; i < descriptor->natts; i++)
		if (row->nulls[i] && TupleDescAttr(descriptor, i)->attnotnull)
			return false;
	return true;
}

static bool
has_entry(const VciIndexRule *rule, const VciNewRow *row)
{
	for (int i = 0; i < rule->tests; i++)
		if (row->nulls[rule->test[i].number - 1] != rule->test[i].is_null)
			return false;
	return true;
}

bool
vci_has_simple_entries(const VciIndexRules *rules, const VciNewRow *row)
{
	for (int i = 0; i < rules->count; i++)
		if (!rules->of[i].simple && has_entry(&rules->of[i], row))
			return false;
	return true;
}

static void
write_entry(Relation relation, Relation index, const VciNewRow *row, ItemPointer place)
{
	Form_pg_index form = index->rd_index;
	IndexInfo info = {.type = T_IndexInfo}; /* a B-tree reads nothing of it */
	Datum values[INDEX_MAX_KEYS];
	bool is_null[INDEX_MAX_KEYS];

	for (int i = 0; i < form->indnatts; i++)
	{
		values[i] = row->values[form->indkey.values[i] - 1];
		is_null[i] = row->nulls[form->indkey.values[i] - 1];
	}
	(void) index_insert(index, values, is_null, place, relation,
						form->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, &info);
}

/* Straight to the heap: a slot would copy each value before it makes the row of them. */
void
vci_write_row(Relation relation, const VciIndexRules *rules, const VciNewRow *row)
{
	HeapTuple tuple = heap_form_tuple(RelationGetDescr(relation), row->values, row->nulls);

	heap_insert(relation, tuple, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < rules->count; i++)
	{
		Relation index;

		if (!has_entry(&rules->of[i], row))
			continue;
		index = index_open(rules->of[i].index, RowExclusiveLock);
		if (index->rd_index->indisready)
			write_entry(relation, index, row, &tuple->t_self);
		index_close(index, NoLock);
	}
	heap_freetuple(tuple);
}
