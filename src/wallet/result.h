/*
 * Everything that a successful run found, for those who print or keep it. All lent.
 */
#ifndef WALLET_RESULT_H
#define WALLET_RESULT_H

#include "claims.h"
#include "context.h"
#include "credential.h"
#include "discovery.h"
#include "holder.h"
#include "verify.h"

typedef struct WalletResult
{
	const WalletIssuer *issuer;
	const WalletConfiguration *configuration;
	const WalletHolder *holder;
	const WalletCredential *credential;
	const WalletVerdict *verdict;
	const WalletClaims *claims;
} WalletResult;

#endif
