/*
 * What a token request gets.
 */
#include <stdlib.h>

#include "token.h"

bool
vci_token_needs_identifiers(const VciJson *selected, const VciJson *datasets, bool asked_for)
{
	if (asked_for)
		return true;
	for (size_t i = 0; i < vci_json_array_length(selected); i++)
	{
		if (vci_dataset_count(datasets, vci_json_string(vci_json_array_at(selected, i))) > 1)
			return true;
	}
	return false;
}

static bool
append_identifiers(VciJson *identifiers, const char *configuration_id, const VciJson *datasets)
{
	int count = vci_dataset_count(datasets, configuration_id);

	for (int number = VCI_FIRST_DATASET; number <= count; number++)
	{
		char *identifier = vci_credential_identifier(configuration_id, number);
		bool done = identifier != NULL && vci_json_append_string(identifiers, identifier);

		free(identifier);
		if (!done)
			return false;
	}
	return true;
}

/* What was granted for one configuration (OpenID4VCI 1.0 section 6.2). */
static VciJson *
granted_detail(const char *configuration_id, const VciJson *datasets)
{
	VciJson *detail = vci_json_new_object();
	VciJson *identifiers = vci_json_new_array();
	bool done = vci_json_set_string(detail, "type", "openid_credential") &&
				vci_json_set_string(detail, "credential_configuration_id", configuration_id);

	done = vci_json_set(detail, "credential_identifiers", identifiers) && done;
	if (!done || !append_identifiers(identifiers, configuration_id, datasets))
	{
		vci_json_free(detail);
		return NULL;
	}
	return detail;
}

static bool
set_granted_details(VciJson *response, const VciTokenGrant *grant)
{
	VciJson *details = vci_json_new_array();

	if (!vci_json_set(response, "authorization_details", details))
		return false;
	for (size_t i = 0; i < vci_json_array_length(grant->selected); i++)
	{
		const char *id = vci_json_string(vci_json_array_at(grant->selected, i));

		if (id == NULL || !vci_json_append(details, granted_detail(id, grant->datasets)))
			return false;
	}
	return true;
}

VciJson *
vci_token_response(const VciIssuer *issuer, const VciTokenGrant *grant)
{
	VciJson *response = vci_json_new_object();
	bool done = vci_json_set_string(response, "access_token", grant->access_token) &&
				vci_json_set_string(response, "token_type", grant->bound ? "DPoP" : "Bearer") &&
				vci_json_set_int64(response, "expires_in", grant->expires_in);

	if (done && grant->refresh_token != NULL)
		done = vci_json_set_string(response, "refresh_token", grant->refresh_token);
	if (done && grant->c_nonce != NULL)
		done = vci_json_set_string(response, "c_nonce", grant->c_nonce) &&
			   vci_json_set_int64(response, "c_nonce_expires_in", issuer->c_nonce_lifetime);
	if (done && grant->identifiers)
		done = set_granted_details(response, grant);
	if (!done)
	{
		vci_json_free(response);
		return NULL;
	}
	return response;
}
