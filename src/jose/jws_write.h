/*
 * Signing into a text, for the files of this folder.
 */
#ifndef VCI_JWS_WRITE_H
#define VCI_JWS_WRITE_H

#include "jws.h"
#include "text.h"

/*
 * As vci_jws_sign, of a header (with the key's alg) and a payload that are JSON text already. A
 * failure may leave a part in text.
 */
extern VciStatus vci_jws_write(const VciText *header, const char *payload, size_t len,
							   const VciKey *key, VciText *text, VciError *error);

#endif
