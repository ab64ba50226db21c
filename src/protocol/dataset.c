#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX_BYTES 255

static const char *const members[] = {"configuration_id", "subject_model", "subject_id",
									  "claims",			  "name",		   NULL};

static bool
is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (strcmp(text, list[i]) == 0)
			return true;
	}
	return false;
}

static VciStatus
check_members(const VciJson *dataset, size_t position, VciError *error)
{
	VciJsonIter iter;

	if (vci_json_kind(dataset) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_REQUEST, "dataset %zu must be a JSON object", position);
	iter = vci_json_iter(dataset);
	while (vci_json_next(&iter))
	{
		if (!is_one_of(iter.name, members, sizeof(members) / sizeof(members[0]) - 1))
			return vci_error(
				error, VCI_ERR_REQUEST,
				"dataset %zu has the unknown member %.80s; there are configuration_id, "
				"subject_model, subject_id, claims and name",
				position, iter.name);
	}
	return VCI_OK;
}

/* A text member, which may be absent or null. */
static VciStatus
check_text(const VciJson *dataset, const char *name, size_t position, VciError *error)
{
	const VciJson *value = vci_json_get(dataset, name);
	const char *text = vci_json_string(value);

	if (vci_json_kind(value) == VCI_JSON_NULL)
		return VCI_OK;
	if (text == NULL || text[0] == '\0' || strlen(text) > TEXT_MAX_BYTES)
		return vci_error(error, VCI_ERR_REQUEST,
						 "%s of dataset %zu must be a text of 1 to %d bytes", name, position,
						 TEXT_MAX_BYTES);
	for (const char *p = text; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return vci_error(error, VCI_ERR_REQUEST,
							 "%s of dataset %zu must not hold control characters", name, position);
	}
	return VCI_OK;
}

static VciStatus
check_content(const VciJson *dataset, size_t position, VciError *error)
{
	VciJsonKind claims = vci_json_kind(vci_json_get(dataset, "claims"));
	VciStatus status = check_text(dataset, "subject_model", position, error);

	if (status == VCI_OK)
		status = check_text(dataset, "subject_id", position, error);
	if (status == VCI_OK)
		status = check_text(dataset, "name", position, error);
	if (status != VCI_OK)
		return status;
	if (claims != VCI_JSON_OBJECT && claims != VCI_JSON_NULL)
		return vci_error(error, VCI_ERR_REQUEST, "claims of dataset %zu must be a JSON object",
						 position);
	if (claims == VCI_JSON_NULL && vci_json_get_string(dataset, "subject_id") == NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "dataset %zu needs claims, or a subject_id for the claims source; it "
						 "inherits neither from the offer",
						 position);
	return VCI_OK;
}

/* How many of the first count elements belong to the configuration. */
static int
count_of(const VciJson *datasets, size_t count, const char *configuration_id)
{
	int found = 0;

	for (size_t i = 0; i < count; i++)
	{
		const char *id = vci_json_get_string(vci_json_array_at(datasets, i), "configuration_id");

		if (id != NULL && strcmp(id, configuration_id) == 0)
			found++;
	}
	return found;
}

static VciStatus
check_dataset(const VciJson *datasets, size_t index, const char *const *configuration_ids,
			  size_t count, VciError *error)
{
	const VciJson *dataset = vci_json_array_at(datasets, index);
	const char *id;
	VciStatus status = check_members(dataset, index + 1, error);

	if (status != VCI_OK)
		return status;
	id = vci_json_get_string(dataset, "configuration_id");
	if (id == NULL || !is_one_of(id, configuration_ids, count))
		return vci_error(error, VCI_ERR_REQUEST,
						 "configuration_id of dataset %zu must be one of the offer's "
						 "configuration_ids",
						 index + 1);
	if (count_of(datasets, index + 1, id) > VCI_MAX_DATASETS_PER_CONFIGURATION)
		return vci_error(error, VCI_ERR_REQUEST, "an offer has at most %d datasets of %.80s",
						 VCI_MAX_DATASETS_PER_CONFIGURATION, id);
	return check_content(dataset, index + 1, error);
}

VciStatus
vci_datasets_check(const VciJson *datasets, const char *const *configuration_ids, size_t count,
				   VciError *error)
{
	size_t length = vci_json_array_length(datasets);

	if (vci_json_kind(datasets) != VCI_JSON_ARRAY || length == 0 || length > VCI_MAX_DATASETS)
		return vci_error(error, VCI_ERR_REQUEST,
						 "datasets must be a JSON array of 1 to %d objects {configuration_id, "
						 "subject_model, subject_id, claims, name}",
						 VCI_MAX_DATASETS);
	for (size_t i = 0; i < length; i++)
	{
		VciStatus status = check_dataset(datasets, i, configuration_ids, count, error);

		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

int
vci_dataset_count(const VciJson *datasets, const char *configuration_id)
{
	int named = count_of(datasets, vci_json_array_length(datasets), configuration_id);

	return named == 0 ? 1 : named;
}

static const VciJson *
find_named(const VciJson *datasets, const char *configuration_id, int number)
{
	for (size_t i = 0; i < vci_json_array_length(datasets); i++)
	{
		const VciJson *dataset = vci_json_array_at(datasets, i);
		const char *id = vci_json_get_string(dataset, "configuration_id");

		if (id != NULL && strcmp(id, configuration_id) == 0 && --number == 0)
			return dataset;
	}
	return NULL;
}

bool
vci_dataset_find(const VciJson *datasets, const char *configuration_id, int number,
				 const VciDataset *of_offer, VciDataset *dataset)
{
	const VciJson *named;
	const VciJson *claims;

	if (number < VCI_FIRST_DATASET || number > vci_dataset_count(datasets, configuration_id))
		return false;
	*dataset = *of_offer;
	named = find_named(datasets, configuration_id, number);
	if (named == NULL)
		return true;
	claims = vci_json_get(named, "claims");
	dataset->subject_model = vci_json_get_string(named, "subject_model");
	dataset->subject_id = vci_json_get_string(named, "subject_id");
	dataset->claims = vci_json_kind(claims) == VCI_JSON_OBJECT ? claims : NULL;
	dataset->name = vci_json_get_string(named, "name");
	return true;
}

char *
vci_credential_identifier(const char *configuration_id, int number)
{
	size_t size = strlen(configuration_id) + 16;
	char *identifier = malloc(size);

	if (identifier != NULL)
		snprintf(identifier, size, "%s#%d", configuration_id, number);
	return identifier;
}

/* 1 to 999 in decimal without leading zeros; 0 for any other text. */
static int
small_number(const char *text)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 3 || text[len] != '\0' || text[0] == '0')
		return 0;
	return atoi(text);
}

int
vci_dataset_of_identifier(const VciJson *datasets, const char *configuration_id,
						  const char *identifier)
{
	size_t len = strlen(configuration_id);
	int number;

	if (strncmp(identifier, configuration_id, len) != 0 || identifier[len] != '#')
		return 0;
	number = small_number(identifier + len + 1);
	return number <= vci_dataset_count(datasets, configuration_id) ? number : 0;
}
