/*
 * text[] in PostgreSQL's binary format (array_send, array_recv), one dimension.
 */
#ifndef PROXY_PG_ARRAY_H
#define PROXY_PG_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PG_TYPE_BYTEA	   17
#define PG_TYPE_INT4	   23
#define PG_TYPE_TEXT	   25
#define PG_TYPE_TEXT_ARRAY 1009

typedef struct PgArrayWriter
{
	char *data;
	size_t len;
	size_t capacity;
	uint32_t count;
} PgArrayWriter;

/* False when memory is out; data is the caller's to free in any case. */
extern bool pg_array_start(PgArrayWriter *array);
extern bool pg_array_add(PgArrayWriter *array, const char *text, size_t len);
extern void pg_array_finish(PgArrayWriter *array);

typedef struct PgArrayReader
{
	const unsigned char *at;
	const unsigned char *end;
	uint32_t left; /* elements still to read */
} PgArrayReader;

/* False when the bytes are no text[] of at most one dimension. */
extern bool pg_array_open(PgArrayReader *array, const char *data, size_t len);

/* The next element, lent; false when it is NULL or the bytes do not hold it. */
extern bool pg_array_next(PgArrayReader *array, const char **text, size_t *len);

#endif
