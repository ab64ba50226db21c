#include "did.h"

#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "key.h"

#define DID_JWK_MAX_SIZE   8192
#define MULTIBASE_MAX_SIZE 128
#define MULTIBASE_BYTES	   96 /* more than MULTIBASE_MAX_SIZE characters of base58 hold */

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

VciDidMethod
vci_did_method(const char *did_url)
{
	if (!starts_with(did_url, "did:"))
		return VCI_DID_NONE;
	if (starts_with(did_url, "did:jwk:"))
		return VCI_DID_JWK;
	if (starts_with(did_url, "did:key:"))
		return VCI_DID_KEY;
	if (starts_with(did_url, "did:web:"))
		return VCI_DID_WEB;
	return VCI_DID_OTHER;
}

static size_t
did_length(const char *did_url)
{
	return strcspn(did_url, "#?/");
}

char *
vci_did_of_url(const char *did_url)
{
	size_t len = did_length(did_url);
	char *did = malloc(len + 1);

	if (did != NULL)
	{
		memcpy(did, did_url, len);
		did[len] = '\0';
	}
	return did;
}

/* Multiplies the big-endian number in bytes by 58 and adds digit; false when it overflows. */
static bool
base58_add(unsigned char *bytes, size_t size, unsigned digit)
{
	unsigned carry = digit;

	for (size_t i = size; i > 0; i--)
	{
		carry += 58U * bytes[i - 1];
		bytes[i - 1] = (unsigned char) carry;
		carry >>= 8;
	}
	return carry == 0;
}

/*
 * base58btc (the alphabet of Bitcoin) of at most MULTIBASE_MAX_SIZE characters. None of
 * the codes below begins with a zero byte, so the digit for it needs no care.
 */
static bool
base58_decode(const char *text, size_t len, unsigned char out[MULTIBASE_BYTES], size_t *out_len)
{
	static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	unsigned char number[MULTIBASE_BYTES] = {0};
	size_t zeros = 0;

	for (size_t i = 0; i < len; i++)
	{
		const char *digit = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);

		if (digit == NULL || !base58_add(number, sizeof(number), (unsigned) (digit - alphabet)))
			return false;
	}
	while (zeros < sizeof(number) && number[zeros] == 0)
		zeros++;
	*out_len = sizeof(number) - zeros;
	memcpy(out, number + zeros, *out_len);
	return true;
}

/* A public key as multibase over multicodec: "z", and a varint code before the key. */
static VciStatus
key_from_multibase(const char *text, size_t len, VciCurves *curves, VciKey **key, VciError *error)
{
	static const struct
	{
		unsigned char code[2];
		VciKeyType type;
		size_t key_len;
	} codecs[] = {
		{{0x80, 0x24}, VCI_KEY_P256, 33}, /* p256-pub, compressed point */
		{{0x81, 0x24}, VCI_KEY_P384, 49}, /* p384-pub, compressed point */
		{{0xed, 0x01}, VCI_KEY_ED25519, 32},
	};
	unsigned char bytes[MULTIBASE_BYTES];
	size_t bytes_len;

	if (len < 2 || len > MULTIBASE_MAX_SIZE || text[0] != 'z' ||
		!base58_decode(text + 1, len - 1, bytes, &bytes_len) || bytes_len < 2)
		return vci_error(error, VCI_ERR_DID,
						 "expected a key in multibase: 'z' and at most %d base58 characters",
						 MULTIBASE_MAX_SIZE - 1);
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
	{
		if (memcmp(bytes, codecs[i].code, 2) != 0)
			continue;
		if (bytes_len - 2 != codecs[i].key_len)
			return vci_error(error, VCI_ERR_DID, "expected a key of %zu bytes, got %zu",
							 codecs[i].key_len, bytes_len - 2);
		return vci_key_from_public_bytes(codecs[i].type, bytes + 2, bytes_len - 2, curves, key,
										 error);
	}
	return vci_error(error, VCI_ERR_KEY_UNSUPPORTED, "expected a P-256, P-384 or Ed25519 key");
}

/* did:key names its one method by the multibase value, did:jwk by "0". */
static VciStatus
check_fragment(const char *rest, const char *expected, size_t expected_len, VciError *error)
{
	if (*rest == '\0')
		return VCI_OK;
	if (*rest != '#')
		return vci_error(error, VCI_ERR_DID, "expected a DID without path or query");
	rest++;
	if (strlen(rest) != expected_len || memcmp(rest, expected, expected_len) != 0)
		return vci_error(error, VCI_ERR_DID, "the fragment names no key of this DID");
	return VCI_OK;
}

static VciStatus
key_from_did_jwk(const char *encoded, size_t len, VciCurves *curves, VciKey **key, VciError *error)
{
	unsigned char *bytes;
	size_t bytes_len;
	VciJson *jwk;
	VciStatus status;

	if (len > DID_JWK_MAX_SIZE)
		return vci_error(error, VCI_ERR_DID, "expected a did:jwk of at most %d characters",
						 DID_JWK_MAX_SIZE);
	status = vci_base64url_decode_new(encoded, len, &bytes, &bytes_len, NULL);
	if (status == VCI_OK)
	{
		status = vci_json_parse_object((char *) bytes, bytes_len, &jwk, NULL);
		free(bytes);
	}
	if (status == VCI_ERR_MEMORY)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (status != VCI_OK)
		return vci_error(error, VCI_ERR_DID,
						 "expected a did:jwk to hold a JWK as a JSON object in base64url");
	status = vci_key_from_public_jwk_on(curves, jwk, key, error);
	vci_json_free(jwk);
	return status;
}

VciStatus
vci_key_from_did(const char *did_url, VciCurves *curves, VciKey **key, VciError *error)
{
	VciDidMethod method = vci_did_method(did_url);
	size_t prefix = strlen("did:jwk:");
	const char *value = did_url + prefix;
	size_t len;
	VciStatus status;

	*key = NULL;
	if (method != VCI_DID_JWK && method != VCI_DID_KEY)
		return vci_error(error, VCI_ERR_DID, "expected a did:jwk or did:key");
	len = did_length(did_url) - prefix;
	if (method == VCI_DID_JWK)
		status = check_fragment(value + len, "0", 1, error);
	else
		status = check_fragment(value + len, value, len, error);
	if (status != VCI_OK)
		return status;
	if (method == VCI_DID_JWK)
		return key_from_did_jwk(value, len, curves, key, error);
	return key_from_multibase(value, len, curves, key, error);
}

/* Do two DID URLs name the same? One that starts with '#' is relative to did (DID Core 3.2.2). */
static bool
same_id(const char *did, const char *id, const char *other)
{
	size_t len = strlen(did);

	if (id[0] == '#' && other[0] != '#')
		return strncmp(other, did, len) == 0 && strcmp(other + len, id) == 0;
	if (id[0] != '#' && other[0] == '#')
		return same_id(did, other, id);
	return strcmp(id, other) == 0;
}

/* An entry of a verification relationship is a method, or a string that names one. */
static const char *
entry_id(const VciJson *entry)
{
	const char *id = vci_json_string(entry);

	return id != NULL ? id : vci_json_get_string(entry, "id");
}

typedef struct Search
{
	const char *did;
	const char *wanted; /* DID URL with fragment; NULL: whichever there is */
	const VciJson *entry;
	bool ambiguous;
} Search;

static void
search_relationship(Search *search, const VciJson *relationship)
{
	for (size_t i = 0; i < vci_json_array_length(relationship); i++)
	{
		const VciJson *entry = vci_json_array_at(relationship, i);
		const char *id = entry_id(entry);

		if (id == NULL || (search->wanted != NULL && !same_id(search->did, id, search->wanted)))
			continue;
		if (search->entry == NULL)
			search->entry = entry;
		else if (!same_id(search->did, id, entry_id(search->entry)))
			search->ambiguous = true;
	}
}

/* The method that a reference names; an id that stands there twice names none. */
static const VciJson *
resolve_entry(const VciJson *document, const char *did, const VciJson *entry)
{
	const VciJson *methods = vci_json_get(document, "verificationMethod");
	const VciJson *found = NULL;

	if (vci_json_kind(entry) == VCI_JSON_OBJECT)
		return entry;
	for (size_t i = 0; i < vci_json_array_length(methods); i++)
	{
		const VciJson *method = vci_json_array_at(methods, i);
		const char *id = vci_json_get_string(method, "id");

		if (id == NULL || !same_id(did, id, vci_json_string(entry)))
			continue;
		if (found != NULL)
			return NULL;
		found = method;
	}
	return found;
}

static VciStatus
key_from_method(const VciJson *method, VciKey **key, VciError *error)
{
	const VciJson *jwk = vci_json_get(method, "publicKeyJwk");
	const char *multibase = vci_json_get_string(method, "publicKeyMultibase");

	if (jwk != NULL)
		return vci_key_from_public_jwk(jwk, key, error);
	if (multibase != NULL)
		return key_from_multibase(multibase, strlen(multibase), NULL, key, error);
	return vci_error(error, VCI_ERR_KEY_UNSUPPORTED,
					 "expected publicKeyJwk or publicKeyMultibase in the DID document");
}

VciStatus
vci_key_from_did_document(const VciJson *document, const char *did_url, VciKey **key,
						  VciError *error)
{
	const char *did = vci_json_get_string(document, "id");
	size_t did_len = did_length(did_url);
	Search search = {.did = did};
	const VciJson *method;

	*key = NULL;
	if (did == NULL || strlen(did) != did_len || memcmp(did, did_url, did_len) != 0)
		return vci_error(error, VCI_ERR_DID, "expected a DID document whose id is the DID");
	if (did_url[did_len] != '\0' && did_url[did_len] != '#')
		return vci_error(error, VCI_ERR_DID, "expected a DID without path or query");

	search.wanted = did_url[did_len] == '#' ? did_url : NULL;
	search_relationship(&search, vci_json_get(document, "authentication"));
	search_relationship(&search, vci_json_get(document, "assertionMethod"));
	if (search.ambiguous)
		return vci_error(error, VCI_ERR_DID,
						 "the DID document has several keys: expected a DID URL that names one");
	method = search.entry == NULL ? NULL : resolve_entry(document, did, search.entry);
	if (method == NULL)
		return vci_error(error, VCI_ERR_DID,
						 "the DID document has no such key under authentication "
						 "or assertionMethod");
	return key_from_method(method, key, error);
}

/* idchar of DID Core section 3.1. */
static bool
is_idchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		   c == '-' || c == '_';
}

/* Appends what c becomes behind "did:web:"; a path's own percent escapes stay. */
static char *
append_web(char *out, char c, bool in_path)
{
	static const char digits[] = "0123456789ABCDEF";

	if (in_path && c == '/')
		*out++ = ':';
	else if (is_idchar(c) || (in_path && c == '%'))
		*out++ = c;
	else
	{
		*out++ = '%';
		*out++ = digits[(unsigned char) c >> 4];
		*out++ = digits[(unsigned char) c & 15];
	}
	return out;
}

char *
vci_did_web_from_url(const char *url)
{
	const char *authority;
	size_t len;
	size_t authority_len;
	char *did;
	char *out;

	if (starts_with(url, "https://"))
		authority = url + strlen("https://");
	else if (starts_with(url, "http://"))
		authority = url + strlen("http://");
	else
		return NULL;
	len = strlen(authority);
	while (len > 0 && authority[len - 1] == '/')
		len--;
	authority_len = strcspn(authority, "/");

	did = malloc(strlen("did:web:") + 3 * len + 1);
	if (did == NULL)
		return NULL;
	memcpy(did, "did:web:", strlen("did:web:"));
	out = did + strlen("did:web:");
	for (size_t i = 0; i < len; i++)
		out = append_web(out, authority[i], i >= authority_len);
	*out = '\0';
	return did;
}
