/*
 * HMAC-SHA-256 for who makes many: the algorithm is fetched once, which costs OpenSSL as
 * much as the MAC of a short text does.
 */
#ifndef VCI_MAC_H
#define VCI_MAC_H

#include "seal.h"

typedef struct VciMac VciMac; /* not for two threads at once */

extern VciStatus vci_mac_new(VciMac **mac, VciError *error);

/* As vci_hmac. */
extern VciStatus vci_mac_make(VciMac *mac, const VciSecret *key, const void *data, size_t len,
							  unsigned char out[VCI_DIGEST_BYTES], VciError *error);
extern void vci_mac_free(VciMac *mac); /* NULL is fine; the last key goes, too */

#endif
