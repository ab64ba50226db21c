/*
 * Short links that lead to a page for people: the wallet presses its button, as its owner would.
 */
#ifndef WALLET_LANDING_H
#define WALLET_LANDING_H

#include "http_client.h"

/* Is the answer a page instead of an offer? */
extern bool wallet_is_page(const WalletResponse *response);

/*
 * Presses the button of the page that url answered with; *link becomes the offer's
 * openid-credential-offer: link, malloc'd. WALLET_EXIT_REFUSED where the page has none to give.
 */
extern bool wallet_landing_press(WalletContext *context, const char *url,
								 const WalletResponse *page, char **link);

#endif
