/*
 * Database connections and the queue before them. All of it runs in the loop's thread;
 * only connecting, which waits for names and servers, has a thread as long as it lasts.
 */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "database.h"
#include "exchange.h"
#include "loop.h"

typedef struct Pool Pool;

/* One request for the database. The submitter owns it, and leaves it alone until done. */
typedef struct Job
{
	DatabaseCall call;
	Answer answer;
	void *owner; /* for done */

	/* The pool's. */
	struct Job *next;
	int64_t queued_at;
} Job;

typedef struct PoolSettings
{
	ExchangeSettings exchange;
	Loop *loop;
	unsigned connections;
	unsigned queue_limit;
	int queue_timeout;		/* seconds */
	void (*done)(Job *job); /* the job has an answer; may be called by pool_submit */
} PoolSettings;

/*
 * Tries one connection, and reports what is wrong with it, before it returns. NULL when
 * memory or files are out.
 */
extern Pool *pool_start(const PoolSettings *settings);

/* Hands the job to a connection or queues it; answers 503 when the queue is full or ends. */
extern void pool_submit(Pool *pool, Job *job);

/* Milliseconds until pool_resume has something to do; at most limit. */
extern int pool_patience(const Pool *pool, int limit);

/* Goes on with what has paused long enough after a conflict. */
extern void pool_resume(Pool *pool);

/* Answers 503 to what has waited too long. To be called a few times a second. */
extern void pool_tick(Pool *pool);

/* The end is near: connections that take long are not waited for any more. */
extern void pool_hurry(Pool *pool);

/*
 * Ends what runs and what waits, each with a 503; what is submitted later gets a 503 at
 * once. To be called once.
 */
extern void pool_stop(Pool *pool);

/*
 * After pool_stop, when nobody submits any more. False when a thread that still connects was
 * left behind: the process must end then, and nothing at its exit may disturb the thread.
 */
extern bool pool_free(Pool *pool);

#endif
