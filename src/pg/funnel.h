/*
 * Counting what the events tell of offers.
 */
#ifndef VCI_FUNNEL_H
#define VCI_FUNNEL_H

#include "store.h"

/*
 * Notes at most max_expired offers that have expired and counts at most max_events events, a
 * million of each; how many both were. 0 also while another session counts.
 */
extern int64 vci_count_funnel(VciStore *store, int32 max_expired, int32 max_events);

#endif
