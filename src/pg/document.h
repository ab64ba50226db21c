/*
 * The documents that an issuer publishes, printed once a backend and change of the issuer.
 */
#ifndef VCI_DOCUMENT_H
#define VCI_DOCUMENT_H

#include "cache.h"

/* It stays valid until the next call for the same issuer. */
extern const VciDocument *vci_document(const VciIssuerEntry *issuer, VciDocumentKind kind);

#endif
