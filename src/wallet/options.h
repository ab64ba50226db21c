/*
 * What the command line asks for.
 */
#ifndef WALLET_OPTIONS_H
#define WALLET_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "../jose/jwk.h"
#include "failure.h"

typedef struct WalletOptions
{
	const char *offer;	 /* "-": a line from standard input */
	const char *tx_code; /* this and the next ones: NULL when not given */
	const char *configuration;
	const char *client_id;
	const char *save;
	const char *ca_file;
	const char *locale; /* never NULL after parsing unless the environment names none */
	VciAlg key_type;	/* VCI_ALG_NONE: the first one that the issuer accepts */
	long timeout;		/* seconds */
	bool kid_did;
	bool authorization_details;
	bool older;
	bool json;
	bool insecure;
	bool trace;
	bool help;
	bool version;
	char locale_buffer[36];
} WalletOptions;

/* Reads the arguments; WALLET_EXIT_USAGE on anything unknown or contradictory. */
extern bool wallet_options_parse(int argc, char **argv, WalletOptions *options,
								 WalletFailure *failure);

extern void wallet_options_help(FILE *out);

#endif
