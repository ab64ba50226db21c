/*
 * Parts of an HTTP request and response that OAuth rules look at.
 */
#ifndef VCI_HTTP_H
#define VCI_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "../jose/json.h"

/* Lent pairs, as they came: duplicates kept, names in any case. */
typedef struct VciHeader
{
	const char *name;
	const char *value;
} VciHeader;

typedef struct VciHttpRequest
{
	const char *method;
	char *path;		   /* of the target, percent-decoding refused for "/" and "%00"; malloc'd */
	const char *query; /* lent, behind '?', not decoded; NULL when absent */
	const VciHeader *headers;
	size_t header_count;
	const char *body;
	size_t body_len;
} VciHttpRequest;

/*
 * Splits target (origin form; absolute form is refused) of target_len bytes with a NUL
 * behind them; sets path and query alone, and on failure path is NULL. VCI_ERR_HTTP
 * for NUL, control characters, bad UTF-8 after decoding, an encoded slash, "." or ".."
 * segments, empty segments in the middle, or more than 8 KiB.
 */
extern VciStatus vci_http_target_parse(const char *target, size_t target_len,
									   VciHttpRequest *request, VciError *error);

/* The one header of this name; NULL when absent. *repeated tells of a second one. */
extern const char *vci_http_header(const VciHttpRequest *request, const char *name, bool *repeated);

/*
 * Is the Content-Type this media type (parameters allowed; charset only utf-8)?
 * VCI_ERR_MEDIA_TYPE when absent, repeated or another.
 */
extern VciStatus vci_http_content_type_check(const VciHttpRequest *request, const char *media_type,
											 VciError *error);

typedef enum VciAuthScheme
{
	VCI_AUTH_BEARER, /* RFC 6750 */
	VCI_AUTH_DPOP	 /* RFC 9449 */
} VciAuthScheme;

#define VCI_ACCESS_TOKEN_MAX 8192 /* characters; JWTs of authorization servers get long */

/*
 * Scheme and access token of the Authorization header: "Bearer" (RFC 6750 section 2.1) or
 * "DPoP" (RFC 9449 section 7.1), in any case, and a token68. VCI_ERR_TOKEN_MISSING when there
 * is no Authorization header or one of another scheme, VCI_ERR_REQUEST when it is repeated,
 * VCI_ERR_TOKEN when the token is malformed or too long. *token is lent and not terminated.
 */
extern VciStatus vci_http_authorization(const VciHttpRequest *request, VciAuthScheme *scheme,
										const char **token, size_t *token_len, VciError *error);

/* Does an If-None-Match header value list this ETag (weak comparison, RFC 9110 13.1.2)? */
extern bool vci_http_etag_matches(const char *if_none_match, const char *etag);

/* application/x-www-form-urlencoded parameters, decoded. */
typedef struct VciForm
{
	size_t count;
	char **names;  /* malloc'd */
	char **values; /* malloc'd */
} VciForm;

#define VCI_FORM_MAX_PARAMETERS 64

/*
 * VCI_ERR_FORM (bad percent escape, NUL, too many parameters), VCI_ERR_UTF8,
 * VCI_ERR_FORM_DUPLICATE (RFC 6749 section 3.2: parameters must not repeat).
 * A parameter without value is treated as omitted (RFC 6749 section 3.2).
 */
extern VciStatus vci_form_parse(const char *body, size_t len, VciForm *form, VciError *error);
extern const char *vci_form_get(const VciForm *form, const char *name); /* NULL when absent */
extern void vci_form_free(VciForm *form);

/* The byte of the percent escape at the start of text; -1 when malformed or cut off. */
extern int vci_percent_byte(const char *text, size_t left);

/* RFC 3986 percent-encoding of everything but unreserved characters; malloc'd. */
extern char *vci_percent_encode(const char *text);

#endif
