/*
 * URLs: which ones may be asked, where well-known documents lie, and form encoding.
 * Parsing is libcurl's, so that what is checked is what is connected to.
 */
#ifndef WALLET_URL_H
#define WALLET_URL_H

#include <stdbool.h>

#include "failure.h"

/*
 * https, or http to a loopback host (anywhere when insecure), with a host and without
 * user information. what names the URL in the failure ("token_endpoint").
 */
extern bool wallet_url_check(const char *url, bool insecure, const char *what,
							 WalletFailure *failure);

/* wallet_url_check, and neither query nor fragment (OpenID4VCI 1.0 section 12.2.1). */
extern bool wallet_url_check_identifier(const char *url, bool insecure, const char *what,
										WalletFailure *failure);

extern bool wallet_url_is_loopback(const char *url);
extern bool wallet_url_same_origin(const char *a, const char *b);

/*
 * The document's URL: /.well-known/name between host and path of the identifier
 * (OpenID4VCI 1.0 section 12.2.2, RFC 8414 section 3.1). malloc'd; NULL when memory is out.
 */
extern char *wallet_url_well_known(const char *identifier, const char *name);

/* Where the did:web document of that URL lies. malloc'd; NULL when memory is out. */
extern char *wallet_url_did_document(const char *identifier);

/* did, '#' and the percent-encoded fragment. malloc'd; NULL when memory is out. */
extern char *wallet_url_did_key(const char *did, const char *fragment);

typedef enum WalletParameter
{
	WALLET_PARAMETER_FOUND,
	WALLET_PARAMETER_ABSENT,
	WALLET_PARAMETER_REPEATED,
	WALLET_PARAMETER_MALFORMED,
	WALLET_PARAMETER_NO_MEMORY
} WalletParameter;

/* The decoded value of a query parameter of any URI; *value is malloc'd when found. */
extern WalletParameter wallet_url_parameter(const char *uri, const char *name, char **value);

/* Appends "&name=value", form-encoded, to *form (NULL at first); false: memory is out. */
extern bool wallet_form_add(char **form, const char *name, const char *value);

#endif
