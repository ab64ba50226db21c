/*
 * Credential offers as a wallet receives them (OpenID4VCI 1.0 section 4.1).
 */
#ifndef WALLET_OFFER_H
#define WALLET_OFFER_H

#include "../jose/json.h"
#include "context.h"

#define WALLET_GRANT_PRE_AUTHORIZED "urn:ietf:params:oauth:grant-type:pre-authorized_code"

typedef struct WalletOffer
{
	char *url; /* where it was fetched; NULL when it came by value */
	VciJson *object;
	const char *credential_issuer; /* this and the next ones are lent from object */
	const VciJson *configuration_ids;
	const char *code;
	const VciJson *tx_code;			  /* NULL when none is asked for */
	const char *authorization_server; /* NULL when absent */
} WalletOffer;

/*
 * Reads text (a link, or the URL of an offer by reference), fetches the offer when it is
 * by reference, and checks it. To be freed in any case.
 */
extern bool wallet_offer_read(WalletContext *context, const char *text, WalletOffer *offer);
extern void wallet_offer_free(WalletOffer *offer);

/* The configuration id to ask for: asked, or the only one when asked is NULL. Lent. */
extern bool wallet_offer_choose(const WalletOffer *offer, const char *asked, const char **id,
								WalletFailure *failure);

/* Does tx_code (NULL: none given) look like what the offer asks for? Spares a wrong try. */
extern bool wallet_offer_check_tx_code(const WalletOffer *offer, const char *tx_code,
									   WalletFailure *failure);

#endif
