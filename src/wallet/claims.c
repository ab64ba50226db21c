#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/base64url.h"
#include "../jose/seal.h"
#include "display.h"
#include "text.h"
#include "verify.h"

/* One place in the credential: how the issuer signed it, and what it stands for. */
typedef struct Place
{
	const VciJson *raw;		  /* with digests in it; NULL when they cannot be followed there */
	const VciJson *processed; /* with the disclosures in place of the digests */
	const VciJson *path;
	bool disclosable;
} Place;

typedef struct Walk
{
	const VciJson *disclosures; /* object: digest to decoded disclosure */
	bool sha256;				/* the digests are those that the core computes for us */
	WalletClaims *claims;
	WalletFailure *failure;
} Walk;

static bool walk(const Walk *state, const Place *place);

static bool
add_digest(VciJson *map, const char *disclosure, size_t len, const VciJson *decoded,
		   WalletFailure *failure)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	VciError error = VCI_ERROR_INIT;
	char *name;
	bool ok;

	if (vci_sha256(disclosure, len, digest, &error) != VCI_OK)
		return wallet_fail_core(failure, WALLET_EXIT_INTERNAL, &error, "no digest");
	name = vci_base64url_encode_new(digest, sizeof(digest));
	ok = name != NULL && vci_json_set(map, name, vci_json_copy(decoded));
	free(name);
	return ok || wallet_fail_memory(failure);
}

/* The disclosures between the tildes of text, by their digests (RFC 9901 section 4.2.3). */
static bool
map_disclosures(const char *text, const VciSdJwt *sd_jwt, VciJson *map, WalletFailure *failure)
{
	const char *at = text + strcspn(text, "~");

	for (size_t i = 0; i < vci_json_array_length(sd_jwt->disclosures); i++)
	{
		size_t len;

		if (*at != '~')
			return wallet_fail(failure, WALLET_EXIT_INTERNAL, "a disclosure is missing");
		len = strcspn(at + 1, "~");
		if (!add_digest(map, at + 1, len, vci_json_array_at(sd_jwt->disclosures, i), failure))
			return false;
		at += 1 + len;
	}
	return true;
}

/* A copy of path with one part more; NULL when memory is out. */
static VciJson *
extend_path(const VciJson *path, VciJson *part)
{
	VciJson *longer = vci_json_copy(path);

	if (longer == NULL)
	{
		vci_json_free(part);
		return NULL;
	}
	if (vci_json_append(longer, part))
		return longer;
	vci_json_free(longer);
	return NULL;
}

/* Takes over path; returns whether the row could be added. */
static bool
add_row(const Walk *state, VciJson *path, const VciJson *value, bool own_disclosure,
		bool disclosable)
{
	WalletClaims *claims = state->claims;

	if (path == NULL)
		return wallet_fail_memory(state->failure);
	if (claims->count == claims->capacity)
	{
		size_t capacity = claims->capacity == 0 ? 16 : 2 * claims->capacity;
		WalletClaim *grown = realloc(claims->rows, capacity * sizeof(WalletClaim));

		if (grown == NULL)
		{
			vci_json_free(path);
			return wallet_fail_memory(state->failure);
		}
		claims->rows = grown;
		claims->capacity = capacity;
	}
	claims->rows[claims->count++] = (WalletClaim){path, value, own_disclosure, disclosable};
	return true;
}

/* Adds the row of a child of place and walks on into it. */
static bool
visit(const Walk *state, const Place *place, VciJson *part, const VciJson *raw,
	  const VciJson *processed, bool own_disclosure)
{
	bool disclosable = own_disclosure || place->disclosable;
	VciJson *path = part == NULL ? NULL : extend_path(place->path, part);
	Place child = {raw, processed, path, disclosable};

	return add_row(state, path, processed, own_disclosure, disclosable) && walk(state, &child);
}

/* The disclosure behind a digest of _sd that carries the member name; NULL when there is none. */
static const VciJson *
disclosure_of_member(const Walk *state, const VciJson *raw, const char *name)
{
	const VciJson *digests = vci_json_get(raw, "_sd");

	for (size_t i = 0; i < vci_json_array_length(digests); i++)
	{
		const char *digest = vci_json_string(vci_json_array_at(digests, i));
		const VciJson *decoded = digest == NULL ? NULL : vci_json_get(state->disclosures, digest);
		const char *found = vci_json_string(vci_json_array_at(decoded, 1));

		if (vci_json_array_length(decoded) == 3 && found != NULL && strcmp(found, name) == 0)
			return decoded;
	}
	return NULL;
}

static bool
walk_object(const Walk *state, const Place *place)
{
	VciJsonIter member = vci_json_iter(place->processed);
	bool at_top = vci_json_array_length(place->path) == 0;

	while (vci_json_next(&member))
	{
		bool open = vci_json_has(place->raw, member.name);
		const VciJson *decoded = open ? NULL : disclosure_of_member(state, place->raw, member.name);
		const VciJson *raw =
			open ? vci_json_get(place->raw, member.name) : vci_json_array_at(decoded, 2);

		if (at_top && wallet_is_registered_claim(member.name))
			continue;
		if (!visit(state, place, vci_json_new_string(member.name), raw, member.value,
				   !open && place->raw != NULL))
			return false;
	}
	return true;
}

/* The digest of a concealed array element (RFC 9901 section 4.2.4.2); NULL for any other. */
static const char *
element_digest(const VciJson *element)
{
	return vci_json_member_count(element) == 1 ? vci_json_get_string(element, "...") : NULL;
}

/* Without the digests an element may have a disclosure of its own or not: rather say yes. */
static bool
walk_opaque_array(const Walk *state, const Place *place)
{
	for (size_t i = 0; i < vci_json_array_length(place->processed); i++)
	{
		if (!visit(state, place, vci_json_new_int64((int64_t) i), NULL,
				   vci_json_array_at(place->processed, i), place->raw != NULL))
			return false;
	}
	return true;
}

static bool
has_digests(const VciJson *array)
{
	for (size_t i = 0; i < vci_json_array_length(array); i++)
	{
		if (element_digest(vci_json_array_at(array, i)) != NULL)
			return true;
	}
	return false;
}

static bool
walk_array(const Walk *state, const Place *place)
{
	size_t index = 0;

	if (place->raw == NULL || (!state->sha256 && has_digests(place->raw)))
		return walk_opaque_array(state, place);
	for (size_t i = 0; i < vci_json_array_length(place->raw); i++)
	{
		const VciJson *raw = vci_json_array_at(place->raw, i);
		const char *digest = element_digest(raw);
		const VciJson *decoded = digest == NULL ? NULL : vci_json_get(state->disclosures, digest);

		if (digest != NULL && decoded == NULL)
			continue; /* a decoy */
		if (digest != NULL)
			raw = vci_json_array_at(decoded, 1);
		if (!visit(state, place, vci_json_new_int64((int64_t) index), raw,
				   vci_json_array_at(place->processed, index), digest != NULL))
			return false;
		index++;
	}
	return true;
}

/* Depth is bounded: the parser refuses what nests deeper than VCI_JSON_MAX_DEPTH. */
static bool
walk(const Walk *state, const Place *place)
{
	switch (vci_json_kind(place->processed))
	{
		case VCI_JSON_OBJECT:
			return walk_object(state, place);
		case VCI_JSON_ARRAY:
			return walk_array(state, place);
		default:
			return true;
	}
}

bool
wallet_claims_list(const char *text, const VciSdJwt *sd_jwt, WalletClaims *claims,
				   WalletFailure *failure)
{
	VciJson *map = vci_json_new_object();
	VciJson *path = vci_json_new_array();
	const char *sd_alg = vci_json_get_string(sd_jwt->jws->payload, "_sd_alg");
	Walk state = {map, sd_alg == NULL || strcmp(sd_alg, "sha-256") == 0, claims, failure};
	Place top = {sd_jwt->jws->payload, sd_jwt->claims, path, false};
	bool ok;

	memset(claims, 0, sizeof(*claims));
	if (map == NULL || path == NULL)
		ok = wallet_fail_memory(failure);
	else
		ok = map_disclosures(text, sd_jwt, map, failure) && walk(&state, &top);
	vci_json_free(map);
	vci_json_free(path);
	return ok;
}

static bool
has_claim(const WalletClaims *claims, const VciJson *pointer)
{
	for (size_t i = 0; i < claims->count; i++)
	{
		if (wallet_path_matches(pointer, claims->rows[i].path))
			return true;
	}
	return false;
}

void
wallet_claims_note_missing(const WalletClaims *claims, const VciJson *configuration, VciJson *notes)
{
	const VciJson *descriptions = wallet_claim_descriptions(configuration);

	for (size_t i = 0; i < vci_json_array_length(descriptions); i++)
	{
		const VciJson *one = vci_json_array_at(descriptions, i);
		const VciJson *pointer = vci_json_get(one, "path");
		bool mandatory = false;
		char *text;

		if (!vci_json_get_boolean(one, "mandatory", &mandatory) || !mandatory ||
			has_claim(claims, pointer))
			continue;
		text = vci_json_print(pointer);
		wallet_note(notes, "the credential lacks the claim %s, which the metadata calls mandatory",
					text == NULL ? "" : text);
		free(text);
	}
}

void
wallet_claims_free(WalletClaims *claims)
{
	for (size_t i = 0; i < claims->count; i++)
		vci_json_free(claims->rows[i].path);
	free(claims->rows);
	memset(claims, 0, sizeof(*claims));
}
