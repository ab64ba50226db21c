#include "outage.h"

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

/* Short enough that a database which returns is found again within two seconds. */
#define FIRST_PAUSE_MS	 100
#define LONGEST_PAUSE_MS 2000

void
outage_init(Outage *outage)
{
	int64_t now = clock_ms();

	outage->failures = 0;
	outage->probing = false;
	outage->next_attempt = 0;
	outage->random[0] = (unsigned short) now;
	outage->random[1] = (unsigned short) (now >> 16);
	outage->random[2] = (unsigned short) getpid();
}

bool
outage_may_try(Outage *outage)
{
	bool may = true;

	if (outage->failures > 0)
	{
		may = !outage->probing && clock_ms() >= outage->next_attempt;
		if (may)
			outage->probing = true;
	}
	return may;
}

bool
outage_failed(Outage *outage)
{
	int64_t pause = FIRST_PAUSE_MS;
	bool news;

	news = outage->failures == 0;
	for (unsigned i = 0; i < outage->failures && pause < LONGEST_PAUSE_MS; i++)
		pause *= 2;
	if (pause > LONGEST_PAUSE_MS)
		pause = LONGEST_PAUSE_MS;
	/* Jitter, so that several proxies do not knock together. */
	pause -= nrand48(outage->random) % (pause / 4);
	outage->failures++;
	outage->probing = false;
	outage->next_attempt = clock_ms() + pause;
	return news;
}

bool
outage_over(Outage *outage)
{
	bool news;

	news = outage->failures > 0;
	outage->failures = 0;
	outage->probing = false;
	return news;
}
