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
