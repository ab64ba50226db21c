#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "key.h"
#include "sd_jwt.h"
#include "sd_jwt_hash.h"
#include "seal.h"

#define SALT_BYTES	16 /* section 9.3: 128 bits */
#define DECOY_BYTES 32
#define POOL_BYTES	1024

/*
 * State of one concealment. A pointer is selected among paths by its index; the pool
 * makes one call of the generator do for a whole credential.
 */
typedef struct Concealer
{
	const VciJson *paths;
	VciJson *disclosures;
	EVP_MD *hash;
	size_t pool_left;
	unsigned char pool[POOL_BYTES];
	VciError *error;
} Concealer;

typedef struct Digests
{
	size_t count;
	size_t capacity;
	char (*texts)[VCI_SD_JWT_DIGEST_SIZE];
} Digests;

/* The pointers that have selected the node at hand, depth parts long so far. */
typedef struct Selection
{
	const size_t *indexes;
	size_t count;
	size_t depth;
} Selection;

static VciStatus conceal_node(Concealer *concealer, VciJson *node, const Selection *selection,
							  int decoys);

static VciStatus
draw(Concealer *concealer, void *out, size_t len)
{
	if (concealer->pool_left < len)
	{
		VciStatus status = vci_random(concealer->pool, POOL_BYTES, concealer->error);

		if (status != VCI_OK)
			return status;
		concealer->pool_left = POOL_BYTES;
	}
	concealer->pool_left -= len;
	memcpy(out, concealer->pool + concealer->pool_left, len);
	return VCI_OK;
}

/* A number below bound, each as likely as the next: what would favour the low ones is redrawn. */
static VciStatus
draw_below(Concealer *concealer, uint32_t bound, uint32_t *number)
{
	uint32_t unfair = (UINT32_MAX - bound + 1) % bound; /* 2^32 mod bound */

	do
	{
		VciStatus status = draw(concealer, number, sizeof(*number));

		if (status != VCI_OK)
			return status;
	} while (*number < unfair);
	*number %= bound;
	return VCI_OK;
}

static VciStatus
add_digest(Concealer *concealer, Digests *digests, const char *text, size_t len)
{
	if (digests->count == digests->capacity)
	{
		size_t capacity = digests->capacity == 0 ? 16 : digests->capacity * 2;
		void *texts = realloc(digests->texts, capacity * sizeof(*digests->texts));

		if (texts == NULL)
			return vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
		digests->texts = texts;
		digests->capacity = capacity;
	}
	return vci_sd_jwt_digest(concealer->hash, text, len, digests->texts[digests->count++],
							 concealer->error);
}

/* [salt, name, value], or [salt, value] when name is NULL; NULL when memory is out. */
static char *
disclosure_text(const char *salt, const char *name, VciJson *value)
{
	VciJson *array = vci_json_new_array();
	char *text = NULL;

	if (array != NULL && vci_json_append_string(array, salt) &&
		(name == NULL || vci_json_append_string(array, name)) &&
		(value == NULL ? vci_json_append_null(array) : vci_json_append(array, vci_json_ref(value))))
		text = vci_json_print(array);
	vci_json_free(array);
	return text;
}

/* Makes the disclosure of a claim or element and adds its digest to digests. */
static VciStatus
disclose(Concealer *concealer, const char *name, VciJson *value, Digests *digests)
{
	unsigned char salt[SALT_BYTES];
	char salt_text[(SALT_BYTES * 4 + 2) / 3 + 1];
	char *json;
	char *encoded;
	VciStatus status;

	if (vci_json_array_length(concealer->disclosures) == VCI_SD_JWT_MAX_DISCLOSURES)
		return vci_error(concealer->error, VCI_ERR_TOO_LARGE, "expected at most %d disclosures",
						 VCI_SD_JWT_MAX_DISCLOSURES);
	status = draw(concealer, salt, sizeof(salt));
	if (status != VCI_OK)
		return status;
	vci_base64url_encode(salt, sizeof(salt), salt_text);

	json = disclosure_text(salt_text, name, value);
	encoded = json == NULL ? NULL : vci_base64url_encode_new(json, strlen(json));
	free(json);
	if (encoded == NULL || !vci_json_append_string(concealer->disclosures, encoded))
		status = vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
	else
		status = add_digest(concealer, digests, encoded, strlen(encoded));
	free(encoded);
	return status;
}

/* Section 4.2.5: the digest of random bytes looks like any other. */
static VciStatus
add_decoys(Concealer *concealer, int decoys, Digests *digests)
{
	VciStatus status = VCI_OK;

	for (int i = 0; i < decoys && status == VCI_OK; i++)
	{
		unsigned char bytes[DECOY_BYTES];

		status = draw(concealer, bytes, sizeof(bytes));
		if (status == VCI_OK)
			status = add_digest(concealer, digests, (const char *) bytes, sizeof(bytes));
	}
	return status;
}

/* Section 4.2.4.1: the order must not tell the order of the claims. Fisher and Yates. */
static VciStatus
shuffle(Concealer *concealer, Digests *digests)
{
	for (size_t i = digests->count; i > 1; i--)
	{
		char kept[VCI_SD_JWT_DIGEST_SIZE];
		uint32_t other;
		VciStatus status = draw_below(concealer, (uint32_t) i, &other);

		if (status != VCI_OK)
			return status;
		memcpy(kept, digests->texts[i - 1], sizeof(kept));
		memcpy(digests->texts[i - 1], digests->texts[other], sizeof(kept));
		memcpy(digests->texts[other], kept, sizeof(kept));
	}
	return VCI_OK;
}

static VciStatus
set_sd(Concealer *concealer, VciJson *object, Digests *digests)
{
	VciStatus status = shuffle(concealer, digests);
	VciJson *sd;

	if (status != VCI_OK)
		return status;
	sd = vci_json_new_array();
	for (size_t i = 0; sd != NULL && i < digests->count; i++)
	{
		if (!vci_json_append_string(sd, digests->texts[i]))
		{
			vci_json_free(sd);
			sd = NULL;
		}
	}
	if (!vci_json_set(object, "_sd", sd))
		return vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

/* Does this part of a pointer select the member name, or, without name, element index? */
static bool
part_selects(const VciJson *part, const char *name, size_t index)
{
	int64_t number;

	if (name != NULL)
	{
		const char *text = vci_json_string(part);

		return text != NULL && strcmp(text, name) == 0;
	}
	if (part == NULL)
		return true;
	return vci_json_int64(part, &number) && number >= 0 && (uint64_t) number == index;
}

/*
 * Conceals what lies below a child, and tells in *concealed whether the child itself is
 * to be: children first, so that their digests stand in the parent's disclosure.
 */
static VciStatus
conceal_below(Concealer *concealer, const Selection *selection, const char *name, size_t index,
			  VciJson *child, bool *concealed)
{
	size_t *indexes = malloc((selection->count + 1) * sizeof(*indexes));
	Selection below = {.indexes = indexes, .count = 0, .depth = selection->depth + 1};
	VciStatus status = VCI_OK;

	*concealed = false;
	if (indexes == NULL)
		return vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < selection->count; i++)
	{
		const VciJson *pointer = vci_json_array_at(concealer->paths, selection->indexes[i]);

		if (!part_selects(vci_json_array_at(pointer, selection->depth), name, index))
			continue;
		if (vci_json_array_length(pointer) == below.depth)
			*concealed = true;
		else
			indexes[below.count++] = selection->indexes[i];
	}
	if (below.count > 0)
		status = conceal_node(concealer, child, &below, 0);
	free(indexes);
	return status;
}

static VciStatus
conceal_members(Concealer *concealer, VciJson *object, const Selection *selection, Digests *digests)
{
	for (VciJsonIter i = vci_json_iter(object); vci_json_next(&i);)
	{
		bool concealed;
		VciStatus status = conceal_below(concealer, selection, i.name, 0, i.value, &concealed);

		if (status == VCI_OK && concealed)
			status = disclose(concealer, i.name, i.value, digests);
		if (status != VCI_OK)
			return status;
		if (concealed)
			vci_json_remove(object, i.name);
	}
	return VCI_OK;
}

static VciStatus
conceal_object(Concealer *concealer, VciJson *object, const Selection *selection, int decoys)
{
	Digests digests = {0};
	VciStatus status = conceal_members(concealer, object, selection, &digests);

	if (status == VCI_OK)
		status = add_decoys(concealer, decoys, &digests);
	if (status == VCI_OK && digests.count > 0)
		status = set_sd(concealer, object, &digests);
	free(digests.texts);
	return status;
}

/* Section 4.2.4.2: in place of the element, an object that holds its digest. */
static VciStatus
conceal_element(Concealer *concealer, VciJson *array, size_t index)
{
	Digests digest = {0};
	VciJson *placeholder;
	VciStatus status = disclose(concealer, NULL, vci_json_array_at(array, index), &digest);

	if (status == VCI_OK)
	{
		placeholder = vci_json_new_object();
		if (!vci_json_set_string(placeholder, "...", digest.texts[0]))
		{
			vci_json_free(placeholder);
			placeholder = NULL;
		}
		if (!vci_json_array_put(array, index, placeholder))
			status = vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
	}
	free(digest.texts);
	return status;
}

static VciStatus
conceal_array(Concealer *concealer, VciJson *array, const Selection *selection)
{
	for (size_t i = 0; i < vci_json_array_length(array); i++)
	{
		bool concealed;
		VciStatus status =
			conceal_below(concealer, selection, NULL, i, vci_json_array_at(array, i), &concealed);

		if (status == VCI_OK && concealed)
			status = conceal_element(concealer, array, i);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

static VciStatus
conceal_node(Concealer *concealer, VciJson *node, const Selection *selection, int decoys)
{
	if (vci_json_kind(node) == VCI_JSON_OBJECT)
		return conceal_object(concealer, node, selection, decoys);
	if (vci_json_kind(node) == VCI_JSON_ARRAY)
		return conceal_array(concealer, node, selection);
	return VCI_OK;
}

/*
 * Nothing in payload may look like a digest of ours (section 4.1), and one level is
 * kept free, because a concealed scalar in the deepest array becomes an object.
 */
static VciStatus
check_payload(const VciJson *node, int depth, VciError *error)
{
	VciStatus status = VCI_OK;

	if (vci_json_kind(node) != VCI_JSON_OBJECT && vci_json_kind(node) != VCI_JSON_ARRAY)
		return VCI_OK;
	if (depth >= VCI_JSON_MAX_DEPTH)
		return vci_error(error, VCI_ERR_JSON_DEPTH, "claims are nested deeper than %d levels",
						 VCI_JSON_MAX_DEPTH - 1);
	for (VciJsonIter i = vci_json_iter(node); status == VCI_OK && vci_json_next(&i);)
	{
		if (strcmp(i.name, "_sd") == 0 || strcmp(i.name, "...") == 0 ||
			(depth == 1 && strcmp(i.name, "_sd_alg") == 0))
			return vci_error(error, VCI_ERR_CLAIM_RESERVED, "the claim name '%s' is reserved",
							 i.name);
		status = check_payload(i.value, depth + 1, error);
	}
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(node); i++)
		status = check_payload(vci_json_array_at(node, i), depth + 1, error);
	return status;
}

static VciStatus
check_input(const VciJson *payload, const VciJson *paths, int decoys, VciError *error)
{
	VciStatus status;

	if (vci_json_kind(payload) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_INTERNAL, "expected an object as payload");
	if (decoys < 0 || decoys > VCI_SD_JWT_MAX_DECOYS)
		return vci_error(error, VCI_ERR_CONFIGURATION, "expected 0 to %d decoys, got %d",
						 VCI_SD_JWT_MAX_DECOYS, decoys);
	status = check_payload(payload, 1, error);
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(paths); i++)
		status = vci_claims_path_check(vci_json_array_at(paths, i), error);
	return status;
}

/* All pointers together, before any part of them was followed. */
static VciStatus
conceal_payload(Concealer *concealer, VciJson *payload, int decoys)
{
	size_t count = vci_json_array_length(concealer->paths);
	size_t *indexes = malloc((count + 1) * sizeof(*indexes));
	Selection selection = {.indexes = indexes, .count = count, .depth = 0};
	VciStatus status;

	if (indexes == NULL)
		return vci_error(concealer->error, VCI_ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		indexes[i] = i;
	status = conceal_node(concealer, payload, &selection, decoys);
	free(indexes);
	return status;
}

VciStatus
vci_sd_jwt_conceal(VciJson *payload, const VciJson *paths, int decoys, VciJson **disclosures,
				   VciError *error)
{
	Concealer concealer = {.paths = paths, .error = error};
	VciStatus status = check_input(payload, paths, decoys, error);

	*disclosures = NULL;
	if (status != VCI_OK)
		return status;
	concealer.disclosures = vci_json_new_array();
	if (concealer.disclosures == NULL)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status = vci_sd_jwt_hash("sha-256", &concealer.hash, error);
	if (status == VCI_OK)
		status = conceal_payload(&concealer, payload, decoys);
	if (status == VCI_OK && (decoys > 0 || vci_json_array_length(concealer.disclosures) > 0) &&
		!vci_json_set_string(payload, "_sd_alg", "sha-256"))
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");

	EVP_MD_free(concealer.hash);
	vci_wipe(concealer.pool, sizeof(concealer.pool));
	if (status != VCI_OK)
	{
		vci_json_free(concealer.disclosures);
		return status;
	}
	*disclosures = concealer.disclosures;
	return VCI_OK;
}
