/* The core's tree as a jsonb, without its text in between. */
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "release.h"
#include "report.h"
#include "values.h"

static Numeric
numeric_of(const VciJson *number)
{
	char **text;
	int64 integer;
	Datum numeric;

	if (vci_json_int64(number, &integer))
		return int64_to_numeric(integer);
	text = vci_own_text();
	vci_require_memory(*text = vci_json_print(number));
	numeric = DirectFunctionCall3(numeric_in, CStringGetDatum(*text), ObjectIdGetDatum(InvalidOid),
								  Int32GetDatum(-1));
	free(*text);
	*text = NULL;
	return DatumGetNumeric(numeric);
}

/* Strings stay json's own: JsonbValueToJsonb copies them. */
static JsonbValue
scalar_of(const VciJson *json)
{
	JsonbValue value = {.type = jbvNull};

	switch (vci_json_kind(json))
	{
		case VCI_JSON_BOOLEAN:
			value.type = jbvBool;
			(void) vci_json_boolean(json, &value.val.boolean);
			break;
		case VCI_JSON_NUMBER:
			value.type = jbvNumeric;
			value.val.numeric = numeric_of(json);
			break;
		case VCI_JSON_STRING:
			value.type = jbvString;
			value.val.string.val = (char *) vci_json_string(json);
			value.val.string.len = (int) strlen(value.val.string.val);
			break;
		case VCI_JSON_NULL:
		case VCI_JSON_ARRAY:
		case VCI_JSON_OBJECT:
			break;
	}
	return value;
}

static JsonbValue *push(JsonbParseState **state, const VciJson *json, JsonbIteratorToken where);

static JsonbValue *
push_object(JsonbParseState **state, const VciJson *object)
{
	VciJsonIter iter = vci_json_iter(object);

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while (vci_json_next(&iter))
	{
		JsonbValue name = {.type = jbvString};

		name.val.string.val = (char *) iter.name;
		name.val.string.len = (int) strlen(iter.name);
		pushJsonbValue(state, WJB_KEY, &name);
		(void) push(state, iter.value, WJB_VALUE);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static JsonbValue *
push_array(JsonbParseState **state, const VciJson *array)
{
	size_t length = vci_json_array_length(array);

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (size_t i = 0; i < length; i++)
		(void) push(state, vci_json_array_at(array, i), WJB_ELEM);
	return pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Returns the whole when json was its end. */
static JsonbValue *
push(JsonbParseState **state, const VciJson *json, JsonbIteratorToken where)
{
	JsonbValue value;

	check_stack_depth();
	if (vci_json_kind(json) == VCI_JSON_OBJECT)
		return push_object(state, json);
	if (vci_json_kind(json) == VCI_JSON_ARRAY)
		return push_array(state, json);
	value = scalar_of(json);
	return pushJsonbValue(state, where, &value);
}

Datum
vci_jsonb_datum(const VciJson *json)
{
	JsonbParseState *state = NULL;
	VciJsonKind kind = vci_json_kind(json);
	JsonbValue value;

	if (kind == VCI_JSON_OBJECT || kind == VCI_JSON_ARRAY)
		return JsonbPGetDatum(JsonbValueToJsonb(push(&state, json, WJB_VALUE)));
	value = scalar_of(json);
	return JsonbPGetDatum(JsonbValueToJsonb(&value));
}
