/*
 * Batches of credential requests from strangers: what was let through holds 1 to 32 requests
 * with at most 32 proofs in all, each request naming its credential in one way.
 */
#include <stdlib.h>

#include "protocol/credential_batch.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static VciCredentialBatch batch;
	size_t proofs = 0;

	if (vci_credential_batch_parse((const char *) data, size, &batch, NULL) != VCI_OK)
	{
		if (batch.body != NULL || batch.count != 0)
			abort();
		return 0;
	}
	if (batch.count < 1 || batch.count > VCI_MAX_BATCH)
		abort();
	for (size_t i = 0; i < batch.count; i++)
	{
		const VciCredentialRequest *request = &batch.requests[i];

		proofs += request->proof_count;
		if ((request->configuration_id != NULL) + (request->identifier != NULL) +
				(request->format != NULL) !=
			1)
			abort();
	}
	if (proofs > VCI_MAX_PROOFS)
		abort();
	vci_credential_batch_free(&batch);
	return 0;
}
