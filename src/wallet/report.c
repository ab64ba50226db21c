#include "report.h"

static bool
set_optional(VciJson *object, const char *name, const char *text)
{
	return text == NULL || text[0] == '\0' || vci_json_set_string(object, name, text);
}

static VciJson *
key_object(const VciKey *key, const char *thumbprint)
{
	VciJson *object = vci_json_new_object();

	if (object != NULL && vci_json_set_string(object, "thumbprint", thumbprint) &&
		vci_json_set(object, "jwk", vci_key_public_jwk(key)))
		return object;
	vci_json_free(object);
	return NULL;
}

static VciJson *
endpoints_object(const WalletResult *result)
{
	const WalletIssuer *issuer = result->issuer;
	VciJson *object = vci_json_new_object();

	if (object != NULL && vci_json_set_string(object, "credential_issuer", issuer->identifier) &&
		vci_json_set_string(object, "issuer_metadata", issuer->metadata_url) &&
		vci_json_set_string(object, "authorization_server_metadata", issuer->server_url) &&
		vci_json_set_string(object, "token_endpoint", issuer->token_endpoint) &&
		set_optional(object, "nonce_endpoint", issuer->nonce_endpoint) &&
		vci_json_set_string(object, "credential_endpoint", issuer->credential_endpoint) &&
		vci_json_set_string(object, "issuer_keys", result->verdict->issuer_key.url))
		return object;
	vci_json_free(object);
	return NULL;
}

/* Pointers to the claims that are always disclosed, or to those with an own disclosure. */
static VciJson *
pointers(const WalletClaims *claims, bool own_disclosure)
{
	VciJson *list = vci_json_new_array();

	for (size_t i = 0; list != NULL && i < claims->count; i++)
	{
		const WalletClaim *claim = &claims->rows[i];

		if (own_disclosure ? !claim->own_disclosure : claim->disclosable)
			continue;
		if (!vci_json_append(list, vci_json_copy(claim->path)))
		{
			vci_json_free(list);
			list = NULL;
		}
	}
	return list;
}

static bool
set_credential(VciJson *report, const WalletResult *result)
{
	const VciSdJwt *sd_jwt = result->verdict->sd_jwt;

	return vci_json_set_string(report, "credential", result->credential->text) &&
		   vci_json_set_string(report, "format", result->credential->format) &&
		   vci_json_set_string(report, "configuration_id", result->configuration->id) &&
		   vci_json_set(report, "header", vci_json_copy(sd_jwt->jws->header)) &&
		   vci_json_set(report, "payload", vci_json_copy(sd_jwt->jws->payload)) &&
		   vci_json_set(report, "claims", vci_json_copy(sd_jwt->claims)) &&
		   vci_json_set(report, "disclosures", vci_json_copy(sd_jwt->disclosures)) &&
		   vci_json_set(report, "always_disclosed", pointers(result->claims, false)) &&
		   vci_json_set(report, "selectively_disclosable", pointers(result->claims, true));
}

VciJson *
wallet_report_result(const WalletContext *context, const WalletResult *result)
{
	const WalletIssuerKey *issuer_key = &result->verdict->issuer_key;
	VciJson *report = vci_json_new_object();

	if (report != NULL && vci_json_set_boolean(report, "verified", true) &&
		set_credential(report, result) &&
		vci_json_set(report, "key", key_object(result->holder->key, result->holder->thumbprint)) &&
		vci_json_set(report, "issuer_key", key_object(issuer_key->key, issuer_key->thumbprint)) &&
		vci_json_set(report, "endpoints", endpoints_object(result)) &&
		vci_json_set(report, "notes", vci_json_copy(context->notes)))
		return report;
	vci_json_free(report);
	return NULL;
}

VciJson *
wallet_report_failure(const WalletContext *context)
{
	const WalletFailure *failure = &context->failure;
	VciJson *report = vci_json_new_object();
	bool ok = report != NULL && vci_json_set_boolean(report, "verified", false) &&
			  vci_json_set_int64(report, "exit_status", failure->exit) &&
			  vci_json_set_string(report, "message", failure->text) &&
			  set_optional(report, "advice", failure->advice) &&
			  set_optional(report, "error", failure->oauth_error) &&
			  set_optional(report, "error_description", failure->oauth_description);

	if (ok && failure->http_status != 0)
		ok = vci_json_set_int64(report, "http_status", failure->http_status);
	if (ok && context->notes != NULL)
		ok = vci_json_set(report, "notes", vci_json_copy(context->notes));
	if (ok)
		return report;
	vci_json_free(report);
	return NULL;
}
