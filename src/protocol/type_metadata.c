#include "type_metadata.h"

#include <string.h>

#include "locale.h"

#define NO_LOCALE "und" /* undetermined (BCP 47, ISO 639-2) */

/* Behind scheme and authority of url, where vct has the same; NULL where it has not. */
static const char *
behind_origin(const char *vct, const char *url)
{
	size_t len = (size_t) (vci_issuer_url_path(url) - url);

	return strncmp(vct, url, len) == 0 && vct[len] == '/' ? vct + len : NULL;
}

const char *
vci_type_path(const VciIssuer *issuer, const char *vct)
{
	const char *path = behind_origin(vct, issuer->url);

	for (int i = 0; path == NULL && i < VCI_ENDPOINT_COUNT; i++)
		path = behind_origin(vct, issuer->endpoints[i].url);
	return path != NULL && path[1] != '\0' && strpbrk(path, "?#%") == NULL ? path : NULL;
}

/* How what a configuration lists and the first parts of a path stand to each other. */
typedef enum Relation
{
	RELATION_NONE,
	RELATION_BELOW,	 /* what is listed stands within it */
	RELATION_PARTLY, /* it is one of the elements that the path selects */
	RELATION_SAME
} Relation;

static Relation
relation_of_part(const VciJson *listed, const VciJson *part)
{
	bool is_name = vci_json_kind(listed) == VCI_JSON_STRING;

	if (vci_json_equal(listed, part))
		return RELATION_SAME;
	if (is_name || vci_json_kind(part) == VCI_JSON_STRING)
		return RELATION_NONE;
	if (listed == NULL)
		return RELATION_SAME; /* any element, so this one */
	return part == NULL ? RELATION_PARTLY : RELATION_NONE;
}

static Relation
relation_of(const VciJson *listed, const VciJson *path, size_t count)
{
	size_t length = vci_json_array_length(listed);
	Relation relation = length > count ? RELATION_BELOW : RELATION_SAME;

	if (length < count)
		return RELATION_NONE; /* seen where the path had as many parts */
	for (size_t i = 0; i < count; i++)
	{
		Relation part = relation_of_part(vci_json_array_at(listed, i), vci_json_array_at(path, i));

		if (part == RELATION_NONE)
			return RELATION_NONE;
		if (part == RELATION_PARTLY)
			relation = RELATION_PARTLY;
	}
	return relation;
}

static Relation
closest(const VciJson *pointers, const VciJson *path, size_t count)
{
	Relation best = RELATION_NONE;

	for (size_t i = 0; i < vci_json_array_length(pointers); i++)
	{
		Relation relation = relation_of(vci_json_array_at(pointers, i), path, count);

		if (relation > best)
			best = relation;
	}
	return best;
}

/*
 * Is the claim itself a disclosure, whatever it stands in? As vci_claims_disclosable conceals:
 * what is listed as such, and what no list mentions, at the highest level that none does.
 */
static const char *
disclosure_of(const VciJson *path, const VciConfiguration *configuration)
{
	size_t length = vci_json_array_length(path);
	Relation own = closest(configuration->selectively_disclosable, path, length);

	if (own == RELATION_SAME || own == RELATION_PARTLY)
		return own == RELATION_SAME ? "always" : "allowed";
	for (size_t count = 1; count <= length; count++)
	{
		Relation always = closest(configuration->always_disclosed, path, count);
		Relation selective = closest(configuration->selectively_disclosable, path, count);
		Relation relation = always > selective ? always : selective;

		if (relation == RELATION_PARTLY)
			return "allowed";
		if (relation == RELATION_SAME)
			return "never";
		if (relation == RELATION_NONE)
			return count == length ? "always" : "never";
	}
	return "allowed"; /* an object stays where something within it is listed, a text does not */
}

/* A display array of the configuration in the words of type metadata. */
static VciJson *
display_entry(const VciJson *given, const char *name_as)
{
	VciJson *entry = vci_json_new_object();
	const char *locale = vci_json_get_string(given, "locale");
	const char *description = vci_json_get_string(given, "description");

	if (vci_json_set_string(entry, "locale", locale == NULL ? NO_LOCALE : locale) &&
		vci_json_set_string(entry, name_as, vci_json_get_string(given, "name")) &&
		(description == NULL || vci_json_set_string(entry, "description", description)))
		return entry;
	vci_json_free(entry);
	return NULL;
}

static bool
copy_member(VciJson *to, const VciJson *from, const char *name)
{
	const VciJson *value = vci_json_get(from, name);

	return value == NULL || vci_json_set(to, name, vci_json_copy(value));
}

/* The rendering method "simple". */
static bool
set_rendering(VciJson *entry, const VciJson *given)
{
	static const char *const members[] = {"logo", "background_image", "background_color",
										  "text_color"};
	VciJson *simple = vci_json_new_object();
	VciJson *rendering;
	bool ok = simple != NULL;

	for (size_t i = 0; ok && i < sizeof(members) / sizeof(members[0]); i++)
		ok = copy_member(simple, given, members[i]);
	if (!ok || vci_json_member_count(simple) == 0)
	{
		vci_json_free(simple);
		return ok;
	}
	rendering = vci_json_new_object();
	if (!vci_json_set(rendering, "simple", simple))
	{
		vci_json_free(rendering);
		return false;
	}
	return vci_json_set(entry, "rendering", rendering);
}

static bool
set_display(VciJson *metadata, const VciJson *display)
{
	VciJson *entries;

	if (display == NULL)
		return true;
	entries = vci_json_new_array();
	if (!vci_json_set(metadata, "display", entries))
		return false;
	for (size_t i = 0; i < vci_json_array_length(display); i++)
	{
		const VciJson *given = vci_json_array_at(display, i);
		VciJson *entry = display_entry(given, "name");

		if (!vci_json_append(entries, entry) || !set_rendering(entry, given))
			return false;
	}
	return true;
}

static bool
set_claim_display(VciJson *claim, const VciJson *display)
{
	VciJson *entries;

	if (display == NULL)
		return true;
	entries = vci_json_new_array();
	if (!vci_json_set(claim, "display", entries))
		return false;
	for (size_t i = 0; i < vci_json_array_length(display); i++)
		if (!vci_json_append(entries, display_entry(vci_json_array_at(display, i), "label")))
			return false;
	return true;
}

static bool
add_claim(VciJson *claims, const VciJson *path, const VciJson *description,
		  const VciConfiguration *configuration)
{
	VciJson *claim = vci_json_new_object();
	bool mandatory = false;

	(void) vci_json_get_boolean(description, "mandatory", &mandatory);
	return vci_json_append(claims, claim) && vci_json_set(claim, "path", vci_json_copy(path)) &&
		   set_claim_display(claim, vci_json_get(description, "display")) &&
		   (!mandatory || vci_json_set_boolean(claim, "mandatory", true)) &&
		   vci_json_set_string(claim, "sd", disclosure_of(path, configuration));
}

static bool
has_path(const VciJson *claims, const VciJson *path)
{
	for (size_t i = 0; i < vci_json_array_length(claims); i++)
		if (vci_json_equal(vci_json_get(vci_json_array_at(claims, i), "path"), path))
			return true;
	return false;
}

static bool
add_listed(VciJson *claims, const VciJson *pointers, const VciConfiguration *configuration)
{
	for (size_t i = 0; i < vci_json_array_length(pointers); i++)
	{
		const VciJson *path = vci_json_array_at(pointers, i);

		if (!has_path(claims, path) && !add_claim(claims, path, NULL, configuration))
			return false;
	}
	return true;
}

/* Those that the configuration describes, and those that it lists without describing them. */
static bool
set_claims(VciJson *metadata, const VciConfiguration *configuration)
{
	VciJson *claims = vci_json_new_array();
	bool ok = claims != NULL;

	for (size_t i = 0; ok && i < vci_json_array_length(configuration->claims); i++)
	{
		const VciJson *description = vci_json_array_at(configuration->claims, i);

		ok = add_claim(claims, vci_json_get(description, "path"), description, configuration);
	}
	ok = ok && add_listed(claims, configuration->always_disclosed, configuration) &&
		 add_listed(claims, configuration->selectively_disclosable, configuration);
	if (!ok || vci_json_array_length(claims) == 0)
	{
		vci_json_free(claims);
		return ok;
	}
	return vci_json_set(metadata, "claims", claims);
}

VciJson *
vci_type_metadata(const VciConfiguration *configuration)
{
	const VciJson *english = vci_locale_display(configuration->display, "en");
	const char *name = vci_json_get_string(english, "name");
	const char *description = vci_json_get_string(english, "description");
	VciJson *metadata = vci_json_new_object();

	if (vci_json_set_string(metadata, "vct", configuration->vct) &&
		vci_json_set_string(metadata, "name", name == NULL ? configuration->id : name) &&
		(description == NULL || vci_json_set_string(metadata, "description", description)) &&
		set_display(metadata, configuration->display) && set_claims(metadata, configuration))
		return metadata;
	vci_json_free(metadata);
	return NULL;
}
