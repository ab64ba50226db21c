/*
 * Digests of disclosures (RFC 9901 section 4.2.3), for the SD-JWT files alone.
 */
#ifndef VCI_SD_JWT_HASH_H
#define VCI_SD_JWT_HASH_H

#include <stddef.h>

#include <openssl/evp.h>

#include "status.h"

#define VCI_SD_JWT_DIGEST_SIZE 87 /* sha-512 in base64url, and a NUL */

/* The hash function of an _sd_alg value; VCI_ERR_SD_JWT when it is not taken here. */
extern VciStatus vci_sd_jwt_hash(const char *sd_alg, EVP_MD **hash, VciError *error);

/* base64url of the digest of len characters. */
extern VciStatus vci_sd_jwt_digest(const EVP_MD *hash, const char *text, size_t len,
								   char out[VCI_SD_JWT_DIGEST_SIZE], VciError *error);

#endif
