/*
 * HTTP as a wallet needs it: JSON documents of bounded size from servers that nobody
 * trusts yet. TLS is verified, a redirect never leaves the origin, a POST follows none.
 */
#ifndef WALLET_HTTP_CLIENT_H
#define WALLET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "../jose/json.h"
#include "context.h"

#define WALLET_RESPONSE_MAX_SIZE (2 * 1024 * 1024)

typedef struct WalletRequest
{
	const char *what; /* for messages: "issuer metadata", "token endpoint" */
	const char *url;
	bool secret_url;		  /* its last path segment is a secret */
	const char *content_type; /* NULL: GET, or POST without a body */
	const char *body;		  /* NULL: GET */
	const char *parameters;	  /* what the trace says of the body: names, no values */
	const char *bearer;		  /* access token; NULL: none */
	bool keep_redirect;		  /* where it redirects to is the answer, and is not followed */
} WalletRequest;

typedef struct WalletResponse
{
	long status;
	char *content_type; /* these four: NULL when absent */
	char *cache_control;
	char *www_authenticate;
	char *location;
	char *body; /* with a NUL behind it */
	size_t body_len;
} WalletResponse;

extern bool wallet_http_open(WalletContext *context);
extern void wallet_http_close(WalletContext *context);

/*
 * Sends the request and takes the whole answer, of any status. Fails with
 * WALLET_EXIT_NETWORK, or as wallet_url_check. The response is to be freed in any case.
 */
extern bool wallet_http_send(WalletContext *context, const WalletRequest *request,
							 WalletResponse *response);

extern void wallet_response_free(WalletResponse *response);

/*
 * The JSON object of an answer; WALLET_EXIT_UNVERIFIED when it is none. Another media
 * type than application/json is noted.
 */
extern bool wallet_response_object(WalletContext *context, const WalletResponse *response,
								   const char *what, VciJson **object);

/* Notes that an answer with a secret may be cached (RFC 6749 section 5.1). */
extern void wallet_response_check_no_store(WalletContext *context, const WalletResponse *response,
										   const char *what);

#endif
