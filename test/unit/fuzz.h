/* What the fuzz targets share. */
#ifndef VCI_FUZZ_H
#define VCI_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jose/json.h"
#include "jose/status.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
must(bool condition)
{
	if (!condition)
		abort();
}

/* A copy with a NUL behind it, which a sanitizer watches on both sides. */
static inline char *
text_of(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/*
 * Whether it succeeded. A failure must come with its code and a text in the characters that
 * RFC 6749 section 5.2 allows, and must never be the server's fault.
 */
static inline bool
succeeded(VciStatus status, const VciError *error)
{
	if (status == VCI_OK)
		return true;
	must(error->code == status && error->text[0] != '\0');
	must(status != VCI_ERR_MEMORY && status != VCI_ERR_CRYPTO && status != VCI_ERR_INTERNAL);
	for (const unsigned char *c = (const unsigned char *) error->text; *c != '\0'; c++)
		must(*c >= 0x20 && *c <= 0x7e && *c != '"' && *c != '\\');
	return false;
}

/* The next line of a text, which the newline behind it no longer belongs to; NULL at the end. */
static inline char *
next_line(char **rest)
{
	char *line = *rest;
	char *feed = line == NULL ? NULL : strchr(line, '\n');

	*rest = feed == NULL ? NULL : feed + 1;
	if (feed != NULL)
		*feed = '\0';
	return line;
}

/* The JSON of a line; NULL when there is no line, or it is no JSON, or "null". */
static inline VciJson *
json_line(const char *line)
{
	VciJson *json = NULL;

	if (line != NULL)
		(void) vci_json_parse(line, strlen(line), &json, NULL);
	return json;
}

#endif
