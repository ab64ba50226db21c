/*
 * The issuer's public key for a credential, from where the credential's iss says that it is
 * published: JWT VC issuer metadata (SD-JWT VC section 4) or the issuer's did:web document.
 */
#ifndef WALLET_ISSUER_KEY_H
#define WALLET_ISSUER_KEY_H

#include "../jose/jws.h"
#include "context.h"
#include "discovery.h"

typedef struct WalletIssuerKey
{
	VciKey *key;
	char *url; /* the document that published it */
	char thumbprint[VCI_THUMBPRINT_SIZE];
} WalletIssuerKey;

/*
 * The key that jws (a credential) was signed with, as published by issuer. The iss claim must
 * be the credential issuer or its did:web. To be freed in any case.
 */
extern bool wallet_issuer_key_find(WalletContext *context, const WalletIssuer *issuer,
								   const VciJws *jws, WalletIssuerKey *found);
extern void wallet_issuer_key_free(WalletIssuerKey *found);

#endif
