#include "token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "refusal.h"
#include "text.h"
#include "url.h"

/* [{"type":"openid_credential","credential_configuration_id":...}] (section 5.1.1) */
static char *
authorization_details(const WalletIssuer *issuer, const WalletConfiguration *configuration)
{
	VciJson *details = vci_json_new_array();
	VciJson *locations = NULL;
	VciJson *one = vci_json_new_object();
	bool ok = details != NULL && one != NULL &&
			  vci_json_set_string(one, "type", "openid_credential") &&
			  vci_json_set_string(one, "credential_configuration_id", configuration->id);
	char *text = NULL;

	/* section 6.1: locations is a must when the issuer names authorization_servers */
	if (ok && vci_json_get(issuer->metadata, "authorization_servers") != NULL)
	{
		locations = vci_json_new_array();
		ok = locations != NULL && vci_json_append_string(locations, issuer->identifier);
		ok = vci_json_set(one, "locations", locations) && ok;
	}
	if (details != NULL)
		ok = vci_json_append(details, one) && ok;
	else
		vci_json_free(one);
	if (ok)
		text = vci_json_print(details);
	vci_json_free(details);
	return text;
}

static bool
build_form(WalletContext *context, const WalletOffer *offer, const WalletIssuer *issuer,
		   const WalletConfiguration *configuration, char **form)
{
	bool ok = wallet_form_add(form, "grant_type", WALLET_GRANT_PRE_AUTHORIZED) &&
			  wallet_form_add(form, "pre-authorized_code", offer->code);

	if (ok && context->options->tx_code != NULL)
		ok = wallet_form_add(form, "tx_code", context->options->tx_code);
	if (ok && context->options->client_id != NULL)
		ok = wallet_form_add(form, "client_id", context->options->client_id);
	if (ok && context->options->authorization_details)
	{
		char *details = authorization_details(issuer, configuration);

		ok = details != NULL && wallet_form_add(form, "authorization_details", details);
		free(details);
	}
	return ok;
}

/* b64token of RFC 6750 section 2.1: nothing else may go into a header. */
static bool
is_bearer_token(const char *token)
{
	size_t len = strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
							   "-._~+/");

	return len > 0 && token[len + strspn(token + len, "=")] == '\0';
}

/* The identifier that section 6.2 says must be used when the answer has one. */
static bool
read_identifier(WalletContext *context, const WalletConfiguration *configuration,
				WalletGrant *grant)
{
	const VciJson *details = vci_json_get(grant->response, "authorization_details");

	for (size_t i = 0; i < vci_json_array_length(details); i++)
	{
		const VciJson *one = vci_json_array_at(details, i);
		const char *id = vci_json_get_string(one, "credential_configuration_id");
		const VciJson *identifiers = vci_json_get(one, "credential_identifiers");

		if (id == NULL || strcmp(id, configuration->id) != 0)
			continue;
		grant->credential_identifier = vci_json_string(vci_json_array_at(identifiers, 0));
		if (grant->credential_identifier == NULL)
			return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
							   "authorization_details of the token response have no "
							   "credential_identifiers (OpenID4VCI 1.0 section 6.2)");
		return true;
	}
	if (context->options->authorization_details)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the token response has no authorization_details for %s, which were "
						   "asked for (OpenID4VCI 1.0 section 6.2)",
						   configuration->id);
	return true;
}

static bool
read_grant(WalletContext *context, const WalletConfiguration *configuration, WalletGrant *grant)
{
	const char *type = vci_json_get_string(grant->response, "token_type");
	int64_t expires_in;

	grant->access_token = vci_json_get_string(grant->response, "access_token");
	grant->c_nonce = vci_json_get_string(grant->response, "c_nonce");
	if (grant->access_token == NULL || !is_bearer_token(grant->access_token))
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the token response has no access_token in the syntax of RFC 6750");
	if (type == NULL || strcasecmp(type, "Bearer") != 0)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the token response has token_type %s; this wallet knows Bearer",
						   type == NULL ? "(none)" : type);
	if (!vci_json_get_int64(grant->response, "expires_in", &expires_in) || expires_in <= 0)
		wallet_note(context->notes, "the token response has no positive expires_in");
	return read_identifier(context, configuration, grant);
}

/* OpenID4VCI 1.0 section 12.3: without the member, or with false, a client_id is needed. */
static void
note_anonymous(WalletContext *context, const WalletIssuer *issuer)
{
	bool anonymous = false;

	vci_json_get_boolean(issuer->server, "pre-authorized_grant_anonymous_access_supported",
						 &anonymous);
	if (!anonymous && context->options->client_id == NULL)
		wallet_note(context->notes,
					"the authorization server does not say "
					"pre-authorized_grant_anonymous_access_supported, so a wallet may "
					"think that it needs a client_id");
}

static const char *
parameter_names(WalletContext *context)
{
	return context->options->tx_code == NULL ? "grant_type, pre-authorized_code"
											 : "grant_type, pre-authorized_code, tx_code";
}

bool
wallet_token_request(WalletContext *context, const WalletOffer *offer, const WalletIssuer *issuer,
					 const WalletConfiguration *configuration, WalletGrant *grant)
{
	WalletRequest request = {.what = "token endpoint",
							 .url = issuer->token_endpoint,
							 .content_type = "application/x-www-form-urlencoded",
							 .parameters = parameter_names(context)};
	WalletResponse response = {0};
	char *form = NULL;
	bool ok;

	memset(grant, 0, sizeof(*grant));
	note_anonymous(context, issuer);
	ok = build_form(context, offer, issuer, configuration, &form) ||
		 wallet_fail_memory(&context->failure);
	request.body = form;
	ok = ok && wallet_http_send(context, &request, &response);
	free(form);
	if (ok && response.status != 200)
		ok = wallet_refuse(&response, request.what, &context->failure);
	if (ok)
	{
		wallet_response_check_no_store(context, &response, request.what);
		ok = wallet_response_object(context, &response, request.what, &grant->response) &&
			 read_grant(context, configuration, grant);
	}
	wallet_response_free(&response);
	return ok;
}

void
wallet_grant_free(WalletGrant *grant)
{
	vci_json_free(grant->response);
	memset(grant, 0, sizeof(*grant));
}
