/*
 * Why a run ended: an exit status, what happened in plain words, and what to do.
 */
#ifndef WALLET_FAILURE_H
#define WALLET_FAILURE_H

#include <stdbool.h>

#include "../jose/status.h"

typedef enum WalletExit
{
	WALLET_EXIT_VERIFIED = 0,	/* a credential came and it verified */
	WALLET_EXIT_REFUSED = 1,	/* the issuer said no */
	WALLET_EXIT_USAGE = 2,		/* the command, or what the offer asks of it */
	WALLET_EXIT_NETWORK = 3,	/* no answer, or one that is not safe to take */
	WALLET_EXIT_UNVERIFIED = 4, /* an answer or the credential breaks the specifications */
	WALLET_EXIT_INTERNAL = 5	/* memory, files or the crypto library of this machine */
} WalletExit;

/* Texts may hold what a server sent: valid UTF-8, but not yet safe for a terminal. */
typedef struct WalletFailure
{
	WalletExit exit;
	char text[1024];
	char advice[512];
	char oauth_error[64];
	char oauth_description[512];
	long http_status; /* 0 when the failure is no HTTP answer */
} WalletFailure;

/* Records the failure unless an earlier one stands there; returns false. */
extern bool wallet_fail(WalletFailure *failure, WalletExit exit, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says what to do about the failure just recorded; returns false. */
extern bool wallet_advise(WalletFailure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "doing: core error text"; server faults of the core become WALLET_EXIT_INTERNAL. */
extern bool wallet_fail_core(WalletFailure *failure, WalletExit exit, const VciError *error,
							 const char *doing);

extern bool wallet_fail_memory(WalletFailure *failure);

#endif
