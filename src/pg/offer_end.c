#include "compat.h"

#include "../protocol/dataset.h"
#include "offer_end.h"

VciStatus
vci_check_claims_kept(const VciOfferRow *offer, VciError *error)
{
	if (offer->claims_erased)
		return vci_error(error, VCI_ERR_DENIED,
						 "the offer is over and its claims are erased; ask the issuer for a new "
						 "offer");
	return VCI_OK;
}

/* How many answers the token is good for. */
static int
datasets_of_token(const VciTokenRow *token, const VciJson *datasets)
{
	int count = 0;

	for (int i = 0; i < token->configuration_count; i++)
		count += vci_dataset_count(datasets, token->configuration_ids[i]);
	return count;
}

int64
vci_end_after_issuing(VciStore *store, const VciIssuerEntry *issuer, const VciAccess *access,
					  const VciJson *datasets, int64 now)
{
	const VciTokenRow *token = access->token;
	int64 ends_at = access->offer->ends_at;
	int64 deferred_until = 0;
	int expected = datasets_of_token(token, datasets);

	if (issuer->rules.refresh_token_lifetime > 0 || ends_at == 0)
		return 0;
	/* the usual case needs no look: one credential of a token that nothing outlives */
	if ((expected > 1 || ends_at > token->expires_at) &&
		vci_store_issued_datasets(store, token->id, token->offer_id, &deferred_until) < expected)
		return 0;
	/* a refresh token was given when the issuer still gave them */
	if (ends_at > Max(token->expires_at, deferred_until))
		return 0;
	return now + issuer->rules.retry_window + 1;
}
