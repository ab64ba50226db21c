/*
 * JWKs and JWK sets: a public key that was taken is published as an equal one, a private one
 * signs what its public half verifies, and a set that was taken gives public keys only.
 */
#include "fuzz.h"
#include "jose/jws.h"

static void
check_public(VciKey *key)
{
	VciJson *jwk = vci_key_public_jwk(key);
	VciKey *again;

	must(jwk != NULL && !vci_json_has(jwk, "d"));
	must(vci_key_from_public_jwk(jwk, &again, NULL) == VCI_OK && vci_key_equal(key, again));
	vci_key_free(again);
	vci_json_free(jwk);
}

static void
check_private(VciKey *key)
{
	VciJson *header = vci_json_new_object();
	VciJson *payload = vci_json_new_object();
	VciJson *jwk = vci_key_public_jwk(key);
	VciKey *public_half;
	VciJws *jws;
	char *compact;

	must(vci_key_from_public_jwk(jwk, &public_half, NULL) == VCI_OK);
	must(vci_jws_sign(header, payload, key, &compact, NULL) == VCI_OK);
	must(vci_jws_parse(compact, strlen(compact), &jws, NULL) == VCI_OK);
	must(vci_jws_verify(jws, public_half, NULL) == VCI_OK);
	vci_jws_free(jws);
	free(compact);
	vci_key_free(public_half);
	vci_json_free(jwk);
	vci_json_free(payload);
	vci_json_free(header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError errors[4] = {VCI_ERROR_INIT, VCI_ERROR_INIT, VCI_ERROR_INIT, VCI_ERROR_INIT};
	VciJson *json;
	VciKey *key;

	if (vci_json_parse((const char *) data, size, &json, NULL) != VCI_OK)
		return 0;
	if (succeeded(vci_key_from_public_jwk(json, &key, &errors[0]), &errors[0]))
		check_public(key);
	vci_key_free(key);
	if (succeeded(vci_key_from_private_jwk(json, &key, &errors[1]), &errors[1]))
		check_private(key);
	vci_key_free(key);
	if (succeeded(vci_jwks_check(json, &errors[2]), &errors[2]) &&
		succeeded(vci_jwks_find(json, vci_json_get_string(json, "wanted"), VCI_ALG_ES256, &key,
								&errors[3]),
				  &errors[3]))
	{
		must(!vci_key_is_private(key) && vci_key_fits(key, VCI_ALG_ES256));
		vci_key_free(key);
	}
	vci_json_free(json);
	return 0;
}
