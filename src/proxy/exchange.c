#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"

#define MAX_CONFLICTS	 5 /* serialization failures and deadlocks before we give up */
#define MAX_UNSENT		 3 /* connections in a row that died before they took the call */
#define CONFLICT_WAIT_MS 10
#define UNREACHABLE		 "The database is not reachable. Please try again.\n"
#define UNREADY			 "not ready: the database is not reachable\n"

static bool
sqlstate_is(const Exchange *exchange, const char *sqlstate)
{
	return strcmp(database_sqlstate(exchange->database), sqlstate) == 0;
}

static bool
sqlstate_begins(const Exchange *exchange, const char *start)
{
	return strncmp(database_sqlstate(exchange->database), start, strlen(start)) == 0;
}

static ExchangeStep
answer_unreachable(Exchange *exchange)
{
	answer_say(exchange->answer, 503, exchange->call->check ? UNREADY : UNREACHABLE,
			   answer_retry_after());
	return EXCHANGE_DONE;
}

/* RFC 9110 section 9.2.1: what such a method asks for may be asked twice. */
static bool
is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
		   strcmp(method, "OPTIONS") == 0;
}

/* The server said no, and has rolled back. */
static void
answer_refusal(const Exchange *exchange)
{
	Answer *answer = exchange->answer;

	/* Lock not available, cancelled, out of resources, shutting down, read-only server. */
	if (sqlstate_is(exchange, "55P03") || sqlstate_is(exchange, "57014") ||
		sqlstate_begins(exchange, "53") || sqlstate_begins(exchange, "57P0") ||
		sqlstate_is(exchange, "25006"))
		answer_say(answer, 503, "The service is busy. Nothing was changed; please try again.\n",
				   answer_retry_after());
	else if (sqlstate_begins(exchange, "40"))
		answer_say(answer, 503,
				   "The request met others at the same data. Nothing was changed; please try "
				   "again.\n",
				   answer_retry_after());
	else
		answer_say(answer, 500, "The request failed inside the service. Nothing was changed.\n", 0);
	if (answer->status == 500 && !exchange->settings->database.verbose)
		report("database error %s (--verbose adds the message)",
			   database_sqlstate(exchange->database));
}

static ExchangeStep
after_refusal(Exchange *exchange)
{
	if (sqlstate_is(exchange, "40001") || sqlstate_is(exchange, "40P01"))
	{
		if (++exchange->conflicts <= MAX_CONFLICTS && clock_ms() < exchange->deadline)
			return EXCHANGE_PAUSE;
	}
	/* Prepared statement gone: it was never bound. */
	else if (sqlstate_is(exchange, "26000") && !exchange->prepared_anew)
	{
		exchange->prepared_anew = true;
		return EXCHANGE_AGAIN;
	}
	answer_refusal(exchange);
	/* A server that became a standby: conninfo may name the new primary. */
	if (sqlstate_is(exchange, "25006"))
		database_close(exchange->database);
	return EXCHANGE_DONE;
}

static void
answer_unknown(Exchange *exchange)
{
	/* No Retry-After for a POST: whether to ask again is not for a library to decide. */
	if (is_safe(exchange->call->method))
		answer_say(exchange->answer, 503, "The database did not answer. Please try again.\n",
				   answer_retry_after());
	else
		answer_say(exchange->answer, 503,
				   "The database did not confirm the request: it may or may not have taken "
				   "effect.\n",
				   0);
	report("a call was lost in the database%s%s",
		   *database_sqlstate(exchange->database) ? ": " : "",
		   database_sqlstate(exchange->database));
}

static ExchangeStep
after_unknown(Exchange *exchange)
{
	if (is_safe(exchange->call->method) && !exchange->resent && clock_ms() < exchange->deadline)
	{
		exchange->resent = true;
		return EXCHANGE_AGAIN;
	}
	answer_unknown(exchange);
	return EXCHANGE_DONE;
}

static ExchangeStep
after_unsent(Exchange *exchange)
{
	if (++exchange->unsent < MAX_UNSENT && clock_ms() < exchange->deadline)
		return EXCHANGE_AGAIN;
	return answer_unreachable(exchange);
}

/* Filled with the proxy's readiness. */
static ExchangeStep
after_check(Exchange *exchange)
{
	if (database_is_ready(exchange->database))
		answer_say(exchange->answer, 200, "ready\n", 0);
	else
		answer_say(exchange->answer, 503,
				   "not ready: this role cannot run openid4vci.vci_http here\n",
				   answer_retry_after());
	return EXCHANGE_DONE;
}

static ExchangeStep
after(Exchange *exchange, DatabaseOutcome outcome)
{
	bool check = exchange->call->check;

	switch (outcome)
	{
		case DATABASE_PENDING:
			return EXCHANGE_WAIT;
		case DATABASE_ANSWERED:
			return check ? after_check(exchange) : EXCHANGE_DONE;
		case DATABASE_REFUSED:
			return check ? after_check(exchange) : after_refusal(exchange);
		case DATABASE_UNSENT:
			return after_unsent(exchange);
		case DATABASE_UNKNOWN:
			return after_unknown(exchange);
		case DATABASE_UNUSABLE:
			break;
	}
	answer_say(exchange->answer, 500, "The service gave an answer that cannot be sent.\n", 0);
	return EXCHANGE_DONE;
}

/* A connection first that may be used, when the database lets anybody in. */
static ExchangeStep
attempt(Exchange *exchange)
{
	Database *database = exchange->database;

	if (database_is_fresh(database))
		return after(exchange, database_begin(database, exchange->call, exchange->answer));
	database_close(database);
	return outage_may_try(exchange->outage) ? EXCHANGE_CONNECT : answer_unreachable(exchange);
}

static ExchangeStep
proceed(Exchange *exchange, ExchangeStep step)
{
	while (step == EXCHANGE_AGAIN)
		step = attempt(exchange);
	return step;
}

ExchangeStep
exchange_begin(Exchange *exchange, const DatabaseCall *call, Answer *answer)
{
	exchange->call = call;
	exchange->answer = answer;
	exchange->deadline = clock_ms() + (int64_t) exchange->settings->timeout * 1000;
	exchange->conflicts = 0;
	exchange->unsent = 0;
	exchange->resent = false;
	exchange->prepared_anew = false;
	return proceed(exchange, EXCHANGE_AGAIN);
}

ExchangeStep
exchange_connected(Exchange *exchange, const char *problem)
{
	ExchangeStep step;

	if (problem == NULL)
	{
		if (outage_over(exchange->outage))
			report("the database is back");
		/* The server may have said goodbye already; a loop of that has an end, too. */
		if (!database_is_fresh(exchange->database))
			return proceed(exchange, after_unsent(exchange));
		step =
			after(exchange, database_begin(exchange->database, exchange->call, exchange->answer));
		return proceed(exchange, step);
	}
	if (outage_failed(exchange->outage))
		report("warning: no connection to the database: %s", problem);
	database_close(exchange->database);
	return answer_unreachable(exchange);
}

ExchangeStep
exchange_go_on(Exchange *exchange)
{
	return proceed(exchange, after(exchange, database_go_on(exchange->database, exchange->answer)));
}

ExchangeStep
exchange_retry(Exchange *exchange)
{
	return proceed(exchange, EXCHANGE_AGAIN);
}

int
exchange_pause_ms(const Exchange *exchange)
{
	return 1 + (int) clock_jitter(CONFLICT_WAIT_MS << exchange->conflicts);
}

void
exchange_abandon(Exchange *exchange)
{
	if (database_abandon(exchange->database) == DATABASE_UNKNOWN)
		answer_unknown(exchange);
	else
		answer_unreachable(exchange);
}
