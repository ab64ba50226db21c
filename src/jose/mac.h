/*
 * HMAC-SHA-256 for who makes many under one key: the library fetches the algorithm and works
 * the key in once, which together cost it as much as two MACs of short texts do.
 */
#ifndef VCI_MAC_H
#define VCI_MAC_H

#include "seal.h"

typedef struct VciMac VciMac; /* not for two threads at once */

extern VciMac *vci_mac_new(const VciSecret *key); /* NULL when memory is out */

/* As vci_hmac. */
extern VciStatus vci_mac_make(VciMac *mac, const void *data, size_t len,
							  unsigned char out[VCI_DIGEST_BYTES], VciError *error);
extern void vci_mac_free(VciMac *mac); /* NULL is fine; the key goes, too */

#endif
