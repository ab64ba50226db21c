#include "refresh.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "report.h"

#define SERVERS                                                                                    \
	"SELECT issuer, url, jwks_uri FROM openid4vci.vci_authorization_server_info"                   \
	" WHERE issuer = $1::text OR $1::text IS NULL ORDER BY jwks_uri, url, issuer"
#define INSUFFICIENT_PRIVILEGE "42501"
#define LOAD				   "SELECT openid4vci.vci_load_jwks($1::text, $2::jsonb, $3::text)"

typedef struct Refresh
{
	PGconn *connection;
	FetchSettings fetch;
	const char *fetched_uri; /* of document; NULL: nothing was fetched yet */
	char *document;			 /* NULL: it could not be had, and problem says why */
	char problem[FETCH_PROBLEM_SIZE];
} Refresh;

/* Notices are for whoever types SQL. */
static void
ignore_notice(void *argument, const PGresult *notice)
{
	(void) argument;
	(void) notice;
}

static PGconn *
connect_to(const Options *options)
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
		PQsetNoticeReceiver(connection, ignore_notice, NULL);
		return connection;
	}
	report("cannot connect to the database: %s", PQerrorMessage(connection));
	PQfinish(connection);
	return NULL;
}

/* What the database says is wrong, and what to do. */
static void
report_database(const char *what, const PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (sqlstate != NULL && strcmp(sqlstate, INSUFFICIENT_PRIVILEGE) == 0)
		hint = "the role needs the duties reporter and issuer_admin (--help tells how)";

	report("%s: %s%s%s", what, message != NULL ? message : PQresultErrorMessage(result),
		   hint != NULL ? "; " : "", hint != NULL ? hint : "");
}

/* The document of this URI: issuers that trust one server share what was fetched for the first. */
static const char *
document_of(Refresh *refresh, const char *uri)
{
	if (refresh->fetched_uri == NULL || strcmp(refresh->fetched_uri, uri) != 0)
	{
		free(refresh->document);
		refresh->document = fetch_text(&refresh->fetch, uri, refresh->problem);
		refresh->fetched_uri = uri;
	}
	return refresh->document;
}

static bool
load(Refresh *refresh, const char *issuer, const char *url, const char *uri)
{
	const char *const values[] = {url, document_of(refresh, uri), issuer};
	PGresult *result;
	bool ok;

	if (values[1] == NULL)
	{
		report("%s (for %s): no keys from %s: %s", url, issuer, uri, refresh->problem);
		return false;
	}
	result = PQexecParams(refresh->connection, LOAD, 3, NULL, values, NULL, NULL, 0);
	ok = PQresultStatus(result) == PGRES_TUPLES_OK;
	if (ok)
		printf("%s (for %s): keys loaded from %s\n", url, issuer, uri);
	else
		report_database(url, result);
	PQclear(result);
	return ok;
}

static bool
refresh_each(Refresh *refresh, const PGresult *servers)
{
	bool ok = true;

	for (int row = 0; row < PQntuples(servers); row++)
	{
		const char *issuer = PQgetvalue(servers, row, 0);
		const char *url = PQgetvalue(servers, row, 1);

		if (PQgetisnull(servers, row, 2))
			printf("%s (for %s): skipped, it has no jwks_uri; vci_load_jwks loads its keys by "
				   "hand\n",
				   url, issuer);
		else
			ok = load(refresh, issuer, url, PQgetvalue(servers, row, 2)) && ok;
		fflush(stdout);
	}
	return ok;
}

static bool
refresh_all(Refresh *refresh, const char *issuer)
{
	PGresult *servers = PQexecParams(refresh->connection, SERVERS, 1, NULL, &issuer, NULL, NULL, 0);
	bool ok = PQresultStatus(servers) == PGRES_TUPLES_OK;

	if (!ok)
		report_database("cannot read the authorization servers", servers);
	else if (PQntuples(servers) == 0)
	{
		report("role %s sees no external authorization server%s%s; it needs the duties reporter "
			   "and issuer_admin, and vci_create_authorization_server names a server",
			   PQuser(refresh->connection), issuer != NULL ? " of " : "",
			   issuer != NULL ? issuer : "");
		ok = false;
	}
	else
		ok = refresh_each(refresh, servers);
	free(refresh->document);
	PQclear(servers);
	return ok;
}

bool
refresh_jwks(const Options *options)
{
	Refresh refresh = {
		.fetch = {.ca_file = options->ca_file, .timeout = options->fetch_timeout},
	};
	bool ok;

	if (!fetch_start())
	{
		report("libcurl does not start");
		return false;
	}
	refresh.connection = connect_to(options);
	ok = refresh.connection != NULL && refresh_all(&refresh, options->issuer);
	PQfinish(refresh.connection);
	fetch_stop();
	return ok;
}
