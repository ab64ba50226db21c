/*
 * How it stands with an offer, for those who ask from src/pg.
 */
#ifndef VCI_OFFER_SITUATION_H
#define VCI_OFFER_SITUATION_H

#include "../protocol/situation.h"
#include "cache.h"
#include "store.h"

/* now: seconds since 1970. One more row is read of an offer that is redeemed. */
extern void vci_situation_of_offer(VciStore *store, const VciIssuerEntry *issuer,
								   const VciOfferRow *offer, int64 now, VciSituation *situation);

#endif
