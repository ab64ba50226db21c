/*
 * From a call to its answer: connecting, retrying what is safe to retry, and telling
 * the client the truth when it is not.
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

/* Runs vci_http and fills answer in any case. */
extern void exchange_call(Database *database, Outage *outage, const ExchangeSettings *settings,
						  const DatabaseCall *call, Answer *answer);

/* Fills answer with the proxy's readiness. */
extern void exchange_check(Database *database, Outage *outage, const ExchangeSettings *settings,
						   Answer *answer);

#endif
