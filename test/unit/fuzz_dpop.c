/*
 * DPoP proofs and JWT access tokens from strangers. The input is a compact JWS or, behind a
 * first byte of '{', the payload's JSON under a right header, or behind 'h' the htu alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/base64url.h"
#include "protocol/access_token.h"
#include "protocol/dpop.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define URL "https://registry.example/api/v1/openid4vci/token"
#define KEY                                                                                        \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y\","     \
	"\"y\":\"eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk\"}"
#define HEADER "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"jwk\":" KEY "}"

/* The JWS of a right header and this payload, signed by nobody. */
static char *
jws_of(const void *payload, size_t len)
{
	char signature[87];
	char *header = vci_base64url_encode_new(HEADER, strlen(HEADER));
	char *body = vci_base64url_encode_new(payload, len);
	size_t size = strlen(header) + strlen(body) + sizeof(signature) + 2;
	char *jws = malloc(size);

	memset(signature, 'A', sizeof(signature) - 1);
	signature[sizeof(signature) - 1] = '\0';
	snprintf(jws, size, "%s.%s.%s", header, body, signature);
	free(header);
	free(body);
	return jws;
}

static void
use_proof(const char *text, size_t len)
{
	VciDpopPolicy policy = {"POST", URL, "token", 1767225600, 300, NULL};
	unsigned char digest[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;
	VciDpop *proof;

	if (vci_dpop_parse(text, len, &policy, &proof, &error) == VCI_OK)
	{
		if (proof->jti == NULL || strlen(proof->jkt) != VCI_THUMBPRINT_SIZE - 1 ||
			vci_dpop_digest(proof, 1, digest, NULL) != VCI_OK)
			abort();
		(void) vci_dpop_verify(proof, &error);
	}
	vci_json_free(vci_dpop_verdict(proof, &error));
	vci_dpop_free(proof);
}

static void
use_token(const char *text, size_t len, const VciJson *jwks)
{
	static const char *const audiences[] = {"registry"};
	VciAccessTokenPolicy policy = {.jwks = jwks,
								   .accept_typ_jwt = true,
								   .audiences = audiences,
								   .audience_count = 1,
								   .subject_claim = "sub",
								   .now = 1767225600};
	VciIssuer issuer = {.url = "https://registry.example"};
	VciConfiguration configuration = {.id = "Card", .scope = "card"};
	VciAccessToken *token;
	VciJson *selected;

	if (!vci_access_token_is_jwt(text, len) ||
		vci_access_token_parse(text, len, &token, NULL) != VCI_OK)
		return;
	(void) vci_access_token_check(token, &policy, NULL);
	if (vci_access_token_configurations(token, &issuer, &configuration, 1, &selected, NULL) ==
			VCI_OK &&
		vci_json_array_length(selected) != 1)
		abort();
	vci_json_free(selected);
	vci_access_token_free(token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static VciJson *jwks = NULL;
	const char *keys = "{\"keys\":[" KEY "]}";
	char *made = NULL;
	const char *text = (const char *) data;
	size_t len = size;

	if (jwks == NULL && vci_json_parse(keys, strlen(keys), &jwks, NULL) != VCI_OK)
		abort();
	if (size > 0 && data[0] == 'h')
	{
		VciJson *payload = vci_json_new_object();
		VciJson *htu = vci_json_new_string_len((const char *) data, size);
		char *json_text;

		(void) vci_json_set_string(payload, "htm", "POST");
		(void) vci_json_set(payload, "htu", htu);
		json_text = vci_json_print(payload);
		made = jws_of(json_text, strlen(json_text));
		free(json_text);
		vci_json_free(payload);
	}
	else if (size > 0 && data[0] == '{')
		made = jws_of(data, size);
	if (made != NULL)
	{
		text = made;
		len = strlen(made);
	}
	use_proof(text, len);
	use_token(text, len, jwks);
	free(made);
	return 0;
}
