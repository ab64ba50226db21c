/*
 * Symmetric tools: random bytes, HKDF (RFC 5869), HMAC, digests, AES-256-GCM sealing,
 * and the root keys that seal everything else.
 */
#ifndef VCI_SEAL_H
#define VCI_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

#define VCI_SECRET_BYTES 32
#define VCI_DIGEST_BYTES 32

typedef struct VciSecret
{
	unsigned char bytes[VCI_SECRET_BYTES];
} VciSecret;

/* len bytes from the system's generator. */
extern VciStatus vci_random(void *out, size_t len, VciError *error);

/*
 * Random bytes in small pieces: a call of the generator costs about the same for 16 bytes as
 * for a thousand. For salts and the like, which become public; keys are drawn by vci_random.
 */
typedef struct VciRandomPool VciRandomPool;

extern VciRandomPool *vci_random_pool_new(void); /* NULL when memory is out */
/* To be called before a run of draws: after a fork, the two must not draw the same. */
extern void vci_random_pool_start(VciRandomPool *pool);
/* len is at most 64. */
extern VciStatus vci_random_draw(VciRandomPool *pool, void *out, size_t len, VciError *error);
extern void vci_random_pool_free(VciRandomPool *pool); /* NULL is fine */

/* Overwrites memory in a way that the compiler keeps. */
extern void vci_wipe(void *data, size_t len);

/* Constant-time comparison of len bytes. */
extern bool vci_bytes_equal(const void *a, const void *b, size_t len);

extern VciStatus vci_sha256(const void *data, size_t len, unsigned char out[VCI_DIGEST_BYTES],
							VciError *error);

/* SHA-256 over what comes piece by piece. */
typedef struct VciDigest VciDigest;

extern VciDigest *vci_digest_new(void); /* NULL when memory is out */
extern VciStatus vci_digest_update(VciDigest *digest, const void *data, size_t len,
								   VciError *error);
/* Ends it: nothing can be added any more. */
extern VciStatus vci_digest_finish(VciDigest *digest, unsigned char out[VCI_DIGEST_BYTES],
								   VciError *error);
extern void vci_digest_free(VciDigest *digest); /* NULL is fine */

/* HMAC-SHA-256 (RFC 2104). */
extern VciStatus vci_hmac(const VciSecret *key, const void *data, size_t len,
						  unsigned char out[VCI_DIGEST_BYTES], VciError *error);

/* HKDF-SHA-256 without salt: a key for one purpose, named by label (its info). */
extern VciStatus vci_derive(const VciSecret *key, const char *label, VciSecret *out,
							VciError *error);

/*
 * AES-256-GCM: *sealed is malloc'd: 12-byte nonce, ciphertext, 16-byte tag.
 * The associated data must be the same when it is opened.
 */
extern VciStatus vci_seal(const VciSecret *key, const void *associated, size_t associated_len,
						  const void *plain, size_t plain_len, unsigned char **sealed,
						  size_t *sealed_len, VciError *error);

/* Opens what vci_seal made; VCI_ERR_SEAL when key, data or associated data differ. */
extern VciStatus vci_unseal(const VciSecret *key, const void *associated, size_t associated_len,
							const unsigned char *sealed, size_t sealed_len, unsigned char **plain,
							size_t *plain_len, VciError *error);

#define VCI_ROOT_KEYS_MAX	 8
#define VCI_ROOT_KEY_ID_SIZE 17 /* 16 hexadecimal digits and a NUL */

typedef struct VciRootKey
{
	char id[VCI_ROOT_KEY_ID_SIZE]; /* derived from the key, tells nothing about it */
	VciSecret secret;
} VciRootKey;

typedef struct VciRootKeys
{
	size_t count;
	VciRootKey keys[VCI_ROOT_KEYS_MAX]; /* the first one seals, all open */
} VciRootKeys;

/*
 * Reads root key text: one key a line as 64 hexadecimal digits (what
 * "openssl rand -hex 32" prints), blank lines and lines that start with '#' ignored.
 * VCI_ERR_ROOT_KEY names the line, never its text.
 */
extern VciStatus vci_root_keys_parse(const char *text, size_t len, VciRootKeys *keys,
									 VciError *error);

/* The key with this id, or NULL. */
extern const VciRootKey *vci_root_keys_find(const VciRootKeys *keys, const char *id);

#endif
