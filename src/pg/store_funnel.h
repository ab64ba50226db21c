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
	TimestampTz as_of;	 /* what was told until then is counted; 0: nothing */
} VciFunnelState;

/* Locks and reads mark and expired until the transaction ends; false when another one counts. */
extern bool vci_store_lock_funnel(VciStore *store, VciFunnelState *state);
extern void vci_store_set_funnel(VciStore *store, const VciFunnelState *state);
/* The mark alone, without a lock; 0: nothing was counted yet. */
extern int64 vci_store_funnel_mark(VciStore *store);
/*
 * Seconds since 1970: what became of offers until then is counted, also that they expired. 0 where
 * nothing was counted yet, or max_events and more are not.
 */
extern int64 vci_store_funnel_counted_through(VciStore *store, int64 max_events);

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
/* When the first offer expired that expired behind since and nobody noted; 0: none. */
extern TimestampTz vci_store_first_unnoted(VciStore *store, TimestampTz since);

/*
 * Adds what at most max events behind state's mark, up to last, tell of offers. The number of
 * events; mark and as_of are those of the last of them then.
 */
extern int64 vci_store_count_events(VciStore *store, VciFunnelState *state, int64 last, int32 max);

/* Forgets all counts. False, and nothing is done, where events have been purged. */
extern bool vci_store_forget_funnel(VciStore *store);

#endif
