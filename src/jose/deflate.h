/*
 * Compressing (RFC 1951) what is mostly zeros, or looks random but uses few characters.
 */
#ifndef VCI_DEFLATE_H
#define VCI_DEFLATE_H

#include <stddef.h>

#include "status.h"

typedef enum VciDeflateFormat
{
	VCI_DEFLATE_ZLIB, /* RFC 1950 */
	VCI_DEFLATE_GZIP  /* RFC 1952, without name and time: the same bytes for the same data */
} VciDeflateFormat;

/* *out is malloc'd. */
extern VciStatus vci_deflate(VciDeflateFormat format, const void *data, size_t len,
							 unsigned char **out, size_t *out_len, VciError *error);

#endif
