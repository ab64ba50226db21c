/*
 * Reading status lists to publish them; who writes them is store_status.h.
 */
#ifndef VCI_STORE_STATUS_READ_H
#define VCI_STORE_STATUS_READ_H

#include "store.h"

typedef struct VciPublishedStatusList
{
	int64 id;
	int32 bits;
	int32 size;
	int64 version;
	TimestampTz changed_at; /* with version: no two contents have both the same */
	int64 changed_second;	/* the same, in seconds since 1970 */
	bool uncommitted;		/* this transaction may change it further under the same version */
} VciPublishedStatusList;

/* NULL when this issuer has none of this name. To be read before its statuses are. */
extern VciPublishedStatusList *vci_store_published_status_list(VciStore *store, int64 issuer_id,
															   const char *name);

/* Its statuses, len bytes of it. */
extern unsigned char *vci_store_statuses(VciStore *store, int64 list_id, size_t len);

/* Of all lists of this issuer, by id. */
extern char **vci_store_status_list_names(VciStore *store, int64 issuer_id, int *count);

#endif
