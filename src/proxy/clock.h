/*
 * Time for deadlines: milliseconds that only go forward.
 */
#ifndef PROXY_CLOCK_H
#define PROXY_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* From 0 to span - 1, another each time: out of the clock's nanoseconds. */
static inline unsigned
clock_jitter(unsigned span)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (((uint32_t) now.tv_nsec * 2654435761u) >> 8) % span;
}

#endif
