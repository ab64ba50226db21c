/*
 * Between SQL values and the core's: text, jsonb, intervals, times, arrays.
 */
#ifndef VCI_VALUES_H
#define VCI_VALUES_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "../jose/json.h"

/* Argument n as palloc'd text, or NULL. */
extern char *vci_arg_text(FunctionCallInfo fcinfo, int n);

/* Argument n, which must not be null: raises 22004 that names it. */
extern char *vci_arg_text_required(FunctionCallInfo fcinfo, int n, const char *name);

/* Argument n (jsonb) as an owned VciJson, NULL when it is null or JSON null. */
extern VciJson *vci_arg_json(FunctionCallInfo fcinfo, int n, const char *name);

/* A jsonb as an owned VciJson, NULL when it is JSON null; name is for the error. */
extern VciJson *vci_json_of_datum(Datum datum, const char *name);

/* Is a jsonb the JSON null, or the object without members? */
extern bool vci_is_json_null(Datum jsonb);
extern bool vci_is_empty_object(Datum jsonb);

/* Argument n (interval) in seconds; fallback when null; raises unless positive. */
extern int64 vci_arg_seconds(FunctionCallInfo fcinfo, int n, const char *name, int64 fallback);

/* Years and months count as in extract(epoch from interval); rounded down. */
extern int64 vci_interval_seconds(const Interval *span);

/* Can jsonb hold every number in json (numeric's range is not JSON's)? */
extern bool vci_fits_jsonb(const VciJson *json);

extern Datum vci_jsonb_datum(const VciJson *json); /* jsonb, palloc'd */
extern bytea *vci_bytea(const void *data, size_t len);

/* The row that the function returns, of the columns that its declaration has. */
extern Datum vci_row_datum(FunctionCallInfo fcinfo, Datum *values, bool *nulls);
extern Datum vci_text_array_datum(char **strings, int count);

/* Strings of an array that holds nothing else, palloc'd. */
extern char **vci_strings_of_json(const VciJson *array, int *count);

/* Strings of a text[] without nulls (raises 22004 otherwise), palloc'd. */
extern char **vci_text_array(ArrayType *array, const char *name, int *count);

/* Seconds since 1970, now (clock_timestamp, not the transaction's start). */
extern int64 vci_now(void);
extern int64 vci_seconds_of_timestamp(TimestampTz timestamp); /* rounded down */
extern TimestampTz vci_timestamp_of_seconds(int64 seconds);

/* Raises 22023 when object has a member that allowed (NULL-terminated) does not list. */
extern void vci_check_members(const VciJson *object, const char *what, const char *const *allowed);

/* The same text, or both NULL? */
extern bool vci_same_text(const char *a, const char *b);

/* Refuses invalid UTF-8, control characters and text over max characters (bytes). */
extern void vci_check_text(const char *text, const char *name, size_t max);

#endif
