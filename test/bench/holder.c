#include "holder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/jose/jws.h"
#include "../../src/jose/sd_jwt.h"

static bool
holder_init(Holder *holder)
{
	return vci_key_generate(VCI_ALG_ES256, &holder->key, NULL) == VCI_OK &&
		   (holder->header = vci_json_new_object()) != NULL &&
		   vci_json_set_string(holder->header, "typ", "openid4vci-proof+jwt") &&
		   vci_json_set(holder->header, "jwk", vci_key_public_jwk(holder->key));
}

Holder *
holders_new(size_t count)
{
	Holder *holders = calloc(count, sizeof(Holder));

	for (size_t i = 0; holders != NULL && i < count; i++)
	{
		if (!holder_init(&holders[i]))
		{
			holders_free(holders, count);
			return NULL;
		}
	}
	return holders;
}

void
holders_free(Holder *holders, size_t count)
{
	for (size_t i = 0; holders != NULL && i < count; i++)
	{
		vci_key_free(holders[i].key);
		vci_json_free(holders[i].header);
	}
	free(holders);
}

char *
holder_prove(const Holder *holder, const char *audience, const char *nonce)
{
	VciJson *payload = vci_json_new_object();
	char *proof = NULL;

	if (payload != NULL && vci_json_set_string(payload, "aud", audience) &&
		vci_json_set_int64(payload, "iat", (int64_t) time(NULL)) &&
		vci_json_set_string(payload, "nonce", nonce))
		vci_jws_sign(holder->header, payload, holder->key, &proof, NULL);
	vci_json_free(payload);
	return proof;
}

static const char *
check_signature(const VciJson *jwks, const VciJws *jws)
{
	VciKey *key = NULL;
	const char *fault = NULL;

	if (vci_jwks_find(jwks, vci_json_get_string(jws->header, "kid"), jws->alg, &key, NULL) !=
		VCI_OK)
		return "credential of an unknown key";
	if (vci_jws_verify(jws, key, NULL) != VCI_OK)
		fault = "credential with a wrong signature";
	vci_key_free(key);
	return fault;
}

static const char *
check_binding(const Holder *holder, const VciJson *claims)
{
	const VciJson *jwk = vci_json_get(vci_json_get(claims, "cnf"), "jwk");
	const char *fault = NULL;
	VciKey *key = NULL;

	if (jwk == NULL || vci_key_from_public_jwk(jwk, &key, NULL) != VCI_OK ||
		!vci_key_equal(key, holder->key))
		fault = "credential of another holder";
	vci_key_free(key);
	return fault;
}

const char *
holder_check(const Holder *holder, const VciJson *jwks, const char *credential)
{
	VciSdJwt *sd_jwt = NULL;
	const char *fault;

	if (vci_sd_jwt_parse(credential, strlen(credential), &sd_jwt, NULL) != VCI_OK)
		return "credential that is no SD_JWT";
	fault = check_signature(jwks, sd_jwt->jws);
	if (fault == NULL)
		fault = check_binding(holder, sd_jwt->claims);
	vci_sd_jwt_free(sd_jwt);
	return fault;
}
