#include "status.h"

#include <stdarg.h>
#include <stdio.h>

/*
 * RFC 6749 section 5.2 allows %x20-21, %x23-5B and %x5D-7E in error_description;
 * the texts also go into headers and logs, where a control character would hurt.
 */
static char
safe_character(char c)
{
	if (c == '"')
		return '\'';
	if (c < 0x20 || c > 0x7e || c == '\\')
		return '?';
	return c;
}

VciStatus
vci_error(VciError *error, VciStatus code, const char *format, ...)
{
	va_list arguments;

	if (error == NULL || error->code != VCI_OK)
		return code;

	error->code = code;
	va_start(arguments, format);
	if (vsnprintf(error->text, sizeof(error->text), format, arguments) < 0)
		error->text[0] = '\0';
	va_end(arguments);

	for (char *c = error->text; *c != '\0'; c++)
		*c = safe_character(*c);
	return code;
}

/* No default: -Wswitch names the status that was forgotten. */
const char *
vci_status_name(VciStatus status)
{
	switch (status)
	{
		case VCI_OK:
			return "ok";
		case VCI_ERR_MEMORY:
			return "memory";
		case VCI_ERR_CRYPTO:
			return "crypto";
		case VCI_ERR_INTERNAL:
			return "internal";
		case VCI_ERR_SEAL:
			return "seal";
		case VCI_ERR_ROOT_KEY:
			return "root_key";
		case VCI_ERR_TOO_LARGE:
			return "too_large";
		case VCI_ERR_UTF8:
			return "utf8";
		case VCI_ERR_BASE64URL:
			return "base64url";
		case VCI_ERR_JSON:
			return "json";
		case VCI_ERR_JSON_DUPLICATE:
			return "json_duplicate";
		case VCI_ERR_JSON_DEPTH:
			return "json_depth";
		case VCI_ERR_FORM:
			return "form";
		case VCI_ERR_FORM_DUPLICATE:
			return "form_duplicate";
		case VCI_ERR_HTTP:
			return "http";
		case VCI_ERR_MEDIA_TYPE:
			return "media_type";
		case VCI_ERR_JWK:
			return "jwk";
		case VCI_ERR_JWK_PRIVATE:
			return "jwk_private";
		case VCI_ERR_KEY_UNSUPPORTED:
			return "key_unsupported";
		case VCI_ERR_CERTIFICATE:
			return "certificate";
		case VCI_ERR_DID:
			return "did";
		case VCI_ERR_DID_UNKNOWN:
			return "did_unknown";
		case VCI_ERR_JWS:
			return "jws";
		case VCI_ERR_JWS_ALG:
			return "jws_alg";
		case VCI_ERR_JWS_CRIT:
			return "jws_crit";
		case VCI_ERR_JWS_TYP:
			return "jws_typ";
		case VCI_ERR_JWS_SIGNATURE:
			return "jws_signature";
		case VCI_ERR_SD_JWT:
			return "sd_jwt";
		case VCI_ERR_SD_HASH:
			return "sd_hash";
		case VCI_ERR_EXPIRED:
			return "expired";
		case VCI_ERR_NOT_YET_VALID:
			return "not_yet_valid";
		case VCI_ERR_REVOKED:
			return "revoked";
		case VCI_ERR_SUSPENDED:
			return "suspended";
		case VCI_ERR_STATUS_UNKNOWN:
			return "status_unknown";
		case VCI_ERR_CLAIM_RESERVED:
			return "claim_reserved";
		case VCI_ERR_CLAIM_PATH:
			return "claim_path";
		case VCI_ERR_CLAIM_MISSING:
			return "claim_missing";
		case VCI_ERR_CONFIGURATION:
			return "configuration";
		case VCI_ERR_REQUEST:
			return "request";
		case VCI_ERR_GRANT_TYPE:
			return "grant_type";
		case VCI_ERR_GRANT:
			return "grant";
		case VCI_ERR_TX_CODE_MISSING:
			return "tx_code_missing";
		case VCI_ERR_TX_CODE_UNEXPECTED:
			return "tx_code_unexpected";
		case VCI_ERR_TX_CODE_WRONG:
			return "tx_code_wrong";
		case VCI_ERR_OFFER_LOCKED:
			return "offer_locked";
		case VCI_ERR_AUTHORIZATION_DETAILS:
			return "authorization_details";
		case VCI_ERR_TOO_MANY:
			return "too_many";
		case VCI_ERR_PAUSED:
			return "paused";
		case VCI_ERR_CLIENT:
			return "client";
		case VCI_ERR_REDIRECT_URI:
			return "redirect_uri";
		case VCI_ERR_PKCE:
			return "pkce";
		case VCI_ERR_RESPONSE_TYPE:
			return "response_type";
		case VCI_ERR_SCOPE_UNKNOWN:
			return "scope_unknown";
		case VCI_ERR_REQUEST_URI:
			return "request_uri";
		case VCI_ERR_REQUEST_OBJECT:
			return "request_object";
		case VCI_ERR_ISSUER_STATE:
			return "issuer_state";
		case VCI_ERR_ACCESS_DENIED:
			return "access_denied";
		case VCI_ERR_DPOP:
			return "dpop";
		case VCI_ERR_DPOP_NONCE:
			return "dpop_nonce";
		case VCI_ERR_TOKEN_MISSING:
			return "token_missing";
		case VCI_ERR_TOKEN:
			return "token";
		case VCI_ERR_SCOPE:
			return "scope";
		case VCI_ERR_CONFIGURATION_UNKNOWN:
			return "configuration_unknown";
		case VCI_ERR_IDENTIFIER_UNKNOWN:
			return "identifier_unknown";
		case VCI_ERR_ENCRYPTION:
			return "encryption";
		case VCI_ERR_PROOF_MISSING:
			return "proof_missing";
		case VCI_ERR_PROOF:
			return "proof";
		case VCI_ERR_PROOF_TYPE:
			return "proof_type";
		case VCI_ERR_PROOF_AUDIENCE:
			return "proof_audience";
		case VCI_ERR_PROOF_TIME:
			return "proof_time";
		case VCI_ERR_NONCE_MISSING:
			return "nonce_missing";
		case VCI_ERR_NONCE:
			return "nonce";
		case VCI_ERR_HOLDER:
			return "holder";
		case VCI_ERR_ALREADY_ISSUED:
			return "already_issued";
		case VCI_ERR_DENIED:
			return "denied";
		case VCI_ERR_TRANSACTION:
			return "transaction";
		case VCI_ERR_NOTIFICATION:
			return "notification";
		case VCI_ERR_NOTIFICATION_ID:
			return "notification_id";
	}
	return "unknown";
}
