/*
 * The inside of VciCurves, for the files of this folder alone.
 */
#ifndef VCI_CURVES_H
#define VCI_CURVES_H

#include "key.h"

/*
 * Checks that the point (SEC 1 section 2.3.4, any form) lies on the curve of the type and is
 * not infinity, and writes its x and y to out. Both curves have cofactor 1, so that this is
 * the whole check (SP 800-56A section 5.6.2.3.4). VCI_ERR_JWK.
 */
extern VciStatus vci_curves_read_point(VciCurves *curves, VciKeyType type,
									   const unsigned char *point, size_t len,
									   unsigned char out[VCI_PUBLIC_MAX_BYTES], VciError *error);

/* The digest of the curve's algorithm; lent. */
extern EVP_MD *vci_curves_digest(const VciCurves *curves, VciKeyType type);

/* Verifies under x and y of a checked point: 1 right, 0 wrong, negative: no verdict. */
extern int vci_curves_verify(VciCurves *curves, VciKeyType type, const unsigned char *public_bytes,
							 const unsigned char *digest, size_t digest_len,
							 const unsigned char *der, size_t der_len);

#endif
