/*
 * The place in a status list that a credential carries.
 */
#ifndef VCI_STATUS_PLACE_H
#define VCI_STATUS_PLACE_H

#include "../protocol/status_list.h"
#include "cache.h"

typedef struct VciStatusPlace
{
	int64 list_id; /* 0: it carries none */
	VciStatusEntry entry;
} VciStatusPlace;

/*
 * A place that no other credential ever had or gets; none where the configuration has no
 * status_bits. The issuer is unsealed. The first of a list makes its row.
 */
extern VciStatusPlace vci_allot_status(VciStore *store, const VciIssuerEntry *issuer,
									   const VciConfiguration *configuration);

/* The place of a credential that is signed again, also when the configuration has changed. */
extern VciStatusPlace vci_recorded_status(VciStore *store, const VciCredentialRow *row,
										  const VciConfiguration *configuration);

#endif
