#include "sd_jwt.h"

#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "jws_write.h"
#include "key.h"
#include "sd_jwt_hash.h"

#define SD_JWT_BESIDES 500 /* characters of a usual header and signature */

/* Names of the IANA registry "Named Information Hash Algorithm"; section 4.1.1. */
VciStatus
vci_sd_jwt_hash(const char *sd_alg, EVP_MD **hash, VciError *error)
{
	const char *name = NULL;

	*hash = NULL;
	if (strcmp(sd_alg, "sha-256") == 0)
		name = "SHA256";
	else if (strcmp(sd_alg, "sha-384") == 0)
		name = "SHA384";
	else if (strcmp(sd_alg, "sha-512") == 0)
		name = "SHA512";
	if (name == NULL)
		return vci_error(error, VCI_ERR_SD_JWT, "expected _sd_alg sha-256, sha-384 or sha-512");
	*hash = EVP_MD_fetch(NULL, name, NULL);
	if (*hash == NULL)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library has no SHA-2");
	return VCI_OK;
}

VciStatus
vci_sd_jwt_digest(const EVP_MD *hash, const char *text, size_t len,
				  char out[VCI_SD_JWT_DIGEST_SIZE], VciError *error)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (EVP_Digest(text, len, digest, &digest_len, hash, NULL) != 1)
		return vci_openssl_error(error, VCI_ERR_CRYPTO, "the crypto library failed at a digest");
	vci_base64url_encode(digest, digest_len, out);
	return VCI_OK;
}

VciStatus
vci_claims_path_check(const VciJson *path, VciError *error)
{
	size_t length = vci_json_array_length(path);

	if (length == 0 || length > VCI_JSON_MAX_DEPTH)
		return vci_error(error, VCI_ERR_CLAIM_PATH,
						 "expected a claims path: an array of 1 to %d parts", VCI_JSON_MAX_DEPTH);
	for (size_t i = 0; i < length; i++)
	{
		const VciJson *part = vci_json_array_at(path, i);
		int64_t index;

		switch (vci_json_kind(part))
		{
			case VCI_JSON_NULL:
			case VCI_JSON_STRING:
				continue;
			case VCI_JSON_NUMBER:
				if (vci_json_int64(part, &index) && index >= 0)
					continue;
				break;
			case VCI_JSON_BOOLEAN:
			case VCI_JSON_ARRAY:
			case VCI_JSON_OBJECT:
				break;
		}
		return vci_error(error, VCI_ERR_CLAIM_PATH,
						 "claims path, part %zu: expected a name, a non-negative index or null",
						 i + 1);
	}
	return VCI_OK;
}

VciStatus
vci_sd_jwt_sign(const char *header, const VciConcealed *concealed, const VciKey *key, char **sd_jwt,
				VciError *error)
{
	VciText whole_header = {0};
	VciText text = {0};
	VciStatus status;

	*sd_jwt = NULL;
	vci_jws_write_header(header, key, &whole_header);
	(void) vci_text_room(&text, SD_JWT_BESIDES + concealed->payload_len / 2 * 3 +
									concealed->disclosures_len);
	status = vci_jws_write(&whole_header, concealed->payload, concealed->payload_len,
						   VCI_JWS_MAX_SIZE, key, &text, error);
	vci_text_free(&whole_header);
	vci_text_append(&text, concealed->disclosures, concealed->disclosures_len);
	if (status == VCI_OK && text.out_of_memory)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (status == VCI_OK &&
		(concealed->count > VCI_SD_JWT_MAX_DISCLOSURES || text.len > VCI_SD_JWT_MAX_SIZE))
		status = vci_error(error, VCI_ERR_TOO_LARGE,
						   "an SD-JWT of %zu disclosures and %zu characters is too large",
						   concealed->count, text.len);
	if (status != VCI_OK)
		vci_text_free(&text);
	*sd_jwt = text.data;
	return status;
}

/* Where the part that begins at "at" ends: at its '~', or NULL when there is none. */
static const char *
part_end(const char *at, const char *end)
{
	return memchr(at, '~', (size_t) (end - at));
}

VciStatus
vci_sd_jwt_present(const char *text, size_t len, const bool *keep, size_t keep_count,
				   char **presentation, VciError *error)
{
	const char *end = text + len;
	const char *at = text;
	const char *tilde;
	VciSdJwt *parsed;
	VciStatus status;
	size_t out_len = 0;
	char *out;

	*presentation = NULL;
	if (len > VCI_SD_JWT_MAX_SIZE)
		return vci_error(error, VCI_ERR_TOO_LARGE, "expected an SD-JWT of at most %d characters",
						 VCI_SD_JWT_MAX_SIZE);
	out = malloc(len + 1);
	if (out == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	/* part 0 is the JWT, the disclosures follow, and what has no '~' behind it is left out */
	for (size_t part = 0; (tilde = part_end(at, end)) != NULL; part++, at = tilde + 1)
	{
		if (part > 0 && keep != NULL && (part > keep_count || !keep[part - 1]))
			continue;
		memcpy(out + out_len, at, (size_t) (tilde - at) + 1);
		out_len += (size_t) (tilde - at) + 1;
	}
	out[out_len] = '\0';

	/* section 7.2: a disclosure may only go along with the one that holds its digest */
	status = vci_sd_jwt_parse(out, out_len, &parsed, error);
	if (status != VCI_OK)
	{
		free(out);
		return status;
	}
	vci_sd_jwt_free(parsed);
	*presentation = out;
	return VCI_OK;
}

void
vci_sd_jwt_free(VciSdJwt *sd_jwt)
{
	if (sd_jwt == NULL)
		return;
	vci_jws_free(sd_jwt->jws);
	vci_json_free(sd_jwt->claims);
	vci_json_free(sd_jwt->disclosures);
	free(sd_jwt->kb_jwt);
	free(sd_jwt->sd_hash);
	free(sd_jwt);
}
