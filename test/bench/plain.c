#include "plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "samples.h"

typedef struct Client
{
	Exchange exchange;
	double began;
} Client;

typedef struct Run
{
	const PlainPlan *plan;
	Crowd *crowd;
	Client *clients;
	struct curl_slist *headers;
	long expected; /* status */
	size_t left;
	size_t answered;
	Samples samples;
	Failures failures;
} Run;

static bool
send_request(Run *run, Client *client)
{
	run->left--;
	client->began = clock_ms();
	return crowd_send(&client->exchange);
}

static bool
open_client(Run *run, size_t n)
{
	Client *client = &run->clients[n];
	CURL *easy;

	if (!crowd_join(run->crowd, n, &client->exchange))
		return false;
	easy = client->exchange.easy;
	client->exchange.owner = client;
	return curl_easy_setopt(easy, CURLOPT_URL, run->plan->url) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, run->plan->timeout_ms) == CURLE_OK &&
		   (!run->plan->post || (curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L) == CURLE_OK &&
								 curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, "") == CURLE_OK));
}

static bool
take_answer(Run *run, const Client *client)
{
	long status = 0;
	char what[FAILURE_NAME_SIZE];

	curl_easy_getinfo(client->exchange.easy, CURLINFO_RESPONSE_CODE, &status);
	if (client->exchange.result == CURLE_OK && status == run->expected)
	{
		run->answered++;
		return samples_add(&run->samples, clock_ms() - client->began);
	}
	snprintf(what, sizeof(what), "%ld %s", status, curl_easy_strerror(client->exchange.result));
	failures_add(&run->failures, "request", what);
	return true;
}

/* So many requests, each client one at a time. */
static bool
run_requests(Run *run, size_t count)
{
	size_t active = 0;
	bool ok = true;

	run->left = count;
	for (; ok && active < run->plan->clients && run->left > 0; active++)
		ok = send_request(run, &run->clients[active]);
	while (ok && active > 0)
	{
		Exchange *ended = crowd_next(run->crowd, INFINITY);

		if (ended == NULL)
			continue;
		ok = take_answer(run, ended->owner);
		if (ok && run->left > 0)
			ok = send_request(run, ended->owner);
		else
			active--;
	}
	return ok;
}

/* Asks once, and has all clients send what they would keep of that answer. */
static bool
make_conditional(Run *run)
{
	struct curl_header *etag;
	char *header = NULL;

	if (!run_requests(run, 1) || curl_easy_header(run->clients[0].exchange.easy, "ETag", 0,
												  CURLH_HEADER, -1, &etag) != CURLHE_OK)
	{
		fprintf(stderr, "load: %s has no ETag\n", run->plan->url);
		return false;
	}
	if (asprintf(&header, "If-None-Match: %s", etag->value) < 0)
		return false;
	run->headers = curl_slist_append(NULL, header);
	free(header);
	for (size_t i = 0; i < run->plan->clients; i++)
		curl_easy_setopt(run->clients[i].exchange.easy, CURLOPT_HTTPHEADER, run->headers);
	run->expected = 304;
	return run->headers != NULL;
}

static bool
open_run(Run *run)
{
	run->crowd = crowd_new(run->plan->clients);
	run->clients = calloc(run->plan->clients, sizeof(Client));
	if (run->crowd == NULL || run->clients == NULL)
		return false;
	for (size_t i = 0; i < run->plan->clients; i++)
	{
		if (!open_client(run, i))
			return false;
	}
	return true;
}

static void
forget_samples(Run *run)
{
	samples_free(&run->samples);
	memset(&run->failures, 0, sizeof(run->failures));
	run->answered = 0;
}

static void
close_run(Run *run)
{
	for (size_t i = 0; run->clients != NULL && i < run->plan->clients; i++)
		crowd_leave(&run->clients[i].exchange);
	free(run->clients);
	if (run->crowd != NULL)
		crowd_free(run->crowd);
	curl_slist_free_all(run->headers);
	forget_samples(run);
}

static void
print_outcome(Run *run, double seconds, const Snapshot *before, const Snapshot *after)
{
	const PlainPlan *plan = run->plan;

	printf("{\"mode\":\"plain\",\"clients\":%zu,\"answered\":%zu,\"seconds\":%.3f,"
		   "\"requests_per_second\":%.1f",
		   plan->clients, run->answered, seconds, (double) run->answered / seconds);
	samples_print(&run->samples, "request");
	failures_print(&run->failures);
	processes_print_cpu(plan->servers, plan->server_count, before, after);
	puts("}");
}

bool
plain_run(const PlainPlan *plan)
{
	Run run = {.plan = plan, .expected = 200};
	Snapshot *snapshots = calloc(2, sizeof(Snapshot));
	bool ok = snapshots != NULL && open_run(&run) &&
			  (!plan->conditional || make_conditional(&run)) &&
			  run_requests(&run, plan->requests / 10 + 1);

	if (ok)
	{
		double began;

		forget_samples(&run);
		processes_snapshot(plan->servers, plan->server_count, &snapshots[0]);
		began = clock_ms();
		ok = run_requests(&run, plan->requests);
		began = clock_ms() - began;
		processes_snapshot(plan->servers, plan->server_count, &snapshots[1]);
		if (ok)
			print_outcome(&run, began / 1e3, &snapshots[0], &snapshots[1]);
	}
	close_run(&run);
	free(snapshots);
	return ok;
}
