/*
 * vci_purge: what nobody needs any more goes, a batch at a time.
 */
#include "compat.h"

#include "cache.h"
#include "duty.h"
#include "values.h"

/* As long as any setting of dpop_proof_max_age lets a proof live, and its leeway. */
#define DPOP_PROOF_SECONDS (3600 + 60)

/* A request that nobody approved still explains itself in vci_authorization_info. */
#define UNAPPROVED_SECONDS INT64CONST(86400)

static int64
longest_nonce_lifetime(VciStore *store)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	int64 longest = 0;

	for (int i = 0; i < count; i++)
		longest = Max(longest, issuers[i].rules.c_nonce_lifetime);
	return longest;
}

PG_FUNCTION_INFO_V1(vci_purge);

/* openid4vci.vci_purge(max_rows integer) returns bigint */
Datum
vci_purge(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	int32 max_rows = PG_GETARG_INT32(0);
	int64 now = vci_now();
	int64 purged;

	if (!vci_has_duty(store, VCI_DUTY_OFFERER, VCI_ALL_ISSUERS))
		vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	if (max_rows < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be positive, it is %d", max_rows)));
	purged = vci_store_purge_nonces(store, now - longest_nonce_lifetime(store) - 1, max_rows);
	if (purged < max_rows)
		purged += vci_store_purge_dpop_proofs(store, now - DPOP_PROOF_SECONDS,
											  (int32) (max_rows - purged));
	if (purged < max_rows)
		purged += vci_store_purge_authorizations(store, now - UNAPPROVED_SECONDS,
												 (int32) (max_rows - purged));
	vci_store_close(store);
	PG_RETURN_INT64(purged);
}
