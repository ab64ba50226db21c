/*
 * The notification endpoint (OpenID4VCI 1.0 section 11).
 */
#ifndef VCI_NOTIFICATION_ENDPOINT_H
#define VCI_NOTIFICATION_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

extern VciAnswer *vci_notification_endpoint(VciStore *store, const VciIssuerEntry *issuer,
											const VciHttpRequest *http);

#endif
