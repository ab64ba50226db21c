#include "display.h"

#include <string.h>
#include <strings.h>

/* 3: the same tag, 2: the same language, 1: English, 0: any other. */
static int
rank(const char *tag, const char *locale)
{
	size_t language;

	if (tag == NULL)
		return 0;
	if (locale != NULL)
	{
		language = strcspn(locale, "-");
		if (strcasecmp(tag, locale) == 0)
			return 3;
		if (strcspn(tag, "-") == language && strncasecmp(tag, locale, language) == 0)
			return 2;
	}
	return strcspn(tag, "-") == 2 && strncasecmp(tag, "en", 2) == 0 ? 1 : 0;
}

const VciJson *
wallet_display_choose(const VciJson *display, const char *locale)
{
	const VciJson *best = NULL;
	int best_rank = -1;

	for (size_t i = 0; i < vci_json_array_length(display); i++)
	{
		const VciJson *one = vci_json_array_at(display, i);
		int one_rank = rank(vci_json_get_string(one, "locale"), locale);

		if (one_rank > best_rank)
		{
			best = one;
			best_rank = one_rank;
		}
	}
	return best;
}

const VciJson *
wallet_display_of_configuration(const VciJson *configuration)
{
	const VciJson *metadata = vci_json_get(configuration, "credential_metadata");
	const VciJson *display = vci_json_get(metadata, "display");

	return display != NULL ? display : vci_json_get(configuration, "display");
}

const VciJson *
wallet_claim_descriptions(const VciJson *configuration)
{
	const VciJson *metadata = vci_json_get(configuration, "credential_metadata");
	const VciJson *claims = vci_json_get(metadata, "claims");

	if (claims == NULL)
		claims = vci_json_get(configuration, "claims");
	return vci_json_kind(claims) == VCI_JSON_ARRAY ? claims : NULL;
}

bool
wallet_path_matches(const VciJson *pointer, const VciJson *path)
{
	size_t length = vci_json_array_length(path);

	if (vci_json_kind(pointer) != VCI_JSON_ARRAY || vci_json_array_length(pointer) != length)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		const VciJson *wanted = vci_json_array_at(pointer, i);
		const VciJson *part = vci_json_array_at(path, i);
		bool any_index = wanted == NULL && vci_json_kind(part) == VCI_JSON_NUMBER;

		if (!any_index && (wanted == NULL || !vci_json_equal(wanted, part)))
			return false;
	}
	return true;
}

/* Drafts up to 14: objects named by the claim, nested as the claims are. */
static const VciJson *
older_display(const VciJson *configuration, const VciJson *path)
{
	const VciJson *definition = vci_json_get(configuration, "credential_definition");
	const VciJson *node = vci_json_get(definition, "credentialSubject");

	if (node == NULL)
		node = vci_json_get(configuration, "claims");
	for (size_t i = 0; i < vci_json_array_length(path); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(path, i));

		node = name == NULL ? NULL : vci_json_get(node, name);
	}
	return vci_json_get(node, "display");
}

const VciJson *
wallet_display_of_claim(const VciJson *configuration, const VciJson *path)
{
	const VciJson *descriptions = wallet_claim_descriptions(configuration);

	for (size_t i = 0; i < vci_json_array_length(descriptions); i++)
	{
		const VciJson *one = vci_json_array_at(descriptions, i);

		if (wallet_path_matches(vci_json_get(one, "path"), path))
			return vci_json_get(one, "display");
	}
	return descriptions != NULL ? NULL : older_display(configuration, path);
}
