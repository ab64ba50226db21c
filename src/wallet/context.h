/*
 * What every step of a run shares.
 */
#ifndef WALLET_CONTEXT_H
#define WALLET_CONTEXT_H

#include "../jose/json.h"
#include "failure.h"
#include "options.h"

typedef struct WalletContext
{
	const WalletOptions *options;
	void *curl;		/* the connection, kept open between requests */
	VciJson *notes; /* array of remarks: deviations that do not stop the run */
	WalletFailure failure;
} WalletContext;

#endif
