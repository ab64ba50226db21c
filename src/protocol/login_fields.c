/* What the built-in consent page asks people for, as an operator describes it. */
#include "issuer.h"

#include <string.h>

#include "display.h"

#define FIELDS_MAX 8
#define NAME_MAX   64
#define LABEL_MAX  200

static bool
is_field_name(const char *name)
{
	size_t len = name == NULL ? 0 : strlen(name);

	return len > 0 && len <= NAME_MAX &&
		   strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

/* The page's own fields come with the form, too. */
static bool
is_taken_name(const char *name)
{
	return strcmp(name, "request") == 0 || strcmp(name, "csrf") == 0 ||
		   strcmp(name, "decision") == 0;
}

static bool
is_field_type(const char *type)
{
	static const char *const types[] = {"text", "password", "tel", "email", "date", "number"};

	for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return false;
}

static VciStatus
check_members(const VciJson *field, VciError *error)
{
	VciJsonIter iter = vci_json_iter(field);

	if (vci_json_kind(field) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_CONFIGURATION, "login_fields must hold objects");
	while (vci_json_next(&iter))
	{
		if (strcmp(iter.name, "name") != 0 && strcmp(iter.name, "type") != 0 &&
			strcmp(iter.name, "label") != 0 && strcmp(iter.name, "display") != 0 &&
			strcmp(iter.name, "required") != 0)
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "a login field has no member %.64s, only name, type, label, display "
							 "and required",
							 iter.name);
	}
	return VCI_OK;
}

/* People must be able to read what a field is for: a label, or one by language. */
static VciStatus
check_label(const VciJson *field, const char *name, VciError *error)
{
	const char *label = vci_json_get_string(field, "label");

	if (vci_json_has(field, "label") &&
		(label == NULL || label[0] == '\0' || strlen(label) > LABEL_MAX))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "the label of login field %s must be a string of 1 to %d bytes", name,
						 LABEL_MAX);
	if (vci_json_has(field, "display"))
		return vci_display_check(vci_json_get(field, "display"), "the display of a login field",
								 error);
	if (label == NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "login field %s needs a label, or a display with one name a language",
						 name);
	return VCI_OK;
}

static VciStatus
check_field(const VciJson *field, VciError *error)
{
	VciStatus status = check_members(field, error);
	const char *name;

	if (status != VCI_OK)
		return status;
	name = vci_json_get_string(field, "name");
	if (!is_field_name(name) || is_taken_name(name))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "a login field needs a name of 1 to %d letters, digits, _ and -, other "
						 "than request, csrf and decision",
						 NAME_MAX);
	if (vci_json_has(field, "type") && !is_field_type(vci_json_get_string(field, "type")))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "the type of login field %s must be text, password, tel, email, date or "
						 "number",
						 name);
	if (vci_json_has(field, "required") &&
		vci_json_kind(vci_json_get(field, "required")) != VCI_JSON_BOOLEAN)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "required of login field %s must be true or false", name);
	return check_label(field, name, error);
}

VciStatus
vci_login_fields_check(const VciJson *fields, VciError *error)
{
	size_t count = vci_json_array_length(fields);

	if (count == 0 || count > FIELDS_MAX)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "login_fields must be an array of 1 to %d objects, one a field",
						 FIELDS_MAX);
	for (size_t i = 0; i < count; i++)
	{
		const VciJson *field = vci_json_array_at(fields, i);
		VciStatus status = check_field(field, error);

		if (status != VCI_OK)
			return status;
		for (size_t j = 0; j < i; j++)
		{
			if (strcmp(vci_json_get_string(vci_json_array_at(fields, j), "name"),
					   vci_json_get_string(field, "name")) == 0)
				return vci_error(error, VCI_ERR_CONFIGURATION, "login_fields has two of one name");
		}
	}
	return VCI_OK;
}
