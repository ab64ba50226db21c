/*
 * What an issuer publishes about itself, checked as far as the specifications say that a
 * wallet must not go on: OpenID4VCI 1.0 section 12.2, RFC 8414 section 3.3.
 */
#ifndef WALLET_DISCOVERY_H
#define WALLET_DISCOVERY_H

#include "../jose/json.h"
#include "context.h"
#include "offer.h"

typedef struct WalletIssuer
{
	const char *identifier; /* lent from the offer */
	char *metadata_url;
	VciJson *metadata;
	const char *credential_endpoint; /* lent from metadata */
	const char *nonce_endpoint;		 /* lent from metadata; NULL: none */
	char *server_url;				 /* authorization server metadata */
	VciJson *server;
	const char *token_endpoint; /* lent from server */
} WalletIssuer;

/* Fetches both metadata documents. To be freed in any case. */
extern bool wallet_issuer_discover(WalletContext *context, const WalletOffer *offer,
								   WalletIssuer *issuer);
extern void wallet_issuer_free(WalletIssuer *issuer);

typedef struct WalletConfiguration
{
	const char *id;
	const VciJson *object; /* lent from the issuer's metadata, like all members */
	const char *format;	   /* dc+sd-jwt or vc+sd-jwt */
	const char *vct;	   /* NULL when the metadata has none */
	bool proof_required;
	const VciJson *binding_methods; /* NULL when absent */
	const VciJson *proof_algs;		/* NULL when absent */
} WalletConfiguration;

/*
 * The configuration of that id. WALLET_EXIT_UNVERIFIED when the issuer does not know what it
 * offers, WALLET_EXIT_USAGE when this wallet cannot take such a credential.
 */
extern bool wallet_issuer_configuration(WalletContext *context, const WalletIssuer *issuer,
										const char *id, WalletConfiguration *configuration);

#endif
