/*
 * Does the credential hold what an SD-JWT VC must hold, for this issuer and this holder?
 */
#ifndef WALLET_VERIFY_H
#define WALLET_VERIFY_H

#include "../jose/sd_jwt.h"
#include "context.h"
#include "credential.h"
#include "discovery.h"
#include "holder.h"
#include "issuer_key.h"

typedef struct WalletVerdict
{
	VciSdJwt *sd_jwt;
	WalletIssuerKey issuer_key;
} WalletVerdict;

/*
 * Checks type, signature, times, vct, holder key and digests of the credential; every
 * failure is WALLET_EXIT_UNVERIFIED. To be freed in any case.
 */
extern bool wallet_verify(WalletContext *context, const WalletIssuer *issuer,
						  const WalletConfiguration *configuration, const WalletHolder *holder,
						  const WalletCredential *credential, WalletVerdict *verdict);
extern void wallet_verdict_free(WalletVerdict *verdict);

/* Claims that the formats define, which say nothing about the subject. */
extern bool wallet_is_registered_claim(const char *name);

#endif
