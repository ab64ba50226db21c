/*
 * Comparing protocol words without case. The C library's strcasecmp follows the locale,
 * and a Turkish one does not take "I" for "i".
 */
#ifndef VCI_ASCII_H
#define VCI_ASCII_H

#include <stdbool.h>
#include <stddef.h>

extern bool vci_ascii_equal(const char *a, const char *b);

/* Are the first len characters, which both have, the same? */
extern bool vci_ascii_equal_start(const char *a, const char *b, size_t len);

/* Does text start with prefix? */
extern bool vci_ascii_starts_with(const char *text, const char *prefix);

#endif
