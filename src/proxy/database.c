#include "database.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pg_array.h"
#include "report.h"

#define STATEMENT_NAME "vci_http"
#define STATEMENT                                                                                  \
	"SELECT status, headers, body"                                                                 \
	" FROM openid4vci.vci_http($1::text, $2::text, $3::text[], $4::bytea)"
#define CHECK_STATEMENT                                                                            \
	"SELECT pg_catalog.has_function_privilege("                                                    \
	"'openid4vci.vci_http(text,text,text[],bytea)', 'EXECUTE')"
#define PARAMETERS	  4
#define SQLSTATE_SIZE 6

struct Database
{
	const DatabaseSettings *settings;
	PGconn *connection; /* NULL: closed */
	bool prepared;
	char sqlstate[SQLSTATE_SIZE];
};

Database *
database_new(const DatabaseSettings *settings)
{
	Database *database = calloc(1, sizeof(*database));

	if (database != NULL)
		database->settings = settings;
	return database;
}

void
database_free(Database *database)
{
	if (database != NULL)
		database_close(database);
	free(database);
}

void
database_close(Database *database)
{
	PQfinish(database->connection);
	database->connection = NULL;
	database->prepared = false;
}

const char *
database_sqlstate(const Database *database)
{
	return database->sqlstate;
}

/* Notices may hold data; nobody reads them here. */
static void
ignore_notice(void *argument, const PGresult *notice)
{
	(void) argument;
	(void) notice;
}

bool
database_open(Database *database, const char **problem)
{
	const DatabaseSettings *settings = database->settings;
	char timeout[16];
	/* What stands before dbname is a default, which the conninfo there overrides. */
	const char *const names[] = {"connect_timeout",
								 "fallback_application_name",
								 "keepalives_idle",
								 "keepalives_interval",
								 "keepalives_count",
								 "tcp_user_timeout",
								 "dbname",
								 "client_encoding",
								 NULL};
	const char *const values[] = {timeout, "openid4vci-proxy", "15",   "5", "3",
								  "30000", settings->conninfo, "UTF8", NULL};

	database_close(database);
	snprintf(timeout, sizeof(timeout), "%d", settings->connect_timeout);
	database->connection = PQconnectdbParams(names, values, 1);
	if (PQstatus(database->connection) != CONNECTION_OK)
	{
		*problem = PQerrorMessage(database->connection);
		return false;
	}
	PQsetNoticeReceiver(database->connection, ignore_notice, NULL);
	if (PQsetnonblocking(database->connection, 1) != 0)
	{
		*problem = PQerrorMessage(database->connection);
		return false;
	}
	return true;
}

bool
database_is_fresh(const Database *database)
{
	struct pollfd server = {.events = POLLIN};

	if (database->connection == NULL || PQstatus(database->connection) != CONNECTION_OK)
		return false;
	/*
	 * A server that speaks while nothing was asked is most often saying goodbye. A new
	 * connection costs less than a POST whose fate nobody knows.
	 */
	server.fd = PQsocket(database->connection);
	return poll(&server, 1, 0) == 0;
}

/* Waits for the server; false when the deadline is over or waiting must end. */
static bool
wait_for_server(Database *database, short events, int64_t deadline)
{
	struct pollfd watched[2] = {
		{.fd = PQsocket(database->connection), .events = events},
		{.fd = database->settings->abort_fd, .events = POLLIN},
	};
	int64_t left = deadline - clock_ms();
	int ready;

	if (left <= 0)
		return false;
	do
		ready = poll(watched, 2, left > 60000 ? 60000 : (int) left);
	while (ready < 0 && errno == EINTR);
	return ready >= 0 && watched[1].revents == 0;
}

/* Sends what libpq has buffered and reads until a result is whole. */
static bool
wait_for_result(Database *database, int64_t deadline)
{
	PGconn *connection = database->connection;
	int unsent;

	for (;;)
	{
		unsent = PQflush(connection);
		/* A dead connection ends here: PQgetResult tells why, without blocking. */
		if (PQstatus(connection) != CONNECTION_OK || !PQisBusy(connection))
			return true;
		if (!wait_for_server(database, unsent > 0 ? POLLIN | POLLOUT : POLLIN, deadline))
			return false;
		if (PQconsumeInput(connection) == 0)
			return true;
	}
}

static void
note_error(Database *database, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	database->sqlstate[0] = '\0';
	if (sqlstate != NULL && strlen(sqlstate) < SQLSTATE_SIZE)
		strcpy(database->sqlstate, sqlstate);
	if (database->settings->verbose)
		report("database error %s: %s", database->sqlstate,
			   message != NULL ? message : PQresultErrorMessage(result));
}

/* Only an ERROR is a rollback for certain: a FATAL may come when the commit is done. */
static bool
is_certain(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	return severity != NULL && strcmp(severity, "ERROR") == 0;
}

/* What one result says, given what those before it said. A rollback stays one. */
static DatabaseOutcome
judge(Database *database, DatabaseOutcome before, PGresult *result, PGresult **row)
{
	bool certain;

	if (before != DATABASE_REFUSED &&
		(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK))
	{
		PQclear(*row);
		*row = result;
		return DATABASE_ANSWERED;
	}
	certain = is_certain(result);
	if (before != DATABASE_REFUSED)
		note_error(database, result);
	PQclear(result);
	return certain || before == DATABASE_REFUSED ? DATABASE_REFUSED : DATABASE_UNKNOWN;
}

/*
 * Reads all results up to ReadyForQuery. An error behind the row (a deferred
 * constraint, a backend killed while it commits) takes the row's place.
 */
static DatabaseOutcome
collect(Database *database, int64_t deadline, PGresult **row)
{
	DatabaseOutcome outcome = DATABASE_ANSWERED;
	PGresult *result = NULL;
	bool waiting = true;

	*row = NULL;
	database->sqlstate[0] = '\0';
	while (outcome != DATABASE_UNKNOWN && PQstatus(database->connection) == CONNECTION_OK)
	{
		waiting = wait_for_result(database, deadline);
		result = waiting ? PQgetResult(database->connection) : NULL;
		if (result == NULL)
			break;
		outcome = judge(database, outcome, result, row);
	}
	if (!waiting || PQtransactionStatus(database->connection) != PQTRANS_IDLE)
	{
		/* ReadyForQuery has not come. */
		database_close(database);
		if (outcome == DATABASE_ANSWERED)
			outcome = DATABASE_UNKNOWN;
	}
	if (outcome == DATABASE_ANSWERED && *row == NULL)
		outcome = DATABASE_UNKNOWN;
	if (outcome != DATABASE_ANSWERED)
	{
		PQclear(*row);
		*row = NULL;
	}
	return outcome;
}

/* A call that could not be handed to libpq was not sent: its Sync never left. */
static DatabaseOutcome
unsent(Database *database)
{
	database->sqlstate[0] = '\0';
	database_close(database);
	return DATABASE_UNSENT;
}

static DatabaseOutcome
prepare(Database *database, int64_t deadline)
{
	DatabaseOutcome outcome;
	PGresult *result;

	if (PQsendPrepare(database->connection, STATEMENT_NAME, STATEMENT, 0, NULL) != 1)
		return unsent(database);
	outcome = collect(database, deadline, &result);
	PQclear(result);
	database->prepared = outcome == DATABASE_ANSWERED;
	/* Nothing of the request was in it. */
	return outcome == DATABASE_UNKNOWN ? DATABASE_UNSENT : outcome;
}

static bool
send_call(Database *database, const DatabaseCall *call)
{
	const char *const values[PARAMETERS] = {call->method, call->target, call->headers,
											call->body != NULL ? call->body : ""};
	const int lengths[PARAMETERS] = {(int) strlen(call->method), (int) strlen(call->target),
									 (int) call->headers_len, (int) call->body_len};
	const int formats[PARAMETERS] = {1, 1, 1, 1};

	if (database->settings->prepare)
		return PQsendQueryPrepared(database->connection, STATEMENT_NAME, PARAMETERS, values,
								   lengths, formats, 1) == 1;
	return PQsendQueryParams(database->connection, STATEMENT, PARAMETERS, NULL, values, lengths,
							 formats, 1) == 1;
}

static bool
take_row(const PGresult *row, Answer *answer, const char **problem)
{
	uint32_t status;

	*problem = "not one row of status int4, headers text[], body bytea";
	if (PQresultStatus(row) != PGRES_TUPLES_OK || PQntuples(row) != 1 || PQnfields(row) != 3 ||
		PQftype(row, 0) != PG_TYPE_INT4 || PQftype(row, 1) != PG_TYPE_TEXT_ARRAY ||
		PQftype(row, 2) != PG_TYPE_BYTEA)
		return false;
	*problem = "a NULL as status or headers";
	if (PQgetisnull(row, 0, 0) || PQgetisnull(row, 0, 1))
		return false;
	memcpy(&status, PQgetvalue(row, 0, 0), sizeof(status));
	return answer_take(answer, (int32_t) ntohl(status), PQgetvalue(row, 0, 1),
					   (size_t) PQgetlength(row, 0, 1), PQgetvalue(row, 0, 2),
					   (size_t) PQgetlength(row, 0, 2), problem);
}

DatabaseOutcome
database_call(Database *database, const DatabaseCall *call, int64_t deadline, Answer *answer)
{
	const char *problem;
	DatabaseOutcome outcome;
	PGresult *row;

	if (database->settings->prepare && !database->prepared)
	{
		outcome = prepare(database, deadline);
		if (outcome != DATABASE_ANSWERED)
			return outcome;
	}
	if (!send_call(database, call))
		return unsent(database);
	outcome = collect(database, deadline, &row);
	if (outcome == DATABASE_ANSWERED && !take_row(row, answer, &problem))
	{
		report("openid4vci.vci_http gave %s", problem);
		outcome = DATABASE_UNUSABLE;
	}
	PQclear(row);
	/* The pooler or a DISCARD forgot the statement: the next call prepares it again. */
	if (outcome == DATABASE_REFUSED && strcmp(database->sqlstate, "26000") == 0)
		database->prepared = false;
	return outcome;
}

DatabaseOutcome
database_check(Database *database, int64_t deadline, bool *ready)
{
	DatabaseOutcome outcome;
	PGresult *row;

	*ready = false;
	if (PQsendQueryParams(database->connection, CHECK_STATEMENT, 0, NULL, NULL, NULL, NULL, 0) != 1)
		return unsent(database);
	outcome = collect(database, deadline, &row);
	if (outcome == DATABASE_ANSWERED)
		*ready = PQntuples(row) == 1 && strcmp(PQgetvalue(row, 0, 0), "t") == 0;
	PQclear(row);
	/* A read: whether it ran does not matter. */
	return outcome == DATABASE_UNKNOWN ? DATABASE_UNSENT : outcome;
}
