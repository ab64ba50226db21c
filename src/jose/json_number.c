#include "json.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>

/* Integers of so few digits pass through int64 unchanged, whatever their sign. */
#define PLAIN_INTEGER_DIGITS 18

/* Does an integer's own text come out again when it is printed? */
static bool
is_plain_integer(const char *text, size_t len)
{
	size_t first = text[0] == '-' ? 1 : 0;
	size_t digits = len - first;

	if (digits == 0 || digits > PLAIN_INTEGER_DIGITS || (text[first] == '0' && len > 1))
		return false;
	for (size_t i = first; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return true;
}

/* As the parser makes it of a number that json-c would refuse, saturate or reword. */
static VciJson *
new_literal(const char *text, size_t len)
{
	VciJson *number = json_object_new_int64(0);
	char *copy = number == NULL ? NULL : malloc(len + 1);

	if (copy == NULL)
	{
		json_object_put(number);
		return NULL;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	json_object_set_serializer(number, json_object_userdata_to_json_string, copy,
							   json_object_free_userdata);
	return number;
}

VciJson *
vci_json_new_number(const char *text)
{
	size_t len = strlen(text);

	return is_plain_integer(text, len) ? json_object_new_int64(strtoll(text, NULL, 10))
									   : new_literal(text, len);
}
