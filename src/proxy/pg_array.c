#include "pg_array.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Dimensions, flags, element type; then, for each dimension, its size and lower bound. */
#define HEADER_SIZE	   12
#define DIMENSION_SIZE 8
#define COUNT_OFFSET   HEADER_SIZE

static void
put_uint32(char *at, uint32_t value)
{
	uint32_t wire = htonl(value);

	memcpy(at, &wire, sizeof(wire));
}

static uint32_t
get_uint32(const unsigned char *at)
{
	uint32_t wire;

	memcpy(&wire, at, sizeof(wire));
	return ntohl(wire);
}

static bool
reserve(PgArrayWriter *array, size_t more)
{
	size_t capacity = array->capacity;
	char *data;

	if (capacity - array->len >= more)
		return true;
	while (capacity - array->len < more)
		capacity = capacity * 2 + 512;
	data = realloc(array->data, capacity);
	if (data == NULL)
		return false;
	array->data = data;
	array->capacity = capacity;
	return true;
}

bool
pg_array_start(PgArrayWriter *array)
{
	memset(array, 0, sizeof(*array));
	if (!reserve(array, HEADER_SIZE + DIMENSION_SIZE))
		return false;
	put_uint32(array->data, 1);
	put_uint32(array->data + 4, 0);
	put_uint32(array->data + 8, PG_TYPE_TEXT);
	put_uint32(array->data + COUNT_OFFSET, 0);
	put_uint32(array->data + COUNT_OFFSET + 4, 1);
	array->len = HEADER_SIZE + DIMENSION_SIZE;
	return true;
}

bool
pg_array_add(PgArrayWriter *array, const char *text, size_t len)
{
	if (len > INT32_MAX || !reserve(array, sizeof(uint32_t) + len))
		return false;
	put_uint32(array->data + array->len, (uint32_t) len);
	array->len += sizeof(uint32_t);
	if (len > 0)
		memcpy(array->data + array->len, text, len);
	array->len += len;
	array->count++;
	return true;
}

void
pg_array_finish(PgArrayWriter *array)
{
	put_uint32(array->data + COUNT_OFFSET, array->count);
}

bool
pg_array_open(PgArrayReader *array, const char *data, size_t len)
{
	const unsigned char *bytes = (const unsigned char *) data;

	memset(array, 0, sizeof(*array));
	if (len < HEADER_SIZE || get_uint32(bytes + 8) != PG_TYPE_TEXT)
		return false;
	if (get_uint32(bytes) == 0)
		return len == HEADER_SIZE;
	if (get_uint32(bytes) != 1 || len < HEADER_SIZE + DIMENSION_SIZE)
		return false;
	array->left = get_uint32(bytes + COUNT_OFFSET);
	array->at = bytes + HEADER_SIZE + DIMENSION_SIZE;
	array->end = bytes + len;
	/* Each element takes its length word at least: no count beyond the bytes. */
	return array->left <= (size_t) (array->end - array->at) / sizeof(uint32_t);
}

bool
pg_array_next(PgArrayReader *array, const char **text, size_t *len)
{
	uint32_t size;

	if (array->left == 0 || (size_t) (array->end - array->at) < sizeof(size))
		return false;
	size = get_uint32(array->at);
	array->at += sizeof(size);
	/* NULL is -1, which is larger than what is there. */
	if (size > (size_t) (array->end - array->at))
		return false;
	*text = (const char *) array->at;
	*len = size;
	array->at += size;
	array->left--;
	return true;
}
