/*
 * Certificate chains of a signing key, for the x5c header (RFC 7515 section 4.1.6) of what it
 * signs. Chains that come in are read by vci_key_from_x5c (jwk.h).
 */
#ifndef VCI_X5C_H
#define VCI_X5C_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "jwk.h"

#define VCI_X5C_MAX_BYTES (12 * 1024) /* of DER: the header must leave room for the claims */

/*
 * The array of base64 certificates for key, from PEM, the leaf first. The leaf must be of the
 * key and not self-signed, each certificate signed by the next and valid at now (seconds since
 * 1970). A self-signed certificate at the end is the trust anchor, which is left out (HAIP 1.0
 * section 6.1.1). VCI_ERR_CERTIFICATE.
 */
extern VciStatus vci_x5c_from_pem(const char *pem, size_t len, const VciKey *key, int64_t now,
								  VciJson **x5c, VciError *error);

/* When the first of the certificates in such an array to expire does so, seconds since 1970. */
extern VciStatus vci_x5c_expiry(const VciJson *x5c, int64_t *expiry, VciError *error);

#endif
