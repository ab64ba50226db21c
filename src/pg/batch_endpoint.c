#include "compat.h"

#include "../protocol/credential_batch.h"
#include "batch_endpoint.h"
#include "credential_call.h"
#include "dpop.h"
#include "release.h"
#include "token_endpoint.h"

/* One response a dataset and token: two keys for it go in the proofs of one request. */
static VciStatus
check_distinct(const VciCredentialCall *calls, size_t position, VciError *error)
{
	for (size_t i = 0; i < position; i++)
		if (calls[i].configuration == calls[position].configuration &&
			calls[i].number == calls[position].number)
			return vci_error(
				error, VCI_ERR_REQUEST,
				"it is for the credential of request %zu; send one request with proofs "
				"by several keys",
				i + 1);
	return VCI_OK;
}

/* Everything about all of them holds, before anything is written for one. */
static VciStatus
check_requests(VciCredentialSession *session, const VciCredentialBatch *batch,
			   VciCredentialCall *calls, VciError *error)
{
	for (size_t i = 0; i < batch->count; i++)
	{
		VciError fault = VCI_ERROR_INIT;
		VciStatus status;

		calls[i].session = session;
		calls[i].request = &batch->requests[i];
		status = vci_credential_call_check(&calls[i], &fault);
		if (status == VCI_OK)
			status = check_distinct(calls, i, &fault);
		if (status != VCI_OK)
			return vci_credential_batch_error(error, i, &fault);
	}
	return VCI_OK;
}

static bool
all_repeat(const VciCredentialCall *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!vci_credential_call_repeats(&calls[i]))
			return false;
	return true;
}

/* The nonces of all, or none; the refusal names the first request whose nonce was used. */
static VciStatus
spend_nonces(VciCredentialSession *session, const VciCredentialCall *calls, VciError *error)
{
	VciError fault = VCI_ERROR_INIT;
	size_t position = 0;

	if (vci_credential_session_spend(session, &fault) == VCI_OK)
		return VCI_OK;
	while (calls[position].nonce_end <= session->used_nonce)
		position++;
	return vci_credential_batch_error(error, position, &fault);
}

static VciJson *
record_all(VciCredentialCall *calls, size_t count)
{
	VciJson **responses = vci_own_json();
	int ignored;

	vci_require_memory(*responses = vci_json_new_array());
	for (size_t i = 0; i < count; i++)
	{
		vci_credential_call_record(&calls[i]);
		vci_require_done(vci_json_append(
			*responses, vci_json_ref(vci_credential_call_response(&calls[i], &ignored))));
	}
	return *responses;
}

static VciStatus
answer_batch(VciCredentialSession *session, const VciCredentialBatch *batch, VciAnswer **answer,
			 VciError *error)
{
	const VciIssuer *rules = &session->issuer->rules;
	VciCredentialCall *calls = palloc0(sizeof(VciCredentialCall) * batch->count);
	VciJson **body = vci_own_json();
	VciStatus status = check_requests(session, batch, calls, error);

	if (status == VCI_OK && !all_repeat(calls, batch->count))
		status = spend_nonces(session, calls, error);
	if (status != VCI_OK)
		return status;
	*body = vci_credential_batch_response(
		vci_json_ref(record_all(calls, batch->count)),
		rules->profile == VCI_PROFILE_FINAL ? NULL : vci_new_nonce(session->issuer),
		rules->c_nonce_lifetime);
	vci_require_memory(*body);
	*answer = vci_answer_no_store(200, *body);
	return VCI_OK;
}

VciAnswer *
vci_batch_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer,
							  const VciHttpRequest *http)
{
	VciCredentialSession session = {.store = store, .issuer = issuer};
	VciCredentialBatch *batch = vci_own_credential_batch();
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer = NULL;
	VciStatus status =
		vci_credential_session_open(&session, http, VCI_ENDPOINT_BATCH_CREDENTIAL, &error);

	if (status == VCI_OK)
		status = vci_credential_batch_parse(http->body, http->body_len, batch, &error);
	if (status == VCI_OK)
		status = vci_credential_session_lock(&session, &error);
	if (status == VCI_OK)
		status = answer_batch(&session, batch, &answer, &error);
	if (status != VCI_OK)
		answer = vci_credential_refuse(issuer, true, &error);
	vci_dpop_add_headers(answer, issuer);
	return answer;
}
