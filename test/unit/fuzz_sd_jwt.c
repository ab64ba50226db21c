/*
 * SD-JWTs taken apart and put together. The first byte chooses: 'r' a raw SD-JWT; 'p' a
 * payload in the first line and disclosures in the others, where %1 to %9 stand for the
 * digests of earlier lines; 'c' claims in the first line and pointers in the second.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/base64url.h"
#include "jose/sd_jwt.h"
#include "jose/seal.h"

#define LINES	  10
#define LINE_SIZE 4096

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No trace of a digest may be left in processed claims. */
static void
check_claims(const VciJson *node)
{
	if (vci_json_has(node, "_sd") || vci_json_has(node, "..."))
		abort();
	for (VciJsonIter i = vci_json_iter(node); vci_json_next(&i);)
		check_claims(i.value);
	for (size_t i = 0; i < vci_json_array_length(node); i++)
		check_claims(vci_json_array_at(node, i));
}

static void
take_apart(const char *text, size_t len)
{
	VciSdJwt *parsed;
	char *presentation;

	if (vci_sd_jwt_parse(text, len, &parsed, NULL) != VCI_OK)
		return;
	check_claims(parsed->claims);
	if (vci_sd_jwt_present(text, len, NULL, 0, &presentation, NULL) != VCI_OK)
		abort();
	free(presentation);
	vci_sd_jwt_free(parsed);
}

/* Replaces %n by the digest of line n, as far as digests are known. */
static size_t
fill_in(const char *line, size_t len, char digests[LINES][VCI_THUMBPRINT_SIZE], size_t known,
		char *out)
{
	size_t out_len = 0;

	for (size_t i = 0; i < len && out_len + VCI_THUMBPRINT_SIZE < LINE_SIZE; i++)
	{
		size_t number = i + 1 < len && line[i] == '%' ? (size_t) (line[i + 1] - '0') : LINES;

		if (number >= 1 && number <= known)
		{
			memcpy(out + out_len, digests[number], VCI_THUMBPRINT_SIZE - 1);
			out_len += VCI_THUMBPRINT_SIZE - 1;
			i++;
		}
		else
			out[out_len++] = line[i];
	}
	return out_len;
}

static void
structured(const char *data, size_t size)
{
	char digests[LINES][VCI_THUMBPRINT_SIZE];
	char *disclosures = calloc(1, LINES * LINE_SIZE * 2);
	char *text = calloc(1, LINES * LINE_SIZE * 2);
	char line[LINE_SIZE];
	char encoded[LINE_SIZE * 2];
	const char *feed = memchr(data, '\n', size);
	size_t first_len = feed == NULL ? size : (size_t) (feed - data);
	size_t at = first_len + 1;
	size_t known = 0;

	while (at < size && known + 1 < LINES)
	{
		unsigned char digest[VCI_DIGEST_BYTES];
		size_t len = strcspn(data + at, "\n");

		vci_base64url_encode(line, fill_in(data + at, len, digests, known, line), encoded);
		vci_sha256(encoded, strlen(encoded), digest, NULL);
		vci_base64url_encode(digest, sizeof(digest), digests[++known]);
		strcat(strcat(disclosures, encoded), "~");
		at += len + 1;
	}
	vci_base64url_encode(line, fill_in(data, first_len, digests, known, line), encoded);
	sprintf(text, "eyJhbGciOiJFUzI1NiJ9.%s.AAAA~%s", encoded, disclosures);
	take_apart(text, strlen(text));
	free(text);
	free(disclosures);
}

/* What was concealed must come back. */
static void
conceal(const char *data, size_t size)
{
	const char *feed = memchr(data, '\n', size);
	VciJson *claims = NULL;
	VciJson *paths = NULL;
	VciConcealed concealed = {0};
	VciKey *key = NULL;
	VciSdJwt *parsed = NULL;
	char *text = NULL;

	if (feed != NULL &&
		vci_json_parse_object(data, (size_t) (feed - data), &claims, NULL) == VCI_OK &&
		vci_json_parse(feed + 1, size - (size_t) (feed - data) - 1, &paths, NULL) == VCI_OK &&
		vci_sd_jwt_conceal(NULL, claims, paths, (int) (size % 3), NULL, &concealed, NULL) ==
			VCI_OK &&
		vci_key_generate(VCI_ALG_EDDSA, &key, NULL) == VCI_OK &&
		vci_sd_jwt_sign(NULL, &concealed, key, &text, NULL) == VCI_OK)
	{
		if (vci_sd_jwt_parse(text, strlen(text), &parsed, NULL) != VCI_OK ||
			!vci_json_equal(parsed->claims, claims))
			abort();
	}
	vci_sd_jwt_free(parsed);
	free(text);
	vci_key_free(key);
	vci_concealed_free(&concealed);
	vci_json_free(paths);
	vci_json_free(claims);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (size < 2 || size > LINE_SIZE)
		return 0;
	copy = calloc(1, size + 1);
	memcpy(copy, data, size);
	if (copy[0] == 'r')
		take_apart(copy + 1, size - 1);
	else if (copy[0] == 'p')
		structured(copy + 1, size - 1);
	else if (copy[0] == 'c')
		conceal(copy + 1, size - 1);
	free(copy);
	return 0;
}
