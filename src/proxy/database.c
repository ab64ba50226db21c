#include "database.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_array.h"
#include "pg_row.h"
#include "report.h"

#define STATEMENT_NAME "vci_http"
/* The row as one column: a function in FROM costs the server a scan and a tuplestore each time. */
#define STATEMENT "SELECT openid4vci.vci_http($1::text, $2::text, $3::text[], $4::bytea)"
#define CHECK_STATEMENT                                                                            \
	"SELECT pg_catalog.has_function_privilege("                                                    \
	"'openid4vci.vci_http(text,text,text[],bytea)', 'EXECUTE')"
#define PARAMETERS	  4
#define COLUMNS		  3
#define SQLSTATE_SIZE 6

typedef enum Phase
{
	PHASE_IDLE,
	PHASE_PREPARING,
	PHASE_CALLING,
	PHASE_CHECKING
} Phase;

struct Database
{
	const DatabaseSettings *settings;
	PGconn *connection; /* NULL: closed */
	bool prepared;
	bool ready; /* found by the last check */
	char sqlstate[SQLSTATE_SIZE];

	/* The call under way. */
	Phase phase;
	const DatabaseCall *call;
	bool sending;
	DatabaseOutcome outcome; /* as far as results have come */
	PGresult *row;
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

static void
forget_row(Database *database)
{
	PQclear(database->row);
	database->row = NULL;
}

void
database_close(Database *database)
{
	forget_row(database);
	PQfinish(database->connection);
	database->connection = NULL;
	database->prepared = false;
	database->sending = false;
	database->phase = PHASE_IDLE;
}

int
database_socket(const Database *database)
{
	return PQsocket(database->connection);
}

bool
database_is_sending(const Database *database)
{
	return database->sending;
}

bool
database_is_ready(const Database *database)
{
	return database->ready;
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
static void
judge(Database *database, PGresult *result)
{
	bool certain;

	if (database->outcome != DATABASE_REFUSED &&
		(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK))
	{
		PQclear(database->row);
		database->row = result;
		return;
	}
	certain = is_certain(result);
	if (database->outcome != DATABASE_REFUSED)
		note_error(database, result);
	PQclear(result);
	if (certain)
		database->outcome = DATABASE_REFUSED;
	else if (database->outcome != DATABASE_REFUSED)
		database->outcome = DATABASE_UNKNOWN;
}

/* True when all results are read that will come: ReadyForQuery is there, or the server gone. */
static bool
read_results(Database *database)
{
	PGconn *connection = database->connection;
	PGresult *result;

	/* Failures of both show as a result. */
	database->sending = PQflush(connection) > 0;
	PQconsumeInput(connection);
	do
	{
		if (PQstatus(connection) == CONNECTION_OK && PQisBusy(connection))
			return false;
		result = PQgetResult(connection);
		if (result == NULL)
			break;
		judge(database, result);
	} while (database->outcome != DATABASE_UNKNOWN && PQstatus(connection) == CONNECTION_OK);
	return true;
}

/*
 * The outcome of all results up to ReadyForQuery. An error behind the row (a deferred
 * constraint, a backend killed while it commits) has taken the row's place.
 */
static DatabaseOutcome
settle(Database *database)
{
	PGresult *row = database->row;

	if (database->outcome == DATABASE_ANSWERED && row == NULL)
		database->outcome = DATABASE_UNKNOWN;
	if (PQtransactionStatus(database->connection) != PQTRANS_IDLE)
	{
		/* ReadyForQuery has not come. */
		if (database->outcome == DATABASE_ANSWERED)
			database->outcome = DATABASE_UNKNOWN;
		database_close(database);
	}
	if (database->outcome != DATABASE_ANSWERED)
		forget_row(database);
	return database->outcome;
}

/* A call that could not be handed to libpq was not sent: its Sync never left. */
static DatabaseOutcome
unsent(Database *database)
{
	database->sqlstate[0] = '\0';
	database_close(database);
	return DATABASE_UNSENT;
}

static bool
send_call(Database *database)
{
	const DatabaseCall *call = database->call;
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
send_phase(Database *database)
{
	switch (database->phase)
	{
		case PHASE_PREPARING:
			return PQsendPrepare(database->connection, STATEMENT_NAME, STATEMENT, 0, NULL) == 1;
		case PHASE_CALLING:
			return send_call(database);
		case PHASE_CHECKING:
			return PQsendQueryParams(database->connection, CHECK_STATEMENT, 0, NULL, NULL, NULL,
									 NULL, 0) == 1;
		case PHASE_IDLE:
			break;
	}
	return false;
}

static bool
take_row(const PGresult *result, Answer *answer, const char **problem)
{
	PgValue row[COLUMNS];
	const PgValue *const status = &row[0], *const headers = &row[1], *const body = &row[2];
	uint32_t number;

	*problem = "not one row of status int4, headers text[], body bytea";
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 ||
		PQnfields(result) != 1 || PQgetisnull(result, 0, 0) ||
		!pg_row_read(PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0), row, COLUMNS) ||
		status->type != PG_TYPE_INT4 || headers->type != PG_TYPE_TEXT_ARRAY ||
		body->type != PG_TYPE_BYTEA)
		return false;
	*problem = "a NULL as status or headers";
	if (status->len != sizeof(number) || headers->data == NULL)
		return false;
	memcpy(&number, status->data, sizeof(number));
	return answer_take(answer, (int32_t) ntohl(number), headers->data, headers->len, body->data,
					   body->len, problem);
}

/* The outcome of a call that was sent. */
static DatabaseOutcome
end_call(Database *database, Answer *answer)
{
	const char *problem;
	DatabaseOutcome outcome = settle(database);

	if (outcome == DATABASE_ANSWERED && !take_row(database->row, answer, &problem))
	{
		report("openid4vci.vci_http gave %s", problem);
		outcome = DATABASE_UNUSABLE;
	}
	/* The pooler or a DISCARD forgot the statement: the next call prepares it again. */
	if (outcome == DATABASE_REFUSED && strcmp(database->sqlstate, "26000") == 0)
		database->prepared = false;
	return outcome;
}

/* A read: whether it ran does not matter. */
static DatabaseOutcome
end_check(Database *database)
{
	DatabaseOutcome outcome = settle(database);

	database->ready = outcome == DATABASE_ANSWERED && PQntuples(database->row) == 1 &&
					  strcmp(PQgetvalue(database->row, 0, 0), "t") == 0;
	return outcome == DATABASE_UNKNOWN ? DATABASE_UNSENT : outcome;
}

static DatabaseOutcome begin_phase(Database *database, Phase phase, Answer *answer);

/* Nothing of the request was in it. */
static DatabaseOutcome
end_prepare(Database *database, Answer *answer)
{
	DatabaseOutcome outcome = settle(database);

	database->prepared = outcome == DATABASE_ANSWERED;
	if (database->prepared)
		return begin_phase(database, PHASE_CALLING, answer);
	return outcome == DATABASE_UNKNOWN ? DATABASE_UNSENT : outcome;
}

static DatabaseOutcome
end_phase(Database *database, Answer *answer)
{
	Phase phase = database->phase;
	DatabaseOutcome outcome;

	database->phase = PHASE_IDLE;
	if (phase == PHASE_PREPARING)
		return end_prepare(database, answer);
	outcome = phase == PHASE_CHECKING ? end_check(database) : end_call(database, answer);
	forget_row(database);
	return outcome;
}

static DatabaseOutcome
begin_phase(Database *database, Phase phase, Answer *answer)
{
	forget_row(database);
	database->sqlstate[0] = '\0';
	database->phase = phase;
	database->outcome = DATABASE_ANSWERED;
	if (!send_phase(database))
		return unsent(database);
	database->sending = PQflush(database->connection) > 0;
	if (PQstatus(database->connection) == CONNECTION_OK)
		return DATABASE_PENDING;
	/* Nobody would tell that a dead socket is ready. */
	read_results(database);
	return end_phase(database, answer);
}

DatabaseOutcome
database_begin(Database *database, const DatabaseCall *call, Answer *answer)
{
	Phase first = PHASE_CALLING;

	database->call = call;
	if (call->check)
		first = PHASE_CHECKING;
	else if (database->settings->prepare && !database->prepared)
		first = PHASE_PREPARING;
	return begin_phase(database, first, answer);
}

DatabaseOutcome
database_go_on(Database *database, Answer *answer)
{
	return read_results(database) ? end_phase(database, answer) : DATABASE_PENDING;
}

DatabaseOutcome
database_abandon(Database *database)
{
	bool asked = database->phase == PHASE_CALLING;

	database->sqlstate[0] = '\0';
	database_close(database);
	return asked ? DATABASE_UNKNOWN : DATABASE_UNSENT;
}
