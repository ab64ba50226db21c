/*
 * Writing a new row and its index entries, where that is all an INSERT would do, for
 * store_insert.c alone. What the server's executor prepares for each row is found out once
 * for each state of the table.
 */
#ifndef VCI_STORE_WRITE_H
#define VCI_STORE_WRITE_H

#include "access/tupdesc.h"
#include "utils/relcache.h"

#define VCI_WRITE_MAX_INDEXES 8
#define VCI_WRITE_MAX_TESTS	  2

/* An index, and which rows have an entry in it. */
typedef struct VciIndexRule
{
	Oid index;
	bool simple; /* an entry is no more than values of columns in a B-tree at once */
	int tests;
	struct
	{
		AttrNumber number;
		bool is_null; /* the column is to be NULL; else it is not to be */
	} test[VCI_WRITE_MAX_TESTS];
} VciIndexRule;

typedef struct VciIndexRules
{
	int count;
	VciIndexRule of[VCI_WRITE_MAX_INDEXES];
} VciIndexRules;

/* False but for a heap with no more indexes than these. */
extern bool vci_describe_indexes(Relation relation, VciIndexRules *rules);

/* A new row: values of all its columns, dropped ones too. */
typedef struct VciNewRow
{
	Datum *values;
	bool *nulls;
} VciNewRow;

/* Does every column that is never NULL have a value? */
extern bool vci_has_required_values(TupleDesc descriptor, const VciNewRow *row);

/* Is none of its index entries one that the server's executor has to make? */
extern bool vci_has_simple_entries(const VciIndexRules *rules, const VciNewRow *row);

/* The indexes' locks stay until the transaction ends. */
extern void vci_write_row(Relation relation, const VciIndexRules *rules, const VciNewRow *row);

#endif
