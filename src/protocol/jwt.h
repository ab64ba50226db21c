/*
 * What key proofs, DPoP proofs and access tokens share as JWTs (RFC 7519).
 */
#ifndef VCI_JWT_H
#define VCI_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "../jose/jws.h"

/*
 * Reads a NumericDate (RFC 7519 section 2), fractions cut off; *present false when the payload
 * lacks it. One that is no number is the fault code, told with what the JWT is ("the proof").
 */
extern VciStatus vci_jwt_time(const VciJson *payload, const char *name, const char *what,
							  VciStatus code, int64_t *seconds, bool *present, VciError *error);

/*
 * A verdict for SQL: {valid, error, error_description, header, payload}; the last two when jws
 * is not NULL, and shared with it. NULL when memory is out.
 */
extern VciJson *vci_jwt_verdict(const VciJws *jws, const VciError *error);

#endif
