/*
 * An issuer's "no": OAuth errors in plain words, with what to do.
 */
#ifndef WALLET_REFUSAL_H
#define WALLET_REFUSAL_H

#include "failure.h"
#include "http_client.h"

/*
 * Records the refusal that an answer holds, as WALLET_EXIT_REFUSED: error and
 * error_description of a JSON body (RFC 6749 section 5.2, OpenID4VCI 1.0 section 8.3.1) or of
 * WWW-Authenticate (RFC 6750 section 3). what names who answered. Returns false.
 */
extern bool wallet_refuse(const WalletResponse *response, const char *what, WalletFailure *failure);

/* Is the answer the OAuth error of that name? */
extern bool wallet_is_refusal(const WalletResponse *response, const char *oauth_error);

#endif
