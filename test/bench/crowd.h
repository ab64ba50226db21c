/*
 * Many HTTP requests at once from one thread: libcurl's multi handles over one epoll set.
 *
 * libcurl seeks an idle connection by walking all of a handle's connections, so a crowd has
 * many handles ("lanes") of few wallets each.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Crowd Crowd;

/* One wallet's request and answer. The owner sets up easy by curl's own functions. */
typedef struct Exchange
{
	CURL *easy;
	void *owner;
	char *body; /* of the answer, with a NUL behind it */
	size_t body_len;
	size_t body_capacity;
	CURLcode result;
	struct Lane *lane;
	struct Exchange *next_ended;
} Exchange;

/* Milliseconds of a clock that never goes back. */
extern double clock_ms(void);

extern Crowd *crowd_new(size_t wallets);
extern void crowd_free(Crowd *crowd);

/* Readies an exchange for the n-th wallet. */
extern bool crowd_join(Crowd *crowd, size_t n, Exchange *exchange);
extern void crowd_leave(Exchange *exchange);

extern bool crowd_send(Exchange *exchange);

/* The next exchange that has ended; NULL when the time has come, or a signal. */
extern Exchange *crowd_next(Crowd *crowd, double until);

#endif
