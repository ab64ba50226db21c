/*
 * SD-JWT VC type metadata, served where the vct of a configuration points.
 */
#ifndef VCI_TYPE_ENDPOINT_H
#define VCI_TYPE_ENDPOINT_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"
#include "store.h"

/*
 * The issuers, each once and loaded, that have a configuration whose vct is at this path; host:
 * at which authority, NULL: at any. One statement; *count of them, palloc'd.
 */
extern VciIssuerEntry **vci_type_issuers(VciStore *store, const char *path, const char *host,
										 int *count);

/* The document, of one of these issuers. */
extern VciAnswer *vci_type_endpoint(VciStore *store, const VciIssuerEntry *issuer,
									const VciHttpRequest *http);

#endif
