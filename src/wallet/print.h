/*
 * Output for a person at a terminal.
 */
#ifndef WALLET_PRINT_H
#define WALLET_PRINT_H

#include <stdio.h>

#include "result.h"

/* The decoded credential; false when memory is out. */
extern bool wallet_print_result(FILE *out, const WalletContext *context,
								const WalletResult *result);

/* Why it failed and what to do. */
extern void wallet_print_failure(FILE *out, const WalletFailure *failure);

extern void wallet_print_notes(FILE *out, const VciJson *notes);

#endif
