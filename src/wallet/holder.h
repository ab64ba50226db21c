/*
 * The holder: a new key pair, and proofs of possession made with it
 * (OpenID4VCI 1.0 appendix F.1).
 */
#ifndef WALLET_HOLDER_H
#define WALLET_HOLDER_H

#include "../jose/jwk.h"
#include "discovery.h"
#include "failure.h"

typedef struct WalletHolder
{
	VciKey *key;
	char thumbprint[VCI_THUMBPRINT_SIZE];
	char *kid; /* DID URL "did:jwk:...#0"; NULL when the proof carries the jwk */
} WalletHolder;

/*
 * A new key of the wanted type, or, for VCI_ALG_NONE, of the first type that the
 * configuration accepts. WALLET_EXIT_USAGE when the issuer does not accept it.
 */
extern bool wallet_holder_new(VciAlg wanted, bool kid_did, const WalletConfiguration *configuration,
							  WalletHolder *holder, WalletFailure *failure);
extern void wallet_holder_free(WalletHolder *holder);

/* A proof JWT for audience; nonce and client_id may be NULL. *proof is malloc'd. */
extern bool wallet_holder_prove(const WalletHolder *holder, const char *audience, const char *nonce,
								const char *client_id, char **proof, WalletFailure *failure);

#endif
