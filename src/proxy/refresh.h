/*
 * openid4vci-proxy refresh-jwks: fetches the keys of the external authorization servers
 * that issuers trust, and hands them to openid4vci.vci_load_jwks, which judges them.
 */
#ifndef PROXY_REFRESH_H
#define PROXY_REFRESH_H

#include <stdbool.h>

#include "options.h"

/* One line a server. False when any could not be refreshed, or there is none. */
extern bool refresh_jwks(const Options *options);

#endif
