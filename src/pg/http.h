/*
 * Settings of vci_http.
 */
#ifndef VCI_PG_HTTP_H
#define VCI_PG_HTTP_H

extern int vci_max_body_size; /* openid4vci.max_body_size, kB */

#endif
