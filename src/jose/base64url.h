/*
 * base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strict:
 * no padding, no white space, no non-canonical trailing bits.
 */
#ifndef VCI_BASE64URL_H
#define VCI_BASE64URL_H

#include <stddef.h>

#include "status.h"

/* Characters that len bytes take, without the terminating NUL. */
extern size_t vci_base64url_encoded_size(size_t len);

/* Most bytes that len characters can hold. */
extern size_t vci_base64url_decoded_size(size_t len);

/* Writes vci_base64url_encoded_size(len) characters and a NUL to out. */
extern void vci_base64url_encode(const void *data, size_t len, char *out);

/* malloc'd, NUL-terminated encoding; NULL when memory is out. */
extern char *vci_base64url_encode_new(const void *data, size_t len);

/*
 * Decodes len characters into out, which holds vci_base64url_decoded_size(len)
 * bytes; *out_len becomes the number of bytes written. VCI_ERR_BASE64URL for any
 * character, length or trailing bit that an encoder does not produce.
 */
extern VciStatus vci_base64url_decode(const char *text, size_t len, unsigned char *out,
									  size_t *out_len, VciError *error);

/* The same into a malloc'd buffer with a NUL behind the last byte. */
extern VciStatus vci_base64url_decode_new(const char *text, size_t len, unsigned char **out,
										  size_t *out_len, VciError *error);

#endif
