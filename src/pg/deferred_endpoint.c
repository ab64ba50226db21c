#include "compat.h"

#include "miscadmin.h"

#include "../protocol/deferred.h"
#include "backend_curves.h"
#include "credential_call.h"
#include "deferred_endpoint.h"
#include "dpop.h"
#include "durability.h"
#include "duty.h"
#include "event.h"
#include "offer_end.h"
#include "offer_functions.h"
#include "release.h"
#include "sql_request.h"
#include "values.h"

typedef struct DeferredCall
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	VciDeferredRequest *request;
	VciAccess access;
	int64 now;
	int64_t id;
	int32_t generation;
	VciDeferredRow *row;
	int position; /* of its configuration */
	VciDataset dataset;
	const VciJson *jwks; /* a credential for each */
	int count;
} DeferredCall;

/* Token and transaction_id by their MACs, before any row is read. */
static VciStatus
open_request(DeferredCall *call, VciError *error)
{
	VciStatus status = vci_check_issuance(call->issuer, error);

	if (status == VCI_OK)
		status = vci_access_open(call->store, call->issuer, call->http,
								 VCI_ENDPOINT_DEFERRED_CREDENTIAL, &call->access, error);
	if (status == VCI_OK)
		status = vci_http_content_type_check(call->http, "application/json", error);
	if (status == VCI_OK)
		status = vci_deferred_request_parse(call->http->body, call->http->body_len, call->request,
											error);
	if (status == VCI_OK)
		status = vci_ticket_open(
			&call->issuer->ticket_keys, VCI_TICKET_DEFERRED, call->request->transaction_id,
			strlen(call->request->transaction_id), &call->id, &call->generation, error);
	return status;
}

/*
 * The deferral, locked after token and offer. The token that asked is good for it beyond its
 * own lifetime, because waiting may take longer; any other one of the offer while it lives.
 */
static VciStatus
find_deferral(DeferredCall *call, VciError *error)
{
	const VciTokenRow *token = call->access.token;
	const VciOfferRow *offer = call->access.offer;
	VciDeferredRow *row = vci_store_deferred(call->store, call->id, offer->id);
	bool found;

	/* the locks may have taken their time; the claims of an expired deferral may be erased */
	call->now = vci_now();
	found = row != NULL && row->issuer_id == call->issuer->rules.id &&
			row->generation == call->generation && row->generation == offer->generation;

	if (token->expires_at <= call->now &&
		(!found || row->token_id != token->id || row->expires_at <= call->now))
		return vci_error(error, VCI_ERR_TOKEN, "this access token has expired");
	if (!found)
		return vci_error(error, VCI_ERR_TRANSACTION,
						 "this transaction_id belongs to no credential of this access token's "
						 "offer");
	call->row = row;
	return VCI_OK;
}

static VciStatus
decide(const DeferredCall *call, VciDeferredStep *step, VciError *error)
{
	const VciDeferredRow *row = call->row;
	VciDeferredFacts facts = {.issued = row->issued,
							  .issued_ago = row->issued_ago,
							  .denied = row->denied,
							  .completed = row->completed,
							  .by_source = row->by_source,
							  .expires_at = row->expires_at};

	return vci_deferred_decide(&facts, &call->issuer->rules, call->now, step, error);
}

/* What it will hold; the decision's claims, when it brought any, stand for the offer's. */
static VciStatus
find_dataset(DeferredCall *call, VciError *error)
{
	const VciOfferRow *offer = call->access.offer;
	const VciDeferredRow *row = call->row;
	VciDataset of_offer = {.subject_model = offer->subject_model,
						   .subject_id = offer->subject_id,
						   .claims = vci_offer_claims(offer)};

	call->position = vci_cache_find_configuration(call->issuer, row->configuration_id);
	if (call->position < 0 || !vci_dataset_find(vci_offer_datasets(offer), row->configuration_id,
												row->dataset, &of_offer, &call->dataset))
		return vci_error(error, VCI_ERR_DENIED, "this credential is no longer issued");
	if (row->claims != NULL)
		call->dataset.claims = vci_stored_json(row->claims);
	call->jwks = vci_stored_json(row->holder_jwks);
	call->count = (int) vci_json_array_length(call->jwks);
	if (call->count < 1 || call->count > VCI_MAX_PROOFS)
		elog(ERROR, "deferral %lld holds %d keys", (long long) row->id, call->count);
	return VCI_OK;
}

static VciAnswer *
answer_wait(const DeferredCall *call, int32 wait)
{
	VciJson **body = vci_own_json();

	vci_store_note_poll(call->store, call->row, wait);
	*body = vci_deferred_response(VCI_RESPONSE_CREDENTIALS, call->request->transaction_id, wait);
	vci_require_memory(*body);
	return vci_answer_no_store(202, *body);
}

static const VciConfiguration *
configuration_of(const DeferredCall *call)
{
	return &call->issuer->configurations[call->position];
}

static VciSignedCredential
sign(const DeferredCall *call, const VciJson *claims, int n, const VciStatusPlace *status,
	 int64 issued_at)
{
	CHECK_FOR_INTERRUPTS();
	return vci_sign_credential(call->issuer, call->position, call->row->format, claims,
							   vci_json_array_at(call->jwks, n), status, issued_at);
}

static const char *
thumbprint_of(const VciJson *jwk)
{
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;
	char *thumbprint = palloc(VCI_THUMBPRINT_SIZE);

	vci_require(vci_key_from_public_jwk_on(vci_backend_curves(), jwk, key, &error), &error);
	vci_require(vci_key_thumbprint(*key, thumbprint, &error), &error);
	return thumbprint;
}

/* Under the token that asked, whichever one of the offer fetches it. */
static int64
record(const DeferredCall *call, int n, const VciStatusPlace *status, int64 expires_at)
{
	const VciDeferredRow *deferred = call->row;
	const VciJson *jwk = vci_json_array_at(call->jwks, n);
	VciNewCredential row = {.issuer_id = call->issuer->rules.id,
							.offer_id = deferred->offer_id,
							.token_id = deferred->token_id,
							.key_id = call->issuer->signing.id,
							.dataset = deferred->dataset,
							.instance = n + 1,
							.issued_at = call->now,
							.expires_at = expires_at,
							.configuration_id = deferred->configuration_id,
							.format = deferred->format,
							.subject_model = call->dataset.subject_model,
							.subject_id = call->dataset.subject_id,
							.holder_thumbprint = jwk ? thumbprint_of(jwk) : NULL,
							.status_list_id = status->list_id,
							.status_index = status->entry.index};
	int64 id = vci_store_insert_credential(call->store, &row);

	vci_note(call->store, call->issuer,
			 (VciEvent){.kind = VCI_EVENT_CREDENTIAL_ISSUED,
						.offer_id = deferred->offer_id,
						.token_id = deferred->token_id,
						.deferred_id = deferred->id,
						.credential_id = id});
	return id;
}

static VciAnswer *
answer_issued(const DeferredCall *call, const char *const *credentials, int64 first_id)
{
	VciJson **body = vci_own_json();
	VciResponseShape shape;

	if (!vci_response_shape_by_name(call->row->response_shape, &shape))
		elog(ERROR, "deferral %lld has an unknown shape", (long long) call->row->id);
	*body = vci_credential_response(
		shape, call->row->format, credentials, call->count,
		vci_notification_id(call->issuer, first_id, call->access.offer->generation));
	vci_require_memory(*body);
	return vci_answer_no_store(200, *body);
}

/* A token other than the one that asked is there only where refresh tokens are. */
static int64
end_after_issuing(const DeferredCall *call)
{
	if (call->access.token->id != call->row->token_id)
		return 0;
	return vci_end_after_issuing(call->store, call->issuer, &call->access,
								 vci_offer_datasets(call->access.offer), call->now);
}

static VciAnswer *
issue(const DeferredCall *call, const VciJson *claims)
{
	VciSignedCredential credentials[VCI_MAX_PROOFS];
	VciStatusPlace statuses[VCI_MAX_PROOFS];
	const char *texts[VCI_MAX_PROOFS];
	int64 first_id = 0;

	for (int i = 0; i < call->count; i++)
	{
		statuses[i] = vci_allot_status(call->store, call->issuer, configuration_of(call));
		credentials[i] = sign(call, claims, i, &statuses[i], call->now);
		texts[i] = credentials[i].sd_jwt;
	}
	for (int i = 0; i < call->count; i++)
	{
		int64 id = record(call, i, &statuses[i], credentials[i].expires_at);

		if (i == 0)
			first_id = id;
	}
	vci_store_issue_deferred(call->store, call->row);
	vci_store_mark_issued(call->store, call->access.offer->id, end_after_issuing(call));
	return answer_issued(call, texts, first_id);
}

/* The answer may have got lost: the same records' credentials again. */
static VciAnswer *
repeat(const DeferredCall *call, const VciJson *claims)
{
	const char *texts[VCI_MAX_PROOFS];
	int64 key_id = call->issuer->signing.id;
	int count;
	VciCredentialRow *rows =
		vci_store_credentials_of_token(call->store, call->row->token_id, call->row->offer_id,
									   call->row->configuration_id, call->row->dataset, &count);

	if (count != call->count)
		elog(ERROR, "deferral %lld has %d credentials, not %d", (long long) call->row->id, count,
			 call->count);
	for (int i = 0; i < count; i++)
	{
		VciStatusPlace status = vci_recorded_status(call->store, &rows[i], configuration_of(call));

		texts[i] = sign(call, claims, i, &status, rows[i].issued_at).sd_jwt;
		if (rows[i].key_id != key_id)
			vci_store_set_credential_key(call->store, rows[i].id, call->row->offer_id, key_id);
	}
	return answer_issued(call, texts, rows[0].id);
}

static VciStatus
answer_deferral(DeferredCall *call, VciAnswer **answer, VciError *error)
{
	VciDeferredStep step;
	const VciJson *claims;
	int32 wait;
	VciStatus status = decide(call, &step, error);

	if (status != VCI_OK)
		return status;
	if (step == VCI_DEFERRED_WAIT)
	{
		*answer = answer_wait(call, call->row->wait_seconds);
		return VCI_OK;
	}
	vci_cache_require_key(call->issuer);
	status = vci_check_claims_kept(call->access.offer, error);
	if (status == VCI_OK)
		status = find_dataset(call, error);
	if (status == VCI_OK)
		status = vci_collect_claims(call->store, call->issuer, call->position, &call->dataset,
									&claims, &wait, error);
	if (status != VCI_OK)
		return status;
	if (wait > 0)
		*answer = answer_wait(call, wait);
	else if (step == VCI_DEFERRED_REPEAT)
		*answer = repeat(call, claims);
	else
		*answer = issue(call, claims);
	return VCI_OK;
}

VciAnswer *
vci_deferred_credential_endpoint(VciStore *store, const VciIssuerEntry *issuer,
								 const VciHttpRequest *http)
{
	DeferredCall call = {.store = store, .issuer = issuer, .http = http, .now = vci_now()};
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer = NULL;
	VciStatus status;

	call.request = vci_own_deferred_request();
	status = open_request(&call, &error);
	if (status == VCI_OK)
		status = vci_access_lock(store, issuer, call.now, true, &call.access, &error);
	if (status == VCI_OK)
		status = find_deferral(&call, &error);
	if (status == VCI_OK)
		status = answer_deferral(&call, &answer, &error);
	if (status != VCI_OK)
		answer = vci_answer_error(&error, VCI_ASKER_DEFERRED, NULL);
	vci_dpop_add_headers(answer, issuer);
	return answer;
}

static char *
request_body(FunctionCallInfo fcinfo)
{
	char *transaction_id = vci_arg_text_required(fcinfo, 1, "transaction_id");
	VciJson **body = vci_own_json();
	char **text = vci_own_text();

	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(vci_json_set_string(*body, "transaction_id", transaction_id));
	vci_require_memory(*text = vci_json_print(*body));
	return *text;
}

PG_FUNCTION_INFO_V1(vci_request_deferred);

/* openid4vci.vci_request_deferred(access_token text, transaction_id text, dpop text,
 * issuer text) returns jsonb */
Datum
vci_request_deferred(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *access_token = vci_arg_text_required(fcinfo, 0, "access_token");
	char *dpop = vci_arg_text(fcinfo, 2);
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 3), VCI_DUTY_OFFERER);
	VciAnswer *answer;

	vci_require_durability();
	vci_cache_unseal(issuer);
	answer = vci_deferred_credential_endpoint(
		store, issuer, vci_sql_json(request_body(fcinfo), access_token, dpop));
	vci_store_close(store);
	PG_RETURN_DATUM(vci_sql_result(answer));
}
