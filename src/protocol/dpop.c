#include "dpop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../jose/base64url.h"
#include "ascii.h"
#include "http.h"
#include "jwt.h"

const char *const vci_dpop_algs[VCI_DPOP_ALG_COUNT] = {"ES256", "ES384", "EdDSA", "RS256", "PS256"};

/* An http URL taken apart, pointing into its text; scheme, authority and path have a length. */
typedef struct SplitUrl
{
	bool https;
	const char *authority;
	size_t authority_len;
	const char *path;
	size_t path_len;
} SplitUrl;

/* Without default port (RFC 3986 section 6.2.3). */
static size_t
authority_length(const char *authority, size_t len, bool https)
{
	const char *port = https ? ":443" : ":80";
	size_t port_len = strlen(port);

	if (len > port_len && memcmp(authority + len - port_len, port, port_len) == 0)
		return len - port_len;
	return len > 0 && authority[len - 1] == ':' ? len - 1 : len;
}

/* False for any other scheme. Query and fragment are left out (RFC 9449 section 4.3). */
static bool
split_url(const char *url, SplitUrl *split)
{
	size_t len;

	split->https = vci_ascii_starts_with(url, "https://");
	if (!split->https && !vci_ascii_starts_with(url, "http://"))
		return false;
	split->authority = strstr(url, "://") + 3;
	len = strcspn(split->authority, "/?#");
	split->authority_len = authority_length(split->authority, len, split->https);
	split->path = split->authority + len;
	split->path_len = strcspn(split->path, "?#");
	if (split->path_len == 0)
	{
		split->path = "/"; /* RFC 3986 section 6.2.3 */
		split->path_len = 1;
	}
	return true;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

static bool
same_authority(const SplitUrl *a, const SplitUrl *b)
{
	if (a->authority_len != b->authority_len)
		return false;
	for (size_t i = 0; i < a->authority_len; i++)
		if (lower(a->authority[i]) != lower(b->authority[i]))
			return false;
	return true;
}

static bool
is_unreserved(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
		   c == '.' || c == '_' || c == '~';
}

/* The next character of a path; an escaped unreserved one is itself (RFC 3986 6.2.2.2). */
static int
next_path_char(const char **cursor, const char *end)
{
	int c = (unsigned char) **cursor;
	int escaped = c == '%' ? vci_percent_byte(*cursor, (size_t) (end - *cursor)) : -1;

	if (escaped >= 0 && is_unreserved(escaped))
	{
		*cursor += 3;
		return escaped;
	}
	*cursor += 1;
	return c;
}

static bool
same_path(const SplitUrl *a, const SplitUrl *b)
{
	const char *at_a = a->path;
	const char *at_b = b->path;
	const char *end_a = a->path + a->path_len;
	const char *end_b = b->path + b->path_len;

	while (at_a < end_a && at_b < end_b)
		if (next_path_char(&at_a, end_a) != next_path_char(&at_b, end_b))
			return false;
	return at_a == end_a && at_b == end_b;
}

static bool
same_url(const char *given, const char *expected)
{
	SplitUrl a;
	SplitUrl b;

	return split_url(given, &a) && split_url(expected, &b) && a.https == b.https &&
		   same_authority(&a, &b) && same_path(&a, &b);
}

static VciStatus
check_target(const VciJson *payload, const VciDpopPolicy *policy, VciError *error)
{
	const char *htm = vci_json_get_string(payload, "htm");
	const char *htu = vci_json_get_string(payload, "htu");

	if (htm == NULL || strcmp(htm, policy->method) != 0)
		return vci_error(error, VCI_ERR_DPOP, "the htm of the DPoP proof must be %.20s",
						 policy->method);
	if (htu == NULL || !same_url(htu, policy->url))
		return vci_error(error, VCI_ERR_DPOP, "the htu of the DPoP proof must be %.180s",
						 policy->url);
	return VCI_OK;
}

static VciStatus
read_time(const VciJson *payload, const char *name, int64_t *seconds, bool *present,
		  VciError *error)
{
	return vci_jwt_time(payload, name, "the DPoP proof", VCI_ERR_DPOP, seconds, present, error);
}

static VciStatus
check_issued_at(VciDpop *proof, const VciDpopPolicy *policy, VciError *error)
{
	bool present;
	VciStatus status = read_time(proof->jws->payload, "iat", &proof->issued_at, &present, error);

	if (status == VCI_OK && !present)
		status = vci_error(error, VCI_ERR_DPOP, "the DPoP proof lacks iat");
	if (status != VCI_OK)
		return status;
	if (proof->issued_at > policy->now + VCI_DPOP_LEEWAY)
		return vci_error(error, VCI_ERR_DPOP,
						 "the iat of the DPoP proof lies in the future; set the clock right");
	if (proof->issued_at < policy->now - policy->max_age)
		return vci_error(error, VCI_ERR_DPOP,
						 "the DPoP proof is too old; make a new one for each request");
	return VCI_OK;
}

/* RFC 7519 sections 4.1.4 and 4.1.5 hold for any JWT that has these claims. */
static VciStatus
check_validity(const VciJson *payload, const VciDpopPolicy *policy, VciError *error)
{
	int64_t seconds = 0;
	bool present;
	VciStatus status = read_time(payload, "exp", &seconds, &present, error);

	if (status == VCI_OK && present && seconds <= policy->now - VCI_DPOP_LEEWAY)
		status = vci_error(error, VCI_ERR_DPOP, "the DPoP proof has expired (exp)");
	if (status == VCI_OK)
		status = read_time(payload, "nbf", &seconds, &present, error);
	if (status == VCI_OK && present && seconds > policy->now + VCI_DPOP_LEEWAY)
		status = vci_error(error, VCI_ERR_DPOP, "the DPoP proof is not valid yet (nbf)");
	return status;
}

/* A string that must (or may) be there, not empty (or empty), of at most max bytes. */
static VciStatus
read_string(const VciJson *payload, const char *name, bool required, size_t max, const char **text,
			VciError *error)
{
	*text = vci_json_get_string(payload, name);
	if (*text == NULL && !required && !vci_json_has(payload, name))
		return VCI_OK;
	if (*text == NULL || (required && **text == '\0') || strlen(*text) > max)
		return vci_error(error, VCI_ERR_DPOP,
						 "%s in the DPoP proof must be a string of at most %zu bytes", name, max);
	return VCI_OK;
}

/* RFC 9449 section 4.2: the digest of the access token that comes with the proof. */
static VciStatus
check_ath(const VciJson *payload, const char *access_token, VciError *error)
{
	const char *ath = vci_json_get_string(payload, "ath");
	unsigned char digest[VCI_DIGEST_BYTES];
	char expected[VCI_THUMBPRINT_SIZE];
	VciStatus status;

	if (access_token == NULL)
		return VCI_OK;
	status = vci_sha256(access_token, strlen(access_token), digest, error);
	if (status != VCI_OK)
		return status;
	vci_base64url_encode(digest, sizeof(digest), expected);
	if (ath == NULL || strcmp(ath, expected) != 0)
		return vci_error(error, VCI_ERR_DPOP,
						 "the ath of the DPoP proof must be the base64url SHA-256 of the access "
						 "token that it comes with");
	return VCI_OK;
}

static VciStatus
check_payload(VciDpop *proof, const VciDpopPolicy *policy, VciError *error)
{
	const VciJson *payload = proof->jws->payload;
	VciStatus status = check_target(payload, policy, error);

	if (status == VCI_OK)
		status = check_issued_at(proof, policy, error);
	if (status == VCI_OK)
		status = check_validity(payload, policy, error);
	if (status == VCI_OK)
		status = read_string(payload, "jti", true, VCI_DPOP_JTI_MAX, &proof->jti, error);
	if (status == VCI_OK)
		status = read_string(payload, "nonce", false, VCI_DPOP_MAX_SIZE, &proof->nonce, error);
	if (status == VCI_OK)
		status = check_ath(payload, policy->access_token, error);
	return status;
}

/* RFC 9449 section 4.2: the public key stands in the header, and nothing private. */
static VciStatus
read_key(VciDpop *proof, VciCurves *curves, VciError *error)
{
	VciStatus status;

	if (!vci_jws_typ_is(proof->jws, "dpop+jwt"))
		return vci_error(error, VCI_ERR_JWS_TYP, "the typ of a DPoP proof must be dpop+jwt");
	if (!vci_json_has(proof->jws->header, "jwk"))
		return vci_error(error, VCI_ERR_DPOP,
						 "the header of the DPoP proof must hold its public key as jwk");
	status = vci_key_from_public_jwk_on(curves, vci_json_get(proof->jws->header, "jwk"),
										&proof->key, error);
	if (status == VCI_OK)
		status = vci_key_thumbprint(proof->key, proof->jkt, error);
	return status;
}

VciStatus
vci_dpop_parse(const char *jwt, size_t len, const VciDpopPolicy *policy, VciDpop **proof,
			   VciError *error)
{
	VciDpop *parsed;
	VciStatus status;

	*proof = NULL;
	if (policy->method == NULL || policy->url == NULL)
		return vci_error(error, VCI_ERR_INTERNAL, "a DPoP proof needs an expected method and URL");
	if (len > VCI_DPOP_MAX_SIZE)
		return vci_error(error, VCI_ERR_TOO_LARGE, "the DPoP proof has more than %d characters",
						 VCI_DPOP_MAX_SIZE);
	parsed = calloc(1, sizeof(*parsed));
	if (parsed == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = vci_jws_parse(jwt, len, &parsed->jws, error);
	if (status != VCI_OK)
	{
		vci_dpop_free(parsed);
		return status;
	}
	*proof = parsed;
	status = read_key(parsed, policy->curves, error);
	if (status == VCI_OK)
		status = check_payload(parsed, policy, error);
	return status;
}

VciStatus
vci_dpop_verify(const VciDpop *proof, VciError *error)
{
	return vci_jws_verify(proof->jws, proof->key, error);
}

/* Fixed-width issuer id and thumbprint, then jti: no two triples give the same bytes. */
VciStatus
vci_dpop_digest(const VciDpop *proof, int64_t issuer_id, unsigned char digest[VCI_DIGEST_BYTES],
				VciError *error)
{
	unsigned char bytes[8 + VCI_THUMBPRINT_SIZE + VCI_DPOP_JTI_MAX];
	size_t jti_len = proof->jti == NULL ? 0 : strlen(proof->jti);

	if (jti_len == 0 || jti_len > VCI_DPOP_JTI_MAX)
		return vci_error(error, VCI_ERR_INTERNAL, "this DPoP proof was not checked");
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char) ((uint64_t) issuer_id >> (56 - 8 * i));
	memcpy(bytes + 8, proof->jkt, VCI_THUMBPRINT_SIZE);
	memcpy(bytes + 8 + VCI_THUMBPRINT_SIZE, proof->jti, jti_len);
	return vci_sha256(bytes, 8 + VCI_THUMBPRINT_SIZE + jti_len, digest, error);
}

VciJson *
vci_dpop_verdict(const VciDpop *proof, const VciError *error)
{
	VciJson *verdict = vci_jwt_verdict(proof ? proof->jws : NULL, error);
	bool ok = verdict != NULL;

	if (ok && proof != NULL && proof->key != NULL)
		ok = vci_json_set_string(verdict, "jkt", proof->jkt);
	if (!ok)
	{
		vci_json_free(verdict);
		return NULL;
	}
	return verdict;
}

void
vci_dpop_free(VciDpop *proof)
{
	if (proof == NULL)
		return;
	vci_jws_free(proof->jws);
	vci_key_free(proof->key);
	free(proof);
}
