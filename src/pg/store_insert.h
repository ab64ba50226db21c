/*
 * Inserting one row without a statement, for store*.c alone. A row that the server's
 * executor would write just the same is handed to its table access and indexes directly;
 * where a statement would do more than that, a statement is run.
 */
#ifndef VCI_STORE_INSERT_H
#define VCI_STORE_INSERT_H

#include "store_statement.h"
#include "store_table.h"
#include "store_write.h"

#define VCI_INSERT_MAX_UNIQUE 4

/*
 * What is inserted. Columns that are not listed become NULL when written directly, so every
 * column with a default must be listed; a table where that is not so gets statements.
 *
 * unique: columns of a unique index; a row that is there already is then no error. They are
 * never NULL, but where unique_where (the index's predicate in SQL) says that NULL is in no
 * index.
 */
typedef struct VciInsert
{
	const char *table; /* of schema openid4vci */
	VciColumn columns[VCI_STATEMENT_MAX_ARGS];
	const char *unique[VCI_INSERT_MAX_UNIQUE];
	const char *unique_where;

	/* found out by the first row and after each change of the table */
	VciTable of;
	bool plain;	   /* may be written directly */
	bool checks;   /* a row must be checked */
	bool computes; /* checks or indexes evaluate expressions */
	bool simple;   /* a row that meets no other is written with its index entries and no more */
	VciIndexRules indexes;
	AttrNumber numbers[VCI_STATEMENT_MAX_ARGS];
	int unique_at[VCI_INSERT_MAX_UNIQUE]; /* positions among the columns */
	int unique_count;
	VciStatement statement; /* both made when they are first needed */
	VciStatement unless_there;
} VciInsert;

/*
 * Inserts args, the columns' values in their order, and lets later statements see the row.
 * False when insert->unique says that it is there; errors are an INSERT's.
 */
extern bool vci_insert(VciStore *store, VciInsert *insert, VciArguments *args);

/* The next value of a sequence of schema openid4vci. */
extern int64 vci_next_id(VciTable *sequence);

#endif
