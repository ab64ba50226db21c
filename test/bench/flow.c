#include "flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crowd.h"
#include "samples.h"
#include "waiting.h"

#define CODE_SIZE 2048
#define URL_SIZE  1024

typedef enum Step
{
	STEP_TOKEN,
	STEP_NONCE,
	STEP_CREDENTIAL,
	STEP_COUNT
} Step;

static const char *const step_names[STEP_COUNT] = {"token", "nonce", "credential"};

typedef struct Wallet
{
	Exchange exchange;
	struct curl_slist *headers;
	const Holder *holder;
	char code[CODE_SIZE];
	char *access_token;
	char *body;
	Step step;
	size_t retried;
	double flow_began;
	double step_began;
} Wallet;

typedef struct Run
{
	const FlowPlan *plan;
	Crowd *crowd;
	Waiting *waiting;
	Wallet *wallets;
	size_t begun;
	size_t limit;
	size_t active;
	size_t served;
	size_t verified;
	size_t told_to_retry;
	size_t hung;
	size_t broken; /* connections that were refused or reset */
	double began;
	double last_served;
	double own_us; /* CPU time of the wallets themselves */
	Samples steps[STEP_COUNT];
	Samples flows;
	Failures failures;
} Run;

/* The form of a code: base64url, or a JWT, but for what a form must not hold. */
static bool
is_plain(const char *code)
{
	return code[0] != '\0' && strpbrk(code, "&=+% \t\r") == NULL;
}

static bool
next_code(Run *run, Wallet *wallet)
{
	if (run->begun >= run->limit || *run->plan->stop ||
		fgets(wallet->code, sizeof(wallet->code), run->plan->codes) == NULL)
		return false;
	wallet->code[strcspn(wallet->code, "\n")] = '\0';
	return is_plain(wallet->code);
}

static bool
prepare_token(const Wallet *wallet, char **body)
{
	return asprintf(body,
					"grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3A"
					"pre-authorized_code&pre-authorized_code=%s",
					wallet->code) > 0;
}

/* The proof was made when the nonce came, so that a retry sends the same request. */
static bool
prepare_credential(Wallet *wallet)
{
	char *authorization = NULL;

	if (wallet->body == NULL || wallet->access_token == NULL ||
		asprintf(&authorization, "Authorization: Bearer %s", wallet->access_token) < 0)
		return false;
	wallet->headers = curl_slist_append(NULL, "Content-Type: application/json");
	wallet->headers = curl_slist_append(wallet->headers, authorization);
	free(authorization);
	return wallet->headers != NULL;
}

static bool
send_step(Run *run, Wallet *wallet)
{
	CURL *easy = wallet->exchange.easy;
	char *token_body = NULL;
	const char *body = "";
	char url[URL_SIZE];
	bool ok = true;

	curl_slist_free_all(wallet->headers);
	wallet->headers = NULL;
	if (wallet->step == STEP_TOKEN)
	{
		ok = prepare_token(wallet, &token_body);
		body = token_body;
	}
	else if (wallet->step == STEP_CREDENTIAL)
	{
		ok = prepare_credential(wallet);
		body = wallet->body;
	}
	snprintf(url, sizeof(url), "%s/%s", run->plan->base, step_names[wallet->step]);
	wallet->step_began = clock_ms();
	ok = ok && curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long) strlen(body)) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_HTTPHEADER, wallet->headers) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, run->plan->timeout_ms) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
						  (long) (run->plan->fresh && wallet->step == STEP_TOKEN)) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
						  (long) (run->plan->fresh && wallet->step == STEP_CREDENTIAL)) ==
			 CURLE_OK &&
		 crowd_send(&wallet->exchange);
	free(token_body);
	return ok;
}

static void
forget_flow(Wallet *wallet)
{
	free(wallet->access_token);
	free(wallet->body);
	wallet->access_token = NULL;
	wallet->body = NULL;
	wallet->step = STEP_TOKEN;
	wallet->retried = 0;
}

/* Begins the wallet's next flow, if there is one. */
static bool
begin_flow(Run *run, Wallet *wallet)
{
	forget_flow(wallet);
	if (!next_code(run, wallet))
	{
		run->active--;
		return true;
	}
	wallet->holder = &run->plan->holders[run->begun % run->plan->holder_count];
	run->begun++;
	wallet->flow_began = clock_ms();
	return send_step(run, wallet);
}

/* Ends the flow at a failure; what says of it is kept short by failures_add. */
static bool
fail_flow(Run *run, Wallet *wallet, const char *what)
{
	failures_add(&run->failures, step_names[wallet->step], what);
	if (run->plan->report)
		fprintf(stderr, "load: %s %s: %.300s\n", step_names[wallet->step], what,
				wallet->exchange.body == NULL ? "" : wallet->exchange.body);
	return begin_flow(run, wallet);
}

static bool
fail_transport(Run *run, Wallet *wallet)
{
	CURLcode result = wallet->exchange.result;

	if (result == CURLE_OPERATION_TIMEDOUT)
		run->hung++;
	else
		run->broken++;
	return fail_flow(run, wallet, curl_easy_strerror(result));
}

/* An answer other than 200: told to come back, or refused. */
static bool
take_refusal(Run *run, Wallet *wallet, long status, VciJson *answer)
{
	const char *code = vci_json_get_string(answer, "error");
	curl_off_t wait = 0;
	char what[FAILURE_NAME_SIZE];

	curl_easy_getinfo(wallet->exchange.easy, CURLINFO_RETRY_AFTER, &wait);
	if (status == 503 && wait > 0)
	{
		run->told_to_retry++;
		if (wallet->retried < run->plan->retries)
		{
			wallet->retried++;
			return waiting_add(run->waiting, clock_ms() + (double) wait * 1e3, wallet);
		}
	}
	snprintf(what, sizeof(what), "%ld %.40s", status, code == NULL ? "" : code);
	return fail_flow(run, wallet, what);
}

static bool
take_nonce(Run *run, Wallet *wallet, const VciJson *answer)
{
	const char *nonce = vci_json_get_string(answer, "c_nonce");
	char *proof;
	int len;

	if (nonce == NULL)
		return fail_flow(run, wallet, "no c_nonce");
	proof = holder_prove(wallet->holder, run->plan->issuer, nonce);
	if (proof == NULL)
		return false;
	len = asprintf(&wallet->body,
				   "{\"credential_configuration_id\":\"%s\",\"proofs\":{\"jwt\":[\"%s\"]}}",
				   run->plan->configuration, proof);
	free(proof);
	wallet->step = STEP_CREDENTIAL;
	return len > 0 && send_step(run, wallet);
}

static bool
take_credential(Run *run, Wallet *wallet, const VciJson *answer)
{
	const VciJson *first = vci_json_array_at(vci_json_get(answer, "credentials"), 0);
	const char *credential = vci_json_get_string(first, "credential");
	const char *fault = NULL;

	if (credential == NULL || strchr(credential, '~') == NULL)
		return fail_flow(run, wallet, "no credential");
	if (run->plan->jwks != NULL && run->plan->verify_every > 0 &&
		run->served % run->plan->verify_every == 0)
	{
		fault = holder_check(wallet->holder, run->plan->jwks, credential);
		run->verified++;
	}
	if (fault != NULL)
		return fail_flow(run, wallet, fault);
	run->served++;
	run->last_served = clock_ms();
	return samples_add(&run->flows, run->last_served - wallet->flow_began) &&
		   begin_flow(run, wallet);
}

static bool
take_token(Run *run, Wallet *wallet, const VciJson *answer)
{
	const char *token = vci_json_get_string(answer, "access_token");

	if (token == NULL)
		return fail_flow(run, wallet, "no access_token");
	wallet->access_token = strdup(token);
	wallet->step = STEP_NONCE;
	return wallet->access_token != NULL && send_step(run, wallet);
}

static bool
take_answer(Run *run, Wallet *wallet)
{
	double took = clock_ms() - wallet->step_began;
	const Exchange *exchange = &wallet->exchange;
	VciJson *answer = NULL;
	long status = 0;
	bool ok;

	if (exchange->result != CURLE_OK)
		return fail_transport(run, wallet);
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	if (exchange->body_len > 0)
		vci_json_parse_object(exchange->body, exchange->body_len, &answer, NULL);
	if (status != 200)
		ok = take_refusal(run, wallet, status, answer);
	else if (!samples_add(&run->steps[wallet->step], took))
		ok = false;
	else if (wallet->step == STEP_TOKEN)
		ok = take_token(run, wallet, answer);
	else if (wallet->step == STEP_NONCE)
		ok = take_nonce(run, wallet, answer);
	else
		ok = take_credential(run, wallet, answer);
	vci_json_free(answer);
	return ok;
}

/* A wallet whose time has come begins, or asks again. */
static bool
wake(Run *run, Wallet *wallet)
{
	return wallet->retried == 0 ? begin_flow(run, wallet) : send_step(run, wallet);
}

/* Runs at most limit flows to their end. */
static bool
run_flows(Run *run, size_t limit)
{
	bool ok = true;

	run->begun = 0;
	run->limit = limit;
	run->active = run->plan->wallets;
	run->began = clock_ms();
	for (size_t i = 0; ok && i < run->plan->wallets; i++)
	{
		double share = (double) i / (double) run->plan->wallets;

		ok = waiting_add(run->waiting, run->began + share * run->plan->spread_ms, &run->wallets[i]);
	}
	while (ok && run->active > 0)
	{
		Exchange *ended = crowd_next(run->crowd, waiting_first(run->waiting));
		Wallet *due;

		if (ended != NULL)
			ok = take_answer(run, ended->owner);
		while (ok && (due = waiting_take(run->waiting, clock_ms())) != NULL)
			ok = wake(run, due);
	}
	return ok;
}

static bool
open_run(Run *run, const FlowPlan *plan)
{
	run->plan = plan;
	run->crowd = crowd_new(plan->wallets);
	run->waiting = waiting_new(plan->wallets);
	run->wallets = calloc(plan->wallets, sizeof(Wallet));
	if (run->crowd == NULL || run->waiting == NULL || run->wallets == NULL)
		return false;
	for (size_t i = 0; i < plan->wallets; i++)
	{
		if (!crowd_join(run->crowd, i, &run->wallets[i].exchange))
			return false;
		run->wallets[i].exchange.owner = &run->wallets[i];
	}
	return true;
}

static void
forget_samples(Run *run)
{
	for (size_t i = 0; i < STEP_COUNT; i++)
		samples_free(&run->steps[i]);
	samples_free(&run->flows);
	memset(&run->failures, 0, sizeof(run->failures));
	run->served = run->verified = run->told_to_retry = run->hung = run->broken = 0;
}

static void
close_run(Run *run)
{
	for (size_t i = 0; run->wallets != NULL && i < run->plan->wallets; i++)
	{
		crowd_leave(&run->wallets[i].exchange);
		curl_slist_free_all(run->wallets[i].headers);
		forget_flow(&run->wallets[i]);
	}
	free(run->wallets);
	if (run->crowd != NULL)
		crowd_free(run->crowd);
	waiting_free(run->waiting);
	forget_samples(run);
}

static double
own_cpu_us(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (double) spent.tv_sec * 1e6 + (double) spent.tv_nsec / 1e3;
}

static void
print_outcome(Run *run, const Snapshot *before, const Snapshot *after)
{
	const FlowPlan *plan = run->plan;
	double seconds = (run->last_served - run->began) / 1e3;

	printf("{\"mode\":\"flow\",\"wallets\":%zu,\"begun\":%zu,\"served\":%zu,\"verified\":%zu,"
		   "\"seconds\":%.3f,\"flows_per_second\":%.1f",
		   plan->wallets, run->begun, run->served, run->verified, run->served > 0 ? seconds : 0,
		   run->served > 0 ? (double) run->served / seconds : 0);
	for (size_t i = 0; i < STEP_COUNT; i++)
		samples_print(&run->steps[i], step_names[i]);
	samples_print(&run->flows, "flow");
	printf(",\"told_to_retry\":%zu,\"hung\":%zu,\"broken\":%zu,\"load_cpu_us\":%.0f",
		   run->told_to_retry, run->hung, run->broken, run->own_us);
	failures_print(&run->failures);
	processes_print_cpu(plan->servers, plan->server_count, before, after);
	processes_print_memory(plan->servers, plan->server_count, after);
	puts("}");
}

bool
flow_run(const FlowPlan *plan)
{
	Run run = {0};
	Snapshot *snapshots = calloc(2, sizeof(Snapshot));
	bool ok = snapshots != NULL && open_run(&run, plan);

	if (ok && plan->warm_up > 0)
	{
		ok = run_flows(&run, plan->warm_up);
		forget_samples(&run);
	}
	if (ok)
	{
		processes_snapshot(plan->servers, plan->server_count, &snapshots[0]);
		run.own_us = -own_cpu_us();
		ok = run_flows(&run, plan->flows);
		run.own_us += own_cpu_us();
		processes_snapshot(plan->servers, plan->server_count, &snapshots[1]);
	}
	if (ok)
		print_outcome(&run, &snapshots[0], &snapshots[1]);
	close_run(&run);
	free(snapshots);
	return ok;
}
