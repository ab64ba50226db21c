/*
 * Writing text that a stranger chose to a person's terminal or to a program.
 */
#ifndef WALLET_TEXT_H
#define WALLET_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "../jose/json.h"

/* malloc'd printf; NULL when memory is out. */
extern char *wallet_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern char *wallet_format_list(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

/*
 * Writes text with every character escaped that could move the cursor, recolour the
 * screen, hide, or reorder what stands around it: control characters, bidirectional
 * overrides, invisible format characters, invalid UTF-8.
 */
extern void wallet_put_text(FILE *out, const char *text);

/* Columns that wallet_put_text takes, one a character. */
extern size_t wallet_text_width(const char *text);

/* Writes a JSON value with the same characters as \u escapes; false when memory is out. */
extern bool wallet_put_json(FILE *out, const VciJson *json);

/* Adds a remark: a deviation that does not stop the run. Forgets it when memory is out. */
extern void wallet_note(VciJson *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
