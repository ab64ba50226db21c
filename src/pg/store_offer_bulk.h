/*
 * Statements that change many offers at once: those of a campaign, or with labels.
 */
#ifndef VCI_STORE_OFFER_BULK_H
#define VCI_STORE_OFFER_BULK_H

#include "store.h"

typedef struct VciOfferSet
{
	int64 issuer_id;
	int64 campaign_id; /* 0: any, or none */
	Datum labels;	   /* jsonb that theirs contain; 0: any, or none */
	int32 max;
} VciOfferSet;

typedef struct VciChangedOffer
{
	int64 id;
	bool expiry_noted; /* before */
} VciChangedOffer;

/*
 * Those that nobody has redeemed and that expire earlier (seconds since 1970) expire then. In the
 * order of ids; each of the two waits for whoever has one of them locked.
 */
extern VciChangedOffer *vci_store_extend_offers(VciStore *store, const VciOfferSet *set,
												int64 expires_at, int *count);

/* Cancels those of which a credential may still come; brings_more: also after the first one. */
extern VciChangedOffer *vci_store_cancel_offers(VciStore *store, const VciOfferSet *set,
												bool brings_more, int *count);

#endif
