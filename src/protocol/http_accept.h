/*
 * Content negotiation (RFC 9110 section 12.5): what a client takes.
 */
#ifndef VCI_HTTP_ACCEPT_H
#define VCI_HTTP_ACCEPT_H

#include "http.h"

/*
 * Does Accept let this media type through? Also when the header is absent or names nothing
 * well-formed. Parameters but q are passed over.
 */
extern bool vci_http_accepts(const VciHttpRequest *request, const char *media_type);

/* Does Accept-Encoding name this coding, and not with q=0? "*" and an absent header don't. */
extern bool vci_http_accepts_coding(const VciHttpRequest *request, const char *coding);

#endif
