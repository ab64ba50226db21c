/*
 * Format-preserving encryption FF1 (NIST SP 800-38G): a permutation of the texts of a given
 * length over an alphabet of radix letters, drawn by a key.
 */
#ifndef VCI_FF1_H
#define VCI_FF1_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define VCI_FF1_MAX_LENGTH 64
#define VCI_FF1_MAX_TWEAK  32

typedef struct VciFf1 VciFf1; /* not for two threads at once */

/*
 * key of 16, 24 or 32 bytes (AES). radix from 2 to 65536; length from 2 to VCI_FF1_MAX_LENGTH
 * numerals, with radix^length at least 100 (section 4.3) and radix^ceil(length/2) at most 2^56,
 * so that halves are computed as plain integers: VCI_ERR_INTERNAL otherwise.
 */
extern VciStatus vci_ff1_new(const unsigned char *key, size_t key_len, uint32_t radix,
							 uint32_t length, VciFf1 **ff1, VciError *error);

/* tweak of at most VCI_FF1_MAX_TWEAK bytes; numerals below radix, the most significant first. */
extern VciStatus vci_ff1_encrypt(VciFf1 *ff1, const void *tweak, size_t tweak_len,
								 const uint32_t *plain, uint32_t *encrypted, VciError *error);

/*
 * The same without tweak of a text given as the number that it writes, which must be below
 * radix^length; radix^length must fit 64 bits (VCI_ERR_INTERNAL).
 */
extern VciStatus vci_ff1_encrypt_number(VciFf1 *ff1, uint64_t plain, uint64_t *encrypted,
										VciError *error);

extern void vci_ff1_free(VciFf1 *ff1); /* NULL is fine; the key goes, too */

#endif
