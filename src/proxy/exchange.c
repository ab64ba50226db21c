#include "exchange.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "report.h"

#define MAX_CONFLICTS	 5 /* serialization failures and deadlocks before we give up */
#define MAX_UNSENT		 3 /* connections in a row that died before they took the call */
#define CONFLICT_WAIT_MS 10
#define RETRY_AFTER_S	 2

/* One request's way through the attempts. */
typedef struct Exchange
{
	Database *database;
	Outage *outage;
	const ExchangeSettings *settings;
	int64_t deadline;
	unsigned conflicts;
	unsigned unsent;
	bool resent;
	bool prepared_anew;
} Exchange;

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

/* A connection that may be used; false when the database lets nobody in. */
static bool
connect_database(Exchange *exchange)
{
	const char *problem;

	if (database_is_fresh(exchange->database))
		return true;
	database_close(exchange->database);
	if (!outage_may_try(exchange->outage))
		return false;
	if (database_open(exchange->database, &problem))
	{
		if (outage_over(exchange->outage))
			report("the database is back");
		return true;
	}
	if (outage_failed(exchange->outage))
		report("warning: no connection to the database: %s", problem);
	database_close(exchange->database);
	return false;
}

/* Sleeps a little longer after each conflict, so that the same two do not meet again. */
static bool
pause_after_conflict(const Exchange *exchange)
{
	struct pollfd stop = {.fd = exchange->settings->database.abort_fd, .events = POLLIN};
	unsigned span = CONFLICT_WAIT_MS << exchange->conflicts;
	unsigned wait =
		(unsigned) (clock_ms() * 2654435761u) ^ (unsigned) (uintptr_t) exchange->database;

	wait = 1 + (wait >> 8) % span;
	return clock_ms() + wait < exchange->deadline && poll(&stop, 1, (int) wait) == 0;
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
answer_refusal(const Exchange *exchange, Answer *answer)
{
	/* Lock not available, cancelled, out of resources, shutting down, read-only server. */
	if (sqlstate_is(exchange, "55P03") || sqlstate_is(exchange, "57014") ||
		sqlstate_begins(exchange, "53") || sqlstate_begins(exchange, "57P0") ||
		sqlstate_is(exchange, "25006"))
		answer_say(answer, 503, "The service is busy. Nothing was changed; please try again.\n",
				   RETRY_AFTER_S);
	else if (sqlstate_begins(exchange, "40"))
		answer_say(answer, 503,
				   "The request met others at the same data. Nothing was changed; please try "
				   "again.\n",
				   RETRY_AFTER_S);
	else
		answer_say(answer, 500, "The request failed inside the service. Nothing was changed.\n", 0);
	if (answer->status == 500 && !exchange->settings->database.verbose)
		report("database error %s (--verbose adds the message)",
			   database_sqlstate(exchange->database));
}

static bool
retry_refusal(Exchange *exchange)
{
	if (sqlstate_is(exchange, "40001") || sqlstate_is(exchange, "40P01"))
		return ++exchange->conflicts <= MAX_CONFLICTS && pause_after_conflict(exchange);
	/* Prepared statement gone: it was never bound. */
	if (sqlstate_is(exchange, "26000") && !exchange->prepared_anew)
	{
		exchange->prepared_anew = true;
		return true;
	}
	/* A server that became a standby: conninfo may name the new primary. */
	if (sqlstate_is(exchange, "25006"))
		database_close(exchange->database);
	return false;
}

static bool
retry_unknown(Exchange *exchange, const char *method, Answer *answer)
{
	if (is_safe(method) && !exchange->resent && clock_ms() < exchange->deadline)
	{
		exchange->resent = true;
		return true;
	}
	/* No Retry-After for a POST: whether to ask again is not for a library to decide. */
	if (is_safe(method))
		answer_say(answer, 503, "The database did not answer. Please try again.\n", RETRY_AFTER_S);
	else
		answer_say(answer, 503,
				   "The database did not confirm the request: it may or may not have taken "
				   "effect.\n",
				   0);
	report("a call was lost in the database%s%s",
		   *database_sqlstate(exchange->database) ? ": " : "",
		   database_sqlstate(exchange->database));
	return false;
}

/* One attempt; true when another shall follow. */
static bool
attempt(Exchange *exchange, const DatabaseCall *call, Answer *answer)
{
	if (!connect_database(exchange))
	{
		answer_say(answer, 503, "The database is not reachable. Please try again.\n",
				   RETRY_AFTER_S);
		return false;
	}
	switch (database_call(exchange->database, call, exchange->deadline, answer))
	{
		case DATABASE_ANSWERED:
			return false;
		case DATABASE_UNSENT:
			answer_say(answer, 503, "The database is not reachable. Please try again.\n",
					   RETRY_AFTER_S);
			return ++exchange->unsent < MAX_UNSENT && clock_ms() < exchange->deadline;
		case DATABASE_REFUSED:
			if (retry_refusal(exchange))
				return true;
			answer_refusal(exchange, answer);
			return false;
		case DATABASE_UNKNOWN:
			return retry_unknown(exchange, call->method, answer);
		case DATABASE_UNUSABLE:
			break;
	}
	answer_say(answer, 500, "The service gave an answer that cannot be sent.\n", 0);
	return false;
}

static Exchange
start(Database *database, Outage *outage, const ExchangeSettings *settings)
{
	Exchange exchange = {.database = database,
						 .outage = outage,
						 .settings = settings,
						 .deadline = clock_ms() + (int64_t) settings->timeout * 1000};

	return exchange;
}

void
exchange_call(Database *database, Outage *outage, const ExchangeSettings *settings,
			  const DatabaseCall *call, Answer *answer)
{
	Exchange exchange = start(database, outage, settings);

	while (attempt(&exchange, call, answer))
		;
}

void
exchange_check(Database *database, Outage *outage, const ExchangeSettings *settings, Answer *answer)
{
	Exchange exchange = start(database, outage, settings);
	bool ready = false;

	answer_say(answer, 503, "not ready: the database is not reachable\n", RETRY_AFTER_S);
	do
	{
		if (!connect_database(&exchange))
			return;
		switch (database_check(database, exchange.deadline, &ready))
		{
			case DATABASE_ANSWERED:
			case DATABASE_REFUSED:
				if (ready)
					answer_say(answer, 200, "ready\n", 0);
				else
					answer_say(answer, 503,
							   "not ready: this role cannot run openid4vci.vci_http here\n",
							   RETRY_AFTER_S);
				return;
			case DATABASE_UNSENT:
			case DATABASE_UNKNOWN:
			case DATABASE_UNUSABLE:
				break;
		}
	} while (++exchange.unsent < MAX_UNSENT && clock_ms() < exchange.deadline);
}
