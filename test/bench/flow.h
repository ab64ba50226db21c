/*
 * Wallets that each redeem offers: token, nonce, credential (OpenID4VCI 1.0), one after the
 * other, each request checked.
 */
#ifndef BENCH_FLOW_H
#define BENCH_FLOW_H

#include <signal.h>
#include <stdio.h>

#include "../../src/jose/json.h"
#include "holder.h"
#include "processes.h"

typedef struct FlowPlan
{
	const char *issuer;		   /* URL: the audience of proofs, and where its endpoints lie */
	const char *base;		   /* URL under which token, nonce and credential are */
	const char *configuration; /* credential_configuration_id */
	FILE *codes;			   /* one pre-authorized code a line */
	const VciJson *jwks;	   /* NULL: no credential is verified */
	size_t verify_every;	   /* 1 of so many credentials is verified; 0: none */
	const Holder *holders;
	size_t holder_count;
	size_t wallets;	  /* at once */
	size_t flows;	  /* at most so many */
	size_t warm_up;	  /* flows that are not counted */
	double spread_ms; /* the wallets begin one after the other within this time */
	size_t retries;	  /* a wallet told to come back does so as often */
	long timeout_ms;  /* a request without an answer by then hangs */
	bool fresh;		  /* each flow has a connection of its own */
	bool report;	  /* a line on stderr for each failure */
	const Server *servers;
	size_t server_count;
	const volatile sig_atomic_t *stop; /* when set no flow begins any more */
} FlowPlan;

/* Runs and prints the outcome as a line of JSON; false when it could not run. */
extern bool flow_run(const FlowPlan *plan);

#endif
