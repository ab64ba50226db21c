#include "authorization.h"

#include <string.h>

#include "../jose/base64url.h"
#include "token.h"

#define FORM_MAX		(64 * 1024)
#define THUMBPRINT_SIZE 32

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

static void
read_parameters(VciAuthorizationRequest *request)
{
	const VciForm *form = &request->form;

	request->client_id = vci_form_get(form, "client_id");
	request->redirect_uri = vci_form_get(form, "redirect_uri");
	request->request_uri = vci_form_get(form, "request_uri");
	request->state = vci_form_get(form, "state");
	request->scope = vci_form_get(form, "scope");
	request->code_challenge = vci_form_get(form, "code_challenge");
	request->issuer_state = vci_form_get(form, "issuer_state");
	request->dpop_jkt = vci_form_get(form, "dpop_jkt");
	/* what can't be given back as it came is not given back at all */
	if (request->state != NULL &&
		(strlen(request->state) > VCI_STATE_MAX || !is_printable(request->state)))
		request->state = NULL;
}

static VciStatus
check_origin(const VciAuthorizationRequest *request, VciError *error)
{
	if (request->client_id == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter client_id is missing");
	if (request->redirect_uri != NULL || request->request_uri != NULL)
		return VCI_OK;
	if (vci_form_get(&request->form, "request") != NULL)
		return vci_error(error, VCI_ERR_REQUEST_OBJECT,
						 "request objects are not taken here; send plain parameters");
	return vci_error(error, VCI_ERR_REQUEST, "the parameter redirect_uri is missing");
}

VciStatus
vci_authorization_request_parse(const char *text, size_t len, VciAuthorizationRequest *request,
								VciError *error)
{
	VciStatus status;

	memset(request, 0, sizeof(*request));
	if (len > FORM_MAX)
		return vci_error(error, VCI_ERR_TOO_LARGE, "the request has more than %d kB",
						 FORM_MAX / 1024);
	status = vci_form_parse(text, len, &request->form, error);
	if (status != VCI_OK)
		return status;
	read_parameters(request);
	status = check_origin(request, error);
	if (status != VCI_OK)
		vci_authorization_request_free(request);
	return status;
}

void
vci_authorization_request_free(VciAuthorizationRequest *request)
{
	vci_json_free(request->authorization_details);
	vci_form_free(&request->form);
	memset(request, 0, sizeof(*request));
}

/* base64url of a SHA-256 hash, as an encoder writes it. */
static bool
is_digest(const char *text)
{
	unsigned char bytes[THUMBPRINT_SIZE + 1];
	size_t len = 0;

	return strlen(text) == VCI_CODE_CHALLENGE_LEN &&
		   vci_base64url_decode(text, VCI_CODE_CHALLENGE_LEN, bytes, &len, NULL) == VCI_OK &&
		   len == THUMBPRINT_SIZE;
}

static VciStatus
check_pkce(const VciAuthorizationRequest *request, bool required, VciError *error)
{
	const char *method = vci_form_get(&request->form, "code_challenge_method");

	if (request->code_challenge == NULL)
	{
		if (required || method != NULL)
			return vci_error(error, VCI_ERR_PKCE,
							 "the parameter code_challenge is missing: PKCE is needed here (RFC "
							 "7636)");
		return VCI_OK;
	}
	/* without a method it would be plain (RFC 7636 section 4.3), which anybody could answer */
	if (method == NULL || strcmp(method, "S256") != 0)
		return vci_error(error, VCI_ERR_PKCE, "code_challenge_method must be S256");
	if (!is_digest(request->code_challenge))
		return vci_error(error, VCI_ERR_PKCE,
						 "code_challenge must be %d characters: base64url of the SHA-256 of "
						 "code_verifier",
						 VCI_CODE_CHALLENGE_LEN);
	return VCI_OK;
}

static VciStatus
check_response_type(const VciForm *form, VciError *error)
{
	const char *type = vci_form_get(form, "response_type");

	if (type == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter response_type is missing");
	if (strcmp(type, "code") != 0)
		return vci_error(error, VCI_ERR_RESPONSE_TYPE, "response_type must be code");
	return VCI_OK;
}

static VciStatus
check_plain_request(const VciAuthorizationRequest *request, VciError *error)
{
	if (vci_form_get(&request->form, "request") != NULL)
		return vci_error(error, VCI_ERR_REQUEST_OBJECT,
						 "request objects are not taken here; send plain parameters");
	if (request->state == NULL && vci_form_get(&request->form, "state") != NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "state must be at most %d printable ASCII characters", VCI_STATE_MAX);
	if (request->dpop_jkt != NULL && !is_digest(request->dpop_jkt))
		return vci_error(error, VCI_ERR_REQUEST,
						 "dpop_jkt must be %d characters: the RFC 7638 thumbprint of the DPoP key",
						 VCI_CODE_CHALLENGE_LEN);
	return VCI_OK;
}

VciStatus
vci_authorization_request_check(VciAuthorizationRequest *request, const VciIssuer *issuer,
								bool pkce_required, VciError *error)
{
	const char *details = vci_form_get(&request->form, "authorization_details");
	VciStatus status = check_plain_request(request, error);

	if (status == VCI_OK)
		status = check_response_type(&request->form, error);
	if (status == VCI_OK)
		status = check_pkce(request, pkce_required, error);
	if (status == VCI_OK && details != NULL)
		status = vci_authorization_details_parse(details, issuer->url,
												 &request->authorization_details, error);
	return status;
}

/* What a request may ask for, and what it has asked for so far. */
typedef struct Selection
{
	const VciConfiguration *configurations;
	size_t count;
	const char *const *offered; /* NULL: whatever the issuer has */
	size_t offered_count;
	VciJson *ids;
} Selection;

static bool
is_issued(const Selection *selection, const char *id)
{
	for (size_t i = 0; i < selection->count; i++)
	{
		if (strcmp(selection->configurations[i].id, id) == 0)
			return true;
	}
	return false;
}

static bool
is_offered(const Selection *selection, const char *id)
{
	if (selection->offered == NULL)
		return true;
	for (size_t i = 0; i < selection->offered_count; i++)
	{
		if (strcmp(selection->offered[i], id) == 0)
			return true;
	}
	return false;
}

static VciStatus
add(Selection *selection, const char *id, VciError *error)
{
	if (!vci_json_array_has_string(selection->ids, id) &&
		!vci_json_append_string(selection->ids, id))
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

static VciStatus
add_details(Selection *selection, const VciJson *details, VciError *error)
{
	VciStatus status = VCI_OK;

	for (size_t i = 0; i < vci_json_array_length(details) && status == VCI_OK; i++)
	{
		const char *id =
			vci_json_get_string(vci_json_array_at(details, i), "credential_configuration_id");

		if (!is_issued(selection, id))
			return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
							 "authorization_details names %.80s, which this issuer does not issue",
							 id);
		if (!is_offered(selection, id))
			return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
							 "authorization_details names %.80s, which this offer does not hold",
							 id);
		status = add(selection, id, error);
	}
	return status;
}

static VciStatus
add_scope(Selection *selection, const char *scope, VciError *error)
{
	VciError unknown = VCI_ERROR_INIT;
	VciJson *named = NULL;
	VciStatus status =
		vci_scope_select(scope, selection->configurations, selection->count, &named, &unknown);

	/* a scope of something else beside authorization_details is nothing to us */
	if (status == VCI_ERR_SCOPE_UNKNOWN && vci_json_array_length(selection->ids) > 0)
		return VCI_OK;
	if (status != VCI_OK)
		return vci_error(error, status, "%s", unknown.text);
	for (size_t i = 0; i < vci_json_array_length(named) && status == VCI_OK; i++)
	{
		const char *id = vci_json_string(vci_json_array_at(named, i));

		if (is_offered(selection, id))
			status = add(selection, id, error);
	}
	vci_json_free(named);
	if (status == VCI_OK && vci_json_array_length(selection->ids) == 0)
		return vci_error(error, VCI_ERR_SCOPE_UNKNOWN, "scope names nothing that this offer holds");
	return status;
}

static VciStatus
add_offered(Selection *selection, VciError *error)
{
	VciStatus status = VCI_OK;

	if (selection->offered == NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "scope or authorization_details must say which credentials are wanted");
	for (size_t i = 0; i < selection->offered_count && status == VCI_OK; i++)
	{
		if (is_issued(selection, selection->offered[i]))
			status = add(selection, selection->offered[i], error);
	}
	if (status == VCI_OK && vci_json_array_length(selection->ids) == 0)
		return vci_error(error, VCI_ERR_ISSUER_STATE,
						 "what this offer is for is no longer issued; ask the issuer");
	return status;
}

VciStatus
vci_authorization_select(const VciAuthorizationRequest *request,
						 const VciConfiguration *configurations, size_t count,
						 const char *const *offered, size_t offered_count, VciJson **selected,
						 VciError *error)
{
	Selection selection = {configurations, count, offered, offered_count, vci_json_new_array()};
	VciStatus status = VCI_OK;

	*selected = NULL;
	if (selection.ids == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (request->authorization_details != NULL)
		status = add_details(&selection, request->authorization_details, error);
	if (status == VCI_OK && request->scope != NULL)
		status = add_scope(&selection, request->scope, error);
	if (status == VCI_OK && request->authorization_details == NULL && request->scope == NULL)
		status = add_offered(&selection, error);
	if (status != VCI_OK)
	{
		vci_json_free(selection.ids);
		return status;
	}
	*selected = selection.ids;
	return VCI_OK;
}
