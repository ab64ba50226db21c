#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offer.h"

#define AUTHORIZATION_DETAILS_TYPE "openid_credential"

/* One element of authorization_details (OpenID4VCI 1.0 section 5.1.1). */
static VciStatus
check_authorization_detail(const VciJson *detail, VciError *error)
{
	const char *type = vci_json_get_string(detail, "type");
	const char *configuration_id = vci_json_get_string(detail, "credential_configuration_id");

	if (type == NULL || strcmp(type, AUTHORIZATION_DETAILS_TYPE) != 0)
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "each authorization_details element must be an object with the type "
						 "openid_credential");
	if (configuration_id == NULL || configuration_id[0] == '\0')
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "an authorization_details element lacks its credential_configuration_id");
	return VCI_OK;
}

static VciStatus
parse_authorization_details(const char *text, VciJson **details, VciError *error)
{
	VciError inner = VCI_ERROR_INIT;
	VciStatus status = vci_json_parse(text, strlen(text), details, &inner);
	size_t count;

	if (status == VCI_ERR_MEMORY)
		return vci_error(error, status, "%s", inner.text);
	if (status != VCI_OK)
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "authorization_details is no valid JSON: %s", inner.text);
	count = vci_json_array_length(*details);
	if (count == 0 || count > VCI_MAX_AUTHORIZATION_DETAILS)
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "authorization_details must be a JSON array of 1 to %d objects",
						 VCI_MAX_AUTHORIZATION_DETAILS);
	for (size_t i = 0; i < count; i++)
	{
		status = check_authorization_detail(vci_json_array_at(*details, i), error);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

static VciStatus
read_parameters(VciTokenRequest *request, VciError *error)
{
	const char *details;

	request->grant_type = vci_form_get(&request->form, "grant_type");
	if (request->grant_type == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter grant_type is missing");
	if (strcmp(request->grant_type, VCI_GRANT_PRE_AUTHORIZED) != 0)
		return vci_error(error, VCI_ERR_GRANT_TYPE, "the only grant type here is %s",
						 VCI_GRANT_PRE_AUTHORIZED);
	request->pre_authorized_code = vci_form_get(&request->form, "pre-authorized_code");
	if (request->pre_authorized_code == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter pre-authorized_code is missing");
	request->tx_code = vci_form_get(&request->form, "tx_code");
	details = vci_form_get(&request->form, "authorization_details");
	if (details == NULL)
		return VCI_OK;
	return parse_authorization_details(details, &request->authorization_details, error);
}

VciStatus
vci_token_request_parse(const char *body, size_t len, VciTokenRequest *request, VciError *error)
{
	VciStatus status;

	memset(request, 0, sizeof(*request));
	status = vci_form_parse(body, len, &request->form, error);
	if (status == VCI_OK)
		status = read_parameters(request, error);
	if (status != VCI_OK)
		vci_token_request_free(request);
	return status;
}

void
vci_token_request_free(VciTokenRequest *request)
{
	vci_json_free(request->authorization_details);
	vci_form_free(&request->form);
	memset(request, 0, sizeof(*request));
}

static VciStatus
check_offer_state(const VciOfferFacts *facts, int32_t code_generation, int64_t now, VciError *error)
{
	if (facts->authorization_only)
		return vci_error(error, VCI_ERR_GRANT, "this offer has no pre-authorized code grant");
	if (code_generation != facts->generation)
		return vci_error(error, VCI_ERR_GRANT,
						 "this code was replaced by a newer one; ask the issuer for the current "
						 "link");
	if (facts->cancelled)
		return vci_error(error, VCI_ERR_GRANT, "the issuer cancelled this offer");
	if (facts->redeemed)
		return vci_error(error, VCI_ERR_GRANT,
						 "this code was redeemed already; a code works once, ask the issuer for a "
						 "new offer");
	if (now >= facts->expires_at)
		return vci_error(error, VCI_ERR_GRANT,
						 "this code has expired; ask the issuer for a new offer");
	return VCI_OK;
}

VciStatus
vci_token_check_offer(const VciTokenRequest *request, const VciOfferFacts *facts,
					  const VciIssuer *issuer, int32_t code_generation, bool tx_code_matches,
					  int64_t now, VciError *error)
{
	VciStatus status = check_offer_state(facts, code_generation, now, error);

	if (status != VCI_OK)
		return status;
	if (!facts->has_tx_code)
	{
		if (request->tx_code != NULL)
			return vci_error(error, VCI_ERR_TX_CODE_UNEXPECTED,
							 "this offer has no transaction code; repeat the request without "
							 "tx_code");
		return VCI_OK;
	}
	if (facts->tx_code_failures >= issuer->tx_code_max_failures)
		return vci_error(error, VCI_ERR_OFFER_LOCKED,
						 "this offer is locked after too many wrong transaction codes; ask the "
						 "issuer for a new one");
	if (request->tx_code == NULL)
		return vci_error(error, VCI_ERR_TX_CODE_MISSING,
						 "this offer needs its transaction code in the parameter tx_code");
	if (!tx_code_matches)
		return vci_error(error, VCI_ERR_TX_CODE_WRONG, "the transaction code is wrong");
	return VCI_OK;
}

static bool
is_offered(const char *configuration_id, const char *const *offered, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (strcmp(configuration_id, offered[i]) == 0)
			return true;
	}
	return false;
}

static VciStatus
append_unless_there(VciJson *selected, const char *configuration_id, VciError *error)
{
	if (vci_json_array_has_string(selected, configuration_id))
		return VCI_OK;
	if (!vci_json_append_string(selected, configuration_id))
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

static VciStatus
select_requested(const VciJson *details, const char *const *offered, size_t count,
				 VciJson *selected, VciError *error)
{
	for (size_t i = 0; i < vci_json_array_length(details); i++)
	{
		const char *id =
			vci_json_get_string(vci_json_array_at(details, i), "credential_configuration_id");
		VciStatus status;

		if (!is_offered(id, offered, count))
			return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
							 "authorization_details names %.80s, which this offer does not hold",
							 id);
		status = append_unless_there(selected, id, error);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

VciStatus
vci_token_select_configurations(const VciTokenRequest *request, const char *const *offered,
								size_t count, VciJson **selected, VciError *error)
{
	VciJson *ids = vci_json_new_array();
	VciStatus status = VCI_OK;

	*selected = NULL;
	if (ids == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (request->authorization_details != NULL)
		status = select_requested(request->authorization_details, offered, count, ids, error);
	else
	{
		for (size_t i = 0; i < count && status == VCI_OK; i++)
			status = append_unless_there(ids, offered[i], error);
	}
	if (status != VCI_OK)
	{
		vci_json_free(ids);
		return status;
	}
	*selected = ids;
	return VCI_OK;
}

char *
vci_credential_identifier(const char *configuration_id, int dataset)
{
	size_t size = strlen(configuration_id) + 16;
	char *identifier = malloc(size);

	/* configuration ids hold no '#', so that no identifier is one */
	if (identifier != NULL)
		snprintf(identifier, size, "%s#%d", configuration_id, dataset);
	return identifier;
}

/* What was granted for one configuration (OpenID4VCI 1.0 section 6.2). */
static VciJson *
granted_detail(const char *configuration_id)
{
	VciJson *detail = vci_json_new_object();
	VciJson *identifiers = vci_json_new_array();
	char *identifier = vci_credential_identifier(configuration_id, VCI_FIRST_DATASET);
	bool ok = identifier != NULL &&
			  vci_json_set_string(detail, "type", AUTHORIZATION_DETAILS_TYPE) &&
			  vci_json_set_string(detail, "credential_configuration_id", configuration_id) &&
			  vci_json_append_string(identifiers, identifier);

	free(identifier);
	if (!ok)
		vci_json_free(identifiers);
	if (!ok || !vci_json_set(detail, "credential_identifiers", identifiers))
	{
		vci_json_free(detail);
		return NULL;
	}
	return detail;
}

static bool
set_granted_details(VciJson *response, const VciJson *selected)
{
	VciJson *details = vci_json_new_array();

	if (!vci_json_set(response, "authorization_details", details))
		return false;
	for (size_t i = 0; i < vci_json_array_length(selected); i++)
	{
		const char *id = vci_json_string(vci_json_array_at(selected, i));

		if (id == NULL || !vci_json_append(details, granted_detail(id)))
			return false;
	}
	return true;
}

VciJson *
vci_token_response(const VciIssuer *issuer, const VciTokenRequest *request, const VciJson *selected,
				   const char *access_token, int32_t expires_in, const char *c_nonce)
{
	VciJson *response = vci_json_new_object();
	bool ok = vci_json_set_string(response, "access_token", access_token) &&
			  vci_json_set_string(response, "token_type", "Bearer") &&
			  vci_json_set_int64(response, "expires_in", expires_in);

	if (ok && c_nonce != NULL)
		ok = vci_json_set_string(response, "c_nonce", c_nonce) &&
			 vci_json_set_int64(response, "c_nonce_expires_in", issuer->c_nonce_lifetime);
	if (ok && request != NULL && request->authorization_details != NULL)
		ok = set_granted_details(response, selected);
	if (!ok)
	{
		vci_json_free(response);
		return NULL;
	}
	return response;
}
