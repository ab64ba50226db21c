/*
 * When nothing more can be issued of an offer: from then on vci_purge erases its claims.
 */
#ifndef VCI_OFFER_END_H
#define VCI_OFFER_END_H

#include "access.h"
#include "cache.h"
#include "store.h"

/* VCI_ERR_DENIED when the offer's claims are erased: what is left must not be issued alone. */
extern VciStatus vci_check_claims_kept(const VciOfferRow *offer, VciError *error);

/*
 * For vci_store_mark_issued: when the last answer under the token can no longer be asked for
 * again. 0 as long as another credential can come of the offer: of another dataset, of a
 * deferral, or through a refresh token. datasets are the offer's; NULL: none.
 */
extern int64 vci_end_after_issuing(VciStore *store, const VciIssuerEntry *issuer,
								   const VciAccess *access, const VciJson *datasets, int64 now);

#endif
