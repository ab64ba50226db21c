#include "metadata.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/did.h"
#include "dpop.h"
#include "http.h"
#include "offer.h"

/* Publishes the endpoint's URL unless it is switched off. */
static bool
set_endpoint(VciJson *object, const char *name, const VciIssuer *issuer, VciEndpoint endpoint)
{
	const VciEndpointRule *rule = &issuer->endpoints[endpoint];

	return !rule->enabled || vci_json_set_string(object, name, rule->url);
}

static bool
set_strings(VciJson *object, const char *name, const char *const *texts, size_t count)
{
	VciJson *array = vci_json_new_array();

	if (!vci_json_set(object, name, array))
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (!vci_json_append_string(array, texts[i]))
			return false;
	}
	return true;
}

/* An array is published only when it holds something. */
static bool
set_array_copy(VciJson *object, const char *name, const VciJson *array)
{
	return vci_json_array_length(array) == 0 || vci_json_set(object, name, vci_json_copy(array));
}

/* Publishes ok's object, or frees it. */
static VciJson *
finish(VciJson *object, bool ok)
{
	if (ok)
		return object;
	vci_json_free(object);
	return NULL;
}

/*
 * Section 12.2.4 lets a configuration without required binding name no methods, and a
 * wallet that sees proof_types_supported must send proofs (section 8.2): where binding is
 * optional, naming them would shut out the wallet that has no key.
 */
static bool
set_binding(VciJson *object, const VciConfiguration *configuration)
{
	static const char *const methods[] = {"jwk", "did:jwk", "did:key"};
	static const char *const algs[] = {"ES256", "ES384", "EdDSA", "RS256", "PS256"};
	VciJson *types;
	VciJson *jwt;

	if (configuration->binding != VCI_HOLDER_REQUIRED)
		return true;
	types = vci_json_new_object();
	jwt = vci_json_new_object();
	if (!vci_json_set(types, "jwt", jwt))
	{
		vci_json_free(types);
		return false;
	}
	if (!vci_json_set(object, "proof_types_supported", types))
		return false;
	return set_strings(jwt, "proof_signing_alg_values_supported", algs,
					   sizeof(algs) / sizeof(algs[0])) &&
		   set_strings(object, "cryptographic_binding_methods_supported", methods,
					   sizeof(methods) / sizeof(methods[0]));
}

/* Always there, even if empty: some wallets tell 1.0 from the drafts by it. */
static bool
set_credential_metadata(VciJson *object, const VciConfiguration *configuration)
{
	VciJson *metadata = vci_json_new_object();

	return vci_json_set(object, "credential_metadata", metadata) &&
		   set_array_copy(metadata, "display", configuration->display) &&
		   set_array_copy(metadata, "claims", configuration->claims);
}

/* A member of the nested object of drafts 11 to 14, which has no room for array elements. */
static VciJson *
older_claim_node(VciJson *root, const VciJson *path)
{
	VciJson *node = root;

	for (size_t i = 0; i < vci_json_array_length(path); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(path, i));
		VciJson *child;

		if (name == NULL)
			return NULL;
		child = vci_json_get(node, name);
		if (child == NULL)
		{
			child = vci_json_new_object();
			if (!vci_json_set(node, name, child))
				return NULL;
		}
		node = child;
	}
	return node;
}

/* Can drafts 11 to 14 say it: names only, and none that means the description itself? */
static bool
older_claim_expressible(const VciJson *path)
{
	for (size_t i = 0; i < vci_json_array_length(path); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(path, i));

		if (name == NULL)
			return false;
		if (i > 0 && (strcmp(name, "mandatory") == 0 || strcmp(name, "display") == 0 ||
					  strcmp(name, "value_type") == 0))
			return false;
	}
	return true;
}

static bool
fill_older_claims(VciJson *root, const VciJson *descriptions)
{
	for (size_t i = 0; i < vci_json_array_length(descriptions); i++)
	{
		const VciJson *description = vci_json_array_at(descriptions, i);
		const VciJson *path = vci_json_get(description, "path");
		bool mandatory;
		VciJson *node;

		if (!older_claim_expressible(path))
			continue;
		node = older_claim_node(root, path);
		if (node == NULL)
			return false;
		if (vci_json_get_boolean(description, "mandatory", &mandatory) &&
			!vci_json_set_boolean(node, "mandatory", mandatory))
			return false;
		if (!set_array_copy(node, "display", vci_json_get(description, "display")))
			return false;
	}
	return true;
}

/* Draft 15 has the array of 1.0 at the top of a configuration, its forerunners an object. */
static bool
set_older_claims(VciJson *object, const VciConfiguration *configuration)
{
	VciJson *claims;

	if (strcmp(configuration->format, "dc+sd-jwt") == 0 ||
		vci_json_array_length(configuration->claims) == 0)
		return set_array_copy(object, "claims", configuration->claims);
	claims = vci_json_new_object();
	return vci_json_set(object, "claims", claims) &&
		   fill_older_claims(claims, configuration->claims);
}

static bool
set_older_members(VciJson *object, const VciConfiguration *configuration)
{
	const char *const algs[] = {vci_alg_name(configuration->signing_alg)};

	if ((configuration->older & VCI_OLDER_METADATA) == 0)
		return true;
	return set_strings(object, "cryptographic_suites_supported", algs, 1) &&
		   set_array_copy(object, "display", configuration->display) &&
		   set_older_claims(object, configuration);
}

/* credential_definition {type, credentialSubject} as OpenSPP's guide has it. */
static bool
set_credential_definition(VciJson *object, const VciConfiguration *configuration)
{
	const char *const types[] = {"VerifiableCredential", configuration->id};
	VciJson *definition = vci_json_new_object();
	VciJson *subject;

	if (!vci_json_set(object, "credential_definition", definition) ||
		!set_strings(definition, "type", types, 2))
		return false;
	subject = vci_json_new_object();
	return vci_json_set(definition, "credentialSubject", subject) &&
		   fill_older_claims(subject, configuration->claims);
}

/* What OpenSPP's guide publishes, and nothing of 1.0. */
static VciJson *
guide_object(const VciConfiguration *configuration)
{
	static const char *const methods[] = {"jwk"};
	const char *const algs[] = {vci_alg_name(configuration->signing_alg)};
	VciJson *object = vci_json_new_object();
	bool ok = vci_json_set_string(object, "format", configuration->format) &&
			  (configuration->scope == NULL ||
			   vci_json_set_string(object, "scope", configuration->scope)) &&
			  (configuration->binding != VCI_HOLDER_REQUIRED ||
			   set_strings(object, "cryptographic_binding_methods_supported", methods, 1)) &&
			  set_strings(object, "cryptographic_suites_supported", algs, 1) &&
			  set_array_copy(object, "display", configuration->display) &&
			  set_credential_definition(object, configuration);

	return finish(object, ok);
}

static VciJson *
configuration_object(const VciConfiguration *configuration)
{
	const char *const algs[] = {vci_alg_name(configuration->signing_alg)};
	VciJson *object;
	bool ok;

	if ((configuration->older & VCI_OLDER_CREDENTIAL_DEFINITION) != 0)
		return guide_object(configuration);
	object = vci_json_new_object();
	ok = vci_json_set_string(object, "format", configuration->format) &&
		 (configuration->scope == NULL ||
		  vci_json_set_string(object, "scope", configuration->scope)) &&
		 vci_json_set_string(object, "vct", configuration->vct) &&
		 set_binding(object, configuration) &&
		 set_strings(object, "credential_signing_alg_values_supported", algs, 1) &&
		 set_credential_metadata(object, configuration) && set_older_members(object, configuration);
	return finish(object, ok);
}

static bool
set_configurations(VciJson *metadata, const VciConfiguration *configurations, size_t count)
{
	VciJson *supported = vci_json_new_object();

	if (!vci_json_set(metadata, "credential_configurations_supported", supported))
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (!vci_json_set(supported, configurations[i].id,
						  configuration_object(&configurations[i])))
			return false;
	}
	return true;
}

static bool
set_batch(VciJson *metadata, const VciIssuer *issuer)
{
	VciJson *batch;

	if (issuer->batch_size < 2)
		return true;
	batch = vci_json_new_object();
	return vci_json_set(metadata, "batch_credential_issuance", batch) &&
		   vci_json_set_int64(batch, "batch_size", issuer->batch_size);
}

/* Left out when the issuer is its own and only authorization server (section 12.2.4). */
static bool
set_authorization_servers(VciJson *metadata, const VciIssuer *issuer)
{
	VciJson *servers;

	if (issuer->authorization_server_count == 0)
		return true;
	servers = vci_json_new_array();
	if (!vci_json_set(metadata, "authorization_servers", servers))
		return false;
	if (issuer->endpoints[VCI_ENDPOINT_TOKEN].enabled &&
		!vci_json_append_string(servers, issuer->url))
		return false;
	for (size_t i = 0; i < issuer->authorization_server_count; i++)
	{
		if (!vci_json_append_string(servers, issuer->authorization_servers[i]))
			return false;
	}
	return true;
}

VciJson *
vci_metadata_credential_issuer(const VciIssuer *issuer, const VciConfiguration *configurations,
							   size_t count)
{
	VciJson *metadata = vci_json_new_object();
	/* credential_endpoint is required, even where it is switched off for a while */
	bool ok = vci_json_set_string(metadata, "credential_issuer", issuer->url) &&
			  set_authorization_servers(metadata, issuer) &&
			  vci_json_set_string(metadata, "credential_endpoint",
								  issuer->endpoints[VCI_ENDPOINT_CREDENTIAL].url) &&
			  set_endpoint(metadata, "nonce_endpoint", issuer, VCI_ENDPOINT_NONCE) &&
			  set_endpoint(metadata, "batch_credential_endpoint", issuer,
						   VCI_ENDPOINT_BATCH_CREDENTIAL) &&
			  set_endpoint(metadata, "deferred_credential_endpoint", issuer,
						   VCI_ENDPOINT_DEFERRED_CREDENTIAL) &&
			  set_endpoint(metadata, "notification_endpoint", issuer, VCI_ENDPOINT_NOTIFICATION) &&
			  set_batch(metadata, issuer) && set_array_copy(metadata, "display", issuer->display) &&
			  set_configurations(metadata, configurations, count);

	return finish(metadata, ok);
}

bool
vci_takes_authorization_requests(const VciIssuer *issuer)
{
	return issuer->has_clients && issuer->endpoints[VCI_ENDPOINT_AUTHORIZE].enabled &&
		   issuer->endpoints[VCI_ENDPOINT_TOKEN].enabled;
}

static bool
set_grant_types(VciJson *metadata, const VciIssuer *issuer)
{
	const char *grants[3];
	size_t count = 0;

	grants[count++] = VCI_GRANT_PRE_AUTHORIZED;
	if (vci_takes_authorization_requests(issuer))
		grants[count++] = "authorization_code";
	if (issuer->refresh_token_lifetime > 0)
		grants[count++] = "refresh_token";
	return set_strings(metadata, "grant_types_supported", grants, count);
}

/* Each scope once; RFC 8414 section 3.2 forbids an empty array. */
static bool
set_scopes(VciJson *metadata, const VciConfiguration *configurations, size_t count)
{
	VciJson *scopes = vci_json_new_array();
	bool ok = scopes != NULL;

	for (size_t i = 0; ok && i < count; i++)
	{
		const char *scope = configurations[i].scope;

		if (scope != NULL && !vci_json_array_has_string(scopes, scope))
			ok = vci_json_append_string(scopes, scope);
	}
	ok = ok && set_array_copy(metadata, "scopes_supported", scopes);
	vci_json_free(scopes);
	return ok;
}

/*
 * The authorization code flow. Without it response_types_supported is left out, too: RFC 8414
 * section 3.2 forbids an empty array, and OpenID4VCI 1.0 section 12.2.4 frees a
 * pre-authorized-only server from it.
 */
static bool
set_authorization(VciJson *metadata, const VciIssuer *issuer,
				  const VciConfiguration *configurations, size_t count)
{
	static const char *const responses[] = {"code"};
	static const char *const challenges[] = {"S256"};

	if (!vci_takes_authorization_requests(issuer))
		return true;
	return set_endpoint(metadata, "authorization_endpoint", issuer, VCI_ENDPOINT_AUTHORIZE) &&
		   set_endpoint(metadata, "pushed_authorization_request_endpoint", issuer,
						VCI_ENDPOINT_PAR) &&
		   set_strings(metadata, "response_types_supported", responses, 1) &&
		   set_strings(metadata, "code_challenge_methods_supported", challenges, 1) &&
		   vci_json_set_boolean(metadata, "authorization_response_iss_parameter_supported", true) &&
		   set_scopes(metadata, configurations, count);
}

/* draft-ietf-oauth-status-list section 9.1 */
static bool
set_status_lists(VciJson *metadata, const VciIssuer *issuer, const VciConfiguration *configurations,
				 size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (configurations[i].status_bits > 0)
			return set_endpoint(metadata, "status_list_aggregation_endpoint", issuer,
								VCI_ENDPOINT_STATUS_LIST);
	}
	return true;
}

VciJson *
vci_metadata_authorization_server(const VciIssuer *issuer, const VciConfiguration *configurations,
								  size_t count)
{
	static const char *const methods[] = {"none"};
	static const char *const details[] = {"openid_credential"};
	VciJson *metadata = vci_json_new_object();
	bool ok =
		vci_json_set_string(metadata, "issuer", issuer->url) &&
		set_endpoint(metadata, "token_endpoint", issuer, VCI_ENDPOINT_TOKEN) &&
		set_endpoint(metadata, "jwks_uri", issuer, VCI_ENDPOINT_JWKS) &&
		set_grant_types(metadata, issuer) &&
		set_authorization(metadata, issuer, configurations, count) &&
		set_strings(metadata, "token_endpoint_auth_methods_supported", methods, 1) &&
		(issuer->dpop == VCI_DPOP_OFF || set_strings(metadata, "dpop_signing_alg_values_supported",
													 vci_dpop_algs, VCI_DPOP_ALG_COUNT)) &&
		set_strings(metadata, "authorization_details_types_supported", details, 1) &&
		vci_json_set_boolean(metadata, "pre-authorized_grant_anonymous_access_supported", true) &&
		set_status_lists(metadata, issuer, configurations, count);

	return finish(metadata, ok);
}

bool
vci_is_published(const VciPublishedKey *key, int64_t now)
{
	return now < key->published_until;
}

static VciJson *
published_jwk(const VciPublishedKey *key)
{
	VciJson *jwk = vci_json_copy(key->public_jwk);
	bool ok = vci_json_set_string(jwk, "kid", key->kid) &&
			  vci_json_set_string(jwk, "alg", vci_alg_name(key->alg)) &&
			  vci_json_set_string(jwk, "use", "sig");

	return finish(jwk, ok);
}

VciJson *
vci_metadata_jwks(const VciPublishedKey *keys, size_t count, int64_t now)
{
	VciJson *jwks = vci_json_new_object();
	VciJson *array = vci_json_new_array();
	bool ok = vci_json_set(jwks, "keys", array);

	for (size_t i = 0; ok && i < count; i++)
		ok = !vci_is_published(&keys[i], now) || vci_json_append(array, published_jwk(&keys[i]));
	return finish(jwks, ok);
}

VciJson *
vci_metadata_jwt_vc_issuer(const VciIssuer *issuer, const VciPublishedKey *keys, size_t count,
						   int64_t now)
{
	VciJson *metadata = vci_json_new_object();
	bool ok = vci_json_set_string(metadata, "issuer", issuer->url) &&
			  vci_json_set(metadata, "jwks", vci_metadata_jwks(keys, count, now));

	return finish(metadata, ok);
}

/* did#kid; malloc'd. A kid may hold what a fragment (RFC 3986 section 3.5) must not. */
static char *
method_id(const char *did, const char *kid)
{
	char *fragment = vci_percent_encode(kid);
	char *id = NULL;

	if (fragment != NULL)
		id = malloc(strlen(did) + strlen(fragment) + 2);
	if (id != NULL)
	{
		strcpy(id, did);
		strcat(id, "#");
		strcat(id, fragment);
	}
	free(fragment);
	return id;
}

static bool
append_method(VciJson *methods, VciJson *assertion, const char *did, const VciPublishedKey *key)
{
	char *id = method_id(did, key->kid);
	VciJson *method = vci_json_new_object();
	bool ok = id != NULL && vci_json_set_string(method, "id", id) &&
			  vci_json_set_string(method, "type", "JsonWebKey2020") &&
			  vci_json_set_string(method, "controller", did) &&
			  vci_json_set(method, "publicKeyJwk", published_jwk(key)) &&
			  vci_json_append_string(assertion, id);

	free(id);
	return vci_json_append(methods, finish(method, ok));
}

static bool
set_methods(VciJson *document, const char *did, const VciPublishedKey *keys, size_t count,
			int64_t now)
{
	VciJson *methods = vci_json_new_array();
	VciJson *assertion;

	if (!vci_json_set(document, "verificationMethod", methods))
		return false;
	assertion = vci_json_new_array();
	if (!vci_json_set(document, "assertionMethod", assertion))
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (vci_is_published(&keys[i], now) && !append_method(methods, assertion, did, &keys[i]))
			return false;
	}
	return true;
}

VciJson *
vci_metadata_did_document(const VciIssuer *issuer, const VciPublishedKey *keys, size_t count,
						  int64_t now)
{
	static const char *const contexts[] = {"https://www.w3.org/ns/did/v1",
										   "https://w3id.org/security/suites/jws-2020/v1"};
	VciJson *document = vci_json_new_object();
	char *did = vci_did_web_from_url(issuer->url);
	bool ok = did != NULL && set_strings(document, "@context", contexts, 2) &&
			  vci_json_set_string(document, "id", did) &&
			  set_methods(document, did, keys, count, now);

	free(did);
	return finish(document, ok);
}
