/*
 * A JWS and what its header can bring along: keys, DIDs, certificates. The input is a
 * compact JWS or, behind a first byte of '{', the header's JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jose/base64url.h"
#include "jose/did.h"
#include "jose/jws.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tries every key that the header names, as a proof's checks would. */
static void
use_header(const VciJws *jws)
{
	const char *kid = vci_json_get_string(jws->header, "kid");
	const VciJson *document = vci_json_get(jws->header, "document");
	VciKey *keys[4] = {NULL};

	(void) vci_key_from_public_jwk(vci_json_get(jws->header, "jwk"), &keys[0], NULL);
	(void) vci_key_from_x5c(vci_json_get(jws->header, "x5c"), 1811808000, &keys[1], NULL);
	if (kid != NULL)
		(void) vci_key_from_did(kid, NULL, &keys[2], NULL);
	if (kid != NULL && document != NULL)
		(void) vci_key_from_did_document(document, kid, &keys[3], NULL);
	for (int i = 0; i < 4; i++)
	{
		char thumbprint[VCI_THUMBPRINT_SIZE];

		if (keys[i] == NULL)
			continue;
		if (vci_key_is_private(keys[i]) || vci_key_thumbprint(keys[i], thumbprint, NULL) != VCI_OK)
			abort();
		(void) vci_jws_verify(jws, keys[i], NULL);
		vci_key_free(keys[i]);
	}
	(void) vci_jws_typ_is(jws, "openid4vci-proof+jwt");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char rest[] =
		".e30."
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAA";
	char *compact = NULL;
	VciJws *jws;
	VciStatus status;

	if (size > 0 && data[0] == '{')
	{
		size_t len = vci_base64url_encoded_size(size);

		compact = malloc(len + sizeof(rest));
		vci_base64url_encode(data, size, compact);
		memcpy(compact + len, rest, sizeof(rest));
		status = vci_jws_parse(compact, strlen(compact), &jws, NULL);
	}
	else
		status = vci_jws_parse((const char *) data, size, &jws, NULL);
	if (status == VCI_OK)
		use_header(jws);
	vci_jws_free(jws);
	free(compact);
	return 0;
}
