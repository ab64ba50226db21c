#include "credential_batch.h"

#include <string.h>

VciStatus
vci_credential_batch_error(VciError *error, size_t position, const VciError *fault)
{
	return vci_error(error, fault->code, "credential request %zu: %s", position + 1, fault->text);
}

/* The request at the batch's count, which it raises. */
static VciStatus
read_request(VciCredentialBatch *batch, VciJson *item, VciError *error)
{
	VciCredentialRequest *request = &batch->requests[batch->count];
	VciStatus status;

	if (vci_json_kind(item) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_REQUEST, "it must be an object");
	status = vci_credential_request_read(vci_json_ref(item), request, error);
	if (status == VCI_OK)
		batch->count++;
	return status;
}

/* As many signatures to check as in one credential request, not more. */
static VciStatus
check_proof_count(const VciCredentialBatch *batch, VciError *error)
{
	size_t proofs = 0;

	for (size_t i = 0; i < batch->count; i++)
		proofs += batch->requests[i].proof_count;
	if (proofs > VCI_MAX_PROOFS)
		return vci_error(error, VCI_ERR_PROOF, "a batch may hold %d proofs at most, %zu came",
						 VCI_MAX_PROOFS, proofs);
	return VCI_OK;
}

static VciStatus
read_batch(VciCredentialBatch *batch, VciError *error)
{
	const VciJson *requests = vci_json_get(batch->body, "credential_requests");
	size_t count = vci_json_array_length(requests);

	if (vci_json_get(batch->body, "credential_response_encryption") != NULL)
		return vci_error(error, VCI_ERR_ENCRYPTION,
						 "this issuer does not encrypt responses; leave "
						 "credential_response_encryption out");
	if (count == 0 || count > VCI_MAX_BATCH)
		return vci_error(error, VCI_ERR_REQUEST,
						 "credential_requests must be an array of 1 to %d credential requests",
						 VCI_MAX_BATCH);
	for (size_t i = 0; i < count; i++)
	{
		VciError fault = VCI_ERROR_INIT;

		if (read_request(batch, vci_json_array_at(requests, i), &fault) != VCI_OK)
			return vci_credential_batch_error(error, i, &fault);
	}
	return check_proof_count(batch, error);
}

VciStatus
vci_credential_batch_parse(const char *body, size_t len, VciCredentialBatch *batch, VciError *error)
{
	VciStatus status;

	memset(batch, 0, sizeof(*batch));
	status = vci_json_parse_object(body, len, &batch->body, error);
	if (status == VCI_OK)
		status = read_batch(batch, error);
	if (status != VCI_OK)
		vci_credential_batch_free(batch);
	return status;
}

void
vci_credential_batch_free(VciCredentialBatch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		vci_credential_request_free(&batch->requests[i]);
	vci_json_free(batch->body);
	memset(batch, 0, sizeof(*batch));
}

VciJson *
vci_credential_batch_response(VciJson *responses, const char *c_nonce, int32_t c_nonce_lifetime)
{
	VciJson *response = vci_json_new_object();
	bool ok = vci_json_set(response, "credential_responses", responses);

	if (ok && c_nonce != NULL)
		ok = vci_json_set_string(response, "c_nonce", c_nonce) &&
			 vci_json_set_int64(response, "c_nonce_expires_in", c_nonce_lifetime);
	if (!ok)
	{
		vci_json_free(response);
		return NULL;
	}
	return response;
}
