/*
 * What the pool's connections know together of a database that does not let them in: while it is
 * away, one attempt at a time asks again, and everybody else is told so at once.
 */
#ifndef PROXY_OUTAGE_H
#define PROXY_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Outage
{
	unsigned failures;	  /* attempts that failed in a row */
	bool probing;		  /* an attempt is under way since the last failure */
	int64_t next_attempt; /* clock_ms() */
	unsigned short random[3];
} Outage;

extern void outage_init(Outage *outage);

/* May a connection be tried now? A caller that gets true must report the result. */
extern bool outage_may_try(Outage *outage);

/* Both return true when this is news: the first failure, the first success after it. */
extern bool outage_failed(Outage *outage);
extern bool outage_over(Outage *outage);

#endif
