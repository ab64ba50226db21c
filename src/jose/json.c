#include "json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>

#include "json_scan.h"
#include "json_write.h"

#define PRINT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/*
 * The text with a 0 in place of each number that json-c would refuse, saturate or
 * reword, and a NUL behind it; bind_literals puts the numbers' texts back.
 */
static char *
substitute_literals(const char *text, const VciJsonScan *scan, size_t *len)
{
	char *copy = malloc(scan->end + 1);
	char *out = copy;
	size_t at = 0;

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < scan->literal_count; i++)
	{
		const VciJsonLiteral *literal = &scan->literals[i];

		memcpy(out, text + at, literal->offset - at);
		out += literal->offset - at;
		*out++ = '0';
		at = literal->offset + literal->len;
	}
	memcpy(out, text + at, scan->end - at);
	out += scan->end - at;
	*out = '\0';
	*len = (size_t) (out - copy);
	return copy;
}

/*
 * Runs json-c over text; with_nul tells that a NUL stands behind it. Room is made for the
 * depth that the scan saw, because json-c clears it all each time. Its strict mode is
 * left off: what that refuses, the scan has refused already, and in json-c 0.18 it takes
 * each byte above 0x7f for a control character.
 */
static VciStatus
run_tokener(const char *text, size_t len, bool with_nul, size_t depth, VciJson **json,
			VciError *error)
{
	struct json_tokener *tokener = json_tokener_new_ex((int) depth + 2);
	enum json_tokener_error code;
	bool complete;

	if (tokener == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	*json = json_tokener_parse_ex(tokener, text, (int) (with_nul ? len + 1 : len));
	code = json_tokener_get_error(tokener);
	complete = code == json_tokener_success && json_tokener_get_parse_end(tokener) == len;
	json_tokener_free(tokener);
	if (complete)
		return VCI_OK;

	json_object_put(*json);
	*json = NULL;
	if (code == json_tokener_success)
		return vci_error(error, VCI_ERR_JSON, "malformed JSON: text behind its end");
	if (code == json_tokener_continue)
		return vci_error(error, VCI_ERR_JSON, "malformed JSON: it ends too early");
	/* json-c's descriptions are fixed texts that quote nothing of the input */
	return vci_error(error, VCI_ERR_JSON, "malformed JSON: %s", json_tokener_error_desc(code));
}

/* A number or word at the top ends only where the text does: json-c wants a NUL there. */
static VciStatus
build(const char *text, const VciJsonScan *scan, VciJson **json, VciError *error)
{
	VciStatus status;
	char *copy;
	size_t len;

	if (scan->literal_count == 0 && (text[0] == '{' || text[0] == '['))
		return run_tokener(text, scan->end, false, scan->depth, json, error);

	copy = substitute_literals(text, scan, &len);
	if (copy == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = run_tokener(copy, len, true, scan->depth, json, error);
	free(copy);
	return status;
}

static size_t
count_members(const VciJson *json)
{
	size_t count = 0;

	if (json_object_is_type(json, json_type_object))
	{
		count = (size_t) json_object_object_length(json);
		for (VciJsonIter i = vci_json_iter(json); vci_json_next(&i);)
			count += count_members(i.value);
	}
	else if (json_object_is_type(json, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(json); i++)
			count += count_members(json_object_array_get_idx(json, i));
	}
	return count;
}

typedef struct LiteralBinding
{
	const char *text;
	const VciJsonScan *scan;
	size_t ordinal; /* numbers met so far */
	size_t next;	/* literal that comes next */
} LiteralBinding;

static bool
bind_number(VciJson *number, LiteralBinding *binding)
{
	const VciJsonLiteral *literal = &binding->scan->literals[binding->next];
	char *copy;

	if (literal->ordinal != binding->ordinal++)
		return true;
	binding->next++;
	copy = malloc(literal->len + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, binding->text + literal->offset, literal->len);
	copy[literal->len] = '\0';
	json_object_set_serializer(number, json_object_userdata_to_json_string, copy,
							   json_object_free_userdata);
	return true;
}

/* Gives the numbers their own texts; json-c keeps members in the order of the text. */
static bool
bind_literals(VciJson *json, LiteralBinding *binding)
{
	if (binding->next == binding->scan->literal_count)
		return true;
	switch (json_object_get_type(json))
	{
		case json_type_int:
			return bind_number(json, binding);
		case json_type_object:
			for (VciJsonIter i = vci_json_iter(json); vci_json_next(&i);)
			{
				if (!bind_literals(i.value, binding))
					return false;
			}
			return true;
		case json_type_array:
			for (size_t i = 0; i < json_object_array_length(json); i++)
			{
				if (!bind_literals(json_object_array_get_idx(json, i), binding))
					return false;
			}
			return true;
		default:
			return true;
	}
}

static VciStatus
parse_scanned(const char *text, const VciJsonScan *scan, VciJson **json, VciError *error)
{
	LiteralBinding binding = {.text = text, .scan = scan};
	VciStatus status = build(text, scan, json, error);

	if (status != VCI_OK)
		return status;
	if (count_members(*json) != scan->members)
		status = vci_error(error, VCI_ERR_JSON_DUPLICATE, "a JSON object has a member twice");
	else if (!bind_literals(*json, &binding))
		status = vci_error(error, VCI_ERR_MEMORY, "out of memory");
	if (status != VCI_OK)
	{
		json_object_put(*json);
		*json = NULL;
	}
	return status;
}

VciStatus
vci_json_parse(const char *text, size_t len, VciJson **json, VciError *error)
{
	VciJsonScan scan;
	VciStatus status;
	size_t lead = 0;

	*json = NULL;
	if (len >= INT_MAX)
		return vci_error(error, VCI_ERR_TOO_LARGE, "JSON of %zu bytes is too large", len);
	while (lead < len &&
		   (text[lead] == ' ' || text[lead] == '\t' || text[lead] == '\n' || text[lead] == '\r'))
		lead++;
	status = vci_json_scan(text + lead, len - lead, &scan, error);
	if (status == VCI_OK)
		status = parse_scanned(text + lead, &scan, json, error);
	vci_json_scan_free(&scan);
	return status;
}

VciStatus
vci_json_parse_object(const char *text, size_t len, VciJson **json, VciError *error)
{
	VciStatus status = vci_json_parse(text, len, json, error);

	if (status == VCI_OK && vci_json_kind(*json) != VCI_JSON_OBJECT)
	{
		json_object_put(*json);
		*json = NULL;
		status = vci_error(error, VCI_ERR_JSON, "expected a JSON object");
	}
	return status;
}

/* The printer keeps its buffer in the node; the value itself does not change. */
static const char *
lend_text(const VciJson *json, size_t *len)
{
	return json_object_to_json_string_length((VciJson *) json, PRINT_FLAGS, len);
}

char *
vci_json_print(const VciJson *json)
{
	VciText text = {0};

	vci_json_write(json, &text);
	if (text.out_of_memory)
		vci_text_free(&text);
	return text.data;
}

void
vci_json_free(VciJson *json)
{
	json_object_put(json);
}

VciJson *
vci_json_ref(VciJson *json)
{
	return json_object_get(json);
}

VciJson *
vci_json_copy(const VciJson *json)
{
	VciJson *copy = NULL;

	if (json == NULL || json_object_deep_copy((VciJson *) json, &copy, NULL) != 0)
		return NULL;
	return copy;
}

VciJson *
vci_json_new_object(void)
{
	return json_object_new_object();
}

VciJson *
vci_json_new_array(void)
{
	return json_object_new_array();
}

VciJson *
vci_json_new_string(const char *text)
{
	return vci_json_new_string_len(text, strlen(text));
}

VciJson *
vci_json_new_string_len(const char *text, size_t len)
{
	return len >= INT_MAX ? NULL : json_object_new_string_len(text, (int) len);
}

VciJson *
vci_json_new_int64(int64_t value)
{
	return json_object_new_int64(value);
}

VciJson *
vci_json_new_boolean(bool value)
{
	return json_object_new_boolean(value);
}

VciJsonKind
vci_json_kind(const VciJson *json)
{
	switch (json_object_get_type(json))
	{
		case json_type_null:
			return VCI_JSON_NULL;
		case json_type_boolean:
			return VCI_JSON_BOOLEAN;
		case json_type_double:
		case json_type_int:
			return VCI_JSON_NUMBER;
		case json_type_object:
			return VCI_JSON_OBJECT;
		case json_type_array:
			return VCI_JSON_ARRAY;
		case json_type_string:
			return VCI_JSON_STRING;
	}
	return VCI_JSON_NULL;
}

static bool
set(VciJson *object, const char *name, VciJson *value, unsigned options)
{
	if (value != NULL && json_object_is_type(object, json_type_object) &&
		json_object_object_add_ex(object, name, value, options) == 0)
		return true;
	json_object_put(value);
	return false;
}

bool
vci_json_set(VciJson *object, const char *name, VciJson *value)
{
	return set(object, name, value, 0);
}

bool
vci_json_set_new(VciJson *object, const char *name, VciJson *value)
{
	return set(object, name, value, JSON_C_OBJECT_ADD_KEY_IS_NEW);
}

bool
vci_json_set_null(VciJson *object, const char *name)
{
	return json_object_is_type(object, json_type_object) &&
		   json_object_object_add(object, name, NULL) == 0;
}

bool
vci_json_set_string(VciJson *object, const char *name, const char *text)
{
	return vci_json_set(object, name, vci_json_new_string(text));
}

bool
vci_json_set_int64(VciJson *object, const char *name, int64_t value)
{
	return vci_json_set(object, name, vci_json_new_int64(value));
}

bool
vci_json_set_boolean(VciJson *object, const char *name, bool value)
{
	return vci_json_set(object, name, vci_json_new_boolean(value));
}

void
vci_json_remove(VciJson *object, const char *name)
{
	if (json_object_is_type(object, json_type_object))
		json_object_object_del(object, name);
}

bool
vci_json_append(VciJson *array, VciJson *value)
{
	if (value != NULL && json_object_is_type(array, json_type_array) &&
		json_object_array_add(array, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

bool
vci_json_append_string(VciJson *array, const char *text)
{
	return vci_json_append(array, vci_json_new_string(text));
}

bool
vci_json_append_null(VciJson *array)
{
	return json_object_is_type(array, json_type_array) && json_object_array_add(array, NULL) == 0;
}

VciJson *
vci_json_get(const VciJson *object, const char *name)
{
	VciJson *value = NULL;

	if (json_object_is_type(object, json_type_object))
		(void) json_object_object_get_ex(object, name, &value);
	return value;
}

bool
vci_json_has(const VciJson *object, const char *name)
{
	return json_object_is_type(object, json_type_object) &&
		   json_object_object_get_ex(object, name, NULL);
}

size_t
vci_json_member_count(const VciJson *object)
{
	if (!json_object_is_type(object, json_type_object))
		return 0;
	return (size_t) json_object_object_length(object);
}

const char *
vci_json_get_string(const VciJson *object, const char *name)
{
	return vci_json_string(vci_json_get(object, name));
}

bool
vci_json_get_int64(const VciJson *object, const char *name, int64_t *value)
{
	return vci_json_int64(vci_json_get(object, name), value);
}

bool
vci_json_get_boolean(const VciJson *object, const char *name, bool *value)
{
	return vci_json_boolean(vci_json_get(object, name), value);
}

const char *
vci_json_string(const VciJson *json)
{
	if (!json_object_is_type(json, json_type_string))
		return NULL;
	return json_object_get_string((VciJson *) json);
}

bool
vci_json_int64(const VciJson *json, int64_t *value)
{
	const char *literal;
	char *end;
	long long number;

	if (!json_object_is_type(json, json_type_int))
		return false;
	literal = json_object_get_userdata((VciJson *) json);
	if (literal == NULL)
	{
		*value = json_object_get_int64(json);
		return true;
	}
	errno = 0;
	number = strtoll(literal, &end, 10);
	if (*end != '\0' || errno != 0)
		return false;
	*value = number;
	return true;
}

bool
vci_json_boolean(const VciJson *json, bool *value)
{
	if (!json_object_is_type(json, json_type_boolean))
		return false;
	*value = json_object_get_boolean(json);
	return true;
}

size_t
vci_json_array_length(const VciJson *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

VciJson *
vci_json_array_at(const VciJson *array, size_t index)
{
	if (index >= vci_json_array_length(array))
		return NULL;
	return json_object_array_get_idx(array, index);
}

bool
vci_json_array_put(VciJson *array, size_t index, VciJson *value)
{
	if (value != NULL && index < vci_json_array_length(array) &&
		json_object_array_put_idx(array, index, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

bool
vci_json_array_has_string(const VciJson *array, const char *text)
{
	for (size_t i = 0; i < vci_json_array_length(array); i++)
	{
		const char *element = vci_json_string(json_object_array_get_idx(array, i));

		if (element != NULL && strcmp(element, text) == 0)
			return true;
	}
	return false;
}

static bool
equal_texts(const VciJson *a, const VciJson *b)
{
	size_t a_len;
	size_t b_len;
	const char *a_text = lend_text(a, &a_len);
	const char *b_text = lend_text(b, &b_len);

	return a_text != NULL && b_text != NULL && a_len == b_len && memcmp(a_text, b_text, a_len) == 0;
}

static bool
equal_objects(const VciJson *a, const VciJson *b)
{
	if (vci_json_member_count(a) != vci_json_member_count(b))
		return false;
	for (VciJsonIter i = vci_json_iter(a); vci_json_next(&i);)
	{
		if (!vci_json_has(b, i.name) || !vci_json_equal(i.value, vci_json_get(b, i.name)))
			return false;
	}
	return true;
}

static bool
equal_arrays(const VciJson *a, const VciJson *b)
{
	size_t length = vci_json_array_length(a);

	if (length != vci_json_array_length(b))
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (!vci_json_equal(vci_json_array_at(a, i), vci_json_array_at(b, i)))
			return false;
	}
	return true;
}

bool
vci_json_equal(const VciJson *a, const VciJson *b)
{
	VciJsonKind kind = vci_json_kind(a);

	if (kind != vci_json_kind(b))
		return false;
	switch (kind)
	{
		case VCI_JSON_NULL:
			return true;
		case VCI_JSON_OBJECT:
			return equal_objects(a, b);
		case VCI_JSON_ARRAY:
			return equal_arrays(a, b);
		case VCI_JSON_BOOLEAN:
		case VCI_JSON_NUMBER:
		case VCI_JSON_STRING:
			return equal_texts(a, b);
	}
	return false;
}

/* position is the entry that the next call lends, so the current one may be removed. */
VciJsonIter
vci_json_iter(const VciJson *object)
{
	VciJsonIter iter = {NULL, NULL, NULL};
	struct lh_table *table = json_object_get_object(object);

	if (table != NULL)
		iter.position = table->head;
	return iter;
}

bool
vci_json_next(VciJsonIter *iter)
{
	struct lh_entry *entry = iter->position;

	if (entry == NULL)
		return false;
	iter->name = lh_entry_k(entry);
	iter->value = lh_entry_v(entry);
	iter->position = entry->next;
	return true;
}
