#include "holder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../jose/base64url.h"
#include "../jose/jws.h"
#include "text.h"

static bool
choose_alg(VciAlg wanted, const WalletConfiguration *configuration, VciAlg *alg,
		   WalletFailure *failure)
{
	static const VciAlg mine[] = {VCI_ALG_ES256, VCI_ALG_EDDSA, VCI_ALG_ES384};
	const VciJson *accepted = configuration->proof_algs;
	bool any = vci_json_array_length(accepted) == 0;

	*alg = wanted;
	if (wanted != VCI_ALG_NONE)
	{
		if (any || vci_json_array_has_string(accepted, vci_alg_name(wanted)))
			return true;
		return wallet_fail(failure, WALLET_EXIT_USAGE,
						   "the issuer does not list %s among %s's "
						   "proof_signing_alg_values_supported",
						   vci_alg_name(wanted), configuration->id);
	}
	for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++)
	{
		*alg = mine[i];
		if (any || vci_json_array_has_string(accepted, vci_alg_name(mine[i])))
			return true;
	}
	return wallet_fail(failure, WALLET_EXIT_USAGE,
					   "%s takes proofs by none of ES256, EdDSA and ES384", configuration->id);
}

static bool
check_method(bool kid_did, const WalletConfiguration *configuration, WalletFailure *failure)
{
	const char *method = kid_did ? "did:jwk" : "jwk";

	if (configuration->binding_methods == NULL ||
		vci_json_array_has_string(configuration->binding_methods, method))
		return true;
	wallet_fail(failure, WALLET_EXIT_USAGE,
				"%s does not list %s among its cryptographic_binding_methods_supported",
				configuration->id, method);
	return wallet_advise(failure, kid_did ? "Leave out --kid-did." : "Try --kid-did.");
}

/* did:jwk is the base64url of the public JWK; its one key is #0. */
static char *
did_jwk_url(const VciKey *key)
{
	VciJson *jwk = vci_key_public_jwk(key);
	char *text = jwk == NULL ? NULL : vci_json_print(jwk);
	char *encoded = text == NULL ? NULL : vci_base64url_encode_new(text, strlen(text));
	char *url = encoded == NULL ? NULL : wallet_format("did:jwk:%s#0", encoded);

	vci_json_free(jwk);
	free(text);
	free(encoded);
	return url;
}

bool
wallet_holder_new(VciAlg wanted, bool kid_did, const WalletConfiguration *configuration,
				  WalletHolder *holder, WalletFailure *failure)
{
	VciError error = VCI_ERROR_INIT;
	VciAlg alg;

	memset(holder, 0, sizeof(*holder));
	if (!choose_alg(wanted, configuration, &alg, failure) ||
		!check_method(kid_did, configuration, failure))
		return false;
	if (vci_key_generate(alg, &holder->key, &error) != VCI_OK ||
		vci_key_thumbprint(holder->key, holder->thumbprint, &error) != VCI_OK)
		return wallet_fail_core(failure, WALLET_EXIT_INTERNAL, &error, "no holder key");
	if (kid_did && (holder->kid = did_jwk_url(holder->key)) == NULL)
		return wallet_fail_memory(failure);
	return true;
}

void
wallet_holder_free(WalletHolder *holder)
{
	vci_key_free(holder->key);
	free(holder->kid);
	memset(holder, 0, sizeof(*holder));
}

static bool
fill_header(const WalletHolder *holder, VciJson *header)
{
	if (!vci_json_set_string(header, "typ", "openid4vci-proof+jwt"))
		return false;
	if (holder->kid != NULL)
		return vci_json_set_string(header, "kid", holder->kid);
	return vci_json_set(header, "jwk", vci_key_public_jwk(holder->key));
}

/* iss is for known clients only; anonymous access must omit it (appendix F.1). */
static bool
fill_payload(const char *audience, const char *nonce, const char *client_id, VciJson *payload)
{
	if (client_id != NULL && !vci_json_set_string(payload, "iss", client_id))
		return false;
	if (nonce != NULL && !vci_json_set_string(payload, "nonce", nonce))
		return false;
	return vci_json_set_string(payload, "aud", audience) &&
		   vci_json_set_int64(payload, "iat", (int64_t) time(NULL));
}

bool
wallet_holder_prove(const WalletHolder *holder, const char *audience, const char *nonce,
					const char *client_id, char **proof, WalletFailure *failure)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *header = vci_json_new_object();
	VciJson *payload = vci_json_new_object();
	bool ok = header != NULL && payload != NULL && fill_header(holder, header) &&
			  fill_payload(audience, nonce, client_id, payload);

	*proof = NULL;
	if (!ok)
		wallet_fail_memory(failure);
	else if (vci_jws_sign(header, payload, holder->key, proof, &error) != VCI_OK)
		ok = wallet_fail_core(failure, WALLET_EXIT_INTERNAL, &error, "no proof");
	vci_json_free(header);
	vci_json_free(payload);
	return ok;
}
