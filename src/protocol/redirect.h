/*
 * Redirect URIs of public clients (RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700
 * section 2.1).
 */
#ifndef VCI_REDIRECT_H
#define VCI_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "../jose/status.h"

#define VCI_REDIRECT_URI_MAX 2000 /* bytes */

/*
 * May a wallet be registered with it? An absolute URI without fragment: https, http for
 * loopback addresses and localhost, or an app's own scheme, but none that a browser gives a
 * meaning of its own (javascript, data, file ...). URI characters alone, without those that
 * would end a value in a header or a page. VCI_ERR_REDIRECT_URI.
 */
extern VciStatus vci_redirect_uri_check(const char *uri, VciError *error);

/* Is uri one of the registered ones? Another port of a loopback address is (RFC 8252 7.3). */
extern bool vci_redirect_uri_registered(const char *const *registered, size_t count,
										const char *uri);

typedef struct VciRedirectParameter
{
	const char *name;
	const char *value; /* NULL: left out */
} VciRedirectParameter;

/* uri with these parameters added to its query, percent-encoded; malloc'd. */
extern char *vci_redirect_build(const char *uri, const VciRedirectParameter *parameters,
								size_t count);

/* What form-action must admit: "https://host:port", or "scheme:" of an app; malloc'd. */
extern char *vci_redirect_form_action(const char *uri);

/* What a person reads of where the browser goes: "host:port", or "scheme:"; malloc'd. */
extern char *vci_redirect_place(const char *uri);

#endif
