#include "issuer_key.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/did.h"
#include "document.h"
#include "url.h"

/* The one key of the set that kid names, or, without kid, the one that fits alg. */
static bool
key_from_set(const VciJson *jwks, const char *kid, VciAlg alg, VciKey **found,
			 WalletFailure *failure)
{
	const VciJson *keys = vci_json_get(jwks, "keys");
	VciError error = VCI_ERROR_INIT;
	size_t matches = 0;

	for (size_t i = 0; i < vci_json_array_length(keys); i++)
	{
		const VciJson *jwk = vci_json_array_at(keys, i);
		const char *name = vci_json_get_string(jwk, "kid");
		VciKey *key = NULL;

		if (kid != NULL && (name == NULL || strcmp(name, kid) != 0))
			continue;
		if (vci_key_from_public_jwk(jwk, &key, &error) != VCI_OK && kid != NULL)
			return wallet_fail_core(failure, WALLET_EXIT_UNVERIFIED, &error,
									"the issuer's published key is not usable");
		if (key == NULL || (kid == NULL && !vci_key_fits(key, alg)))
		{
			vci_key_free(key);
			continue;
		}
		vci_key_free(*found);
		*found = key;
		matches++;
	}
	if (matches == 1)
		return true;
	return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
					   "the issuer publishes %zu keys for the credential's kid %s; expected one",
					   matches, kid == NULL ? "(none)" : kid);
}

/* Section 4.2: the key set stands in jwks or behind jwks_uri, never both. */
static bool
key_from_metadata(WalletContext *context, const VciJson *metadata, const VciJws *jws, VciKey **key)
{
	const char *kid = vci_json_get_string(jws->header, "kid");
	const VciJson *jwks = vci_json_get(metadata, "jwks");
	const char *uri = vci_json_get_string(metadata, "jwks_uri");
	WalletRequest request = {.what = "issuer's key set", .url = uri};
	VciJson *fetched = NULL;
	bool ok;

	if ((jwks == NULL) == (uri == NULL))
		return wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						   "the JWT VC issuer metadata must have either jwks or jwks_uri");
	ok = uri == NULL || wallet_fetch_document(context, &request, &fetched);
	ok = ok && key_from_set(uri == NULL ? jwks : fetched, kid, jws->alg, key, &context->failure);
	vci_json_free(fetched);
	return ok;
}

static bool
find_in_metadata(WalletContext *context, const char *iss, const VciJws *jws, WalletIssuerKey *found)
{
	WalletRequest request = {.what = "JWT VC issuer metadata"};
	VciJson *metadata = NULL;
	const char *issuer;
	bool ok;

	found->url = wallet_url_well_known(iss, "jwt-vc-issuer");
	if (found->url == NULL)
		return wallet_fail_memory(&context->failure);
	request.url = found->url;
	ok = wallet_fetch_document(context, &request, &metadata);
	issuer = vci_json_get_string(metadata, "issuer");
	if (ok && (issuer == NULL || strcmp(issuer, iss) != 0))
		ok = wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						 "the JWT VC issuer metadata's issuer is %s; the credential's iss is %s",
						 issuer == NULL ? "missing" : issuer, iss);
	ok = ok && key_from_metadata(context, metadata, jws, &found->key);
	vci_json_free(metadata);
	return ok;
}

/* The DID URL that kid means: it is one, or it is the fragment of one, or there is none. */
static char *
key_did_url(const char *did, const char *kid)
{
	size_t did_len = strlen(did);

	if (kid == NULL)
		return strdup(did);
	if (strncmp(kid, did, did_len) == 0 && kid[did_len] == '#')
		return strdup(kid);
	return wallet_url_did_key(did, kid);
}

static bool
key_from_did_document(const VciJson *document, const char *did, const char *kid, VciKey **key,
					  WalletFailure *failure)
{
	VciError error = VCI_ERROR_INIT;
	char *did_url = key_did_url(did, kid);
	bool ok;

	if (did_url == NULL)
		return wallet_fail_memory(failure);
	ok = vci_key_from_did_document(document, did_url, key, &error) == VCI_OK;
	free(did_url);
	return ok || wallet_fail_core(failure, WALLET_EXIT_UNVERIFIED, &error,
								  "the issuer's DID document has no key for the credential");
}

static bool
find_in_did_document(WalletContext *context, const WalletIssuer *issuer, const char *did,
					 const VciJws *jws, WalletIssuerKey *found)
{
	WalletRequest request = {.what = "issuer's DID document"};
	VciJson *document = NULL;
	bool ok;

	found->url = wallet_url_did_document(issuer->identifier);
	if (found->url == NULL)
		return wallet_fail_memory(&context->failure);
	request.url = found->url;
	ok = wallet_fetch_document(context, &request, &document) &&
		 key_from_did_document(document, did, vci_json_get_string(jws->header, "kid"), &found->key,
							   &context->failure);
	vci_json_free(document);
	return ok;
}

bool
wallet_issuer_key_find(WalletContext *context, const WalletIssuer *issuer, const VciJws *jws,
					   WalletIssuerKey *found)
{
	const char *iss = vci_json_get_string(jws->payload, "iss");
	char *did = vci_did_web_from_url(issuer->identifier);
	VciError error = VCI_ERROR_INIT;
	bool ok;

	memset(found, 0, sizeof(*found));
	if (did == NULL)
		return wallet_fail_memory(&context->failure);
	if (iss != NULL && strcmp(iss, issuer->identifier) == 0)
		ok = find_in_metadata(context, iss, jws, found);
	else if (iss != NULL && strcmp(iss, did) == 0)
		ok = find_in_did_document(context, issuer, iss, jws, found);
	else
		ok = wallet_fail(&context->failure, WALLET_EXIT_UNVERIFIED,
						 "the credential's iss is %s; expected the credential issuer %s",
						 iss == NULL ? "missing" : iss, issuer->identifier);
	if (ok && vci_key_thumbprint(found->key, found->thumbprint, &error) != VCI_OK)
		ok = wallet_fail_core(&context->failure, WALLET_EXIT_INTERNAL, &error, "no thumbprint");
	free(did);
	return ok;
}

void
wallet_issuer_key_free(WalletIssuerKey *found)
{
	vci_key_free(found->key);
	free(found->url);
	memset(found, 0, sizeof(*found));
}
