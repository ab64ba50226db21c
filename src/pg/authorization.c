#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/datetime.h"
#include "utils/json.h"

#include "../protocol/redirect.h"
#include "authorization.h"
#include "event.h"
#include "offer_functions.h"
#include "release.h"
#include "ticket.h"
#include "values.h"

VciStatus
vci_authorization_check_client(const VciIssuerEntry *issuer, const char *client_id,
							   const char *redirect_uri, const VciClientRow **client,
							   VciError *error)
{
	*client = vci_cache_find_client(issuer, client_id);
	if (*client == NULL)
		return vci_error(error, VCI_ERR_CLIENT, "this wallet (client_id) is not registered here");
	if (redirect_uri == NULL ||
		!vci_redirect_uri_registered((const char *const *) (*client)->redirect_uris,
									 (*client)->redirect_uri_count, redirect_uri))
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri is none of those that this wallet is registered with");
	return VCI_OK;
}

VciStatus
vci_authorization_find(VciStore *store, const VciIssuerEntry *issuer, const char *request,
					   bool lock, VciAuthorizationRow **row, VciError *error)
{
	const VciClientRow *client;
	int64_t id;
	int32_t generation;
	VciStatus status = vci_ticket_open(&issuer->ticket_keys, VCI_TICKET_LOGIN, request,
									   strlen(request), &id, &generation, error);

	*row = NULL;
	if (status != VCI_OK)
		return status;
	*row = vci_store_authorization(store, id, lock);
	if (*row == NULL || (*row)->issuer_id != issuer->rules.id || (*row)->generation != generation)
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "this request no longer exists; start again in your wallet");
	/* an operator may have thrown the wallet out since */
	return vci_authorization_check_client(issuer, (*row)->client_id, (*row)->redirect_uri, &client,
										  error);
}

char *
vci_authorization_ticket(const VciIssuerEntry *issuer, const VciAuthorizationRow *row)
{
	return vci_issuer_ticket(issuer, VCI_TICKET_LOGIN, row->id, row->generation);
}

/* What rules out any decision, also a repeated one. */
static VciStatus
check_not_over(const VciAuthorizationRow *row, int64 now, VciError *error)
{
	if (row->redeemed)
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "this request was approved and its code is used up");
	if (now >= (row->approved ? row->code_expires_at : row->expires_at))
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "the time for this request is over; start again in your wallet");
	return VCI_OK;
}

VciStatus
vci_authorization_check_pending(const VciAuthorizationRow *row, int64 now, VciError *error)
{
	if (row->approved || row->denied)
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "this request was %s already; start again in your wallet",
						 row->approved ? "approved" : "denied");
	return check_not_over(row, now, error);
}

static char *
location_of(const char *redirect_uri, const VciRedirectParameter *parameters, size_t count)
{
	char **location = vci_own_text();

	vci_require_memory(*location = vci_redirect_build(redirect_uri, parameters, count));
	return *location;
}

char *
vci_authorization_error_location(const VciIssuerEntry *issuer, const char *redirect_uri,
								 const char *state, const VciError *error)
{
	VciRedirectParameter parameters[] = {
		{"error", vci_oauth_error(error->code, VCI_ASKER_AUTHORIZATION).code},
		{"error_description", error->text},
		{"state", state},
		{"iss", issuer->rules.url}, /* RFC 9207: which server it was */
	};

	if (vci_is_server_fault(error->code))
		vci_raise(error);
	return location_of(redirect_uri, parameters, lengthof(parameters));
}

static char *
code_location(const VciIssuerEntry *issuer, const VciAuthorizationRow *row)
{
	VciRedirectParameter parameters[] = {
		{"code",
		 vci_issuer_ticket(issuer, VCI_TICKET_AUTHORIZATION_CODE, row->id, row->generation)},
		{"state", row->state},
		{"iss", issuer->rules.url},
	};

	return location_of(row->redirect_uri, parameters, lengthof(parameters));
}

/* The locked offer of a request that has one. */
static VciStatus
find_good_offer(VciStore *store, const VciAuthorizationRow *row, int64 now, VciOfferRow **offer,
				VciError *error)
{
	VciOfferRow *found = vci_store_offer(store, row->offer_id, true);

	*offer = found;
	if (found == NULL || found->issuer_id != row->issuer_id)
		return vci_error(error, VCI_ERR_ISSUER_STATE, "the offer of this request is gone");
	if (found->cancelled || found->redeemed)
		return vci_error(error, VCI_ERR_ISSUER_STATE, "the offer of this request is %s",
						 found->cancelled ? "cancelled" : "redeemed already");
	if (found->generation != row->offer_generation)
		return vci_error(error, VCI_ERR_ISSUER_STATE,
						 "the link of this offer was replaced by a newer one");
	if (!row->approved && now >= found->expires_at)
		return vci_error(error, VCI_ERR_ISSUER_STATE, "the offer of this request has expired");
	return VCI_OK;
}

/*
 * Whoever holds the link of an offer can begin here: only the person whom the offer is for may
 * be approved. An offer that names no person has nobody to compare with.
 */
static VciStatus
check_subject(const VciAuthorizationRow *row, const VciOfferRow *offer, const VciApproval *approval,
			  VciError *error)
{
	bool same = vci_same_text(offer->subject_model, approval->subject_model) &&
				vci_same_text(offer->subject_id, approval->subject_id);

	if (row->approved && !same)
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "this request was approved already for another subject");
	if (!row->approved && (!same || offer->subject_id == NULL))
		return vci_error(error, VCI_ERR_ACCESS_DENIED,
						 "the offer of this request is for somebody else");
	return VCI_OK;
}

/*
 * Of what was asked for, what was not retired since, as the person read it. False when that is
 * nothing.
 */
static bool
choose_configurations(const VciIssuerEntry *issuer, const VciAuthorizationRow *row,
					  VciNewOffer *offer)
{
	offer->configuration_ids = palloc(sizeof(char *) * Max(row->configuration_count, 1));
	offer->configuration_count = 0;
	for (int i = 0; i < row->configuration_count; i++)
		if (vci_cache_find_configuration(issuer, row->configuration_ids[i]) >= 0)
			offer->configuration_ids[offer->configuration_count++] = row->configuration_ids[i];
	return offer->configuration_count > 0;
}

/* An offer of its own, so that claims, holder, reports and cancelling work as for any other. */
static void
make_offer(VciStore *store, const VciIssuerEntry *issuer, const VciAuthorizationRow *row,
		   const VciApproval *approval, int64 expires_at, VciNewOffer *offer)
{
	offer->subject_model = approval->subject_model;
	offer->subject_id = approval->subject_id;
	offer->claims = approval->claims;
	offer->labels = approval->labels;
	offer->datasets = approval->datasets;
	offer->client_id = row->client_id;
	offer->expires_at = expires_at;
	vci_offer_for_approval(store, issuer, offer);
}

static void
note(VciStore *store, const VciIssuerEntry *issuer, const char *kind,
	 const VciAuthorizationRow *row, int64 offer_id)
{
	vci_note(store, issuer,
			 (VciEvent){.kind = kind, .authorization_id = row->id, .offer_id = offer_id});
}

VciStatus
vci_authorization_approve(VciStore *store, const VciIssuerEntry *issuer,
						  const VciAuthorizationRow *row, const VciApproval *approval,
						  char **location, VciError *error)
{
	int64 now = vci_now();
	int64 code_expires_at = now + issuer->rules.authorization_code_lifetime;
	VciNewOffer made = {.id = row->offer_id, .generation = row->offer_generation};
	VciStatus status = VCI_OK;

	*location = NULL;
	if (row->denied)
		return vci_authorization_check_pending(row, now, error);
	status = check_not_over(row, now, error);
	if (status == VCI_OK && row->offer_id != 0)
	{
		VciOfferRow *offer;

		status = find_good_offer(store, row, now, &offer, error);
		if (status == VCI_OK)
			status = check_subject(row, offer, approval, error);
	}
	else if (status == VCI_OK && !choose_configurations(issuer, row, &made))
		status =
			vci_error(error, VCI_ERR_SCOPE_UNKNOWN, "what this request is for is no longer issued");
	if (status != VCI_OK)
		return status;
	if (!row->approved)
	{
		if (row->offer_id == 0)
			make_offer(store, issuer, row, approval, code_expires_at, &made);
		vci_store_approve_authorization(store, row->id, made.id, made.generation, code_expires_at);
		note(store, issuer, VCI_EVENT_AUTHORIZATION_APPROVED, row, made.id);
	}
	*location = code_location(issuer, row);
	return VCI_OK;
}

VciStatus
vci_authorization_deny(VciStore *store, const VciIssuerEntry *issuer,
					   const VciAuthorizationRow *row, const char *reason, bool by_registry,
					   char **location, VciError *error)
{
	VciError denied = VCI_ERROR_INIT;

	*location = NULL;
	if (!row->denied)
	{
		VciStatus status = vci_authorization_check_pending(row, vci_now(), error);

		if (status != VCI_OK)
			return status;
		vci_store_deny_authorization(store, row->id, reason);
		if (by_registry)
			note(store, issuer, VCI_EVENT_AUTHORIZATION_DENIED, row, row->offer_id);
	}
	vci_error(&denied, VCI_ERR_ACCESS_DENIED, "the request was not approved");
	*location = vci_authorization_error_location(issuer, row->redirect_uri, row->state, &denied);
	return VCI_OK;
}

/* As vci_authorization_info has it. */
static const char *
state_of(const VciAuthorizationRow *row, int64 now)
{
	if (row->redeemed)
		return "redeemed";
	if (row->denied)
		return "denied";
	if (row->approved)
		return row->code_expires_at <= now ? "expired" : "approved";
	return row->expires_at <= now ? "expired" : "pending";
}

static void
set_string(VciJson *object, const char *name, const char *value)
{
	if (value != NULL)
		vci_require_done(vci_json_set_string(object, name, value));
}

static void
set_time(VciJson *object, const char *name, int64 seconds)
{
	char text[MAXDATELEN + 1];
	int utc = 0;

	JsonEncodeDateTime(text, TimestampTzGetDatum(vci_timestamp_of_seconds(seconds)), TIMESTAMPTZOID,
					   &utc);
	vci_require_done(vci_json_set_string(object, name, text));
}

static void
add_credential(VciJson *credentials, const VciIssuerEntry *issuer, const char *id)
{
	VciJson *credential = vci_json_new_object();
	int n = vci_cache_find_configuration(issuer, id);
	const VciConfiguration *configuration = n < 0 ? NULL : &issuer->configurations[n];

	vci_require_done(vci_json_append(credentials, credential) &&
					 vci_json_set_string(credential, "id", id));
	if (configuration != NULL && configuration->display != NULL)
		vci_require_done(vci_json_set(credential, "display", vci_json_ref(configuration->display)));
	if (configuration != NULL && configuration->claims != NULL)
		vci_require_done(vci_json_set(credential, "claims", vci_json_ref(configuration->claims)));
}

static void
add_credentials(VciJson *json, const VciIssuerEntry *issuer, const VciAuthorizationRow *row)
{
	VciJson *ids = vci_json_new_array();
	VciJson *credentials;

	vci_require_done(vci_json_set(json, "configuration_ids", ids));
	credentials = vci_json_new_array();
	vci_require_done(vci_json_set(json, "credentials", credentials));
	for (int i = 0; i < row->configuration_count; i++)
	{
		vci_require_done(vci_json_append_string(ids, row->configuration_ids[i]));
		add_credential(credentials, issuer, row->configuration_ids[i]);
	}
}

static void
add_offer(VciStore *store, VciJson *json, const VciAuthorizationRow *row)
{
	VciOfferRow *offer = vci_store_offer(store, row->offer_id, false);

	vci_require_done(vci_json_set_int64(json, "offer_id", row->offer_id));
	if (offer == NULL)
		return;
	set_string(json, "subject_model", offer->subject_model);
	set_string(json, "subject_id", offer->subject_id);
}

VciJson *
vci_authorization_json(VciStore *store, const VciIssuerEntry *issuer,
					   const VciAuthorizationRow *row)
{
	VciJson **json = vci_own_json();
	const VciClientRow *client = vci_cache_find_client(issuer, row->client_id);

	vci_require_memory(*json = vci_json_new_object());
	vci_require_done(vci_json_set_int64(*json, "id", row->id));
	set_string(*json, "state", state_of(row, vci_now()));
	set_string(*json, "client_id", row->client_id);
	set_string(*json, "client_name", client != NULL ? client->name : NULL);
	set_string(*json, "redirect_uri", row->redirect_uri);
	add_credentials(*json, issuer, row);
	if (row->offer_id != 0)
		add_offer(store, *json, row);
	set_time(*json, "expires_at", row->approved ? row->code_expires_at : row->expires_at);
	return *json;
}
