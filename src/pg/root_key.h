/*
 * The root keys: those of the command that openid4vci.root_key_command names, else from the
 * file that openid4vci.root_key_file names, which is read when it is needed.
 */
#ifndef VCI_ROOT_KEY_H
#define VCI_ROOT_KEY_H

#include "../jose/seal.h"
#include "store.h"

/* What is sealed, for vci_root_seal and vci_root_unseal. */
#define VCI_ISSUER_DATA_KEY "issuer data key"
#define VCI_SIGNING_KEY		"signing key"
#define VCI_EVENT_KEY		"event key" /* owner 1 */

extern char *vci_root_key_file; /* setting openid4vci.root_key_file */

/*
 * Reads the root keys into keys, which the caller wipes (vci_wipe). Raises 55000 with a
 * hint that shows what to type when there is none, and refuses a file that others than
 * the server's user (or root) own or that group or others may read.
 */
extern void vci_root_keys_read(VciRootKeys *keys);

/* The same for a probe: false, with a plain text in *problem, instead of an error. */
extern bool vci_root_keys_try(VciRootKeys *keys, char **problem);
extern bool vci_root_keys_usable(char **problem);

/* What is read from now on is what file or command say from now on. */
extern void vci_root_keys_refresh(void);

/*
 * Before something new is sealed, behind the lock that vci_rotate_root_key takes: keys that this
 * backend keeps are read again when rows are sealed under another one than the first of them.
 */
extern void vci_root_keys_follow(VciStore *store);

/* The id of the key that seals. */
extern void vci_root_key_id(char id[VCI_ROOT_KEY_ID_SIZE]);

/* Seals bytes under the first root key; *root_key_id is palloc'd. what and owner bind it. */
extern bytea *vci_root_seal(const char *what, int64 owner, const void *plain, size_t len,
							char **root_key_id);

/* Raises, as vci_root_unseal does, when the root key that sealed something is not there. */
extern void vci_root_key_require(const char *what, const char *root_key_id);

/* Opens them into an owned, wiped-at-release buffer. */
extern void vci_root_unseal(const char *what, int64 owner, const bytea *sealed,
							const char *root_key_id, const unsigned char **plain, size_t *len);

#endif
