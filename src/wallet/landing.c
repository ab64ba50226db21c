#include "landing.h"

#include <string.h>
#include <strings.h>

#define OFFER_SCHEME "openid-credential-offer:"

bool
wallet_is_page(const WalletResponse *response)
{
	return response->content_type != NULL &&
		   strncasecmp(response->content_type, "text/html", strlen("text/html")) == 0;
}

static bool
refuse(WalletContext *context, long status)
{
	wallet_fail(&context->failure, WALLET_EXIT_REFUSED,
				"the link leads to a page without an offer for a wallet (HTTP status %ld)", status);
	return wallet_advise(&context->failure, "Open it in a browser to read why.");
}

bool
wallet_landing_press(WalletContext *context, const char *url, const WalletResponse *page,
					 char **link)
{
	WalletRequest request = {
		.what = "landing page", .url = url, .secret_url = true, .body = "", .keep_redirect = true};
	WalletResponse response = {0};
	bool ok;

	*link = NULL;
	if (page->status != 200)
		return refuse(context, page->status);
	ok = wallet_http_send(context, &request, &response);
	if (ok && (response.location == NULL ||
			   strncasecmp(response.location, OFFER_SCHEME, strlen(OFFER_SCHEME)) != 0))
		ok = refuse(context, response.status);
	if (ok && (*link = strdup(response.location)) == NULL)
		ok = wallet_fail_memory(&context->failure);
	wallet_response_free(&response);
	return ok;
}
