/*
 * What an offer will hold: checked when it is made, so that nothing comes to light when the
 * wallet has spent its code.
 */
#ifndef VCI_OFFER_CONTENT_H
#define VCI_OFFER_CONTENT_H

#include "cache.h"
#include "store.h"

/*
 * Raises unless the configurations of the offer exist and each is named once, and each of
 * their datasets has its claims: from the offer, the dataset, or a claims source.
 */
extern void vci_check_offer_content(VciStore *store, const VciIssuerEntry *issuer,
									const VciNewOffer *offer);

#endif
