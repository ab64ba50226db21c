/*
 * The HTTP side: libmicrohttpd's callbacks. Requests wait in the pool with their
 * connection suspended, so that one thread serves them all.
 */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "access_log.h"
#include "pool.h"

typedef struct ServerSettings
{
	int listener; /* listening socket; the server closes it */
	unsigned max_connections;
	size_t max_header;	 /* bytes */
	size_t max_body;	 /* bytes */
	int request_timeout; /* seconds */
	bool verbose;
	AccessLog *log;
} ServerSettings;

typedef struct Server Server;

/* NULL when the library does not start. pool_settings->done is the server's to fill. */
extern Server *server_start(const ServerSettings *settings, const PoolSettings *pool_settings);

/* Hangs up on late clients, answers what waited too long. A few times a second. */
extern void server_tick(Server *server);

/* Accepts no connection any more, and lets each answer be the last of its connection. */
extern void server_stop_accepting(Server *server);

/* Requests that are not answered yet. */
extern unsigned server_active(Server *server);

extern void server_stop(Server *server);

#endif
