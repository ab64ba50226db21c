/*
 * JWS compact serialization (RFC 7515) with JSON header and payload, checked as
 * RFC 8725 asks: no "none", no MAC, no "crit", one algorithm that the key fits.
 */
#ifndef VCI_JWS_H
#define VCI_JWS_H

#include <stddef.h>

#include "json.h"
#include "jwk.h"

#define VCI_JWS_MAX_SIZE (64 * 1024) /* characters of one compact JWS */

typedef struct VciJws
{
	VciJson *header;
	VciJson *payload;
	VciAlg alg;
	const char *typ; /* lent from header; NULL when absent */
	char *signing_input;
	size_t signing_input_len;
	unsigned char *signature;
	size_t signature_len;
} VciJws;

/*
 * Splits and decodes a compact JWS of at most VCI_JWS_MAX_SIZE characters. No
 * signature is checked. VCI_ERR_JWS (parts, header or payload not a JSON object,
 * typ no string), VCI_ERR_JWS_ALG (missing, unknown, "none", HS*), VCI_ERR_JWS_CRIT
 * (any crit or b64), VCI_ERR_TOO_LARGE, and the errors of base64url and JSON.
 */
extern VciStatus vci_jws_parse(const char *compact, size_t len, VciJws **jws, VciError *error);

/* VCI_ERR_JWS_ALG when the key does not fit, VCI_ERR_JWS_SIGNATURE when it fails. */
extern VciStatus vci_jws_verify(const VciJws *jws, const VciKey *key, VciError *error);

/*
 * Signs payload under header, whose "alg" is the key's: set when it stands there, put in
 * front of the signed text when it does not. *compact is malloc'd. VCI_ERR_TOO_LARGE for
 * what vci_jws_parse would not take.
 */
extern VciStatus vci_jws_sign(VciJson *header, const VciJson *payload, const VciKey *key,
							  char **compact, VciError *error);

/*
 * Signs what is JSON text already, of any size: members of the header (without braces and
 * "alg"; NULL: none) and the payload. *compact is malloc'd.
 */
extern VciStatus vci_jws_sign_text(const char *header, const char *payload, size_t payload_len,
								   const VciKey *key, char **compact, size_t *len, VciError *error);

/* typ compared as RFC 7515 4.1.9 has it: case-insensitive, "application/" dropped. */
extern bool vci_jws_typ_is(const VciJws *jws, const char *typ);

extern void vci_jws_free(VciJws *jws); /* NULL is allowed */

#endif
