/*
 * Strict JSON over json-c: what json-c lets through (duplicate members, numbers
 * out of range, lone surrogates, NUL characters, bad UTF-8) is refused here, and
 * numbers keep their text exactly when they are printed again.
 *
 * VciJson is json-c's own object; only the tag is named, because json-c's typedef
 * has the name of a PostgreSQL function. src/pg uses these wrappers alone.
 *
 * Ownership: "new" and "parse" give the caller one reference; vci_json_set,
 * vci_json_append and vci_json_array_put take over the value's reference, also when they
 * fail; "get", "at" and iterators lend. While an iterator runs, the member at hand may be
 * removed or replaced, but none added.
 */
#ifndef VCI_JSON_H
#define VCI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct json_object VciJson;

#define VCI_JSON_MAX_DEPTH 32

typedef enum VciJsonKind
{
	VCI_JSON_NULL,
	VCI_JSON_BOOLEAN,
	VCI_JSON_NUMBER,
	VCI_JSON_STRING,
	VCI_JSON_ARRAY,
	VCI_JSON_OBJECT
} VciJsonKind;

/* Is the text valid UTF-8 (RFC 3629: no overlong form, no surrogate)? */
extern bool vci_utf8_valid(const char *text, size_t len);

/*
 * Parses exactly one RFC 8259 text of len bytes. The caller caps len.
 * VCI_ERR_UTF8, VCI_ERR_JSON, VCI_ERR_JSON_DUPLICATE, VCI_ERR_JSON_DEPTH
 * (deeper than VCI_JSON_MAX_DEPTH), VCI_ERR_MEMORY. *json is NULL on failure, and
 * also for the text "null".
 */
extern VciStatus vci_json_parse(const char *text, size_t len, VciJson **json, VciError *error);

/* As vci_json_parse, and the text must be an object. */
extern VciStatus vci_json_parse_object(const char *text, size_t len, VciJson **json,
									   VciError *error);

/* Compact text, malloc'd, no escaped slashes; NULL when memory is out. */
extern char *vci_json_print(const VciJson *json);

extern void vci_json_free(VciJson *json);
extern VciJson *vci_json_ref(VciJson *json);
extern VciJson *vci_json_copy(const VciJson *json); /* deep; NULL when memory is out */

extern VciJson *vci_json_new_object(void);
extern VciJson *vci_json_new_array(void);
extern VciJson *vci_json_new_string(const char *text);
extern VciJson *vci_json_new_string_len(const char *text, size_t len);
extern VciJson *vci_json_new_int64(int64_t value);
extern VciJson *vci_json_new_number(const char *text); /* a number as RFC 8259 writes it */
extern VciJson *vci_json_new_boolean(bool value);

extern VciJsonKind vci_json_kind(const VciJson *json); /* NULL is VCI_JSON_NULL */

/* Adds or replaces a member; false when memory is out (value NULL counts as that). */
extern bool vci_json_set(VciJson *object, const char *name, VciJson *value);
/* As vci_json_set, of a name that object is known not to have: nothing looks for it. */
extern bool vci_json_set_new(VciJson *object, const char *name, VciJson *value);
extern bool vci_json_set_null(VciJson *object, const char *name);
extern bool vci_json_set_string(VciJson *object, const char *name, const char *text);
extern bool vci_json_set_int64(VciJson *object, const char *name, int64_t value);
extern bool vci_json_set_boolean(VciJson *object, const char *name, bool value);
extern void vci_json_remove(VciJson *object, const char *name);
extern bool vci_json_append(VciJson *array, VciJson *value);
extern bool vci_json_append_string(VciJson *array, const char *text);
extern bool vci_json_append_null(VciJson *array);

/* NULL when object is not an object, lacks the member, or the member is null. */
extern VciJson *vci_json_get(const VciJson *object, const char *name);
extern bool vci_json_has(const VciJson *object, const char *name); /* also true for null */
extern size_t vci_json_member_count(const VciJson *object);

/* NULL when the member is absent or no string. Lent. */
extern const char *vci_json_get_string(const VciJson *object, const char *name);

/* False when absent, no integer literal, or outside int64. */
extern bool vci_json_get_int64(const VciJson *object, const char *name, int64_t *value);
extern bool vci_json_get_boolean(const VciJson *object, const char *name, bool *value);

/* Value of the node itself; NULL or false when it is of another kind. */
extern const char *vci_json_string(const VciJson *json);
extern bool vci_json_int64(const VciJson *json, int64_t *value);
extern bool vci_json_boolean(const VciJson *json, bool *value);

extern size_t vci_json_array_length(const VciJson *array); /* 0 for other kinds */
extern VciJson *vci_json_array_at(const VciJson *array, size_t index);
extern bool vci_json_array_put(VciJson *array, size_t index, VciJson *value); /* replaces */

/* Does the array hold this string? */
extern bool vci_json_array_has_string(const VciJson *array, const char *text);

/* Same value (member order does not matter; numbers by their text). */
extern bool vci_json_equal(const VciJson *a, const VciJson *b);

/* Members in document order: VciJsonIter i = vci_json_iter(o); while (vci_json_next(&i)) ... */
typedef struct VciJsonIter
{
	const char *name; /* lent */
	VciJson *value;	  /* lent; NULL for null */
	void *position;	  /* private */
} VciJsonIter;

extern VciJsonIter vci_json_iter(const VciJson *object);
extern bool vci_json_next(VciJsonIter *iter);

#endif
