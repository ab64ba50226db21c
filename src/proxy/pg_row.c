#include "pg_row.h"

#include <arpa/inet.h>
#include <string.h>

/* As length: there is no value. */
#define LENGTH_OF_NULL UINT32_MAX

typedef struct Bytes
{
	const char *at;
	size_t left;
} Bytes;

static bool
take_uint32(Bytes *bytes, uint32_t *value)
{
	uint32_t wire;

	if (bytes->left < sizeof(wire))
		return false;
	memcpy(&wire, bytes->at, sizeof(wire));
	bytes->at += sizeof(wire);
	bytes->left -= sizeof(wire);
	*value = ntohl(wire);
	return true;
}

/* The type, the length and so many bytes. */
static bool
take_value(Bytes *bytes, PgValue *value)
{
	uint32_t len;

	if (!take_uint32(bytes, &value->type) || !take_uint32(bytes, &len))
		return false;
	value->data = NULL;
	value->len = 0;
	if (len == LENGTH_OF_NULL)
		return true;
	if (len > bytes->left)
		return false;
	value->data = bytes->at;
	value->len = len;
	bytes->at += len;
	bytes->left -= len;
	return true;
}

bool
pg_row_read(const char *data, size_t len, PgValue *values, uint32_t count)
{
	Bytes bytes = {data, len};
	uint32_t columns;

	if (!take_uint32(&bytes, &columns) || columns != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!take_value(&bytes, &values[i]))
			return false;
	return bytes.left == 0;
}
