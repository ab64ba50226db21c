#include "samples.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
samples_add(Samples *samples, double value)
{
	if (samples->count == samples->capacity)
	{
		size_t capacity = samples->capacity == 0 ? 4096 : 2 * samples->capacity;
		float *values = realloc(samples->values, capacity * sizeof(float));

		if (values == NULL)
			return false;
		samples->values = values;
		samples->capacity = capacity;
	}
	samples->values[samples->count++] = (float) value;
	return true;
}

void
samples_free(Samples *samples)
{
	free(samples->values);
	memset(samples, 0, sizeof(*samples));
}

static int
compare(const void *a, const void *b)
{
	float one = *(const float *) a;
	float other = *(const float *) b;

	return (one > other) - (one < other);
}

/* The smallest value that this share of all does not exceed. */
static double
percentile(const Samples *samples, double share)
{
	size_t position = (size_t) (share * (double) samples->count);

	if (samples->count == 0)
		return 0;
	return samples->values[position < samples->count ? position : samples->count - 1];
}

void
samples_print(Samples *samples, const char *name)
{
	if (samples->count > 0)
		qsort(samples->values, samples->count, sizeof(float), compare);
	printf(",\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,\"%s_max_ms\":%.3f", name,
		   percentile(samples, 0.5), name, percentile(samples, 0.99), name, percentile(samples, 1));
}

void
failures_add(Failures *failures, const char *step, const char *what)
{
	char name[FAILURE_NAME_SIZE];

	failures->total++;
	snprintf(name, sizeof(name), "%s %s", step, what);
	for (char *c = name; *c != '\0'; c++)
	{
		if (!isalnum((unsigned char) *c) && *c != '_')
			*c = ' ';
	}
	for (size_t i = 0; i < failures->used; i++)
	{
		if (strcmp(failures->kinds[i].name, name) == 0)
		{
			failures->kinds[i].count++;
			return;
		}
	}
	if (failures->used == FAILURE_KINDS)
	{
		failures->others++;
		return;
	}
	memcpy(failures->kinds[failures->used].name, name, sizeof(name));
	failures->kinds[failures->used++].count = 1;
}

void
failures_print(const Failures *failures)
{
	printf(",\"failed\":%lu,\"errors\":{", failures->total);
	for (size_t i = 0; i < failures->used; i++)
		printf("%s\"%s\":%lu", i == 0 ? "" : ",", failures->kinds[i].name,
			   failures->kinds[i].count);
	if (failures->others > 0)
		printf(",\"others\":%lu", failures->others);
	putchar('}');
}
