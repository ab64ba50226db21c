/*
 * The HTTP side: libmicrohttpd's callbacks, and the one thread that runs them and the pool
 * in one loop. Requests wait in the pool with their connection suspended.
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
	unsigned door_files; /* clients that are turned away at once; at most DOOR_FILES */
	size_t max_header;	 /* bytes */
	size_t max_body;	 /* bytes */
	int request_timeout; /* seconds */
	bool verbose;
	AccessLog *log;
} ServerSettings;

typedef struct Server Server;

/*
 * NULL when memory, files or threads are out. loop and done of pool_settings are the
 * server's to fill.
 */
extern Server *server_start(const ServerSettings *settings, const PoolSettings *pool_settings);

/* Accepts no connection any more, and lets each answer be the last of its connection. */
extern void server_stop_accepting(Server *server);

/* Requests that are not answered yet. */
extern unsigned server_active(Server *server);

/* False as pool_free. */
extern bool server_stop(Server *server);

#endif
