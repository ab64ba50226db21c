/*
 * One HTTP request from its first line to the end of its answer.
 */
#ifndef PROXY_REQUEST_H
#define PROXY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients.h"
#include "pg_array.h"
#include "pool.h"

struct MHD_Connection;
struct Server;

typedef struct Request
{
	struct Server *server;
	struct MHD_Connection *connection;
	Client *client;
	char *method; /* NULL until the header is there */
	char *target; /* as it came */
	PgArrayWriter headers;
	char *body;
	size_t body_len;
	size_t body_capacity;
	uint64_t thrown_away; /* bytes of a body that is not wanted */
	bool chunked;
	bool refused;	 /* we hung up instead of an answer */
	int64_t started; /* clock_ms() */
	size_t sent;	 /* bytes of the answer's content */
	Job job;
} Request;

/* NULL when memory is out. */
extern Request *request_new(struct MHD_Connection *connection, Client *client, const char *target);
extern void request_free(Request *request);

/* Adds to the body; false when memory is out. The caller caps the size. */
extern bool request_append(Request *request, const char *data, size_t len);

extern void request_drop_body(Request *request);

/* Is the path, without the query, this one? */
extern bool request_path_is(const Request *request, const char *path);

/* Fills the job's call. */
extern void request_prepare(Request *request);

#endif
