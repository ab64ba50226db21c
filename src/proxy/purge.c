#include "purge.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "report.h"

#define BATCH  "SELECT kind, purged, remaining FROM openid4vci.vci_purge($1::integer)"
#define DUTIES "the role needs the duty issuer_admin or offerer for all issuers (--help tells how)"

#define MAX_KINDS	  32
#define KIND_SIZE	  32
#define MAX_ATTEMPTS  20
#define RETRY_WAIT_MS 100

typedef struct Kind
{
	char name[KIND_SIZE];
	long long purged;
	long long remaining;
} Kind;

typedef struct Totals
{
	Kind kinds[MAX_KINDS];
	int count;
	int batches;
} Totals;

static void
block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* Has one come, or does one come within the time? */
static bool
stop_requested(const sigset_t *signals, int milliseconds)
{
	struct timespec wait = {.tv_nsec = (long) milliseconds * 1000000};

	return sigtimedwait(signals, NULL, &wait) > 0;
}

/* The kind of this name, new ones behind the others; NULL when there are too many. */
static Kind *
find_kind(Totals *totals, const char *name)
{
	for (int i = 0; i < totals->count; i++)
	{
		if (strcmp(totals->kinds[i].name, name) == 0)
			return &totals->kinds[i];
	}
	if (totals->count == MAX_KINDS || strlen(name) >= KIND_SIZE)
		return NULL;
	strcpy(totals->kinds[totals->count].name, name);
	return &totals->kinds[totals->count++];
}

/* False when the answer is none of vci_purge. */
static bool
add_batch(Totals *totals, const PGresult *batch)
{
	if (PQnfields(batch) != 3 || PQntuples(batch) == 0)
		return false;
	for (int row = 0; row < PQntuples(batch); row++)
	{
		Kind *kind = find_kind(totals, PQgetvalue(batch, row, 0));

		if (kind == NULL)
			return false;
		kind->purged += atoll(PQgetvalue(batch, row, 1));
		kind->remaining = atoll(PQgetvalue(batch, row, 2));
	}
	totals->batches++;
	return true;
}

static long long
remaining(const Totals *totals)
{
	long long sum = 0;

	for (int i = 0; i < totals->count; i++)
		sum += totals->kinds[i].remaining;
	return sum;
}

static void
print_totals(const Totals *totals)
{
	for (int i = 0; i < totals->count; i++)
	{
		const Kind *kind = &totals->kinds[i];

		printf("%s: %lld purged", kind->name, kind->purged);
		if (kind->remaining > 0)
			printf(", about %lld left", kind->remaining);
		printf("\n");
	}
	fflush(stdout);
}

/* Somebody else was at the same rows: the same batch again is right. */
static bool
is_conflict(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL && (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

/* One batch, committed, or false with the reason reported. */
static bool
purge_batch(PGconn *connection, const char *max_rows, Totals *totals, bool *conflict)
{
	PGresult *result = PQexecParams(connection, BATCH, 1, NULL, &max_rows, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;

	*conflict = is_conflict(result);
	if (!ok && !*conflict)
		command_report("cannot purge", result, DUTIES);
	else if (ok && !add_batch(totals, result))
	{
		report("the answer is none of vci_purge; update the extension: ALTER EXTENSION openid4vci "
			   "UPDATE;");
		ok = false;
	}
	PQclear(result);
	return ok;
}

static bool
purge_all(PGconn *connection, const Options *options, const sigset_t *signals, Totals *totals)
{
	char max_rows[16];
	int attempts = 0;
	bool conflict;

	snprintf(max_rows, sizeof(max_rows), "%d", options->max_rows);
	do
	{
		if (purge_batch(connection, max_rows, totals, &conflict))
			attempts = 0;
		else if (!conflict)
			return false;
		else if (++attempts == MAX_ATTEMPTS)
		{
			report("cannot purge: others change the same rows, %d times in a row; try again later",
				   MAX_ATTEMPTS);
			return false;
		}
		if (stop_requested(signals, conflict ? RETRY_WAIT_MS : 0))
			return true;
	} while (conflict || (!options->once && remaining(totals) > 0));
	return true;
}

bool
purge(const Options *options)
{
	Totals totals = {0};
	sigset_t signals;
	PGconn *connection;
	bool ok;

	block_signals(&signals);
	connection = command_connect(options);
	ok = connection != NULL && purge_all(connection, options, &signals, &totals);
	print_totals(&totals);
	PQfinish(connection);
	return ok;
}
