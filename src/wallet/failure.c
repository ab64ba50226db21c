#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../jose/json.h"

/* Drops the character that a full buffer cut in two, so that the text stays UTF-8. */
static void
trim_broken_character(char *text)
{
	size_t len = strlen(text);

	for (int dropped = 0; dropped < 3 && len > 0 && !vci_utf8_valid(text, len); dropped++)
		text[--len] = '\0';
}

bool
wallet_fail(WalletFailure *failure, WalletExit exit, const char *format, ...)
{
	va_list args;

	if (failure->exit != WALLET_EXIT_VERIFIED)
		return false;
	failure->exit = exit;
	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	trim_broken_character(failure->text);
	return false;
}

bool
wallet_advise(WalletFailure *failure, const char *format, ...)
{
	va_list args;

	if (failure->advice[0] != '\0')
		return false;
	va_start(args, format);
	vsnprintf(failure->advice, sizeof(failure->advice), format, args);
	va_end(args);
	trim_broken_character(failure->advice);
	return false;
}

bool
wallet_fail_core(WalletFailure *failure, WalletExit exit, const VciError *error, const char *doing)
{
	if (error->code == VCI_ERR_MEMORY)
		return wallet_fail_memory(failure);
	if (error->code == VCI_ERR_CRYPTO || error->code == VCI_ERR_INTERNAL)
		exit = WALLET_EXIT_INTERNAL;
	return wallet_fail(failure, exit, "%s: %s", doing, error->text);
}

bool
wallet_fail_memory(WalletFailure *failure)
{
	return wallet_fail(failure, WALLET_EXIT_INTERNAL, "out of memory");
}
