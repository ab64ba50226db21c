/*
 * Root keys from a command's standard output, as ssl_passphrase_command has it for TLS keys.
 * A backend runs it once and keeps the keys until it ends or the setting changes.
 */
#ifndef VCI_ROOT_KEY_COMMAND_H
#define VCI_ROOT_KEY_COMMAND_H

#include "../jose/seal.h"

#define VCI_ROOT_KEY_TEXT_MAX 4096 /* bytes, of the file and of the command's output */

extern char *vci_root_key_command;		 /* setting openid4vci.root_key_command; "": none */
extern int vci_root_key_command_timeout; /* seconds */

/*
 * The keys kept, or those of the command, which then runs. Returns NULL, or what is wrong in
 * plain words, never what the command printed. The caller wipes *keys. Cancelling the query
 * ends the command, too.
 */
extern char *vci_command_keys(VciRootKeys *keys);

/* Wipes what is kept: the command runs again when keys are next needed. */
extern void vci_command_keys_forget(void);

/*
 * The same when the last call of this one was a minute ago or longer, because a key is missing
 * among those kept. False: nothing was done.
 */
extern bool vci_command_keys_are_stale(void);

/* Assign hook of the setting. */
extern void vci_root_key_command_assign(const char *value, void *extra);

#endif
