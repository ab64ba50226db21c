#include "waiting.h"

#include <math.h>
#include <stdlib.h>

typedef struct Entry
{
	double time;
	void *who;
} Entry;

struct Waiting
{
	size_t count;
	size_t capacity;
	Entry entries[];
};

Waiting *
waiting_new(size_t capacity)
{
	Waiting *waiting = calloc(1, sizeof(Waiting) + capacity * sizeof(Entry));

	if (waiting != NULL)
		waiting->capacity = capacity;
	return waiting;
}

void
waiting_free(Waiting *waiting)
{
	free(waiting);
}

static void
swap(Entry *a, Entry *b)
{
	Entry kept = *a;

	*a = *b;
	*b = kept;
}

bool
waiting_add(Waiting *waiting, double time, void *who)
{
	Entry *entries = waiting->entries;
	size_t i = waiting->count;

	if (i == waiting->capacity)
		return false;
	entries[i] = (Entry){time, who};
	waiting->count++;
	for (; i > 0 && entries[i].time < entries[(i - 1) / 2].time; i = (i - 1) / 2)
		swap(&entries[i], &entries[(i - 1) / 2]);
	return true;
}

double
waiting_first(const Waiting *waiting)
{
	return waiting->count == 0 ? INFINITY : waiting->entries[0].time;
}

void *
waiting_take(Waiting *waiting, double now)
{
	Entry *entries = waiting->entries;
	size_t i = 0;
	void *who;

	if (waiting->count == 0 || entries[0].time > now)
		return NULL;
	who = entries[0].who;
	entries[0] = entries[--waiting->count];
	for (;;)
	{
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < waiting->count; child++)
		{
			if (entries[child].time < entries[least].time)
				least = child;
		}
		if (least == i)
			return who;
		swap(&entries[i], &entries[least]);
		i = least;
	}
}
