/*
 * From a call to its answer: connecting, retrying what is safe to retry, and telling
 * the client the truth when it is not. Nothing here waits: each step says what for.
 */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "answer.h"
#include "database.h"
#include "outage.h"

typedef struct ExchangeSettings
{
	DatabaseSettings database;
	int timeout; /* seconds for one request in the database, retries included */
} ExchangeSettings;

/* One request's way through the attempts. */
typedef struct Exchange
{
	Database *database;
	Outage *outage;
	const ExchangeSettings *settings;
	const DatabaseCall *call;
	Answer *answer;
	int64_t deadline; /* clock_ms() */
	unsigned conflicts;
	unsigned unsent;
	bool resent;
	bool prepared_anew;
} Exchange;

typedef enum ExchangeStep
{
	EXCHANGE_DONE,	  /* the answer is filled */
	EXCHANGE_WAIT,	  /* for the database's socket: exchange_go_on; or its deadline */
	EXCHANGE_CONNECT, /* database_open, then exchange_connected */
	EXCHANGE_PAUSE,	  /* exchange_pause_ms, then exchange_retry */
	EXCHANGE_AGAIN	  /* never returned */
} ExchangeStep;

/* database, outage and settings are set. call and answer are lent until the end. */
extern ExchangeStep exchange_begin(Exchange *exchange, const DatabaseCall *call, Answer *answer);

/* problem: NULL when the connection is there. */
extern ExchangeStep exchange_connected(Exchange *exchange, const char *problem);

extern ExchangeStep exchange_go_on(Exchange *exchange);
extern ExchangeStep exchange_retry(Exchange *exchange);

/* A little longer after each conflict, so that the same two do not meet again. */
extern int exchange_pause_ms(const Exchange *exchange);

/* Waits no longer: its deadline is over, or the proxy ends. */
extern void exchange_abandon(Exchange *exchange);

#endif
