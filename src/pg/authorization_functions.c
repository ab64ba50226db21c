/*
 * SQL functions of the authorization code flow: what a registry's own login page calls, and
 * the work of both authorization endpoints.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "authorization.h"
#include "authorization_endpoint.h"
#include "duty.h"
#include "issuance.h"
#include "release.h"
#include "sql_request.h"
#include "values.h"

#define SUBJECT_MAX_BYTES 255
#define REASON_MAX_BYTES  1000

PG_FUNCTION_INFO_V1(vci_push_authorization);

/* openid4vci.vci_push_authorization(parameters jsonb, dpop text, issuer text) returns jsonb */
Datum
vci_push_authorization(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_OFFERER);
	VciHttpRequest *request =
		vci_sql_form(vci_arg_json(fcinfo, 0, "parameters"), vci_arg_text(fcinfo, 1));
	VciAnswer *answer;

	vci_cache_unseal(issuer);
	answer = vci_par_endpoint(store, issuer, request);
	vci_store_close(store);
	PG_RETURN_DATUM(vci_sql_result(answer));
}

static void
set_string(VciJson *object, const char *name, const char *value)
{
	if (value != NULL)
		vci_require_done(vci_json_set_string(object, name, value));
}

PG_FUNCTION_INFO_V1(vci_authorize);

/* openid4vci.vci_authorize(parameters jsonb, issuer text) returns jsonb */
Datum
vci_authorize(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_OFFERER);
	VciHttpRequest *request = vci_sql_form(vci_arg_json(fcinfo, 0, "parameters"), NULL);
	VciError error = VCI_ERROR_INIT;
	VciBrowserAnswer browser;
	VciJson **result = vci_own_json();

	vci_cache_unseal(issuer);
	vci_require_memory(*result = vci_json_new_object());
	if (vci_authorize_browser(store, issuer, request, &browser, &error) == VCI_OK)
	{
		set_string(*result, "location", browser.location);
		set_string(*result, "set_cookie", browser.set_cookie);
	}
	else if (vci_is_server_fault(error.code))
		vci_raise(&error);
	else
	{
		set_string(*result, "error", vci_oauth_error(error.code, VCI_ASKER_AUTHORIZATION).code);
		set_string(*result, "error_description", error.text);
	}
	vci_store_close(store);
	PG_RETURN_DATUM(vci_jsonb_datum(*result));
}

/* Whose ticket is it? NULL url: one of all the issuers that the caller may speak for. */
static VciIssuerEntry *
issuer_of_ticket(VciStore *store, const char *url, const char *request)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	VciIssuerEntry *named = url == NULL ? NULL : vci_issuer_with_duty(store, url, VCI_DUTY_OFFERER);

	for (int i = 0; i < count; i++)
	{
		VciError error = VCI_ERROR_INIT;
		int64_t id;
		int32_t generation;
		VciStatus status;

		if (named == NULL ? !vci_has_duty(store, VCI_DUTY_OFFERER, issuers[i].rules.id)
						  : named->rules.id != issuers[i].rules.id)
			continue;
		vci_cache_unseal(vci_cache_load(store, &issuers[i]));
		status = vci_ticket_open(&issuers[i].ticket_keys, VCI_TICKET_LOGIN, request,
								 strlen(request), &id, &generation, &error);
		if (status == VCI_OK)
			return &issuers[i];
		if (vci_is_server_fault(status))
			vci_raise(&error);
	}
	return NULL;
}

/* The wallet has to begin anew, whatever the operator does. */
static _Noreturn void
raise_over(const VciError *error)
{
	if (vci_is_server_fault(error->code))
		vci_raise(error);
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", error->text),
					errhint("The person starts again in the wallet.")));
}

/* The request that a login page was given, for a caller who may decide it. */
static VciAuthorizationRow *
find_request(FunctionCallInfo fcinfo, VciStore *store, int issuer_argument, bool lock,
			 VciIssuerEntry **issuer)
{
	char *request = vci_arg_text_required(fcinfo, 0, "request");
	VciAuthorizationRow *row;
	VciError error = VCI_ERROR_INIT;

	*issuer = issuer_of_ticket(store, vci_arg_text(fcinfo, issuer_argument), request);
	if (*issuer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no such authorization request of an issuer that you make offers "
						"for"),
				 errhint("request is the parameter of that name that came to the login page.")));
	if (vci_authorization_find(store, *issuer, request, lock, &row, &error) != VCI_OK)
		raise_over(&error);
	return row;
}

PG_FUNCTION_INFO_V1(vci_authorization_request);

/* openid4vci.vci_authorization_request(request text, issuer text) returns jsonb */
Datum
vci_authorization_request(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciAuthorizationRow *row = find_request(fcinfo, store, 1, false, &issuer);
	VciJson *json = vci_authorization_json(store, issuer, row);

	vci_store_close(store);
	PG_RETURN_DATUM(vci_jsonb_datum(json));
}

/* What the person's offer will hold; for an offer that is there already, nothing may be said. */
static void
read_contents(FunctionCallInfo fcinfo, const VciAuthorizationRow *row, VciApproval *approval)
{
	static const char *const option_members[] = {"labels", "datasets", NULL};
	VciJson *options = vci_arg_json(fcinfo, 4, "options");
	VciJson *labels = vci_json_get(options, "labels");
	VciJson *datasets = vci_json_get(options, "datasets");
	VciJson *claims = vci_arg_json(fcinfo, 3, "claims");

	vci_check_members(options, "options", option_members);
	if (labels != NULL && vci_json_kind(labels) != VCI_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels must be a JSON object")));
	if (row->offer_id != 0 && !row->approved &&
		(claims != NULL || labels != NULL || datasets != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this request is for offer %lld, whose own claims, labels and datasets "
						"count",
						(long long) row->offer_id),
				 errhint("Give subject_model and subject_id alone.")));
	if (claims != NULL)
		approval->claims = PG_GETARG_DATUM(3);
	if (labels != NULL)
		approval->labels = vci_jsonb_datum(labels);
	if (datasets != NULL)
		approval->datasets = vci_jsonb_datum(datasets);
}

static void
read_subject(FunctionCallInfo fcinfo, const VciAuthorizationRow *row, VciApproval *approval)
{
	approval->subject_model = vci_arg_text(fcinfo, 1);
	approval->subject_id = vci_arg_text(fcinfo, 2);
	vci_check_text(approval->subject_model, "subject_model", SUBJECT_MAX_BYTES);
	vci_check_text(approval->subject_id, "subject_id", SUBJECT_MAX_BYTES);
	if (row->offer_id != 0 && !row->approved && approval->subject_id == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("this request is for offer %lld: subject_id must say who logged in",
							   (long long) row->offer_id)));
}

PG_FUNCTION_INFO_V1(vci_authorize_approve);

/* openid4vci.vci_authorize_approve(request text, subject_model text, subject_id text,
 * claims jsonb, options jsonb, issuer text) returns text */
Datum
vci_authorize_approve(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciAuthorizationRow *row = find_request(fcinfo, store, 5, true, &issuer);
	VciApproval approval = {0};
	VciError error = VCI_ERROR_INIT;
	VciStatus status;
	char *location;

	/* the code could not be exchanged before its time is over */
	vci_require_issuance(issuer);
	read_subject(fcinfo, row, &approval);
	read_contents(fcinfo, row, &approval);
	status = vci_authorization_approve(store, issuer, row, &approval, &location, &error);
	if (status == VCI_ERR_ACCESS_DENIED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("offer %lld is for another subject than the one that logged in",
						(long long) row->offer_id),
				 errhint("Whoever holds an offer's link can begin: approve it for its own subject "
						 "alone (subject_model and subject_id as in vci_create_offer), and deny it "
						 "for anybody else.")));
	if (status != VCI_OK)
		raise_over(&error);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(location));
}

PG_FUNCTION_INFO_V1(vci_authorize_deny);

/* openid4vci.vci_authorize_deny(request text, reason text, issuer text) returns text */
Datum
vci_authorize_deny(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciAuthorizationRow *row = find_request(fcinfo, store, 2, true, &issuer);
	char *reason = vci_arg_text(fcinfo, 1);
	VciError error = VCI_ERROR_INIT;
	char *location;

	vci_check_text(reason, "reason", REASON_MAX_BYTES);
	if (vci_authorization_deny(store, issuer, row, reason, true, &location, &error) != VCI_OK)
		raise_over(&error);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(location));
}
