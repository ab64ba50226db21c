/*
 * How it stands with an offer, for who helps people.
 */
#ifndef VCI_OFFER_SITUATION_H
#define VCI_OFFER_SITUATION_H

#include "../protocol/situation.h"
#include "cache.h"
#include "store.h"

/*
 * Fills *situation at now (seconds since 1970), and returns what keeps a wallet that does all
 * right from its credential, in a word; NULL: nothing does.
 */
extern const char *vci_tell_offer(VciStore *store, const VciIssuerEntry *issuer,
								  const VciOfferRow *offer, int64 now, VciSituation *situation);

#endif
