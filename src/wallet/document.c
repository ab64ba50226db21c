#include "document.h"

#include "refusal.h"

bool
wallet_fetch_document(WalletContext *context, const WalletRequest *request, VciJson **object)
{
	WalletResponse response = {0};
	bool ok = wallet_http_send(context, request, &response);

	if (ok && response.status != 200)
		ok = wallet_refuse(&response, request->what, &context->failure);
	ok = ok && wallet_response_object(context, &response, request->what, object);
	wallet_response_free(&response);
	return ok;
}
