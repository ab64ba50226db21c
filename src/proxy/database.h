/*
 * One libpq connection and the one statement that runs on it. Nothing here waits but
 * database_open.
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
} DatabaseSettings;

typedef struct Database Database;

/* What is asked: vci_http with these arguments. */
typedef struct DatabaseCall
{
	bool check; /* may this role run vci_http here? Instead of running it. */
	const char *method;
	const char *target;
	const char *headers; /* text[] in binary format */
	size_t headers_len;
	const char *body;
	size_t body_len;
} DatabaseCall;

typedef enum DatabaseOutcome
{
	DATABASE_PENDING,  /* wait for the socket, then go on */
	DATABASE_ANSWERED, /* committed, and ReadyForQuery is there */
	DATABASE_UNSENT,   /* the connection was lost before the call went out */
	DATABASE_REFUSED,  /* the server reported an error: rolled back; sqlstate tells which */
	DATABASE_UNKNOWN,  /* lost after the call went out: perhaps committed */
	DATABASE_UNUSABLE  /* committed, but the row is no HTTP answer */
} DatabaseOutcome;

/* NULL when memory is out. settings is lent for as long as the handle lives. */
extern Database *database_new(const DatabaseSettings *settings);
extern void database_free(Database *database);

/* Connects, and waits for it; on failure, *problem is libpq's message, lent until the next call. */
extern bool database_open(Database *database, const char **problem);
extern void database_close(Database *database);

/* Is it open, and has the server said nothing since the last call? */
extern bool database_is_fresh(const Database *database);

/* -1 when it is closed. */
extern int database_socket(const Database *database);

/* Does a call wait for room to send, not only for what the server says? */
extern bool database_is_sending(const Database *database);

/*
 * Begins a call, in one transaction with one Sync. call is lent until the outcome is there;
 * answer is filled when that is DATABASE_ANSWERED and the call was no check.
 */
extern DatabaseOutcome database_begin(Database *database, const DatabaseCall *call, Answer *answer);

/* Goes on with it, the socket being ready. */
extern DatabaseOutcome database_go_on(Database *database, Answer *answer);

/* Ends a call that is not waited for any longer: the connection is closed. */
extern DatabaseOutcome database_abandon(Database *database);

/* What a check that was answered has found. */
extern bool database_is_ready(const Database *database);

/* SQLSTATE of the last outcome, "" when the server named none. */
extern const char *database_sqlstate(const Database *database);

#endif
