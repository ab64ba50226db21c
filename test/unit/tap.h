/*
 * Test Anything Protocol for the unit tests: "ok N - what it guards" a test, "not ok"
 * with what was expected and what came, and the plan as the last line.
 *
 * A program ends with "return done_testing();", which is nonzero when a test failed.
 */
#ifndef VCI_TAP_H
#define VCI_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/json.h"
#include "jose/status.h"

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool
ok(bool passed, const char *what, ...)
{
	va_list arguments;

	tap_count++;
	tap_failed += passed ? 0 : 1;
	printf("%s %d - ", passed ? "ok" : "not ok", tap_count);
	va_start(arguments, what);
	vprintf(what, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	return passed;
}

/* NULL is a value like any other. */
static inline bool
is_text(const char *got, const char *expected, const char *what)
{
	bool same = got == NULL || expected == NULL ? got == expected : strcmp(got, expected) == 0;

	if (!ok(same, "%s", what))
		printf("# expected: %s\n#      got: %s\n", expected == NULL ? "(null)" : expected,
			   got == NULL ? "(null)" : got);
	return same;
}

static inline bool
is_number(int64_t got, int64_t expected, const char *what)
{
	if (!ok(got == expected, "%s", what))
		printf("# expected: %lld\n#      got: %lld\n", (long long) expected, (long long) got);
	return got == expected;
}

static inline bool
is_bytes(const void *got, size_t got_len, const void *expected, size_t expected_len,
		 const char *what)
{
	bool same = got_len == expected_len && memcmp(got, expected, got_len) == 0;

	if (!ok(same, "%s", what))
		printf("# %zu bytes expected, %zu got, or their content differs\n", expected_len, got_len);
	return same;
}

/* Compares a status, and that the error says the same; empties error for the next call. */
static inline bool
is_status(VciStatus got, VciStatus expected, VciError *error, const char *what)
{
	bool same = got == expected && error->code == expected && (got == VCI_OK || *error->text);

	if (!ok(same, "%s", what))
		printf("# expected: %s\n#      got: %s (%s: %s)\n", vci_status_name(expected),
			   vci_status_name(got), vci_status_name(error->code), error->text);
	memset(error, 0, sizeof(*error));
	return same;
}

static inline int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 && tap_count > 0 ? 0 : 1;
}

static inline void
bail_out(const char *why, const char *detail)
{
	printf("Bail out! %s: %s\n", why, detail);
	exit(1);
}

/* Parses JSON that a test itself holds. */
static inline VciJson *
json(const char *text)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *parsed;

	if (vci_json_parse(text, strlen(text), &parsed, &error) != VCI_OK)
		bail_out(error.text, text);
	return parsed;
}

/* A vector file of the directory in VCI_VECTORS (default test/vectors). */
static inline VciJson *
vectors(const char *name)
{
	const char *directory = getenv("VCI_VECTORS");
	VciError error = VCI_ERROR_INIT;
	VciJson *parsed;
	char path[4096];
	size_t size = 1 << 20;
	size_t len;
	char *text = malloc(size);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory == NULL ? "test/vectors" : directory, name);
	file = fopen(path, "rb");
	if (text == NULL || file == NULL)
		bail_out("cannot open", path);
	len = fread(text, 1, size, file);
	fclose(file);
	if (vci_json_parse(text, len, &parsed, &error) != VCI_OK)
		bail_out(error.text, path);
	free(text);
	return parsed;
}

#endif
