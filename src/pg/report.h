/*
 * From the core's status codes to SQLSTATEs (for operators) and to OAuth errors with
 * HTTP statuses (for wallets).
 */
#ifndef VCI_REPORT_H
#define VCI_REPORT_H

#include "../jose/status.h"

/* Who asked, and in which shape: the same fault has different names. */
typedef enum VciAsker
{
	VCI_ASKER_TOKEN,			/* RFC 6749 section 5.2 */
	VCI_ASKER_CREDENTIAL,		/* OpenID4VCI 1.0 section 8.3.1 */
	VCI_ASKER_CREDENTIAL_OLDER, /* the same endpoint, drafts 11 to 13 */
	VCI_ASKER_DEFERRED,			/* section 9.3 */
	VCI_ASKER_NOTIFICATION,		/* section 11.3 */
	VCI_ASKER_AUTHORIZATION,	/* RFC 6749 section 4.1.2.1, RFC 9126 section 2.3 */
	VCI_ASKER_OTHER
} VciAsker;

typedef struct VciOAuthError
{
	int http_status;
	const char *code;
} VciOAuthError;

/* Is it the server that failed, so that it must be raised, not answered? */
extern bool vci_is_server_fault(VciStatus status);

extern VciOAuthError vci_oauth_error(VciStatus status, VciAsker asker);

/* Raises an ERROR with the status' SQLSTATE, its text, and a hint for the common ones. */
extern _Noreturn void vci_raise(const VciError *error);

/* Raises unless status is VCI_OK. */
extern void vci_require(VciStatus status, const VciError *error);

/* Raises out of memory for a core function that returned NULL for it. */
extern void vci_require_memory(const void *pointer);
extern void vci_require_done(bool done);

#endif
