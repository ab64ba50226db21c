/*
 * Fetching one JSON document that must be there.
 */
#ifndef WALLET_DOCUMENT_H
#define WALLET_DOCUMENT_H

#include "http_client.h"

/* GET of the request's URL; any status but 200 is a refusal. *object is the caller's. */
extern bool wallet_fetch_document(WalletContext *context, const WalletRequest *request,
								  VciJson **object);

#endif
