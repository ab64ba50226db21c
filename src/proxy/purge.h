/*
 * openid4vci-proxy purge: calls openid4vci.vci_purge until nothing is left to forget.
 */
#ifndef PROXY_PURGE_H
#define PROXY_PURGE_H

#include <stdbool.h>

#include "options.h"

/*
 * A line a kind tells what went. False when it could not go on; SIGTERM and SIGINT, which it
 * blocks, end it between two batches.
 */
extern bool purge(const Options *options);

#endif
