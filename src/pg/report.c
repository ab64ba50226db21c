#include "compat.h"

#include "report.h"

bool
vci_is_server_fault(VciStatus status)
{
	return status == VCI_ERR_MEMORY || status == VCI_ERR_CRYPTO || status == VCI_ERR_INTERNAL ||
		   status == VCI_ERR_SEAL || status == VCI_ERR_ROOT_KEY;
}

static VciOAuthError
token_error(VciStatus status)
{
	if (status == VCI_ERR_GRANT_TYPE)
		return (VciOAuthError){400, "unsupported_grant_type"};
	if (status == VCI_ERR_AUTHORIZATION_DETAILS)
		return (VciOAuthError){400, "invalid_authorization_details"}; /* RFC 9396 section 5 */
	if (status == VCI_ERR_GRANT || status == VCI_ERR_TX_CODE_WRONG ||
		status == VCI_ERR_OFFER_LOCKED)
		return (VciOAuthError){400, "invalid_grant"};
	if (status == VCI_ERR_PKCE || status == VCI_ERR_REDIRECT_URI)
		return (VciOAuthError){400, "invalid_grant"}; /* RFC 7636 section 4.6 */
	if (status == VCI_ERR_CLIENT)
		return (VciOAuthError){400, "invalid_client"};
	if (status == VCI_ERR_SCOPE_UNKNOWN)
		return (VciOAuthError){400, "invalid_scope"};
	if (status == VCI_ERR_TOO_LARGE)
		return (VciOAuthError){413, "invalid_request"};
	return (VciOAuthError){400, "invalid_request"};
}

/* RFC 6749 section 4.1.2.1, RFC 9126 section 2.3. */
static VciOAuthError
authorization_error(VciStatus status)
{
	if (status == VCI_ERR_CLIENT)
		return (VciOAuthError){400, "invalid_client"};
	if (status == VCI_ERR_RESPONSE_TYPE)
		return (VciOAuthError){400, "unsupported_response_type"};
	if (status == VCI_ERR_SCOPE_UNKNOWN)
		return (VciOAuthError){400, "invalid_scope"};
	if (status == VCI_ERR_AUTHORIZATION_DETAILS)
		return (VciOAuthError){400, "invalid_authorization_details"};
	if (status == VCI_ERR_REQUEST_URI)
		return (VciOAuthError){400, "invalid_request_uri"}; /* RFC 9101 section 6.2 */
	if (status == VCI_ERR_REQUEST_OBJECT)
		return (VciOAuthError){400, "request_not_supported"};
	if (status == VCI_ERR_ACCESS_DENIED)
		return (VciOAuthError){400, "access_denied"};
	if (status == VCI_ERR_TOO_LARGE)
		return (VciOAuthError){413, "invalid_request"};
	return (VciOAuthError){400, "invalid_request"};
}

/* What a fault of a credential request is called, by kind of fault. */
typedef enum CredentialFault
{
	FAULT_SERVER,
	FAULT_REQUEST,
	FAULT_SIZE,
	FAULT_PROOF,
	FAULT_NONCE,
	FAULT_TOKEN_MISSING,
	FAULT_TOKEN,
	FAULT_SCOPE,
	FAULT_CONFIGURATION,
	FAULT_IDENTIFIER,
	FAULT_ENCRYPTION,
	FAULT_DENIED,
	FAULT_TRANSACTION,
	FAULT_NOTIFICATION,
	FAULT_NOTIFICATION_ID
} CredentialFault;

/* No default: -Wswitch finds a status that was forgotten here. */
static CredentialFault
credential_fault(VciStatus status)
{
	switch (status)
	{
		case VCI_OK:
		case VCI_ERR_MEMORY:
		case VCI_ERR_CRYPTO:
		case VCI_ERR_INTERNAL:
		case VCI_ERR_SEAL:
		case VCI_ERR_ROOT_KEY:
			return FAULT_SERVER;
		case VCI_ERR_TOO_LARGE:
			return FAULT_SIZE;
		case VCI_ERR_UTF8:
		case VCI_ERR_JSON:
		case VCI_ERR_JSON_DUPLICATE:
		case VCI_ERR_JSON_DEPTH:
		case VCI_ERR_FORM:
		case VCI_ERR_FORM_DUPLICATE:
		case VCI_ERR_HTTP:
		case VCI_ERR_MEDIA_TYPE:
		case VCI_ERR_REQUEST:
		case VCI_ERR_GRANT_TYPE:
		case VCI_ERR_GRANT:
		case VCI_ERR_TX_CODE_MISSING:
		case VCI_ERR_TX_CODE_UNEXPECTED:
		case VCI_ERR_TX_CODE_WRONG:
		case VCI_ERR_OFFER_LOCKED:
		case VCI_ERR_AUTHORIZATION_DETAILS:
		case VCI_ERR_TOO_MANY:
		case VCI_ERR_PAUSED:
		case VCI_ERR_CLIENT:
		case VCI_ERR_REDIRECT_URI:
		case VCI_ERR_PKCE:
		case VCI_ERR_RESPONSE_TYPE:
		case VCI_ERR_SCOPE_UNKNOWN:
		case VCI_ERR_REQUEST_URI:
		case VCI_ERR_REQUEST_OBJECT:
		case VCI_ERR_ISSUER_STATE:
		case VCI_ERR_ACCESS_DENIED:
			return FAULT_REQUEST;
		case VCI_ERR_BASE64URL:
		case VCI_ERR_JWK:
		case VCI_ERR_JWK_PRIVATE:
		case VCI_ERR_KEY_UNSUPPORTED:
		case VCI_ERR_CERTIFICATE:
		case VCI_ERR_DID:
		case VCI_ERR_DID_UNKNOWN:
		case VCI_ERR_JWS:
		case VCI_ERR_JWS_ALG:
		case VCI_ERR_JWS_CRIT:
		case VCI_ERR_JWS_TYP:
		case VCI_ERR_JWS_SIGNATURE:
		case VCI_ERR_SD_JWT:
		case VCI_ERR_SD_HASH:
		case VCI_ERR_EXPIRED:
		case VCI_ERR_NOT_YET_VALID:
		case VCI_ERR_REVOKED:
		case VCI_ERR_SUSPENDED:
		case VCI_ERR_STATUS_UNKNOWN:
		case VCI_ERR_PROOF_MISSING:
		case VCI_ERR_PROOF:
		case VCI_ERR_PROOF_TYPE:
		case VCI_ERR_PROOF_AUDIENCE:
		case VCI_ERR_PROOF_TIME:
		case VCI_ERR_NONCE_MISSING:
		case VCI_ERR_HOLDER:
			return FAULT_PROOF;
		case VCI_ERR_NONCE:
			return FAULT_NONCE;
		case VCI_ERR_TOKEN_MISSING:
			return FAULT_TOKEN_MISSING;
		case VCI_ERR_TOKEN:
		case VCI_ERR_DPOP:
		case VCI_ERR_DPOP_NONCE:
			return FAULT_TOKEN;
		case VCI_ERR_SCOPE:
			return FAULT_SCOPE;
		case VCI_ERR_CONFIGURATION_UNKNOWN:
			return FAULT_CONFIGURATION;
		case VCI_ERR_IDENTIFIER_UNKNOWN:
			return FAULT_IDENTIFIER;
		case VCI_ERR_ENCRYPTION:
			return FAULT_ENCRYPTION;
		case VCI_ERR_CLAIM_RESERVED:
		case VCI_ERR_CLAIM_PATH:
		case VCI_ERR_CLAIM_MISSING:
		case VCI_ERR_CONFIGURATION:
		case VCI_ERR_ALREADY_ISSUED:
		case VCI_ERR_DENIED:
			return FAULT_DENIED;
		case VCI_ERR_TRANSACTION:
			return FAULT_TRANSACTION;
		case VCI_ERR_NOTIFICATION:
			return FAULT_NOTIFICATION;
		case VCI_ERR_NOTIFICATION_ID:
			return FAULT_NOTIFICATION_ID;
	}
	return FAULT_SERVER;
}

static VciOAuthError
credential_error(VciStatus status, bool older)
{
	switch (credential_fault(status))
	{
		case FAULT_SERVER:
			return (VciOAuthError){500, "server_error"};
		case FAULT_REQUEST:
			return (VciOAuthError){400, "invalid_credential_request"};
		case FAULT_SIZE:
			return (VciOAuthError){413, "invalid_credential_request"};
		case FAULT_PROOF:
			return (VciOAuthError){400, "invalid_proof"};
		case FAULT_NONCE:
			/* drafts up to 13 know no invalid_nonce: a bad nonce is a bad proof there */
			return (VciOAuthError){400, older ? "invalid_proof" : "invalid_nonce"};
		case FAULT_TOKEN_MISSING:
			return (VciOAuthError){401, NULL}; /* RFC 6750 section 3.1: no error code then */
		case FAULT_TOKEN:
			return (VciOAuthError){401, "invalid_token"};
		case FAULT_SCOPE:
			return (VciOAuthError){403, "insufficient_scope"};
		case FAULT_CONFIGURATION:
			return (VciOAuthError){400, older ? "unsupported_credential_type"
											  : "unknown_credential_configuration"};
		case FAULT_IDENTIFIER:
			return (VciOAuthError){400, "unknown_credential_identifier"};
		case FAULT_ENCRYPTION:
			return (VciOAuthError){400, "invalid_encryption_parameters"};
		case FAULT_DENIED:
			return (VciOAuthError){400, "credential_request_denied"};
		case FAULT_TRANSACTION:
			return (VciOAuthError){400, "invalid_transaction_id"};
		case FAULT_NOTIFICATION:
			return (VciOAuthError){400, "invalid_notification_request"};
		case FAULT_NOTIFICATION_ID:
			return (VciOAuthError){400, "invalid_notification_id"};
	}
	return (VciOAuthError){500, "server_error"};
}

/* A body that is no notification is named so, whatever is wrong with it (section 11.3). */
static VciOAuthError
notification_error(VciStatus status)
{
	CredentialFault fault = credential_fault(status);

	if (fault == FAULT_REQUEST)
		return (VciOAuthError){400, "invalid_notification_request"};
	if (fault == FAULT_SIZE)
		return (VciOAuthError){413, "invalid_notification_request"};
	return credential_error(status, false);
}

/* Faults that have one name at every endpoint; code NULL: none of them. */
static VciOAuthError
common_error(VciStatus status, VciAsker asker)
{
	bool resource = asker == VCI_ASKER_CREDENTIAL || asker == VCI_ASKER_CREDENTIAL_OLDER ||
					asker == VCI_ASKER_DEFERRED || asker == VCI_ASKER_NOTIFICATION;

	if (vci_is_server_fault(status))
		return (VciOAuthError){500, "server_error"};
	if (status == VCI_ERR_PAUSED)
		return (VciOAuthError){503, "temporarily_unavailable"};
	if (status == VCI_ERR_TOO_MANY)
		return (VciOAuthError){429, "temporarily_unavailable"};
	/* RFC 9449 sections 5, 7.1, 8 and 9 */
	if (status == VCI_ERR_DPOP)
		return (VciOAuthError){resource ? 401 : 400, "invalid_dpop_proof"};
	if (status == VCI_ERR_DPOP_NONCE)
		return (VciOAuthError){resource ? 401 : 400, "use_dpop_nonce"};
	return (VciOAuthError){0, NULL};
}

VciOAuthError
vci_oauth_error(VciStatus status, VciAsker asker)
{
	VciOAuthError common = common_error(status, asker);

	if (common.code != NULL)
		return common;
	switch (asker)
	{
		case VCI_ASKER_TOKEN:
			return token_error(status);
		case VCI_ASKER_CREDENTIAL:
			return credential_error(status, false);
		case VCI_ASKER_CREDENTIAL_OLDER:
			return credential_error(status, true);
		case VCI_ASKER_DEFERRED:
			return credential_error(status, false);
		case VCI_ASKER_NOTIFICATION:
			return notification_error(status);
		case VCI_ASKER_AUTHORIZATION:
			return authorization_error(status);
		case VCI_ASKER_OTHER:
			break;
	}
	return (VciOAuthError){status == VCI_ERR_TOO_LARGE ? 413 : 400, "invalid_request"};
}

/* No default here either. */
static int
sqlstate(VciStatus status)
{
	switch (status)
	{
		case VCI_ERR_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case VCI_OK:
		case VCI_ERR_CRYPTO:
		case VCI_ERR_INTERNAL:
			return ERRCODE_INTERNAL_ERROR;
		case VCI_ERR_SEAL:
			return ERRCODE_DATA_CORRUPTED;
		case VCI_ERR_ROOT_KEY:
			return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
		case VCI_ERR_TOO_LARGE:
		case VCI_ERR_TOO_MANY:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case VCI_ERR_UTF8:
			return ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
		case VCI_ERR_JSON:
		case VCI_ERR_JSON_DUPLICATE:
		case VCI_ERR_JSON_DEPTH:
			return ERRCODE_INVALID_JSON_TEXT;
		case VCI_ERR_BASE64URL:
		case VCI_ERR_FORM:
		case VCI_ERR_FORM_DUPLICATE:
		case VCI_ERR_HTTP:
		case VCI_ERR_MEDIA_TYPE:
		case VCI_ERR_JWK:
		case VCI_ERR_JWK_PRIVATE:
		case VCI_ERR_CERTIFICATE:
		case VCI_ERR_DID:
		case VCI_ERR_JWS:
		case VCI_ERR_JWS_ALG:
		case VCI_ERR_JWS_CRIT:
		case VCI_ERR_JWS_TYP:
		case VCI_ERR_JWS_SIGNATURE:
		case VCI_ERR_SD_JWT:
		case VCI_ERR_SD_HASH:
		case VCI_ERR_CLAIM_RESERVED:
		case VCI_ERR_CLAIM_PATH:
		case VCI_ERR_CLAIM_MISSING:
		case VCI_ERR_CONFIGURATION:
		case VCI_ERR_REQUEST:
		case VCI_ERR_GRANT_TYPE:
		case VCI_ERR_TX_CODE_MISSING:
		case VCI_ERR_TX_CODE_UNEXPECTED:
		case VCI_ERR_TX_CODE_WRONG:
		case VCI_ERR_AUTHORIZATION_DETAILS:
		case VCI_ERR_PROOF_MISSING:
		case VCI_ERR_PROOF:
		case VCI_ERR_PROOF_TYPE:
		case VCI_ERR_PROOF_AUDIENCE:
		case VCI_ERR_PROOF_TIME:
		case VCI_ERR_NONCE_MISSING:
		case VCI_ERR_NONCE:
		case VCI_ERR_HOLDER:
		case VCI_ERR_ENCRYPTION:
		case VCI_ERR_CLIENT:
		case VCI_ERR_REDIRECT_URI:
		case VCI_ERR_PKCE:
		case VCI_ERR_RESPONSE_TYPE:
		case VCI_ERR_SCOPE_UNKNOWN:
		case VCI_ERR_REQUEST_URI:
		case VCI_ERR_REQUEST_OBJECT:
		case VCI_ERR_ISSUER_STATE:
		case VCI_ERR_DPOP:
		case VCI_ERR_DPOP_NONCE:
		case VCI_ERR_TRANSACTION:
		case VCI_ERR_NOTIFICATION:
		case VCI_ERR_NOTIFICATION_ID:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case VCI_ERR_KEY_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case VCI_ERR_DID_UNKNOWN:
		case VCI_ERR_CONFIGURATION_UNKNOWN:
		case VCI_ERR_IDENTIFIER_UNKNOWN:
			return ERRCODE_UNDEFINED_OBJECT;
		case VCI_ERR_EXPIRED:
		case VCI_ERR_NOT_YET_VALID:
		case VCI_ERR_REVOKED:
		case VCI_ERR_SUSPENDED:
		case VCI_ERR_STATUS_UNKNOWN:
		case VCI_ERR_GRANT:
		case VCI_ERR_OFFER_LOCKED:
		case VCI_ERR_ALREADY_ISSUED:
		case VCI_ERR_DENIED:
		case VCI_ERR_PAUSED:
		case VCI_ERR_ACCESS_DENIED:
			return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
		case VCI_ERR_TOKEN_MISSING:
		case VCI_ERR_TOKEN:
		case VCI_ERR_SCOPE:
			return ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
	}
	return ERRCODE_INTERNAL_ERROR;
}

static const char *
hint(VciStatus status)
{
	switch ((int) status)
	{
		case VCI_ERR_CLAIM_RESERVED:
			return "Give the claim another name, for example entitlementStatus instead of status: "
				   "credential formats keep this one for themselves.";
		case VCI_ERR_CLAIM_PATH:
			return "A claims path pointer is a JSON array, for example [\"amount\", \"value\"].";
		case VCI_ERR_DID_UNKNOWN:
			return "Load its DID document: SELECT openid4vci.vci_load_did_document('did:web:...', "
				   "'{...}');";
	}
	return NULL;
}

void
vci_raise(const VciError *error)
{
	const char *advice = hint(error->code);

	ereport(ERROR, (errcode(sqlstate(error->code)), errmsg("%s", error->text),
					advice ? errhint("%s", advice) : 0));
}

void
vci_require(VciStatus status, const VciError *error)
{
	if (status != VCI_OK)
		vci_raise(error);
}

void
vci_require_memory(const void *pointer)
{
	if (pointer == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

void
vci_require_done(bool done)
{
	if (!done)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}
