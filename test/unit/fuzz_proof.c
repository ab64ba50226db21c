/*
 * Key proofs and key binding JWTs. The input is a compact JWS or, behind a first byte of '{',
 * the header's JSON in the first line and the payload's in the second. Nothing here is signed,
 * so that no proof may verify, and each verdict can be shown.
 */
#include "fuzz.h"
#include "jose/base64url.h"
#include "protocol/proof.h"

static char *
compact_of(char *lines)
{
	static const char signature[] =
		".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAA";
	char *rest = lines;
	char *header = next_line(&rest);
	char *payload = rest == NULL ? "" : rest;
	size_t header_len = vci_base64url_encoded_size(strlen(header));
	size_t payload_len = vci_base64url_encoded_size(strlen(payload));
	char *compact = malloc(header_len + 1 + payload_len + sizeof(signature));

	must(compact != NULL);
	vci_base64url_encode(header, strlen(header), compact);
	compact[header_len] = '.';
	vci_base64url_encode(payload, strlen(payload), compact + header_len + 1);
	strcpy(compact + header_len + 1 + payload_len, signature);
	return compact;
}

static void
check_proof(const char *jwt, size_t len, VciProofKind kind)
{
	VciProofPolicy policy = {.kind = kind,
							 .audience = "https://registry.example",
							 .now = 1767225600,
							 .max_age = 300,
							 .leeway = 60,
							 .sd_hash = kind == VCI_PROOF_KB_JWT ? "hash" : NULL};
	VciError error = VCI_ERROR_INIT;
	VciProof *proof;
	VciJson *verdict;
	bool parsed = succeeded(vci_proof_parse(jwt, len, &policy, &proof, &error), &error);

	if (parsed)
	{
		must(proof->key == NULL || !vci_key_is_private(proof->key));
		must(kind == VCI_PROOF_OLDER || kind == VCI_PROOF_KB_JWT ||
			 proof->source != VCI_PROOF_KEY_NONE);
		must(!succeeded(vci_proof_verify(proof, &error), &error));
	}
	verdict = vci_proof_verdict(proof, &error);
	must(verdict != NULL && vci_json_get_string(verdict, "error") != NULL);
	vci_json_free(verdict);
	vci_proof_free(proof);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	char *compact = text[0] == '{' ? compact_of(text) : NULL;

	for (int kind = VCI_PROOF_STRICT; kind <= VCI_PROOF_KB_JWT; kind++)
		check_proof(compact == NULL ? text : compact, compact == NULL ? size : strlen(compact),
					(VciProofKind) kind);
	free(compact);
	free(text);
	return 0;
}
