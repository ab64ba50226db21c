#include "compat.h"

#include "dpop.h"
#include "event.h"
#include "offer_functions.h"
#include "release.h"
#include "ticket.h"
#include "token_endpoint.h"
#include "token_grant.h"
#include "values.h"

VciStatus
vci_grant_open(VciTokenCall *call, VciTicketKind kind, int64 *id, int64 *offer_id,
			   int32 *generation, VciError *error)
{
	const char *credential = call->request->credential;
	int64_t row_id;
	int64_t row_offer;
	int32_t row_generation;
	VciStatus status =
		vci_offer_ticket_open(&call->issuer->ticket_keys, kind, credential, strlen(credential),
							  &row_id, &row_offer, &row_generation, error);

	if (status != VCI_OK)
		return status;
	*id = row_id;
	if (offer_id != NULL)
		*offer_id = row_offer;
	*generation = row_generation;
	return vci_dpop_check(call->store, call->issuer, call->http, VCI_ENDPOINT_TOKEN, NULL, NULL,
						  &call->jkt, error);
}

/* A code is not burnt for credentials that were all retired since. */
static bool
any_configuration_lives(const VciIssuerEntry *issuer, const VciJson *selected)
{
	for (size_t i = 0; i < vci_json_array_length(selected); i++)
		if (vci_cache_find_configuration(issuer, vci_json_string(vci_json_array_at(selected, i))) >=
			0)
			return true;
	return false;
}

VciStatus
vci_grant_select(VciTokenCall *call, VciGranted *granted, VciError *error)
{
	VciJson **selected = vci_own_json();
	VciStatus status = vci_token_select_configurations(
		call->request, (const char *const *) granted->configuration_ids,
		granted->configuration_count, call->issuer->configurations,
		call->issuer->configuration_count, selected, error);

	if (status != VCI_OK)
		return status;
	if (!any_configuration_lives(call->issuer, *selected))
		return vci_error(error, VCI_ERR_GRANT,
						 "what this offer is for is no longer issued; ask the issuer");
	granted->selected = *selected;
	return VCI_OK;
}

static bool
asked_for_identifiers(const VciTokenCall *call, const VciGranted *granted)
{
	return granted->identifiers || call->request->authorization_details != NULL;
}

/* OpenID4VCI 1.0 section 6.2 has no c_nonce here, drafts up to 13 and the guide do. */
static const char *
nonce_for(const VciTokenCall *call)
{
	return call->issuer->rules.profile == VCI_PROFILE_FINAL ? NULL : vci_new_nonce(call->issuer);
}

int64
vci_grant_token(VciTokenCall *call, const VciGranted *granted, const char *refresh_token)
{
	const VciIssuer *rules = &call->issuer->rules;
	const VciJson *datasets = vci_offer_datasets(granted->offer);
	VciJson **response = vci_own_json();
	VciTokenRow row = {.issuer_id = rules->id,
					   .offer_id = granted->offer->id,
					   .offer_generation = granted->offer->generation,
					   .generation = vci_first_generation(),
					   .client_id = unconstify(char *, granted->client_id),
					   .jkt = call->jkt};
	VciTokenGrant grant = {.bound = call->jkt != NULL,
						   .refresh_token = refresh_token,
						   .c_nonce = nonce_for(call),
						   .selected = granted->selected,
						   .datasets = datasets};
	int64 id;

	grant.expires_in = grant.bound ? rules->bound_token_lifetime : rules->access_token_lifetime;
	grant.identifiers = vci_token_needs_identifiers(granted->selected, datasets,
													asked_for_identifiers(call, granted));
	row.configuration_ids = vci_strings_of_json(granted->selected, &row.configuration_count);
	row.identifiers = grant.identifiers;
	row.expires_at = call->now + grant.expires_in;
	id = vci_store_insert_token(call->store, &row);
	grant.access_token =
		vci_issuer_offer_ticket(call->issuer, VCI_TICKET_TOKEN, id, row.offer_id, row.generation);
	vci_require_memory(*response = vci_token_response(rules, &grant));
	call->response = *response;
	return id;
}

/* With a refresh token it lasts longer than its access token alone, be it by a second. */
int64
vci_grant_end(const VciTokenCall *call)
{
	const VciIssuer *rules = &call->issuer->rules;
	int64 end = call->now +
				(call->jkt != NULL ? rules->bound_token_lifetime : rules->access_token_lifetime);

	if (rules->refresh_token_lifetime <= 0)
		return end;
	return Max(end, call->now + rules->refresh_token_lifetime) + 1;
}

char *
vci_grant_refresh_token(VciTokenCall *call, const VciGranted *granted)
{
	const VciIssuer *rules = &call->issuer->rules;
	VciRefreshTokenRow row = {.issuer_id = rules->id,
							  .offer_id = granted->offer->id,
							  .offer_generation = granted->offer->generation,
							  .generation = vci_first_generation(),
							  .identifiers = asked_for_identifiers(call, granted),
							  .expires_at = call->now + rules->refresh_token_lifetime,
							  .client_id = unconstify(char *, granted->client_id),
							  .jkt = call->jkt};

	if (rules->refresh_token_lifetime <= 0)
		return NULL;
	row.configuration_ids = vci_strings_of_json(granted->selected, &row.configuration_count);
	row.id = vci_store_insert_refresh_token(call->store, &row);
	return vci_issuer_offer_ticket(call->issuer, VCI_TICKET_REFRESH, row.id, row.offer_id,
								   row.generation);
}

void
vci_grant_revoke(VciTokenCall *call, int64 offer_id, int32 offer_generation, const char *event,
				 int64 authorization_id)
{
	VciOfferRow *offer = vci_store_offer(call->store, offer_id, true);

	if (offer == NULL || offer->generation != offer_generation)
		return;
	vci_store_raise_generation(call->store, offer_id);
	vci_note(call->store, call->issuer,
			 (VciEvent){.kind = event, .offer_id = offer_id, .authorization_id = authorization_id});
}
