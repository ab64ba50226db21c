#include "compat.h"

#include "utils/jsonb.h"

#include "credential_call.h"
#include "credential_endpoint.h"
#include "dpop.h"
#include "durability.h"
#include "duty.h"
#include "release.h"
#include "sql_request.h"
#include "values.h"

/* Signs, spends the nonces, records. The nonces come first of what is written. */
static VciStatus
answer_request(VciCredentialSession *session, const VciCredentialRequest *request,
			   VciAnswer **answer, VciError *error)
{
	VciCredentialCall *call = palloc0(sizeof(VciCredentialCall));
	VciJson *body;
	int http_status;
	VciStatus status;

	call->session = session;
	call->request = request;
	status = vci_credential_call_check(call, error);
	if (status == VCI_OK && !vci_credential_call_repeats(call))
		status = vci_credential_session_spend(session, error);
	if (status != VCI_OK)
		return status;
	vci_credential_call_record(call);
	body = vci_credential_call_response(call, &http_status);
	*answer = vci_answer_no_store(http_status, body);
	return VCI_OK;
}

VciAnswer *
vci_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	VciCredentialSession session = {.store = store, .issuer = issuer};
	VciCredentialRequest *request = vci_own_credential_request();
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer = NULL;
	VciStatus status = vci_credential_session_open(&session, http, VCI_ENDPOINT_CREDENTIAL, &error);

	if (status == VCI_OK)
		status = vci_credential_request_parse(http->body, http->body_len, request, &error);
	if (status == VCI_OK)
		status = vci_credential_session_lock(&session, &error);
	if (status == VCI_OK)
		status = answer_request(&session, request, &answer, &error);
	if (status != VCI_OK)
		answer = vci_credential_refuse(issuer, vci_credential_request_is_older(request), &error);
	vci_dpop_add_headers(answer, issuer);
	return answer;
}

/* The same text for the same request, so that a repeated one is recognised. */
static char *
request_text(FunctionCallInfo fcinfo)
{
	Jsonb *request;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("request must not be null")));
	request = PG_GETARG_JSONB_P(1);
	return JsonbToCString(NULL, &request->root, VARSIZE(request));
}

PG_FUNCTION_INFO_V1(vci_request_credential);

/* openid4vci.vci_request_credential(access_token text, request jsonb, dpop text, issuer text)
 * returns jsonb */
Datum
vci_request_credential(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *access_token = vci_arg_text_required(fcinfo, 0, "access_token");
	char *request = request_text(fcinfo);
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 3), VCI_DUTY_OFFERER);
	VciAnswer *answer;

	vci_require_durability();
	vci_cache_unseal(issuer);
	answer = vci_credential_endpoint(store, issuer,
									 vci_sql_json(request, access_token, vci_arg_text(fcinfo, 2)));
	vci_store_close(store);
	PG_RETURN_DATUM(vci_sql_result(answer));
}
