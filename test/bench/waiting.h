/* Who waits for which time: a binary heap, the earliest on top. */
#ifndef BENCH_WAITING_H
#define BENCH_WAITING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Waiting Waiting;

extern Waiting *waiting_new(size_t capacity);
extern void waiting_free(Waiting *waiting); /* NULL is allowed */

/* False when more wait than there was room for. */
extern bool waiting_add(Waiting *waiting, double time, void *who);

/* The earliest time, INFINITY when nobody waits. */
extern double waiting_first(const Waiting *waiting);

/* Takes out who waited for a time up to now; NULL when there is none. */
extern void *waiting_take(Waiting *waiting, double now);

#endif
