/*
 * Display objects of issuers, credentials and claims (OpenID4VCI 1.0 section 12.2.4).
 */
#ifndef VCI_DISPLAY_H
#define VCI_DISPLAY_H

#include "../jose/json.h"

/* what names the array in error texts. VCI_ERR_CONFIGURATION. */
extern VciStatus vci_display_check(const VciJson *display, const char *what, VciError *error);

#endif
