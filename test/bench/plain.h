/* The same plain request, again and again, by many clients on kept connections. */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "processes.h"

typedef struct PlainPlan
{
	const char *url;
	bool post;		  /* an empty body is posted */
	bool conditional; /* the first answer's ETag goes along as If-None-Match */
	size_t clients;
	size_t requests;
	long timeout_ms;
	const Server *servers;
	size_t server_count;
} PlainPlan;

/* Runs and prints the outcome as a line of JSON; false when it could not run. */
extern bool plain_run(const PlainPlan *plan);

#endif
