#include "refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "fetch.h"
#include "report.h"

#define SERVERS                                                                                    \
	"SELECT issuer, url, jwks_uri FROM openid4vci.vci_authorization_server_info"                   \
	" WHERE issuer = $1::text OR $1::text IS NULL ORDER BY jwks_uri, url, issuer"
#define DUTIES "the role needs the duties reporter and issuer_admin (--help tells how)"
#define LOAD   "SELECT openid4vci.vci_load_jwks($1::text, $2::jsonb, $3::text)"

typedef struct Refresh
{
	PGconn *connection;
	FetchSettings fetch;
	const char *fetched_uri; /* of document; NULL: nothing was fetched yet */
	char *document;			 /* NULL: it could not be had, and problem says why */
	char problem[FETCH_PROBLEM_SIZE];
} Refresh;

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
		command_report(url, result, DUTIES);
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
		command_report("cannot read the authorization servers", servers, DUTIES);
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
	refresh.connection = command_connect(options);
	ok = refresh.connection != NULL && refresh_all(&refresh, options->issuer);
	PQfinish(refresh.connection);
	fetch_stop();
	return ok;
}
