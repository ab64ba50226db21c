/*
 * One row by its unique key, read, locked and changed without a statement, for store*.c
 * alone. Where a statement would do more than that (triggers, checks, policies, rows that lie
 * elsewhere), a statement is run.
 */
#ifndef VCI_STORE_ROW_H
#define VCI_STORE_ROW_H

#include "access/transam.h"
#include "executor/tuptable.h"

#include "store_statement.h"
#include "store_table.h"

#define VCI_ROW_MAX_KEY		4
#define VCI_ROW_MAX_COLUMNS 32

typedef struct VciRows
{
	VciTable table;
	LOCKMODE lock; /* of the table, with VCI_ROW_LOCK */
	VciColumn key[VCI_ROW_MAX_KEY];
	VciColumn columns[VCI_ROW_MAX_COLUMNS];

	/* found out when the table was opened for the first time, and after each change of it */
	bool plain;
	bool plain_to_write;
	Oid index; /* unique over the first columns of the key */
	int index_keys;
	AttrNumber key_numbers[VCI_ROW_MAX_KEY];
	AttrNumber numbers[VCI_ROW_MAX_COLUMNS];

	/* the row that was locked last, which the steps of a call come back to */
	FullTransactionId locked_by; /* (sub)transaction; invalid: none is known */
	Datum locked_key[VCI_ROW_MAX_KEY];
	ItemPointerData locked_at;

	VciStatement read; /* both made when they are first needed */
	VciStatement read_locked;
} VciRows;

/* A row; columns are counted from 0, as described. */
typedef struct VciRow
{
	const VciRows *rows;
	Relation relation; /* NULL: it was read by a statement */
	TupleTableSlot *slot;
	bool changed[VCI_ROW_MAX_COLUMNS];
	Datum values[VCI_ROW_MAX_COLUMNS]; /* of the changed ones */
	bool nulls[VCI_ROW_MAX_COLUMNS];
} VciRow;

typedef enum VciRowLock
{
	VCI_ROW_READ,
	VCI_ROW_LOCK /* FOR NO KEY UPDATE */
} VciRowLock;

/*
 * Looks up the row with this key (no column of it null) with fresh eyes, and locks it; NULL
 * when there is none. vci_row_close ends its use.
 */
extern VciRow *vci_row_find(VciStore *store, VciRows *rows, VciArguments *key, VciRowLock lock);
extern void vci_row_close(VciRow *row);

extern bool vci_row_is_null(const VciRow *row, int column);
extern int64 vci_row_int64(const VciRow *row, int column); /* null: 0, also below */
extern int32 vci_row_int32(const VciRow *row, int column);
extern bool vci_row_boolean(const VciRow *row, int column);
extern int64 vci_row_seconds(const VciRow *row, int column); /* of a timestamptz, since 1970 */
extern double vci_row_age(const VciRow *row, int column);	 /* in seconds; null: -1 */
/* Copies in the current memory context; null: NULL. */
extern char *vci_row_text(const VciRow *row, int column);
extern char *vci_row_json_text(const VciRow *row, int column);
extern Datum vci_row_jsonb(const VciRow *row, int column); /* null: 0 */
extern bytea *vci_row_bytea(const VciRow *row, int column);
extern char **vci_row_texts(const VciRow *row, int column, int *count);

/* Can it be changed by vci_row_write? By an UPDATE otherwise. */
extern bool vci_row_is_direct(const VciRow *row);

/* What vci_row_write shall change of a locked row. */
extern void vci_row_put_time(VciRow *row, int column, TimestampTz value);

/* Writes the row and closes it. */
extern void vci_row_write(VciStore *store, VciRow *row);

#endif
