/*
 * A row of a composite type in PostgreSQL's binary format (record_send).
 */
#ifndef PROXY_PG_ROW_H
#define PROXY_PG_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PgValue
{
	uint32_t type;	  /* its type's oid */
	const char *data; /* lent; NULL: a NULL */
	size_t len;
} PgValue;

/* False when the bytes are no row of so many columns. */
extern bool pg_row_read(const char *data, size_t len, PgValue *values, uint32_t count);

#endif
