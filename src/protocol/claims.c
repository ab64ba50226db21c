#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/sd_jwt.h"
#include "claims_path.h"

/*
 * One level less than a parser accepts: concealing puts an array or an object of digests
 * where a member or an element stood.
 */
#define CLAIMS_MAX_DEPTH (VCI_JSON_MAX_DEPTH - 1)

static VciStatus check_value(const VciJson *value, int depth, VciError *error);

static VciStatus
check_members(const VciJson *object, int depth, VciError *error)
{
	for (VciJsonIter i = vci_json_iter(object); vci_json_next(&i);)
	{
		VciStatus status;

		if (vci_claim_name_reserved(i.name, depth == 1))
			return vci_error(error, VCI_ERR_CLAIM_RESERVED,
							 "the claim name %s is reserved by the credential format; give the "
							 "claim another name",
							 i.name);
		status = check_value(i.value, depth, error);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

static VciStatus
check_value(const VciJson *value, int depth, VciError *error)
{
	VciJsonKind kind = vci_json_kind(value);

	if (kind != VCI_JSON_OBJECT && kind != VCI_JSON_ARRAY)
		return VCI_OK;
	if (++depth > CLAIMS_MAX_DEPTH)
		return vci_error(error, VCI_ERR_JSON_DEPTH, "the claims are nested deeper than %d levels",
						 CLAIMS_MAX_DEPTH);
	if (kind == VCI_JSON_OBJECT)
		return check_members(value, depth, error);
	for (size_t i = 0; i < vci_json_array_length(value); i++)
	{
		VciStatus status = check_value(vci_json_array_at(value, i), depth, error);

		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

VciStatus
vci_claims_check(const VciJson *claims, VciError *error)
{
	if (vci_json_kind(claims) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_REQUEST, "the claims must be a JSON object");
	return check_value(claims, 0, error);
}

VciStatus
vci_claims_check_mandatory(const VciJson *claims, const VciConfiguration *configuration,
						   VciError *error)
{
	for (size_t i = 0; i < vci_json_array_length(configuration->claims); i++)
	{
		const VciJson *description = vci_json_array_at(configuration->claims, i);
		const VciJson *path;
		bool mandatory = false;

		(void) vci_json_get_boolean(description, "mandatory", &mandatory);
		if (!mandatory)
			continue;
		path = vci_json_get(description, "path");
		if (!vci_claims_path_selects(path, claims))
		{
			char text[VCI_CLAIMS_PATH_TEXT_SIZE];

			vci_claims_path_text(path, text);
			return vci_error(error, VCI_ERR_CLAIM_MISSING,
							 "the mandatory claim %s of configuration %.80s is absent or null",
							 text, configuration->id);
		}
	}
	return VCI_OK;
}

/* A member (name) or an element (name NULL) of the value above. */
typedef struct Part
{
	const char *name;
	size_t index;
} Part;

/* A pointer of the configuration, and what decides about most claims: its first part. */
typedef struct Listed
{
	const VciJson *pointer;
	size_t length;
	const VciJson *first;
	const char *first_name; /* NULL: an index or null */
} Listed;

/* The walk that finds claims which no pointer of the configuration lists. */
typedef struct UnlistedWalk
{
	const VciConfiguration *configuration;
	Listed *listed; /* in either of its lists */
	size_t listed_count;
	Part parts[VCI_JSON_MAX_DEPTH]; /* from the top to the value that is looked at */
	size_t depth;
	VciJson *paths; /* NULL as long as all is listed */
	VciError *error;
} UnlistedWalk;

typedef enum Mention
{
	MENTION_NONE,
	MENTION_BELOW, /* only something within the value is listed */
	MENTION_EXACT
} Mention;

static bool
part_matches(const VciJson *pointer_part, const char *name, const Part *part)
{
	int64_t index;

	if (name != NULL || part->name != NULL)
		return name != NULL && part->name != NULL && name[0] == part->name[0] &&
			   strcmp(name, part->name) == 0;
	return vci_json_kind(pointer_part) == VCI_JSON_NULL ||
		   (vci_json_int64(pointer_part, &index) && index == (int64_t) part->index);
}

static Mention
mention_by(const Listed *listed, const UnlistedWalk *walk)
{
	if (listed->length < walk->depth ||
		!part_matches(listed->first, listed->first_name, &walk->parts[0]))
		return MENTION_NONE;
	for (size_t i = 1; i < walk->depth; i++)
	{
		const VciJson *part = vci_json_array_at(listed->pointer, i);

		if (!part_matches(part, vci_json_string(part), &walk->parts[i]))
			return MENTION_NONE;
	}
	return listed->length == walk->depth ? MENTION_EXACT : MENTION_BELOW;
}

static Mention
mention_of(const UnlistedWalk *walk)
{
	Mention best = MENTION_NONE;

	for (size_t i = 0; best != MENTION_EXACT && i < walk->listed_count; i++)
	{
		Mention mention = mention_by(&walk->listed[i], walk);

		if (mention > best)
			best = mention;
	}
	return best;
}

static VciStatus
conceal_here(UnlistedWalk *walk)
{
	const VciJson *listed = walk->configuration->selectively_disclosable;
	VciJson *path = vci_json_new_array();
	bool ok = path != NULL;

	for (size_t i = 0; ok && i < walk->depth; i++)
	{
		const Part *part = &walk->parts[i];

		ok = part->name != NULL ? vci_json_append_string(path, part->name)
								: vci_json_append(path, vci_json_new_int64((int64_t) part->index));
	}
	if (!ok)
		vci_json_free(path);
	if (ok && walk->paths == NULL)
		walk->paths = listed != NULL ? vci_json_copy(listed) : vci_json_new_array();
	if (!ok || !vci_json_append(walk->paths, path))
		return vci_error(walk->error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

static VciStatus conceal_unlisted_below(UnlistedWalk *walk, const VciJson *value);

static VciStatus
conceal_unless_listed(UnlistedWalk *walk, const VciJson *value)
{
	Mention mention = mention_of(walk);
	VciJsonKind kind = vci_json_kind(value);

	if (mention == MENTION_EXACT)
		return VCI_OK; /* what lies below shares its fate, or has a pointer of its own */
	if (mention == MENTION_BELOW && (kind == VCI_JSON_OBJECT || kind == VCI_JSON_ARRAY))
		return conceal_unlisted_below(walk, value);
	return conceal_here(walk);
}

static VciStatus
conceal_unlisted_below(UnlistedWalk *walk, const VciJson *value)
{
	VciStatus status = VCI_OK;

	if (walk->depth == VCI_JSON_MAX_DEPTH)
		return vci_error(walk->error, VCI_ERR_JSON_DEPTH,
						 "the claims are nested deeper than %d levels", VCI_JSON_MAX_DEPTH);
	walk->depth++;
	for (VciJsonIter i = vci_json_iter(value); status == VCI_OK && vci_json_next(&i);)
	{
		walk->parts[walk->depth - 1] = (Part){i.name, 0};
		status = conceal_unless_listed(walk, i.value);
	}
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(value); i++)
	{
		walk->parts[walk->depth - 1] = (Part){NULL, i};
		status = conceal_unless_listed(walk, vci_json_array_at(value, i));
	}
	walk->depth--;
	return status;
}

static void
list(UnlistedWalk *walk, const VciJson *pointers)
{
	size_t count = vci_json_array_length(pointers);

	for (size_t i = 0; i < count; i++)
	{
		const VciJson *pointer = vci_json_array_at(pointers, i);
		const VciJson *first = vci_json_array_at(pointer, 0);

		walk->listed[walk->listed_count++] =
			(Listed){pointer, vci_json_array_length(pointer), first, vci_json_string(first)};
	}
}

/* All that the configuration lists, looked up once and not for each claim. */
static VciStatus
list_all(UnlistedWalk *walk)
{
	const VciConfiguration *configuration = walk->configuration;
	size_t count = vci_json_array_length(configuration->always_disclosed) +
				   vci_json_array_length(configuration->selectively_disclosable);

	walk->listed = malloc((count + 1) * sizeof(Listed));
	if (walk->listed == NULL)
		return vci_error(walk->error, VCI_ERR_MEMORY, "out of memory");
	list(walk, configuration->always_disclosed);
	list(walk, configuration->selectively_disclosable);
	return VCI_OK;
}

VciStatus
vci_claims_disclosable(const VciJson *claims, const VciConfiguration *configuration,
					   VciJson **paths, VciError *error)
{
	UnlistedWalk walk = {.configuration = configuration, .error = error};
	VciJson *listed = configuration->selectively_disclosable;
	VciStatus status;

	*paths = NULL;
	status = list_all(&walk);
	if (status == VCI_OK)
		status = conceal_unlisted_below(&walk, claims);
	free(walk.listed);
	if (status != VCI_OK)
	{
		vci_json_free(walk.paths);
		return status;
	}
	/* where all is listed, the list itself will do */
	if (walk.paths == NULL)
		walk.paths = listed != NULL ? vci_json_ref(listed) : vci_json_new_array();
	if (walk.paths == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	*paths = walk.paths;
	return VCI_OK;
}
