#include "credential.h"

#include <stdlib.h>
#include <string.h>

#include "refusal.h"
#include "text.h"

#define OLDER_FORMAT "vc+sd-jwt"

/* Section 7: a nonce costs one request and is asked for right before its use. */
static bool
fetch_nonce(WalletContext *context, const WalletIssuer *issuer, char **nonce)
{
	WalletRequest request = {.what = "nonce endpoint", .url = issuer->nonce_endpoint, .body = ""};
	WalletResponse response = {0};
	VciJson *object = NULL;
	const char *c_nonce;
	bool ok = wallet_http_send(context, &request, &response);

	if (ok && (response.status < 200 || response.status > 299))
		ok = wallet_refuse(&response, request.what, &context->failure);
	if (ok)
	{
		wallet_response_check_no_store(context, &response, request.what);
		ok = wallet_response_object(context, &response, request.what, &object);
	}
	c_nonce = vci_json_get_string(object, "c_nonce");
	if (ok && c_nonce == NULL)
		ok = wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						 "the nonce endpoint gives no c_nonce");
	if (ok && (*nonce = strdup(c_nonce)) == NULL)
		ok = wallet_fail_memory(&context->failure);
	vci_json_free(object);
	wallet_response_free(&response);
	return ok;
}

/* The nonce for the proof; *nonce stays NULL when the issuer gives none. malloc'd. */
static bool
obtain_nonce(WalletContext *context, const WalletIssuer *issuer, const WalletGrant *grant,
			 char **nonce)
{
	*nonce = NULL;
	if (!context->options->older)
		return issuer->nonce_endpoint == NULL || fetch_nonce(context, issuer, nonce);
	if (grant->c_nonce == NULL)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the token response has no c_nonce, where wallets of drafts 11 to 13 "
						   "look for it");
	*nonce = strdup(grant->c_nonce);
	return *nonce != NULL || wallet_fail_memory(&context->failure);
}

/* {"jwt":[proof]} for 1.0, {"proof_type":"jwt","jwt":proof} for older wallets. */
static bool
set_proof(VciJson *body, bool older, const char *proof)
{
	VciJson *object = vci_json_new_object();
	VciJson *list;

	if (object == NULL || !vci_json_set(body, older ? "proof" : "proofs", object))
		return false;
	if (older)
		return vci_json_set_string(object, "proof_type", "jwt") &&
			   vci_json_set_string(object, "jwt", proof);
	list = vci_json_new_array();
	return list != NULL && vci_json_set(object, "jwt", list) && vci_json_append_string(list, proof);
}

/* ["VerifiableCredential", configuration id], unless the metadata lists the types. */
static VciJson *
older_types(const WalletConfiguration *configuration)
{
	const VciJson *definition = vci_json_get(configuration->object, "credential_definition");
	const VciJson *listed = vci_json_get(definition, "type");
	VciJson *types;

	if (listed != NULL)
		return vci_json_copy(listed);
	types = vci_json_new_array();
	if (types != NULL && vci_json_append_string(types, "VerifiableCredential") &&
		vci_json_append_string(types, configuration->id))
		return types;
	vci_json_free(types);
	return NULL;
}

/*
 * Drafts 13 and 14 name a vc+sd-jwt by its vct; OpenSPP's wallets name the type in
 * credential_definition, also where the metadata says dc+sd-jwt.
 */
static bool
set_older_subject(VciJson *body, const WalletConfiguration *configuration)
{
	bool by_vct = configuration->vct != NULL && strcmp(configuration->format, OLDER_FORMAT) == 0;
	VciJson *definition;

	if (!vci_json_set_string(body, "format", OLDER_FORMAT))
		return false;
	if (by_vct)
		return vci_json_set_string(body, "vct", configuration->vct);
	definition = vci_json_new_object();
	return definition != NULL && vci_json_set(body, "credential_definition", definition) &&
		   vci_json_set(definition, "type", older_types(configuration));
}

static bool
set_subject(VciJson *body, const WalletConfiguration *configuration, const WalletGrant *grant)
{
	if (grant->credential_identifier != NULL)
		return vci_json_set_string(body, "credential_identifier", grant->credential_identifier);
	return vci_json_set_string(body, "credential_configuration_id", configuration->id);
}

/* The request body; malloc'd, NULL when memory is out. */
static char *
build_body(bool older, const WalletConfiguration *configuration, const WalletGrant *grant,
		   const char *proof)
{
	VciJson *body = vci_json_new_object();
	bool ok = body != NULL && (older ? set_older_subject(body, configuration)
									 : set_subject(body, configuration, grant));
	char *text = NULL;

	if (ok && proof != NULL)
		ok = set_proof(body, older, proof);
	if (ok)
		text = vci_json_print(body);
	vci_json_free(body);
	return text;
}

/* One nonce, one proof, one request; the answer may be of any status. */
static bool
ask(WalletContext *context, const WalletIssuer *issuer, const WalletConfiguration *configuration,
	const WalletHolder *holder, const WalletGrant *grant, WalletResponse *response)
{
	WalletRequest request = {.what = "credential endpoint",
							 .url = issuer->credential_endpoint,
							 .content_type = "application/json",
							 .bearer = grant->access_token};
	char *nonce = NULL;
	char *proof = NULL;
	char *body = NULL;
	bool ok = true;

	if (configuration->proof_required || context->options->older)
		ok = obtain_nonce(context, issuer, grant, &nonce) &&
			 wallet_holder_prove(holder, issuer->identifier, nonce, context->options->client_id,
								 &proof, &context->failure);
	if (ok)
	{
		body = build_body(context->options->older, configuration, grant, proof);
		ok = body != NULL || wallet_fail_memory(&context->failure);
	}
	request.body = body;
	request.parameters = context->options->older ? "older shape" : "1.0 shape";
	ok = ok && wallet_http_send(context, &request, response);
	free(nonce);
	free(proof);
	free(body);
	return ok;
}

static bool
take(const char *text, WalletCredential *credential, WalletFailure *failure)
{
	if (text == NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential response holds no credential string");
	credential->text = strdup(text);
	return credential->text != NULL || wallet_fail_memory(failure);
}

static bool
read_older(const VciJson *object, WalletCredential *credential, WalletFailure *failure)
{
	const char *format = vci_json_get_string(object, "format");

	if (format == NULL || strcmp(format, OLDER_FORMAT) != 0)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the credential response has format %s; asked for was " OLDER_FORMAT,
						   format == NULL ? "(none)" : format);
	credential->format = OLDER_FORMAT;
	return take(vci_json_get_string(object, "credential"), credential, failure);
}

static bool
read_final(WalletContext *context, const VciJson *object, const WalletConfiguration *configuration,
		   WalletCredential *credential)
{
	const VciJson *credentials = vci_json_get(object, "credentials");
	size_t count = vci_json_array_length(credentials);

	if (count == 0)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the credential response has no credentials array "
						   "(OpenID4VCI 1.0 section 8.3)");
	if (count > 1)
		wallet_note(context->notes,
					"one proof was sent, %zu credentials came; the first one is shown", count);
	credential->format = configuration->format;
	return take(vci_json_get_string(vci_json_array_at(credentials, 0), "credential"), credential,
				&context->failure);
}

static bool
read_response(WalletContext *context, const WalletConfiguration *configuration,
			  const WalletResponse *response, WalletCredential *credential)
{
	VciJson *object = NULL;
	bool ok = wallet_response_object(context, response, "credential endpoint", &object);

	if (ok && vci_json_has(object, "transaction_id"))
	{
		ok = wallet_fail(&context->failure, WALLET_EXIT_REFUSED,
						 "the issuer defers the credential; this wallet does not wait for it");
		wallet_advise(&context->failure, "Use a wallet with deferred issuance for this issuer.");
	}
	else if (ok && context->options->older)
		ok = read_older(object, credential, &context->failure);
	else if (ok)
		ok = read_final(context, object, configuration, credential);
	vci_json_free(object);
	return ok;
}

bool
wallet_credential_request(WalletContext *context, const WalletIssuer *issuer,
						  const WalletConfiguration *configuration, const WalletHolder *holder,
						  const WalletGrant *grant, WalletCredential *credential)
{
	WalletResponse response = {0};
	bool ok;

	memset(credential, 0, sizeof(*credential));
	ok = ask(context, issuer, configuration, holder, grant, &response);
	/* section 8.3.1.2: a nonce may have run out on the way; one new try with a new one */
	if (ok && !context->options->older && wallet_is_refusal(&response, "invalid_nonce"))
		ok = ask(context, issuer, configuration, holder, grant, &response);
	if (ok && response.status != 200 && response.status != 202)
		ok = wallet_refuse(&response, "credential endpoint", &context->failure);
	ok = ok && read_response(context, configuration, &response, credential);
	wallet_response_free(&response);
	return ok;
}

void
wallet_credential_free(WalletCredential *credential)
{
	free(credential->text);
	memset(credential, 0, sizeof(*credential));
}
