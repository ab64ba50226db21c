#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "release.h"
#include "report.h"
#include "values.h"

#define INTERVAL_ARGUMENT_MAX	  INT64CONST(315576000) /* 10 years */
#define JSON_ARGUMENT_MAX		  (512 * 1024)
#define SECONDS_FROM_1970_TO_2000 ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

char *
vci_arg_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
raise_null(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

char *
vci_arg_text_required(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		raise_null(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Before it becomes a tree, which is larger than itself. */
static void
check_size(size_t bytes, const char *name)
{
	if (bytes > JSON_ARGUMENT_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s has more than %d kB", name, JSON_ARGUMENT_MAX / 1024)));
}

/* A tree that grows as a jsonb is walked through; what is open hangs on what it stands in. */
typedef struct JsonGrowth
{
	VciJson **root; /* owned */
	VciJson *open[VCI_JSON_MAX_DEPTH];
	int depth;
	char *name; /* of the member that comes next: short_name, or longer */
	char short_name[64];
	size_t number_bytes;
} JsonGrowth;

/* json-c copies names for itself, so most need no memory here. */
static void
keep_name(JsonGrowth *growth, const char *name, int len)
{
	growth->name = growth->short_name;
	if (len >= (int) sizeof(growth->short_name))
		growth->name = palloc(len + 1);
	memcpy(growth->name, name, len);
	growth->name[len] = '\0';
}

/* Puts a value (NULL: null) where the walk stands. A jsonb has no name twice. */
static void
grow(JsonGrowth *growth, VciJson *value)
{
	VciJson *parent = growth->depth > 0 ? growth->open[growth->depth - 1] : NULL;
	bool done;

	if (parent == NULL)
	{
		*growth->root = value;
		return;
	}
	if (vci_json_kind(parent) == VCI_JSON_ARRAY)
		done = value == NULL ? vci_json_append_null(parent) : vci_json_append(parent, value);
	else
		done = value == NULL ? vci_json_set_null(parent, growth->name)
							 : vci_json_set_new(parent, growth->name, value);
	vci_require_memory(done ? parent : NULL);
}

/* Few bytes of a jsonb can be a number of a hundred thousand digits. */
static VciJson *
grow_number(JsonGrowth *growth, Numeric number, const char *name)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));

	growth->number_bytes += strlen(text);
	check_size(growth->number_bytes, name);
	return vci_json_new_number(text);
}

static void
grow_scalar(JsonGrowth *growth, const JsonbValue *value, const char *name)
{
	VciJson *scalar = NULL;

	switch (value->type)
	{
		case jbvNull:
			grow(growth, NULL);
			return;
		case jbvString:
			scalar = vci_json_new_string_len(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			scalar = grow_number(growth, value->val.numeric, name);
			break;
		case jbvBool:
			scalar = vci_json_new_boolean(value->val.boolean);
			break;
		default:
			elog(ERROR, "a jsonb holds a value of kind %d", (int) value->type);
	}
	vci_require_memory(scalar);
	grow(growth, scalar);
}

static void
open_container(JsonGrowth *growth, VciJson *container, const char *name)
{
	vci_require_memory(container);
	grow(growth, container);
	if (growth->depth == VCI_JSON_MAX_DEPTH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s can't be used: JSON is nested deeper than %d levels", name,
							   VCI_JSON_MAX_DEPTH)));
	growth->open[growth->depth++] = container;
}

static void
grow_by(JsonGrowth *growth, JsonbIteratorToken token, const JsonbValue *value, const char *name)
{
	switch (token)
	{
		case WJB_BEGIN_OBJECT:
			open_container(growth, vci_json_new_object(), name);
			break;
		case WJB_BEGIN_ARRAY:
			if (!value->val.array.rawScalar)
				open_container(growth, vci_json_new_array(), name);
			break;
		case WJB_KEY:
			keep_name(growth, value->val.string.val, value->val.string.len);
			break;
		case WJB_VALUE:
		case WJB_ELEM:
			grow_scalar(growth, value, name);
			break;
		case WJB_END_OBJECT:
		case WJB_END_ARRAY:
			if (growth->depth > 0)
				growth->depth--;
			break;
		case WJB_DONE:
			break;
	}
}

VciJson *
vci_json_of_datum(Datum datum, const char *name)
{
	Jsonb *jsonb = DatumGetJsonbP(datum);
	JsonGrowth growth;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;

	check_size(VARSIZE(jsonb), name);
	growth.root = vci_own_json();
	growth.depth = 0;
	growth.number_bytes = 0;
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
		grow_by(&growth, token, &value, name);
	return *growth.root;
}

VciJson *
vci_arg_json(FunctionCallInfo fcinfo, int n, const char *name)
{
	return PG_ARGISNULL(n) ? NULL : vci_json_of_datum(PG_GETARG_DATUM(n), name);
}

bool
vci_is_json_null(Datum jsonb)
{
	Jsonb *value = DatumGetJsonbP(jsonb);

	return JB_ROOT_IS_SCALAR(value) &&
		   getIthJsonbValueFromContainer(&value->root, 0)->type == jbvNull;
}

bool
vci_is_empty_object(Datum jsonb)
{
	Jsonb *value = DatumGetJsonbP(jsonb);

	return JB_ROOT_IS_OBJECT(value) && JB_ROOT_COUNT(value) == 0;
}

int64
vci_interval_seconds(const Interval *span)
{
	int64 seconds = span->time / USECS_PER_SEC + (int64) span->day * SECS_PER_DAY +
					(int64) (span->month / MONTHS_PER_YEAR) * SECS_PER_YEAR +
					(int64) (span->month % MONTHS_PER_YEAR) * DAYS_PER_MONTH * SECS_PER_DAY;

	return span->time % USECS_PER_SEC < 0 ? seconds - 1 : seconds;
}

int64
vci_arg_seconds(FunctionCallInfo fcinfo, int n, const char *name, int64 fallback)
{
	int64 seconds;

	if (PG_ARGISNULL(n))
		return fallback;
	seconds = vci_interval_seconds(PG_GETARG_INTERVAL_P(n));
	if (seconds < 1 || seconds > INTERVAL_ARGUMENT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be from 1 second to 10 years, it is %s", name,
						DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(n)))),
				 errhint("Write the unit, as in '7 days'; a bare number counts seconds.")));
	return seconds;
}

#define NUMBER_MAX_DIGITS 1000

/* Digits and exponent well within what numeric takes. */
static bool
number_fits(const VciJson *number)
{
	char **text;
	const char *exponent;
	int64 integer;
	bool fits;

	if (vci_json_int64(number, &integer))
		return true;
	text = vci_own_text();
	vci_require_memory(*text = vci_json_print(number));
	exponent = strpbrk(*text, "eE");
	fits = strlen(*text) <= NUMBER_MAX_DIGITS &&
		   (exponent == NULL || labs(strtol(exponent + 1, NULL, 10)) <= NUMBER_MAX_DIGITS);
	free(*text);
	*text = NULL;
	return fits;
}

bool
vci_fits_jsonb(const VciJson *json)
{
	VciJsonIter iter;

	switch (vci_json_kind(json))
	{
		case VCI_JSON_NUMBER:
			return number_fits(json);
		case VCI_JSON_ARRAY:
			for (size_t i = 0; i < vci_json_array_length(json); i++)
				if (!vci_fits_jsonb(vci_json_array_at(json, i)))
					return false;
			return true;
		case VCI_JSON_OBJECT:
			iter = vci_json_iter(json);
			while (vci_json_next(&iter))
				if (!vci_fits_jsonb(iter.value))
					return false;
			return true;
		case VCI_JSON_NULL:
		case VCI_JSON_BOOLEAN:
		case VCI_JSON_STRING:
			break;
	}
	return true;
}

Datum
vci_text_array_datum(char **strings, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(strings[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

char **
vci_text_array(ArrayType *array, const char *name, int *count)
{
	Datum *elements;
	bool *nulls;
	char **strings;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("%s must be an array of one dimension", name)));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	strings = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			raise_null(psprintf("an element of %s", name));
		strings[i] = TextDatumGetCString(elements[i]);
	}
	return strings;
}

int64
vci_now(void)
{
	return vci_seconds_of_timestamp(GetCurrentTimestamp());
}

int64
vci_seconds_of_timestamp(TimestampTz timestamp)
{
	int64 seconds = timestamp / USECS_PER_SEC;

	if (timestamp % USECS_PER_SEC < 0)
		seconds--;
	return seconds + SECONDS_FROM_1970_TO_2000;
}

TimestampTz
vci_timestamp_of_seconds(int64 seconds)
{
	return (seconds - SECONDS_FROM_1970_TO_2000) * USECS_PER_SEC;
}

void
vci_check_members(const VciJson *object, const char *what, const char *const *allowed)
{
	VciJsonIter iter;
	StringInfoData known;

	if (object == NULL)
		return;
	if (vci_json_kind(object) != VCI_JSON_OBJECT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a JSON object", what)));
	iter = vci_json_iter(object);
	while (vci_json_next(&iter))
	{
		int i = 0;

		while (allowed[i] != NULL && strcmp(allowed[i], iter.name) != 0)
			i++;
		if (allowed[i] != NULL)
			continue;
		initStringInfo(&known);
		for (i = 0; allowed[i] != NULL; i++)
			appendStringInfo(&known, "%s%s", i ? ", " : "", allowed[i]);
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s has no member \"%s\"", what, iter.name),
						known.len ? errhint("It may have: %s.", known.data)
								  : errhint("It must be an empty object.")));
	}
}

void
vci_check_text(const char *text, const char *name, size_t max)
{
	size_t len;

	if (text == NULL)
		return;
	len = strlen(text);
	if (len == 0 || len > max)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must have 1 to %zu bytes, it has %zu", name, max, len)));
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("%s must not hold control characters", name)));
}

char **
vci_strings_of_json(const VciJson *array, int *count)
{
	char **strings;

	*count = (int) vci_json_array_length(array);
	strings = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		strings[i] = pstrdup(vci_json_string(vci_json_array_at(array, i)));
	return strings;
}

bool
vci_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bytea *
vci_bytea(const void *data, size_t len)
{
	bytea *result = palloc(len + VARHDRSZ);

	SET_VARSIZE(result, len + VARHDRSZ);
	if (len > 0)
		memcpy(VARDATA(result), data, len);
	return result;
}

Datum
vci_row_datum(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	Oid type = fcinfo->flinfo == NULL ? InvalidOid : get_fn_expr_rettype(fcinfo->flinfo);
	TupleDesc descriptor;
	HeapTuple row;

	/* the type cache has a named type ready */
	if (OidIsValid(type) && get_typtype(type) == TYPTYPE_COMPOSITE)
	{
		descriptor = lookup_rowtype_tupdesc(type, -1);
		row = heap_form_tuple(descriptor, values, nulls);
		ReleaseTupleDesc(descriptor);
		return HeapTupleGetDatum(row);
	}
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function %u must return a row", fcinfo->flinfo->fn_oid);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}
