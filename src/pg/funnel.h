/*
 * Counting what the events tell of offers.
 */
#ifndef VCI_FUNNEL_H
#define VCI_FUNNEL_H

#include "store.h"

/*
 * Notes at most max offers that have expired and counts at most max events; how many both were.
 * 0 also while another session counts.
 */
extern int64 vci_count_funnel(VciStore *store, int32 max);

#endif
