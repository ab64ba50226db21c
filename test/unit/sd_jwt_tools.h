/* What the tests of SD-JWT share. */
#ifndef VCI_SD_JWT_TOOLS_H
#define VCI_SD_JWT_TOOLS_H

#include "jose/base64url.h"
#include "jose/sd_jwt.h"
#include "jose/seal.h"
#include "tap.h"

/* The base64url digest of a disclosure under sha-256. */
static inline void
digest_of(const char *disclosure, char out[VCI_THUMBPRINT_SIZE])
{
	unsigned char digest[VCI_DIGEST_BYTES];

	vci_sha256(disclosure, strlen(disclosure), digest, NULL);
	vci_base64url_encode(digest, sizeof(digest), out);
}

/* The disclosures as an array of strings. */
static inline VciJson *
disclosures_of(const VciConcealed *concealed)
{
	VciJson *list = vci_json_new_array();
	const char *at = concealed->disclosures + 1;

	for (const char *end; (end = strchr(at, '~')) != NULL; at = end + 1)
		vci_json_append(list, vci_json_new_string_len(at, (size_t) (end - at)));
	return list;
}

/* Signs payload as it is, with an array of disclosures. */
static inline VciStatus
sign_as_is(VciJson *payload, const VciJson *list, const VciKey *key, char **text, VciError *error)
{
	VciConcealed concealed = {.payload = vci_json_print(payload),
							  .disclosures = calloc(1, VCI_SD_JWT_MAX_SIZE),
							  .count = vci_json_array_length(list)};
	char *end = concealed.disclosures;
	VciStatus status;

	*end++ = '~';
	for (size_t i = 0; i < concealed.count; i++)
		end += sprintf(end, "%s~", vci_json_string(vci_json_array_at(list, i)));
	concealed.payload_len = strlen(concealed.payload);
	concealed.disclosures_len = (size_t) (end - concealed.disclosures);
	status = vci_sd_jwt_sign(NULL, &concealed, key, text, error);
	vci_concealed_free(&concealed);
	return status;
}

static inline VciKey *
issuer_key(void)
{
	VciError error = VCI_ERROR_INIT;
	VciKey *key;

	vci_key_generate(VCI_ALG_ES256, &key, &error);
	return key;
}

static inline size_t
count_text(const char *text, const char *needle)
{
	size_t count = 0;

	for (; (text = strstr(text, needle)) != NULL; text++)
		count++;
	return count;
}

#endif
