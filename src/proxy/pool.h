/*
 * Worker threads with a database connection each, and the queue before them.
 */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "database.h"
#include "exchange.h"

typedef struct Pool Pool;

/* One request for the database. The submitter owns it, and leaves it alone until done. */
typedef struct Job
{
	bool check; /* readiness instead of a call */
	DatabaseCall call;
	Answer answer;
	void *owner; /* for done */

	/* The pool's. */
	struct Job *next;
	int64_t queued_at;
} Job;

typedef struct PoolSettings
{
	ExchangeSettings exchange; /* abort_fd is the pool's to fill */
	unsigned workers;
	unsigned queue_limit;
	int queue_timeout;		/* seconds */
	void (*done)(Job *job); /* called from any thread; the job has an answer */
} PoolSettings;

/*
 * Tries one connection, and reports what is wrong with it, before it returns. NULL when
 * memory or threads are out.
 */
extern Pool *pool_start(const PoolSettings *settings);

/* Hands the job to a worker or queues it; answers 503 when the queue is full or ends. */
extern void pool_submit(Pool *pool, Job *job);

/* Answers 503 to what has waited too long. To be called a few times a second. */
extern void pool_expire(Pool *pool);

/*
 * Ends what runs and what waits, each with a 503; what is submitted later gets a 503 at
 * once. To be called once.
 */
extern void pool_stop(Pool *pool);

/* After pool_stop, when nobody submits any more. */
extern void pool_free(Pool *pool);

#endif
