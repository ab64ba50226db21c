/*
 * Saved plans, for store*.c alone. Each statement is prepared once a backend.
 */
#ifndef VCI_STORE_STATEMENT_H
#define VCI_STORE_STATEMENT_H

#include "catalog/pg_type.h"

#include "store.h"

#define VCI_STATEMENT_MAX_ARGS 32

typedef struct VciStatement
{
	const char *sql;
	int nargs;
	Oid types[VCI_STATEMENT_MAX_ARGS];
	SPIPlanPtr plan;
} VciStatement;

/* Pins the search_path and connects SPI, as the first statement of an open store does. */
extern void vci_store_connect(VciStore *store);

/* Makes a limit of waits a setting, before code of others runs: what that sets goes by the rules. */
extern void vci_store_show_limit(VciStore *store);

/* From _PG_init: registers the callbacks. */
extern void vci_store_start(void);

/* Arguments of one execution, filled from left to right. */
typedef struct VciArguments
{
	int count;
	Datum values[VCI_STATEMENT_MAX_ARGS];
	char nulls[VCI_STATEMENT_MAX_ARGS];
} VciArguments;

extern void vci_put_null(VciArguments *args);
extern void vci_put_datum(VciArguments *args, Datum value);
extern void vci_put_int64(VciArguments *args, int64 value);
extern void vci_put_int64_or_null(VciArguments *args, int64 value); /* 0: null */
extern void vci_put_int32(VciArguments *args, int32 value);
extern void vci_put_boolean(VciArguments *args, bool value);
/* Now. UPDATE may not call clock_timestamp() where the table is spread over machines. */
extern void vci_put_now(VciArguments *args);
extern void vci_put_text(VciArguments *args, const char *value); /* NULL: null */
extern void vci_put_name(VciArguments *args, const char *value); /* NULL: null */
extern void vci_put_role(VciArguments *args, Oid role);			 /* its name */
/* Seconds since 1970, as a timestamptz. */
extern void vci_put_time(VciArguments *args, int64 seconds);
extern void vci_put_time_or_null(VciArguments *args, int64 seconds); /* 0: null */
extern void vci_put_bytes(VciArguments *args, const unsigned char *value, size_t len);
extern void vci_put_bytea(VciArguments *args, bytea *value); /* NULL: null */
extern void vci_put_json(VciArguments *args, Datum value);	 /* 0: null */
extern void vci_put_texts(VciArguments *args, char **values, int count);

/* Runs it with fresh eyes (a new snapshot under READ COMMITTED); rows in SPI_tuptable. */
extern int vci_run(VciStore *store, VciStatement *statement, VciArguments *args);

/* The same under the snapshot of the calling query, writing nothing. */
extern int vci_read(VciStore *store, VciStatement *statement, VciArguments *args);

/* Columns of row (from 0), column (from 1) of the last result, in the store's context. */
extern int64 vci_column_int64(int row, int column); /* null: 0 */
extern int32 vci_column_int32(int row, int column); /* null: 0 */
extern double vci_column_double(int row, int column);
extern bool vci_column_boolean(int row, int column);				  /* null: false */
extern char *vci_column_text(VciStore *store, int row, int column);	  /* null: NULL */
extern bytea *vci_column_bytea(VciStore *store, int row, int column); /* null: NULL */
extern char **vci_column_texts(VciStore *store, int row, int column, int *count);

#endif
