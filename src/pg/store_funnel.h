/*
 * Rows of the funnel: how many offers reached which step.
 */
#ifndef VCI_STORE_FUNNEL_H
#define VCI_STORE_FUNNEL_H

#include "store.h"

/* How far the counting has come. */
typedef struct VciFunnelState
{
	int64 mark;			 /* id of the last event that is counted */
	TimestampTz expired; /* offers that expired up to then are noted; 0: none yet */
} VciFunnelState;

/* Locks and reads it until the end of the transaction; false when another one counts. */
extern bool vci_store_lock_funnel(VciStore *store, VciFunnelState *state);
extern void vci_store_set_funnel(VciStore *store, const VciFunnelState *state);

typedef struct VciExpiredOffer
{
	int64 id;
	int64 issuer_id;
	TimestampTz expires_at;
} VciExpiredOffer;

/*
 * At most max offers that expired behind since and nobody noted, by time; they are noted from
 * now on.
 */
extern VciExpiredOffer *vci_store_note_expired_offers(VciStore *store, TimestampTz since, int32 max,
													  int *count);

/*
 * Adds what at most max events behind mark, up to last, tell of offers. The number of events;
 * *mark: the last of them.
 */
extern int64 vci_store_count_events(VciStore *store, int64 *mark, int64 last, int32 max);

/* Forgets all counts. False, and nothing is done, where events have been purged. */
extern bool vci_store_forget_funnel(VciStore *store);

#endif
