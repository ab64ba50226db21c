/*
 * What a run has seen: latencies by step, and failures by kind. All times are milliseconds.
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Samples
{
	float *values;
	size_t count;
	size_t capacity;
} Samples;

extern bool samples_add(Samples *samples, double value);
extern void samples_free(Samples *samples);

/* Prints ,"NAME_p50_ms":…,"NAME_p99_ms":…,"NAME_max_ms":… of a JSON object; sorts. */
extern void samples_print(Samples *samples, const char *name);

#define FAILURE_KINDS	  24
#define FAILURE_NAME_SIZE 64

typedef struct Failures
{
	struct
	{
		char name[FAILURE_NAME_SIZE];
		unsigned long count;
	} kinds[FAILURE_KINDS];
	size_t used;
	unsigned long others; /* of kinds for which there was no room */
	unsigned long total;
} Failures;

/* Counts a failure: the step and what came, where all but letters, digits and _ becomes a space. */
extern void failures_add(Failures *failures, const char *step, const char *what);

/* Prints ,"failed":N,"errors":{"kind":N,…} of a JSON object. */
extern void failures_print(const Failures *failures);

#endif
