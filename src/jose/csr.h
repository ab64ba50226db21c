/*
 * Certificate signing requests (PKCS #10, RFC 2986) of signing keys.
 */
#ifndef VCI_CSR_H
#define VCI_CSR_H

#include "jwk.h"

#define VCI_CSR_SUBJECT_MAX_BYTES 1024

/*
 * A request in PEM, malloc'd, signed by key. subject is written as openssl req -subj takes it,
 * /C=XX/O=Ministry/CN=registry.example with '\' before a '/' in a value; NULL is a CN of host.
 * The subject's alternative names (RFC 5280 section 4.2.1.6) are host, a DNS name or an IP
 * address (IPv6 without brackets), and uri. VCI_ERR_CERTIFICATE.
 */
extern VciStatus vci_csr_build(const VciKey *key, const char *subject, const char *host,
							   const char *uri, char **pem, VciError *error);

#endif
