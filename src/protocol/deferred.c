#include "deferred.h"

#include <string.h>

static VciStatus
read_request(VciDeferredRequest *request, VciError *error)
{
	request->transaction_id = vci_json_get_string(request->body, "transaction_id");
	if (request->transaction_id == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "transaction_id must be there, a string");
	if (vci_json_get(request->body, "credential_response_encryption") != NULL)
		return vci_error(error, VCI_ERR_ENCRYPTION,
						 "this issuer does not encrypt responses; leave "
						 "credential_response_encryption out");
	return VCI_OK;
}

VciStatus
vci_deferred_request_parse(const char *body, size_t len, VciDeferredRequest *request,
						   VciError *error)
{
	VciStatus status;

	memset(request, 0, sizeof(*request));
	status = vci_json_parse_object(body, len, &request->body, error);
	if (status == VCI_OK)
		status = read_request(request, error);
	if (status != VCI_OK)
		vci_deferred_request_free(request);
	return status;
}

void
vci_deferred_request_free(VciDeferredRequest *request)
{
	vci_json_free(request->body);
	memset(request, 0, sizeof(*request));
}

VciJson *
vci_deferred_response(VciResponseShape shape, const char *transaction_id, int32_t interval)
{
	VciJson *response = vci_json_new_object();
	bool ok = vci_json_set_string(response, "transaction_id", transaction_id);

	if (ok && shape == VCI_RESPONSE_CREDENTIALS)
		ok = vci_json_set_int64(response, "interval", interval);
	if (!ok)
	{
		vci_json_free(response);
		return NULL;
	}
	return response;
}

int32_t
vci_deferred_wait(const VciJson *answer)
{
	int64_t seconds;

	if (!vci_json_int64(answer, &seconds) || seconds < 1 || seconds > VCI_MAX_WAIT)
		return 0;
	return (int32_t) seconds;
}

VciStatus
vci_deferred_decide(const VciDeferredFacts *facts, const VciIssuer *issuer, int64_t now,
					VciDeferredStep *step, VciError *error)
{
	/* section 9.1: the transaction ends once the wallet has its credential */
	if (facts->issued)
	{
		*step = VCI_DEFERRED_REPEAT;
		if (facts->issued_ago >= 0 && facts->issued_ago <= issuer->retry_window &&
			issuer->retry_window > 0)
			return VCI_OK;
		return vci_error(error, VCI_ERR_TRANSACTION,
						 "the credential of this transaction_id was fetched already");
	}
	if (facts->denied)
		return vci_error(error, VCI_ERR_DENIED, "the issuer decided not to issue this credential");
	if (facts->expires_at <= now)
		return vci_error(error, VCI_ERR_TRANSACTION,
						 "this transaction_id has expired; ask the issuer for a new offer");
	*step = facts->completed || facts->by_source ? VCI_DEFERRED_ISSUE : VCI_DEFERRED_WAIT;
	return VCI_OK;
}
