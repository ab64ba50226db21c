/*
 * Where one request ends and the next begins: what libmicrohttpd lets through and
 * RFC 9112 forbids, because two servers in a row could see two different requests.
 */
#ifndef PROXY_FRAMING_H
#define PROXY_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "pg_array.h"

#define FRAMING_MAX_HEADERS 100

/* What the library says of a request, read by its access handler's first call. */
typedef struct FramingRequest
{
	struct MHD_Connection *connection;
	const char *method;
	const char *url;
	const char *version;
	const char *target; /* as it came, copied before the library changed it */
	size_t max_header;	/* bytes of request line and header fields */
} FramingRequest;

typedef struct Framing
{
	int status;		  /* 0: nothing is wrong */
	const char *text; /* what is wrong, static */
	uint64_t length;  /* Content-Length; 0 when there is none */
	bool chunked;
	bool expects_continue;
} Framing;

/* Checks a request and collects its header pairs (pg_array_start was called). */
extern Framing framing_check(const FramingRequest *request, PgArrayWriter *headers);

#endif
