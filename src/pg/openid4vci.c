/*
 * The module: settings and start.
 */
#include "compat.h"

#include "utils/guc.h"

#include "cache.h"
#include "http.h"
#include "root_key.h"
#include "root_key_command.h"
#include "store_statement.h"

VCI_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	DefineCustomStringVariable(
		"openid4vci.root_key_file", "File that holds the root key (one key a line, 64 hex digits).",
		"It must belong to the server's user or root, be readable by nobody else, and lie "
		"outside the data directory. Keys and codes are sealed under its first line.",
		&vci_root_key_file, "/etc/openid4vci/root.key", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL,
		NULL);
	DefineCustomStringVariable(
		"openid4vci.root_key_command",
		"Shell command that prints the root key, instead of openid4vci.root_key_file.",
		"Its standard output holds one key a line (64 hex digits). Each backend runs it when it "
		"first needs a key.",
		&vci_root_key_command, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, vci_root_key_command_assign,
		NULL);
	DefineCustomIntVariable("openid4vci.root_key_command_timeout",
							"Time after which openid4vci.root_key_command is killed.", NULL,
							&vci_root_key_command_timeout, 10, 1, 600, PGC_SUSET, GUC_UNIT_S, NULL,
							NULL, NULL);
	DefineCustomIntVariable("openid4vci.max_body_size",
							"Largest request body that vci_http reads; larger ones get 413.", NULL,
							&vci_max_body_size, 1024, 16, 64 * 1024, PGC_SUSET, GUC_UNIT_KB, NULL,
							NULL, NULL);
	MarkGUCPrefixReserved("openid4vci");
	vci_cache_start();
	vci_store_start();
}
