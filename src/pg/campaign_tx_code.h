/*
 * Transaction codes of campaigns: derived, so that none is stored and whoever hands them to
 * people can read them later.
 */
#ifndef VCI_CAMPAIGN_TX_CODE_H
#define VCI_CAMPAIGN_TX_CODE_H

#include "cache.h"

/*
 * The code of this recipient, of so many characters: digits, or letters and digits; palloc'd.
 * The issuer must be unsealed. Raises 22023 when there can be no code of this length.
 */
extern char *vci_campaign_tx_code(const VciIssuerEntry *issuer, int64 campaign_id,
								  int64 recipient_id, int32 length, bool digits);

#endif
