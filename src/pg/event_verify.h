/*
 * Do the events still stand as they were sealed?
 */
#ifndef VCI_EVENT_VERIFY_H
#define VCI_EVENT_VERIFY_H

#include "../jose/seal.h"
#include "store.h"

/* A seal that an auditor remembers. */
typedef struct VciEventHead
{
	int64 id;
	unsigned char mac[VCI_DIGEST_BYTES];
} VciEventHead;

typedef struct VciEventVerdict
{
	int64 segments; /* that hold, purged ones among them */
	int64 events;	/* that were read and are what was sealed */
	int64 broken;	/* how many seals break */
	int64 broken_segment;
	char *problem; /* of the first one; NULL: none */
} VciEventVerdict;

/* Walks all seals under the calling query's snapshot. head NULL: none is remembered. */
extern VciEventVerdict vci_verify_seals(VciStore *store, const VciEventHead *head);

#endif
