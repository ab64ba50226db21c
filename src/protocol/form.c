/* application/x-www-form-urlencoded, as OAuth reads it (RFC 6749 section 3.2 and appendix B). */
#include "http.h"

#include <stdlib.h>
#include <string.h>

/* Decodes a name or value of len bytes into a malloc'd string. */
static VciStatus
decode_part(const char *text, size_t len, char **decoded, VciError *error)
{
	char *out = malloc(len + 1);
	size_t used = 0;

	if (out == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < len; i++)
	{
		int c = (unsigned char) text[i];

		if (c == '+')
			c = ' ';
		else if (c == '%')
		{
			c = vci_percent_byte(text + i, len - i);
			i += 2;
		}
		if (c <= 0)
		{
			free(out);
			return vci_error(error, VCI_ERR_FORM,
							 c == 0 ? "the form has a NUL character"
									: "the form has a malformed percent escape");
		}
		out[used++] = (char) c;
	}
	out[used] = '\0';
	if (!vci_utf8_valid(out, used))
	{
		free(out);
		return vci_error(error, VCI_ERR_UTF8, "the form is not valid UTF-8");
	}
	*decoded = out;
	return VCI_OK;
}

/* Takes over name and value, also when it fails. */
static VciStatus
add_parameter(VciForm *form, char *name, char *value, VciError *error)
{
	if (vci_form_get(form, name) != NULL)
	{
		VciStatus status =
			vci_error(error, VCI_ERR_FORM_DUPLICATE, "the form repeats the parameter %.60s", name);

		free(name);
		free(value);
		return status;
	}
	form->names[form->count] = name;
	form->values[form->count] = value;
	form->count++;
	return VCI_OK;
}

/* One "name=value" of len bytes. */
static VciStatus
parse_parameter(VciForm *form, const char *text, size_t len, VciError *error)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals == NULL ? len : (size_t) (equals - text);
	size_t value_len = equals == NULL ? 0 : len - name_len - 1;
	char *name = NULL;
	char *value = NULL;
	VciStatus status;

	status = decode_part(text, name_len, &name, error);
	if (status == VCI_OK && value_len == 0)
	{
		free(name); /* no value: as if it were omitted (RFC 6749 section 3.2) */
		return VCI_OK;
	}
	if (status == VCI_OK)
		status = decode_part(equals + 1, value_len, &value, error);
	if (status != VCI_OK)
	{
		free(name);
		return status;
	}
	return add_parameter(form, name, value, error);
}

static VciStatus
parse_parameters(VciForm *form, const char *body, size_t len, VciError *error)
{
	size_t seen = 0;
	size_t start = 0;

	while (start < len)
	{
		const char *end = memchr(body + start, '&', len - start);
		size_t part_len = end == NULL ? len - start : (size_t) (end - (body + start));

		if (part_len > 0)
		{
			VciStatus status;

			if (++seen > VCI_FORM_MAX_PARAMETERS)
				return vci_error(error, VCI_ERR_FORM, "the form has more than %d parameters",
								 VCI_FORM_MAX_PARAMETERS);
			status = parse_parameter(form, body + start, part_len, error);
			if (status != VCI_OK)
				return status;
		}
		start += part_len + 1;
	}
	return VCI_OK;
}

VciStatus
vci_form_parse(const char *body, size_t len, VciForm *form, VciError *error)
{
	VciStatus status;

	form->count = 0;
	form->names = calloc(VCI_FORM_MAX_PARAMETERS, sizeof(char *));
	form->values = calloc(VCI_FORM_MAX_PARAMETERS, sizeof(char *));
	if (form->names == NULL || form->values == NULL)
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	else
		status = parse_parameters(form, body, len, error);
	if (status != VCI_OK)
		vci_form_free(form);
	return status;
}

const char *
vci_form_get(const VciForm *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
	{
		if (strcmp(form->names[i], name) == 0)
			return form->values[i];
	}
	return NULL;
}

void
vci_form_free(VciForm *form)
{
	for (size_t i = 0; i < form->count; i++)
	{
		free(form->names[i]);
		free(form->values[i]);
	}
	free(form->names);
	free(form->values);
	form->names = NULL;
	form->values = NULL;
	form->count = 0;
}
