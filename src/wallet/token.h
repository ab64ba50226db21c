/*
 * The token request of the pre-authorized code flow (OpenID4VCI 1.0 section 6).
 */
#ifndef WALLET_TOKEN_H
#define WALLET_TOKEN_H

#include "discovery.h"
#include "context.h"
#include "offer.h"

typedef struct WalletGrant
{
	VciJson *response;
	const char *access_token;		   /* this and the next ones are lent from response */
	const char *c_nonce;			   /* drafts up to 13; NULL when absent */
	const char *credential_identifier; /* NULL: ask by configuration id */
} WalletGrant;

/* Redeems the offer's code. To be freed in any case. */
extern bool wallet_token_request(WalletContext *context, const WalletOffer *offer,
								 const WalletIssuer *issuer,
								 const WalletConfiguration *configuration, WalletGrant *grant);
extern void wallet_grant_free(WalletGrant *grant);

#endif
