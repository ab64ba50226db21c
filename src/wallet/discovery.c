#include "discovery.h"

#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "text.h"
#include "url.h"

static bool
fetch(WalletContext *context, const char *url, const char *what, VciJson **object)
{
	WalletRequest request = {.what = what, .url = url};

	return wallet_fetch_document(context, &request, object);
}

/* An endpoint of a metadata document; *url stays NULL when an optional one is absent. */
static bool
read_endpoint(WalletContext *context, const VciJson *metadata, const char *name, bool required,
			  const char **url)
{
	*url = vci_json_get_string(metadata, name);
	if (*url == NULL && (required || vci_json_get(metadata, name) != NULL))
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED, "the metadata has no %s",
						   name);
	return *url == NULL ||
		   wallet_url_check(*url, context->options->insecure, name, &context->failure);
}

static bool
discover_issuer(WalletContext *context, WalletIssuer *issuer)
{
	const char *identifier;

	issuer->metadata_url = wallet_url_well_known(issuer->identifier, "openid-credential-issuer");
	if (issuer->metadata_url == NULL)
		return wallet_fail_memory(&context->failure);
	if (!fetch(context, issuer->metadata_url, "credential issuer metadata", &issuer->metadata))
		return false;
	identifier = vci_json_get_string(issuer->metadata, "credential_issuer");
	/* section 12.2.4: not identical means that the metadata must not be used */
	if (identifier == NULL || strcmp(identifier, issuer->identifier) != 0)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the metadata's credential_issuer is %s; the offer says %s",
						   identifier == NULL ? "missing" : identifier, issuer->identifier);
	return read_endpoint(context, issuer->metadata, "credential_endpoint", true,
						 &issuer->credential_endpoint) &&
		   read_endpoint(context, issuer->metadata, "nonce_endpoint", false,
						 &issuer->nonce_endpoint);
}

/* Which authorization server to ask: the issuer itself unless it names others. */
static bool
choose_server(const WalletIssuer *issuer, const WalletOffer *offer, const char **identifier,
			  WalletFailure *failure)
{
	const VciJson *servers = vci_json_get(issuer->metadata, "authorization_servers");

	*identifier =
		servers == NULL ? issuer->identifier : vci_json_string(vci_json_array_at(servers, 0));
	if (*identifier == NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "authorization_servers must be a non-empty array of strings");
	if (offer->authorization_server == NULL)
		return true;
	if (!vci_json_array_has_string(servers, offer->authorization_server))
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "the offer's authorization_server %s is none of the issuer's "
						   "authorization_servers (OpenID4VCI 1.0 section 12.2.4)",
						   offer->authorization_server);
	*identifier = offer->authorization_server;
	return true;
}

static void
note_server(WalletContext *context, const WalletIssuer *issuer)
{
	const VciJson *grants = vci_json_get(issuer->server, "grant_types_supported");

	if (!vci_json_array_has_string(grants, WALLET_GRANT_PRE_AUTHORIZED))
		wallet_note(context->notes,
					"grant_types_supported of the authorization server does not list the "
					"pre-authorized code grant");
}

static bool
discover_server(WalletContext *context, const WalletOffer *offer, WalletIssuer *issuer)
{
	const char *identifier = NULL;
	const char *found;

	if (!choose_server(issuer, offer, &identifier, &context->failure) ||
		!wallet_url_check_identifier(identifier, context->options->insecure,
									 "the authorization server", &context->failure))
		return false;
	issuer->server_url = wallet_url_well_known(identifier, "oauth-authorization-server");
	if (issuer->server_url == NULL)
		return wallet_fail_memory(&context->failure);
	if (!fetch(context, issuer->server_url, "authorization server metadata", &issuer->server))
		return false;
	found = vci_json_get_string(issuer->server, "issuer");
	/* RFC 8414 section 3.3: not identical means that the metadata must not be used */
	if (found == NULL || strcmp(found, identifier) != 0)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the authorization server metadata's issuer is %s; expected %s",
						   found == NULL ? "missing" : found, identifier);
	note_server(context, issuer);
	return read_endpoint(context, issuer->server, "token_endpoint", true, &issuer->token_endpoint);
}

bool
wallet_issuer_discover(WalletContext *context, const WalletOffer *offer, WalletIssuer *issuer)
{
	memset(issuer, 0, sizeof(*issuer));
	issuer->identifier = offer->credential_issuer;
	return discover_issuer(context, issuer) && discover_server(context, offer, issuer);
}

void
wallet_issuer_free(WalletIssuer *issuer)
{
	free(issuer->metadata_url);
	free(issuer->server_url);
	vci_json_free(issuer->metadata);
	vci_json_free(issuer->server);
	memset(issuer, 0, sizeof(*issuer));
}

/* Drafts before 1.0 described SD-JWT VCs so, and asked for no proof types. */
static void
note_older_shape(WalletContext *context, const WalletConfiguration *configuration)
{
	if (!context->options->older)
		wallet_note(context->notes,
					"%s is published in the shape of drafts before 1.0; --older asks as their "
					"wallets did",
					configuration->id);
}

/* Section 12.2.4: binding methods and proof types come together or not at all. */
static bool
read_binding(WalletContext *context, WalletConfiguration *configuration)
{
	const VciJson *proof_types = vci_json_get(configuration->object, "proof_types_supported");
	const VciJson *jwt = vci_json_get(proof_types, "jwt");

	configuration->binding_methods =
		vci_json_get(configuration->object, "cryptographic_binding_methods_supported");
	configuration->proof_algs = vci_json_get(jwt, "proof_signing_alg_values_supported");
	configuration->proof_required = proof_types != NULL || configuration->binding_methods != NULL;
	if (proof_types != NULL && jwt == NULL)
		return wallet_fail(&context->failure, WALLET_EXIT_USAGE,
						   "%s asks for a proof type other than jwt, which this wallet cannot make",
						   configuration->id);
	if (vci_json_get(jwt, "key_attestations_required") != NULL)
		return wallet_fail(&context->failure, WALLET_EXIT_USAGE,
						   "%s asks for a key attestation, which this wallet cannot give",
						   configuration->id);
	if (vci_json_has(configuration->object, "credential_definition"))
		note_older_shape(context, configuration);
	else if ((proof_types == NULL) != (configuration->binding_methods == NULL))
		wallet_note(context->notes,
					"%s has only one of cryptographic_binding_methods_supported and "
					"proof_types_supported; they belong together",
					configuration->id);
	if (jwt != NULL && vci_json_array_length(configuration->proof_algs) == 0)
		wallet_note(context->notes, "%s lists no proof_signing_alg_values_supported",
					configuration->id);
	return true;
}

static bool
check_encryption(const WalletIssuer *issuer, WalletFailure *failure)
{
	static const char *const names[] = {"credential_request_encryption",
										"credential_response_encryption"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		bool required = false;

		if (vci_json_get_boolean(vci_json_get(issuer->metadata, names[i]), "encryption_required",
								 &required) &&
			required)
			return wallet_fail(failure, WALLET_EXIT_USAGE,
							   "the issuer requires %s, which this wallet does not do", names[i]);
	}
	return true;
}

bool
wallet_issuer_configuration(WalletContext *context, const WalletIssuer *issuer, const char *id,
							WalletConfiguration *configuration)
{
	const VciJson *all = vci_json_get(issuer->metadata, "credential_configurations_supported");

	memset(configuration, 0, sizeof(*configuration));
	configuration->id = id;
	configuration->object = vci_json_get(all, id);
	configuration->format = vci_json_get_string(configuration->object, "format");
	configuration->vct = vci_json_get_string(configuration->object, "vct");
	if (configuration->object == NULL || configuration->format == NULL)
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the offer names %s, but the issuer's metadata has no such "
						   "credential configuration with a format",
						   id);
	if (strcmp(configuration->format, "dc+sd-jwt") != 0 &&
		strcmp(configuration->format, "vc+sd-jwt") != 0)
		return wallet_fail(&context->failure, WALLET_EXIT_USAGE,
						   "%s has the format %s; this wallet takes dc+sd-jwt and vc+sd-jwt", id,
						   configuration->format);
	if (configuration->vct == NULL && strcmp(configuration->format, "dc+sd-jwt") == 0)
		wallet_note(context->notes, "%s has no vct, which dc+sd-jwt requires", id);
	return check_encryption(issuer, &context->failure) && read_binding(context, configuration);
}
