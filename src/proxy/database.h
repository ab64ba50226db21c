/*
 * One libpq connection and the one statement that runs on it.
 */
#ifndef PROXY_DATABASE_H
#define PROXY_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"

typedef struct DatabaseSettings
{
	const char *conninfo; /* NULL: libpq's environment variables */
	int connect_timeout;  /* seconds, each host */
	bool prepare;		  /* false: unnamed statements, for transaction poolers */
	bool verbose;
	int abort_fd; /* readable when waiting must end at once */
} DatabaseSettings;

typedef struct Database Database;

/* The arguments of vci_http. */
typedef struct DatabaseCall
{
	const char *method;
	const char *target;
	const char *headers; /* text[] in binary format */
	size_t headers_len;
	const char *body;
	size_t body_len;
} DatabaseCall;

typedef enum DatabaseOutcome
{
	DATABASE_ANSWERED, /* committed, and ReadyForQuery is there */
	DATABASE_UNSENT,   /* the connection was lost before the call went out */
	DATABASE_REFUSED,  /* the server reported an error: rolled back; sqlstate tells which */
	DATABASE_UNKNOWN,  /* lost after the call went out: perhaps committed */
	DATABASE_UNUSABLE  /* committed, but the row is no HTTP answer */
} DatabaseOutcome;

/* NULL when memory is out. settings is lent for as long as the handle lives. */
extern Database *database_new(const DatabaseSettings *settings);
extern void database_free(Database *database);

/* Connects; on failure, *problem is libpq's message, lent until the next call. */
extern bool database_open(Database *database, const char **problem);
extern void database_close(Database *database);

/* Is it open, and has the server said nothing since the last call? */
extern bool database_is_fresh(const Database *database);

/*
 * One call of vci_http in one transaction, with one Sync. Waits until deadline
 * (clock_ms()); a call that has not ended by then is DATABASE_UNKNOWN.
 */
extern DatabaseOutcome database_call(Database *database, const DatabaseCall *call, int64_t deadline,
									 Answer *answer);

/* May this role run vci_http here? */
extern DatabaseOutcome database_check(Database *database, int64_t deadline, bool *ready);

/* SQLSTATE of the last outcome, "" when the server named none. */
extern const char *database_sqlstate(const Database *database);

#endif
