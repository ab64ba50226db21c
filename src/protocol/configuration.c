/* What an operator may write into a credential configuration. */
#include "issuer.h"

#include <string.h>

#include "../jose/sd_jwt.h"
#include "claims_path.h"
#include "display.h"

#define NAME_MAX_LENGTH	 255
#define VCT_MAX_LENGTH	 1024
#define POINTERS_MAX	 VCI_SD_JWT_MAX_DISCLOSURES
#define DESCRIPTIONS_MAX 512
#define VALIDITY_MAX	 (100LL * 366 * 24 * 60 * 60)
#define OLDER_KNOWN_SWITCHES                                                                       \
	(VCI_OLDER_FORMAT_REQUEST | VCI_OLDER_SINGULAR_PROOF | VCI_OLDER_UNTYPED_PROOF |               \
	 VCI_OLDER_VC_SD_JWT | VCI_OLDER_METADATA | VCI_OLDER_HOLDER_WITHOUT_PROOF |                   \
	 VCI_OLDER_CREDENTIAL_DEFINITION)

/* Visible ASCII but '"' and '\': what a scope (RFC 6749 section 3.3) and an error text hold. */
static bool
is_plain_word(const char *text, size_t max)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] <= 0x20 || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\')
			return false;
	}
	return true;
}

static VciStatus
check_names(const VciConfiguration *configuration, VciError *error)
{
	if (!is_plain_word(configuration->id, NAME_MAX_LENGTH) ||
		strchr(configuration->id, '#') != NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "a configuration id must have 1 to %d visible ASCII characters, without "
						 "space, quotation mark, backslash and #",
						 NAME_MAX_LENGTH);
	if (!is_plain_word(configuration->vct, VCT_MAX_LENGTH))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "a vct must have 1 to %d visible ASCII characters, as in "
						 "https://registry.example/entitlement or urn:example:entitlement",
						 VCT_MAX_LENGTH);
	if (configuration->scope != NULL && !is_plain_word(configuration->scope, NAME_MAX_LENGTH))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "a scope must have 1 to %d visible ASCII characters, without space, "
						 "quotation mark and backslash",
						 NAME_MAX_LENGTH);
	return VCI_OK;
}

static VciStatus
check_settings(const VciConfiguration *configuration, VciError *error)
{
	if (configuration->format == NULL || (strcmp(configuration->format, "dc+sd-jwt") != 0 &&
										  strcmp(configuration->format, "vc+sd-jwt") != 0))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "the format must be dc+sd-jwt, or vc+sd-jwt for older wallets");
	if (configuration->validity < 0 || configuration->validity > VALIDITY_MAX)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "the validity must be 0 (no end) to %lld seconds", VALIDITY_MAX);
	if (configuration->decoys < 0 || configuration->decoys > VCI_SD_JWT_MAX_DECOYS)
		return vci_error(error, VCI_ERR_CONFIGURATION, "the number of decoys must be 0 to %d",
						 VCI_SD_JWT_MAX_DECOYS);
	if ((configuration->older & ~(unsigned) OLDER_KNOWN_SWITCHES) != 0)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "an unknown switch for older wallets is set");
	return VCI_OK;
}

/* A well-formed pointer that starts at a member and touches nothing reserved. */
static VciStatus
check_pointer(const VciJson *path, VciError *error)
{
	VciStatus status = vci_claims_path_check(path, error);

	if (status != VCI_OK)
		return status;
	if (vci_json_kind(vci_json_array_at(path, 0)) != VCI_JSON_STRING)
		return vci_error(error, VCI_ERR_CLAIM_PATH,
						 "a claims path pointer must start with the name of a claim");
	for (size_t i = 0; i < vci_json_array_length(path); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(path, i));

		if (name != NULL && vci_claim_name_reserved(name, i == 0))
			return vci_error(error, VCI_ERR_CLAIM_RESERVED,
							 "the claim name %.80s is reserved by the credential format; no "
							 "pointer may name it",
							 name);
	}
	return VCI_OK;
}

static VciStatus
check_pointers(const VciJson *pointers, const char *what, VciError *error)
{
	if (pointers == NULL)
		return VCI_OK;
	if (vci_json_kind(pointers) != VCI_JSON_ARRAY || vci_json_array_length(pointers) > POINTERS_MAX)
		return vci_error(error, VCI_ERR_CLAIM_PATH,
						 "%s must be an array of at most %d claims path pointers", what,
						 POINTERS_MAX);
	for (size_t i = 0; i < vci_json_array_length(pointers); i++)
	{
		VciStatus status = check_pointer(vci_json_array_at(pointers, i), error);

		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

/* Do two parts select the same member or element? null stands for every element. */
static bool
parts_overlap(const VciJson *a, const VciJson *b)
{
	bool a_name = vci_json_kind(a) == VCI_JSON_STRING;
	bool b_name = vci_json_kind(b) == VCI_JSON_STRING;

	if (a_name || b_name)
		return a_name && b_name && strcmp(vci_json_string(a), vci_json_string(b)) == 0;
	return a == NULL || b == NULL || vci_json_equal(a, b);
}

/* Does pointer lead to what above selects, or to something within it? */
static bool
lies_within(const VciJson *pointer, const VciJson *above)
{
	size_t length = vci_json_array_length(above);

	if (vci_json_array_length(pointer) < length)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (!parts_overlap(vci_json_array_at(pointer, i), vci_json_array_at(above, i)))
			return false;
	}
	return true;
}

/* A claim is not always disclosed when it, or what it stands in, is concealed. */
static VciStatus
check_disclosure(const VciConfiguration *configuration, VciError *error)
{
	const VciJson *always = configuration->always_disclosed;
	const VciJson *selective = configuration->selectively_disclosable;

	for (size_t i = 0; i < vci_json_array_length(always); i++)
	{
		for (size_t j = 0; j < vci_json_array_length(selective); j++)
		{
			char text[VCI_CLAIMS_PATH_TEXT_SIZE];

			if (!lies_within(vci_json_array_at(always, i), vci_json_array_at(selective, j)))
				continue;
			vci_claims_path_text(vci_json_array_at(always, i), text);
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "the claim %s cannot be always disclosed while it, or the claim it "
							 "stands in, is selectively disclosable",
							 text);
		}
	}
	return VCI_OK;
}

/* Appendix B.3: two descriptions must neither address one claim nor contradict each other. */
static VciStatus
check_description_pair(const VciJson *a, const VciJson *b, VciError *error)
{
	size_t a_length = vci_json_array_length(a);
	size_t b_length = vci_json_array_length(b);
	size_t i = 0;
	char text[VCI_CLAIMS_PATH_TEXT_SIZE];
	const VciJson *a_part;
	const VciJson *b_part;

	while (i < a_length && i < b_length &&
		   vci_json_equal(vci_json_array_at(a, i), vci_json_array_at(b, i)))
		i++;
	vci_claims_path_text(b, text);
	if (i == a_length && i == b_length)
		return vci_error(error, VCI_ERR_CONFIGURATION, "claims describes %s twice", text);
	if (i == a_length || i == b_length)
		return VCI_OK;
	a_part = vci_json_array_at(a, i);
	b_part = vci_json_array_at(b, i);
	if ((vci_json_kind(a_part) == VCI_JSON_STRING) != (vci_json_kind(b_part) == VCI_JSON_STRING))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "claims takes what %s goes through for an array and for an object", text);
	if (a_part == NULL || b_part == NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "claims names elements of the array that %s goes through one by one and "
						 "all together",
						 text);
	return VCI_OK;
}

static VciStatus
check_description(const VciJson *description, VciError *error)
{
	const VciJson *mandatory = vci_json_get(description, "mandatory");
	VciStatus status;

	if (vci_json_kind(description) != VCI_JSON_OBJECT || !vci_json_has(description, "path"))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "each element of claims must be an object with a path");
	status = check_pointer(vci_json_get(description, "path"), error);
	if (status != VCI_OK)
		return status;
	if (vci_json_has(description, "mandatory") && vci_json_kind(mandatory) != VCI_JSON_BOOLEAN)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "mandatory in a claims description must be true or false");
	if (!vci_json_has(description, "display"))
		return VCI_OK;
	return vci_display_check(vci_json_get(description, "display"), "the display of a claim", error);
}

static VciStatus
check_descriptions(const VciJson *claims, VciError *error)
{
	if (claims == NULL)
		return VCI_OK;
	if (vci_json_kind(claims) != VCI_JSON_ARRAY || vci_json_array_length(claims) > DESCRIPTIONS_MAX)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "claims must be an array of at most %d claims descriptions",
						 DESCRIPTIONS_MAX);
	for (size_t i = 0; i < vci_json_array_length(claims); i++)
	{
		const VciJson *description = vci_json_array_at(claims, i);
		VciStatus status = check_description(description, error);

		for (size_t j = 0; status == VCI_OK && j < i; j++)
			status = check_description_pair(vci_json_get(vci_json_array_at(claims, j), "path"),
											vci_json_get(description, "path"), error);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

VciStatus
vci_configuration_check(const VciConfiguration *configuration, VciError *error)
{
	VciStatus status = check_names(configuration, error);

	if (status == VCI_OK)
		status = check_settings(configuration, error);
	if (status == VCI_OK)
		status = check_pointers(configuration->always_disclosed, "always_disclosed", error);
	if (status == VCI_OK)
		status = check_pointers(configuration->selectively_disclosable, "selectively_disclosable",
								error);
	if (status == VCI_OK)
		status = check_disclosure(configuration, error);
	if (status == VCI_OK)
		status = check_descriptions(configuration->claims, error);
	if (status == VCI_OK && configuration->display != NULL)
		status = vci_display_check(configuration->display, "the display of a configuration", error);
	return status;
}

/* A pointer of its own: a name becomes a pointer of one part. NULL when memory is out. */
static VciJson *
pointer_from(const VciJson *given)
{
	VciJson *pointer;

	if (vci_json_kind(given) != VCI_JSON_STRING)
		return vci_json_copy(given);
	pointer = vci_json_new_array();
	if (!vci_json_append(pointer, vci_json_copy(given)))
	{
		vci_json_free(pointer);
		return NULL;
	}
	return pointer;
}

static VciStatus
append_pointer(VciJson *paths, const VciJson *given, VciError *error)
{
	VciJsonKind kind = vci_json_kind(given);
	VciJson *pointer;
	VciStatus status;

	if (kind != VCI_JSON_STRING && kind != VCI_JSON_ARRAY)
		return vci_error(error, VCI_ERR_CLAIM_PATH,
						 "claims must be listed by name, as in \"amount\", or by pointer, as in "
						 "[\"amount\",\"value\"]");
	pointer = pointer_from(given);
	if (pointer == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = vci_claims_path_check(pointer, error);
	if (status != VCI_OK)
		vci_json_free(pointer);
	else if (!vci_json_append(paths, pointer))
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return status;
}

VciStatus
vci_claims_paths_normalize(const VciJson *given, VciJson **paths, VciError *error)
{
	VciJson *list;
	VciStatus status = VCI_OK;

	*paths = NULL;
	if (given != NULL &&
		(vci_json_kind(given) != VCI_JSON_ARRAY || vci_json_array_length(given) > POINTERS_MAX))
		return vci_error(error, VCI_ERR_CLAIM_PATH,
						 "claims must be listed in an array of at most %d names or pointers",
						 POINTERS_MAX);
	list = vci_json_new_array();
	if (list == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	for (size_t i = 0; status == VCI_OK && i < vci_json_array_length(given); i++)
		status = append_pointer(list, vci_json_array_at(given, i), error);
	if (status != VCI_OK)
	{
		vci_json_free(list);
		return status;
	}
	*paths = list;
	return VCI_OK;
}
