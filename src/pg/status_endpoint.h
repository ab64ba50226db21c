/*
 * The status list endpoint: status list tokens, W3C bitstring credentials of the same statuses,
 * and the list of all lists. It only reads, so a standby serves it as well.
 */
#ifndef VCI_STATUS_ENDPOINT_H
#define VCI_STATUS_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"

extern VciAnswer *vci_status_list_endpoint(VciStore *store, const VciIssuerEntry *issuer,
										   const VciHttpRequest *http);

#endif
