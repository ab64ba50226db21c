#include "compat.h"

#include "../protocol/offer.h"
#include "campaign_tx_code.h"
#include "release.h"
#include "report.h"

char *
vci_campaign_tx_code(const VciIssuerEntry *issuer, int64 campaign_id, int64 recipient_id,
					 int32 length, bool digits)
{
	VciError error = VCI_ERROR_INIT;
	char context[64];
	char **derived = vci_own_text();
	char *code;

	snprintf(context, sizeof(context), INT64_FORMAT ":" INT64_FORMAT, campaign_id, recipient_id);
	vci_require(vci_tx_code_derive(&issuer->campaign_tx_code_key, context,
								   digits ? VCI_TX_CODE_NUMERIC : VCI_TX_CODE_TEXT, length, derived,
								   &error),
				&error);
	/* thousands are made in one statement */
	code = pstrdup(*derived);
	vci_wipe(*derived, strlen(*derived));
	free(*derived);
	*derived = NULL;
	return code;
}
