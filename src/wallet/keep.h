/*
 * Keeping a credential and its holder key in a file.
 */
#ifndef WALLET_KEEP_H
#define WALLET_KEEP_H

#include "result.h"

/*
 * Creates the file, readable by its owner alone, before the offer is spent: a run must not
 * end with a credential that cannot be kept. An existing file is left alone.
 */
extern bool wallet_keep_open(const char *path, int *file, WalletFailure *failure);

/* Writes credential and private key, and closes the file. */
extern bool wallet_keep_write(const char *path, int file, const WalletResult *result,
							  WalletFailure *failure);

/* Closes and removes the file of a run that failed. */
extern void wallet_keep_drop(const char *path, int file);

#endif
