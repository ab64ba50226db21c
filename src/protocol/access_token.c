#include "access_token.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "token.h"

#define LAST_SECOND INT64_C(253402300799) /* of year 9999; the database keeps no time for ever */

bool
vci_access_token_is_jwt(const char *text, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++)
		dots += text[i] == '.';
	return dots == 2;
}

/* The core's own words for a broken JWT or key, as a fault of the access token. */
static VciStatus
token_fault(VciStatus status, const VciError *cause, VciError *error)
{
	if (status == VCI_OK)
		return VCI_OK;
	if (status == VCI_ERR_MEMORY || status == VCI_ERR_CRYPTO || status == VCI_ERR_INTERNAL)
		return vci_error(error, status, "%s", cause->text);
	return vci_error(error, VCI_ERR_TOKEN, "this access token is not valid: %s", cause->text);
}

VciStatus
vci_access_token_parse(const char *text, size_t len, VciAccessToken **token, VciError *error)
{
	VciError cause = VCI_ERROR_INIT;
	VciAccessToken *parsed = calloc(1, sizeof(*parsed));
	VciStatus status;

	*token = NULL;
	if (parsed == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = token_fault(vci_jws_parse(text, len, &parsed->jws, &cause), &cause, error);
	if (status == VCI_OK)
	{
		parsed->iss = vci_json_get_string(parsed->jws->payload, "iss");
		if (parsed->iss == NULL)
			status = vci_error(error, VCI_ERR_TOKEN, "this access token has no iss");
	}
	if (status != VCI_OK)
	{
		vci_access_token_free(parsed);
		return status;
	}
	*token = parsed;
	return VCI_OK;
}

/* RFC 9068 section 4 wants at+jwt, so that no ID token of the server passes for one. */
static VciStatus
check_typ(const VciJws *jws, const VciAccessTokenPolicy *policy, VciError *error)
{
	if (vci_jws_typ_is(jws, "at+jwt"))
		return VCI_OK;
	if (policy->accept_typ_jwt && (jws->typ == NULL || vci_jws_typ_is(jws, "JWT")))
		return VCI_OK;
	return vci_error(error, VCI_ERR_TOKEN, "the typ of this access token must be at+jwt");
}

static VciStatus
check_signature(const VciJws *jws, const VciAccessTokenPolicy *policy, VciError *error)
{
	VciError cause = VCI_ERROR_INIT;
	const VciJson *header = jws->header;
	const char *kid = vci_json_get_string(header, "kid");
	VciKey *key = NULL;
	VciStatus status;

	if (policy->jwks == NULL)
		return vci_error(error, VCI_ERR_TOKEN,
						 "no keys of this access token's authorization server are loaded here");
	if (vci_json_has(header, "kid") && kid == NULL)
		return vci_error(error, VCI_ERR_TOKEN, "the kid of this access token must be a string");
	status = vci_jwks_find(policy->jwks, kid, jws->alg, &key, &cause);
	if (status == VCI_OK)
		status = vci_jws_verify(jws, key, &cause);
	vci_key_free(key);
	return token_fault(status, &cause, error);
}

/* A time claim that must (or may) be there. */
static VciStatus
read_time(const VciJson *payload, const char *name, bool required, int64_t *seconds,
		  VciError *error)
{
	if (!required && !vci_json_has(payload, name))
		return VCI_OK;
	if (!vci_number_floor(vci_json_get(payload, name), seconds))
		return vci_error(error, VCI_ERR_TOKEN,
						 "%s of this access token must be a number of seconds since 1970", name);
	return VCI_OK;
}

static VciStatus
check_times(VciAccessToken *token, int64_t now, VciError *error)
{
	const VciJson *payload = token->jws->payload;
	int64_t not_before = 0;
	VciStatus status = read_time(payload, "exp", true, &token->expires_at, error);

	if (status == VCI_OK && token->expires_at > LAST_SECOND)
		status = vci_error(error, VCI_ERR_TOKEN, "exp of this access token lies after year 9999");
	if (status == VCI_OK)
		status = read_time(payload, "nbf", false, &not_before, error);
	if (status == VCI_OK)
		status = read_time(payload, "iat", false, &token->issued_at, error);
	if (status == VCI_OK && (not_before > now + VCI_ACCESS_TOKEN_LEEWAY ||
							 token->issued_at > now + VCI_ACCESS_TOKEN_LEEWAY))
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token is not valid yet (nbf, iat); its server's clock may "
						 "be ahead");
	return status;
}

static bool
is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; text != NULL && i < count; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

/* RFC 9068 section 4: aud must identify this resource server. */
static VciStatus
check_audience(const VciJson *payload, const VciAccessTokenPolicy *policy, VciError *error)
{
	const VciJson *aud = vci_json_get(payload, "aud");

	if (is_one_of(vci_json_string(aud), policy->audiences, policy->audience_count))
		return VCI_OK;
	for (size_t i = 0; i < vci_json_array_length(aud); i++)
		if (is_one_of(vci_json_string(vci_json_array_at(aud, i)), policy->audiences,
					  policy->audience_count))
			return VCI_OK;
	return vci_error(error, VCI_ERR_TOKEN, "this access token is for another audience (aud)");
}

/* A claim that must be there: a string of 1 to VCI_ACCESS_TOKEN_TEXT_MAX printable bytes. */
static VciStatus
read_text(const VciJson *payload, const char *name, const char **text, VciError *error)
{
	bool good;

	*text = vci_json_get_string(payload, name);
	good = *text != NULL && **text != '\0' && strlen(*text) <= VCI_ACCESS_TOKEN_TEXT_MAX;
	for (const char *p = *text; good && *p != '\0'; p++)
		good = (unsigned char) *p >= 0x20 && *p != 0x7f;
	if (!good)
		return vci_error(error, VCI_ERR_TOKEN,
						 "the claim %.64s of this access token must be a string of 1 to %d bytes "
						 "without control characters",
						 name, VCI_ACCESS_TOKEN_TEXT_MAX);
	return VCI_OK;
}

/* client_id (RFC 9068), or azp where the server writes only that. */
static VciStatus
check_client(VciAccessToken *token, const VciAccessTokenPolicy *policy, VciError *error)
{
	const VciJson *payload = token->jws->payload;
	const char *name = vci_json_has(payload, "client_id") ? "client_id" : "azp";
	VciStatus status = VCI_OK;

	if (vci_json_has(payload, name))
		status = read_text(payload, name, &token->client_id, error);
	if (status == VCI_OK && policy->client_id_count > 0 &&
		!is_one_of(token->client_id, policy->client_ids, policy->client_id_count))
		return vci_error(error, VCI_ERR_TOKEN,
						 "this access token was given to a client that the issuer does not know");
	return status;
}

/*
 * RFC 9449 section 6.1. Another confirmation, such as a certificate's (RFC 8705), is one that
 * nobody could check here: the token would pass for a bearer token.
 */
static VciStatus
check_confirmation(VciAccessToken *token, VciError *error)
{
	const VciJson *cnf = vci_json_get(token->jws->payload, "cnf");

	if (!vci_json_has(token->jws->payload, "cnf"))
		return VCI_OK;
	token->jkt = vci_json_get_string(cnf, "jkt");
	if (token->jkt == NULL || strlen(token->jkt) != VCI_THUMBPRINT_SIZE - 1 ||
		vci_json_member_count(cnf) != 1)
		return vci_error(error, VCI_ERR_TOKEN,
						 "the cnf of this access token must hold jkt, the thumbprint of a DPoP "
						 "key, and nothing else");
	return VCI_OK;
}

VciStatus
vci_access_token_check(VciAccessToken *token, const VciAccessTokenPolicy *policy, VciError *error)
{
	const VciJson *payload = token->jws->payload;
	VciStatus status = check_typ(token->jws, policy, error);

	if (status == VCI_OK)
		status = check_signature(token->jws, policy, error);
	if (status == VCI_OK)
		status = check_times(token, policy->now, error);
	if (status == VCI_OK)
		status = check_audience(payload, policy, error);
	if (status == VCI_OK)
		status = check_client(token, policy, error);
	if (status == VCI_OK && !(policy->accept_without_jti && !vci_json_has(payload, "jti")))
		status = read_text(payload, "jti", &token->jti, error);
	if (status == VCI_OK)
		status = read_text(payload, policy->subject_claim, &token->subject, error);
	if (status == VCI_OK)
		status = check_confirmation(token, error);
	return status;
}

/* Does an authorization_details object of the token name this configuration of the issuer? */
static bool
detail_names(const VciJson *detail, const VciIssuer *issuer, const char *configuration_id)
{
	const char *type = vci_json_get_string(detail, "type");
	const char *id = vci_json_get_string(detail, "credential_configuration_id");

	if (type == NULL || strcmp(type, "openid_credential") != 0 || id == NULL ||
		strcmp(id, configuration_id) != 0)
		return false;
	return !vci_json_has(detail, "locations") ||
		   vci_json_array_has_string(vci_json_get(detail, "locations"), issuer->url);
}

static bool
token_covers(const VciJson *payload, const VciIssuer *issuer, const VciConfiguration *configuration)
{
	const VciJson *details = vci_json_get(payload, "authorization_details");

	if (configuration->scope != NULL &&
		vci_scope_names(vci_json_get_string(payload, "scope"), configuration->scope))
		return true;
	for (size_t i = 0; i < vci_json_array_length(details); i++)
		if (detail_names(vci_json_array_at(details, i), issuer, configuration->id))
			return true;
	return false;
}

VciStatus
vci_access_token_configurations(const VciAccessToken *token, const VciIssuer *issuer,
								const VciConfiguration *configurations, size_t count,
								VciJson **selected, VciError *error)
{
	VciJson *ids = vci_json_new_array();
	bool done = ids != NULL;

	*selected = NULL;
	for (size_t i = 0; done && i < count; i++)
		if (token_covers(token->jws->payload, issuer, &configurations[i]))
			done = vci_json_append_string(ids, configurations[i].id);
	if (!done || vci_json_array_length(ids) == 0)
	{
		vci_json_free(ids);
		if (!done)
			return vci_error(error, VCI_ERR_MEMORY, "out of memory");
		return vci_error(error, VCI_ERR_SCOPE,
						 "neither scope nor authorization_details of this access token name a "
						 "credential of this issuer");
	}
	*selected = ids;
	return VCI_OK;
}

/*
 * Without jti, header and payload as they were signed: not the signature, of which ECDSA lets
 * anybody make a second one. Two NULs part it from iss, so that no jti can stand for it.
 */
VciStatus
vci_access_token_key(const VciAccessToken *token, unsigned char key[VCI_DIGEST_BYTES],
					 VciError *error)
{
	size_t iss_len = strlen(token->iss);
	const char *name = token->jti != NULL ? token->jti : token->jws->signing_input;
	size_t name_len = token->jti != NULL ? strlen(name) : token->jws->signing_input_len;
	size_t parting = token->jti != NULL ? 1 : 2;
	char *bytes = calloc(1, iss_len + parting + name_len);
	VciStatus status;

	if (bytes == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	memcpy(bytes, token->iss, iss_len);
	memcpy(bytes + iss_len + parting, name, name_len);
	status = vci_sha256(bytes, iss_len + parting + name_len, key, error);
	free(bytes);
	return status;
}

void
vci_access_token_free(VciAccessToken *token)
{
	if (token == NULL)
		return;
	vci_jws_free(token->jws);
	free(token);
}
