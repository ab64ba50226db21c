#include "compat.h"

#include "../protocol/notification.h"
#include "access.h"
#include "dpop.h"
#include "duty.h"
#include "event.h"
#include "notification_endpoint.h"
#include "release.h"
#include "sql_request.h"
#include "values.h"

typedef struct NotificationCall
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	VciNotification *notification;
	VciAccess access;
	int64 now;
	int64_t credential_id;
	int32_t generation;
} NotificationCall;

/* Token and notification_id by their MACs, before any row is read. */
static VciStatus
open_request(NotificationCall *call, VciError *error)
{
	VciNotification *notification = call->notification;
	VciStatus status = vci_access_open(call->store, call->issuer, call->http,
									   VCI_ENDPOINT_NOTIFICATION, &call->access, error);

	if (status == VCI_OK)
		status = vci_http_content_type_check(call->http, "application/json", error);
	if (status == VCI_OK)
		status =
			vci_notification_parse(call->http->body, call->http->body_len, notification, error);
	if (status == VCI_OK)
		status = vci_ticket_open(&call->issuer->ticket_keys, VCI_TICKET_NOTIFICATION,
								 notification->id, strlen(notification->id), &call->credential_id,
								 &call->generation, error);
	return status;
}

/*
 * A wallet may tell long after: an expired token still speaks for the credentials that were
 * issued under itself, a live one for all of its offer.
 */
static VciStatus
note_notification(const NotificationCall *call, VciError *error)
{
	const VciTokenRow *token = call->access.token;
	const VciOfferRow *offer = call->access.offer;
	bool expired = token->expires_at <= call->now;
	bool changed = false;

	if (call->generation != offer->generation ||
		!vci_store_note_notification(call->store, call->credential_id, offer->id,
									 expired ? token->id : 0, call->notification->event,
									 call->notification->description, &changed))
		return expired ? vci_error(error, VCI_ERR_TOKEN, "this access token has expired")
					   : vci_error(error, VCI_ERR_NOTIFICATION_ID,
								   "this notification_id belongs to no credential of this access "
								   "token's offer");
	if (changed)
		vci_note(call->store, call->issuer,
				 (VciEvent){.kind = call->notification->event,
							.offer_id = offer->id,
							.token_id = token->id,
							.credential_id = call->credential_id});
	return VCI_OK;
}

static VciAnswer *
answer_noted(void)
{
	VciAnswer *answer = vci_answer_new(204);

	vci_answer_header(answer, "Cache-Control", "no-store");
	return answer;
}

VciAnswer *
vci_notification_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	NotificationCall call = {.store = store, .issuer = issuer, .http = http, .now = vci_now()};
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer;
	VciStatus status;

	call.notification = vci_own_notification();
	status = open_request(&call, &error);
	if (status == VCI_OK)
		status = vci_access_lock(store, issuer, call.now, true, &call.access, &error);
	if (status == VCI_OK)
		status = note_notification(&call, &error);
	answer =
		status == VCI_OK ? answer_noted() : vci_answer_error(&error, VCI_ASKER_NOTIFICATION, NULL);
	vci_dpop_add_headers(answer, issuer);
	return answer;
}

static char *
notification_body(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"notification_id", "event", "event_description"};
	VciJson **body = vci_own_json();
	char **text = vci_own_text();

	vci_require_memory(*body = vci_json_new_object());
	for (int i = 0; i < 3; i++)
	{
		char *value = vci_arg_text(fcinfo, i + 1);

		if (value != NULL)
			vci_require_done(vci_json_set_string(*body, names[i], value));
	}
	vci_require_memory(*text = vci_json_print(*body));
	return *text;
}

PG_FUNCTION_INFO_V1(vci_record_notification);

/* openid4vci.vci_record_notification(access_token text, notification_id text, event text,
 * event_description text, dpop text, issuer text) returns jsonb */
Datum
vci_record_notification(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *access_token = vci_arg_text_required(fcinfo, 0, "access_token");
	char *dpop = vci_arg_text(fcinfo, 4);
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 5), VCI_DUTY_OFFERER);
	VciAnswer *answer;

	vci_cache_unseal(issuer);
	answer = vci_notification_endpoint(store, issuer,
									   vci_sql_json(notification_body(fcinfo), access_token, dpop));
	vci_store_close(store);
	PG_RETURN_DATUM(vci_sql_result(answer));
}
