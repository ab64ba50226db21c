/*
 * JSON texts, written piece by piece.
 */
#ifndef VCI_JSON_WRITE_H
#define VCI_JSON_WRITE_H

#include "json.h"
#include "text.h"

/* Compact, numbers as they were read, no escaped slashes. */
extern void vci_json_write(const VciJson *json, VciText *text);

/* A string with its quotes. */
extern void vci_json_write_string(const char *string, size_t len, VciText *text);

#endif
