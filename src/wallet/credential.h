/*
 * The credential request: OpenID4VCI 1.0 section 8, or the shape of drafts 11 to 13.
 */
#ifndef WALLET_CREDENTIAL_H
#define WALLET_CREDENTIAL_H

#include "discovery.h"
#include "holder.h"
#include "token.h"

typedef struct WalletCredential
{
	char *text;			/* compact SD-JWT */
	const char *format; /* the typ that it must have; lent */
} WalletCredential;

/* Fetches a nonce, proves the holder key, asks for the credential. To be freed in any case. */
extern bool wallet_credential_request(WalletContext *context, const WalletIssuer *issuer,
									  const WalletConfiguration *configuration,
									  const WalletHolder *holder, const WalletGrant *grant,
									  WalletCredential *credential);
extern void wallet_credential_free(WalletCredential *credential);

#endif
