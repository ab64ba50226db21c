#include "compat.h"

#include "utils/builtins.h"

#include "../protocol/offer.h"
#include "dpop.h"
#include "durability.h"
#include "duty.h"
#include "issuance.h"
#include "release.h"
#include "sql_request.h"
#include "token_endpoint.h"
#include "token_grant.h"
#include "values.h"

char *
vci_new_nonce(const VciIssuerEntry *issuer)
{
	char *nonce = palloc(VCI_NONCE_SIZE);
	VciError error = VCI_ERROR_INIT;

	vci_require(vci_nonce_make(&issuer->ticket_keys, VCI_NONCE_CREDENTIAL, issuer->rules.id,
							   issuer->epoch, vci_now(), nonce, &error),
				&error);
	return nonce;
}

static VciStatus
redeem(VciTokenCall *call, VciError *error)
{
	switch (call->request->grant)
	{
		case VCI_BY_PRE_AUTHORIZED_CODE:
			return vci_grant_pre_authorized(call, error);
		case VCI_BY_AUTHORIZATION_CODE:
			return vci_grant_authorization_code(call, error);
		case VCI_BY_REFRESH_TOKEN:
			return vci_grant_refresh(call, error);
	}
	return vci_error(error, VCI_ERR_INTERNAL, "unknown grant");
}

/* What the grant led to, as the wallet reads it. */
static VciAnswer *
answer_of(const VciTokenCall *call, VciStatus status, const VciError *error)
{
	VciAnswer *answer = status == VCI_OK ? vci_answer_no_store(200, call->response)
										 : vci_answer_error(error, VCI_ASKER_TOKEN, NULL);

	if (status == VCI_ERR_TOO_MANY)
		vci_answer_header(answer, "Retry-After", psprintf("%d", call->retry_after));
	vci_dpop_add_headers(answer, call->issuer);
	return answer;
}

static VciStatus
read_request(const VciIssuerEntry *issuer, const VciHttpRequest *http, VciTokenRequest *request,
			 VciError *error)
{
	VciStatus status = vci_check_issuance(issuer, error);

	if (status == VCI_OK)
		status = vci_http_content_type_check(http, "application/x-www-form-urlencoded", error);
	if (status == VCI_OK)
		status =
			vci_token_request_parse(http->body, http->body_len, issuer->rules.url, request, error);
	return status;
}

VciAnswer *
vci_token_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	VciTokenRequest *request = vci_own_token_request();
	VciTokenCall call = {.store = store, .issuer = issuer, .http = http, .request = request};
	VciError error = VCI_ERROR_INIT;
	VciStatus status = read_request(issuer, http, request, &error);

	if (status == VCI_OK)
		status = redeem(&call, &error);
	return answer_of(&call, status, &error);
}

PG_FUNCTION_INFO_V1(vci_request_token);

/* openid4vci.vci_request_token(parameters jsonb, dpop text, issuer text) returns jsonb */
Datum
vci_request_token(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_OFFERER);
	VciHttpRequest *http =
		vci_sql_form(vci_arg_json(fcinfo, 0, "parameters"), vci_arg_text(fcinfo, 1));
	VciAnswer *answer;

	vci_require_durability();
	vci_cache_unseal(issuer);
	answer = vci_token_endpoint(store, issuer, http);
	vci_store_close(store);
	PG_RETURN_DATUM(vci_sql_result(answer));
}

PG_FUNCTION_INFO_V1(vci_exchange_code);

/* openid4vci.vci_exchange_code(pre_authorized_code text, tx_code text, issuer text)
 * returns jsonb */
Datum
vci_exchange_code(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_OFFERER);
	VciTokenRequest request = {.grant = VCI_BY_PRE_AUTHORIZED_CODE};
	VciHttpRequest no_headers = {.method = "POST"};
	VciTokenCall call = {.store = store, .issuer = issuer, .request = &request};
	VciError error = VCI_ERROR_INIT;
	VciStatus status;
	VciAnswer *answer;

	vci_require_durability();
	vci_cache_unseal(issuer);
	call.http = &no_headers;
	request.credential = vci_arg_text_required(fcinfo, 0, "pre_authorized_code");
	request.tx_code = vci_arg_text(fcinfo, 1);
	if (request.tx_code != NULL && request.tx_code[0] == '\0')
		request.tx_code = NULL; /* as in a form: no value is as good as omitted */
	status = vci_check_issuance(issuer, &error);
	if (status == VCI_OK)
		status = redeem(&call, &error);
	answer = answer_of(&call, status, &error);
	vci_store_close(store);
	PG_RETURN_DATUM(vci_sql_result(answer));
}

PG_FUNCTION_INFO_V1(vci_create_nonce);

/* openid4vci.vci_create_nonce(issuer text) returns text */
Datum
vci_create_nonce(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_OFFERER);
	char *nonce;

	vci_cache_unseal(issuer);
	nonce = vci_new_nonce(issuer);

	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(nonce));
}
