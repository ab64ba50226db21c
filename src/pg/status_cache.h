/*
 * Status list tokens that this backend built last. Nothing has to be dropped by invalidation:
 * each is found by all that it tells.
 */
#ifndef VCI_STATUS_CACHE_H
#define VCI_STATUS_CACHE_H

#include "../protocol/status_list.h"
#include "store_status_read.h"

typedef struct VciStatusToken
{
	const char *text; /* lent until the next call */
	size_t len;
} VciStatusToken;

/*
 * The token of these parts, whose tag is given: as it was built before, signed anew over the
 * list as it was compressed before, or built. gzip: as Content-Encoding has it.
 */
extern VciStatusToken vci_status_token(VciStore *store, const VciPublishedStatusList *list,
									   const VciStatusListParts *parts,
									   const unsigned char tag[VCI_DIGEST_BYTES], bool gzip);

#endif
