/*
 * What a token request asks for: its parameters, and which configurations they mean.
 */
#include <string.h>

#include "offer.h"
#include "token.h"

#define AUTHORIZATION_DETAILS_TYPE "openid_credential"
#define CLIENT_ID_MAX_BYTES		   2000
#define CODE_VERIFIER_MIN_BYTES	   43 /* RFC 7636 section 4.1 */
#define CODE_VERIFIER_MAX_BYTES	   128
#define UNRESERVED                                                                                 \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" /* RFC 3986 */

static VciStatus
check_authorization_detail(const VciJson *detail, const char *issuer_url, VciError *error)
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
	/* RFC 9396 section 2.2; OpenID4VCI 1.0 section 5.1.1 */
	if (vci_json_has(detail, "locations") &&
		!vci_json_array_has_string(vci_json_get(detail, "locations"), issuer_url))
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "locations of an authorization_details element must be an array that "
						 "holds %.120s",
						 issuer_url);
	return VCI_OK;
}

static VciStatus
check_authorization_details(const VciJson *details, const char *issuer_url, VciError *error)
{
	size_t count = vci_json_array_length(details);

	if (count == 0 || count > VCI_MAX_AUTHORIZATION_DETAILS)
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "authorization_details must be a JSON array of 1 to %d objects",
						 VCI_MAX_AUTHORIZATION_DETAILS);
	for (size_t i = 0; i < count; i++)
	{
		VciStatus status =
			check_authorization_detail(vci_json_array_at(details, i), issuer_url, error);

		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

VciStatus
vci_authorization_details_parse(const char *text, const char *issuer_url, VciJson **details,
								VciError *error)
{
	VciError inner = VCI_ERROR_INIT;
	VciStatus status = vci_json_parse(text, strlen(text), details, &inner);

	if (status == VCI_ERR_MEMORY)
		return vci_error(error, status, "%s", inner.text);
	if (status != VCI_OK)
		return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
						 "authorization_details is no valid JSON: %s", inner.text);
	status = check_authorization_details(*details, issuer_url, error);
	if (status != VCI_OK)
	{
		vci_json_free(*details);
		*details = NULL;
	}
	return status;
}

/* The parameter that carries the grant itself. */
static VciStatus
read_grant(VciTokenRequest *request, VciError *error)
{
	static const struct
	{
		const char *type;
		const char *parameter;
	} grants[] = {
		[VCI_BY_PRE_AUTHORIZED_CODE] = {VCI_GRANT_PRE_AUTHORIZED, "pre-authorized_code"},
		[VCI_BY_AUTHORIZATION_CODE] = {VCI_GRANT_AUTHORIZATION_CODE, "code"},
		[VCI_BY_REFRESH_TOKEN] = {VCI_GRANT_REFRESH_TOKEN, "refresh_token"},
	};
	const char *type = vci_form_get(&request->form, "grant_type");
	size_t i = 0;

	if (type == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter grant_type is missing");
	while (i < sizeof(grants) / sizeof(grants[0]) && strcmp(type, grants[i].type) != 0)
		i++;
	if (i == sizeof(grants) / sizeof(grants[0]))
		return vci_error(error, VCI_ERR_GRANT_TYPE, "the grant types are %s, %s and %s",
						 VCI_GRANT_PRE_AUTHORIZED, VCI_GRANT_AUTHORIZATION_CODE,
						 VCI_GRANT_REFRESH_TOKEN);
	request->grant = (VciGrant) i;
	request->credential = vci_form_get(&request->form, grants[i].parameter);
	if (request->credential == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter %s is missing",
						 grants[i].parameter);
	return VCI_OK;
}

/* RFC 6749 appendix A.1: client_id is printable ASCII. */
static VciStatus
check_client_id(const char *client_id, VciError *error)
{
	size_t len = client_id == NULL ? 0 : strlen(client_id);

	if (len > CLIENT_ID_MAX_BYTES)
		return vci_error(error, VCI_ERR_REQUEST, "client_id may have %d characters at most",
						 CLIENT_ID_MAX_BYTES);
	for (size_t i = 0; i < len; i++)
	{
		if (client_id[i] < 0x20 || client_id[i] > 0x7e)
			return vci_error(error, VCI_ERR_REQUEST, "client_id must be printable ASCII");
	}
	return VCI_OK;
}

static VciStatus
check_code_verifier(const char *code_verifier, VciError *error)
{
	size_t len = code_verifier == NULL ? CODE_VERIFIER_MIN_BYTES : strlen(code_verifier);

	if (len < CODE_VERIFIER_MIN_BYTES || len > CODE_VERIFIER_MAX_BYTES ||
		(code_verifier != NULL && strspn(code_verifier, UNRESERVED) != len))
		return vci_error(error, VCI_ERR_PKCE,
						 "code_verifier must have %d to %d characters of A-Z a-z 0-9 - . _ ~",
						 CODE_VERIFIER_MIN_BYTES, CODE_VERIFIER_MAX_BYTES);
	return VCI_OK;
}

static VciStatus
read_authorization_code_parameters(VciTokenRequest *request, VciError *error)
{
	request->redirect_uri = vci_form_get(&request->form, "redirect_uri");
	request->code_verifier = vci_form_get(&request->form, "code_verifier");
	/* RFC 6749 section 4.1.3: nothing else says who a public client is */
	if (request->client_id == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter client_id is missing");
	if (request->redirect_uri == NULL)
		return vci_error(error, VCI_ERR_REQUEST, "the parameter redirect_uri is missing");
	return check_code_verifier(request->code_verifier, error);
}

static VciStatus
read_parameters(VciTokenRequest *request, const char *issuer_url, VciError *error)
{
	const char *details = vci_form_get(&request->form, "authorization_details");
	VciStatus status = read_grant(request, error);

	if (status != VCI_OK)
		return status;
	request->client_id = vci_form_get(&request->form, "client_id");
	status = check_client_id(request->client_id, error);
	if (request->grant == VCI_BY_PRE_AUTHORIZED_CODE)
		request->tx_code = vci_form_get(&request->form, "tx_code");
	if (request->grant == VCI_BY_REFRESH_TOKEN)
		request->scope = vci_form_get(&request->form, "scope");
	if (status == VCI_OK && request->grant == VCI_BY_AUTHORIZATION_CODE)
		status = read_authorization_code_parameters(request, error);
	if (status == VCI_OK && details != NULL)
		status = vci_authorization_details_parse(details, issuer_url,
												 &request->authorization_details, error);
	return status;
}

VciStatus
vci_token_request_parse(const char *body, size_t len, const char *issuer_url,
						VciTokenRequest *request, VciError *error)
{
	VciStatus status;

	memset(request, 0, sizeof(*request));
	status = vci_form_parse(body, len, &request->form, error);
	if (status == VCI_OK)
		status = read_parameters(request, issuer_url, error);
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
append_unless_there(VciJson *selected, const char *configuration_id, VciError *error)
{
	if (vci_json_array_has_string(selected, configuration_id))
		return VCI_OK;
	if (!vci_json_append_string(selected, configuration_id))
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

bool
vci_scope_names(const char *scope, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0)
		return false;
	for (const char *at = scope; at != NULL; at = strchr(at, ' '))
	{
		at += strspn(at, " ");
		if (strcspn(at, " ") == len && strncmp(at, text, len) == 0)
			return true;
	}
	return false;
}

static bool
is_one_of(const char *id, const char *const *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (strcmp(id, ids[i]) == 0)
			return true;
	}
	return false;
}

/* Appends the configurations that scope names; granted (NULL: all) says which may be. */
static VciStatus
select_by_scope(const char *scope, const VciConfiguration *configurations, size_t count,
				const char *const *granted, size_t granted_count, VciJson *selected,
				VciError *error)
{
	for (size_t i = 0; i < count; i++)
	{
		bool wanted = vci_scope_names(scope, configurations[i].scope) &&
					  (granted == NULL || is_one_of(configurations[i].id, granted, granted_count));
		VciStatus status =
			wanted ? append_unless_there(selected, configurations[i].id, error) : VCI_OK;

		if (status != VCI_OK)
			return status;
	}
	if (vci_json_array_length(selected) == 0)
		return vci_error(error, VCI_ERR_SCOPE_UNKNOWN,
						 "no value of scope names a credential that %s",
						 granted == NULL ? "this issuer issues" : "was granted before");
	return VCI_OK;
}

VciStatus
vci_scope_select(const char *scope, const VciConfiguration *configurations, size_t count,
				 VciJson **selected, VciError *error)
{
	VciJson *ids = vci_json_new_array();
	VciStatus status = VCI_OK;

	*selected = NULL;
	if (ids == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = select_by_scope(scope, configurations, count, NULL, 0, ids, error);
	if (status != VCI_OK)
	{
		vci_json_free(ids);
		return status;
	}
	*selected = ids;
	return VCI_OK;
}

static VciStatus
select_by_details(const VciJson *details, const char *const *granted, size_t count,
				  VciJson *selected, VciError *error)
{
	for (size_t i = 0; i < vci_json_array_length(details); i++)
	{
		const char *id =
			vci_json_get_string(vci_json_array_at(details, i), "credential_configuration_id");
		VciStatus status;

		if (!is_one_of(id, granted, count))
			return vci_error(error, VCI_ERR_AUTHORIZATION_DETAILS,
							 "authorization_details names %.80s, which was not offered or asked "
							 "for before",
							 id);
		status = append_unless_there(selected, id, error);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

static VciStatus
fill_selection(const VciTokenRequest *request, const char *const *granted, size_t count,
			   const VciConfiguration *configurations, size_t configuration_count, VciJson *ids,
			   VciError *error)
{
	VciStatus status = VCI_OK;

	if (request->authorization_details != NULL)
		return select_by_details(request->authorization_details, granted, count, ids, error);
	if (request->scope != NULL)
		return select_by_scope(request->scope, configurations, configuration_count, granted, count,
							   ids, error);
	for (size_t i = 0; i < count && status == VCI_OK; i++)
		status = append_unless_there(ids, granted[i], error);
	return status;
}

VciStatus
vci_token_select_configurations(const VciTokenRequest *request, const char *const *granted,
								size_t count, const VciConfiguration *configurations,
								size_t configuration_count, VciJson **selected, VciError *error)
{
	VciJson *ids = vci_json_new_array();
	VciStatus status;

	*selected = NULL;
	if (ids == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status =
		fill_selection(request, granted, count, configurations, configuration_count, ids, error);
	if (status != VCI_OK)
	{
		vci_json_free(ids);
		return status;
	}
	*selected = ids;
	return VCI_OK;
}
