/*
 * The lexical pass that runs before json-c. json-c knows the grammar, but it drops the
 * first of two equal members without a word, saturates integers beyond 64 bits, forgets
 * how a number was written, lets lone surrogates and NUL characters through, and is lax
 * about words, quotes, comments and commas. All of that can be seen in the tokens alone.
 */
#ifndef VCI_JSON_SCAN_H
#define VCI_JSON_SCAN_H

#include <stddef.h>

#include "status.h"

/* A number whose text json-c would not give back: anything but a short plain integer. */
typedef struct VciJsonLiteral
{
	size_t ordinal; /* which of the text's numbers, from 0 */
	size_t offset;
	size_t len;
} VciJsonLiteral;

typedef struct VciJsonScan
{
	size_t end;		/* length of the text without white space behind it */
	size_t depth;	/* of the deepest bracket; 0: there is none */
	size_t members; /* colons outside strings: members of all objects together */
	size_t numbers;
	size_t literal_count;
	size_t literal_capacity;
	VciJsonLiteral *literals; /* malloc'd, in document order */
} VciJsonScan;

/*
 * Checks that text consists of RFC 8259 tokens, nested no deeper than
 * VCI_JSON_MAX_DEPTH, without a comma before a closing bracket, whose strings hold valid
 * UTF-8 and no NUL. How else the tokens follow each other is json-c's matter. The scan is
 * to be freed also after a failure.
 */
extern VciStatus vci_json_scan(const char *text, size_t len, VciJsonScan *scan, VciError *error);
extern void vci_json_scan_free(VciJsonScan *scan);

#endif
