#include "command.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

#define INSUFFICIENT_PRIVILEGE "42501"

/* Notices are for whoever types SQL; warnings are for whoever reads the log. */
static void
report_warning(void *argument, const PGresult *notice)
{
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	(void) argument;
	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		command_report("warning", notice, NULL);
}

PGconn *
command_connect(const Options *options)
{
	char timeout[16];
	/* What stands before dbname is a default, which the conninfo there overrides. */
	const char *const names[] = {"connect_timeout", "fallback_application_name", "dbname",
								 "client_encoding", NULL};
	const char *const values[] = {timeout, "openid4vci-proxy", options->conninfo, "UTF8", NULL};
	PGconn *connection;

	snprintf(timeout, sizeof(timeout), "%d", options->connect_timeout);
	connection = PQconnectdbParams(names, values, 1);
	if (PQstatus(connection) == CONNECTION_OK)
	{
		PQsetNoticeReceiver(connection, report_warning, NULL);
		return connection;
	}
	report("cannot connect to the database: %s", PQerrorMessage(connection));
	PQfinish(connection);
	return NULL;
}

void
command_report(const char *what, const PGresult *result, const char *duties)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (duties != NULL && sqlstate != NULL && strcmp(sqlstate, INSUFFICIENT_PRIVILEGE) == 0)
		hint = duties;
	report("%s: %s%s%s", what, message != NULL ? message : PQresultErrorMessage(result),
		   hint != NULL ? "; " : "", hint != NULL ? hint : "");
}
