/*
 * Signing into a text, for the files of this folder.
 */
#ifndef VCI_JWS_WRITE_H
#define VCI_JWS_WRITE_H

#include "jws.h"
#include "text.h"

/* The header: the key's alg, and members (JSON text without braces; NULL: none). */
extern void vci_jws_write_header(const char *members, const VciKey *key, VciText *header);

/*
 * As vci_jws_sign, of a header (with the key's alg) and a payload that are JSON text already.
 * VCI_ERR_TOO_LARGE above max characters. A failure may leave a part in text.
 */
extern VciStatus vci_jws_write(const VciText *header, const char *payload, size_t len, size_t max,
							   const VciKey *key, VciText *text, VciError *error);

#endif
