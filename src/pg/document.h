/*
 * The documents that an issuer publishes, printed once a backend and change of the issuer.
 */
#ifndef VCI_DOCUMENT_H
#define VCI_DOCUMENT_H

#include "cache.h"

/* It stays valid until the next call for the same issuer. */
extern const VciDocument *vci_document(const VciIssuerEntry *issuer, VciDocumentKind kind);

/*
 * Type metadata of the vct of the configuration at this position. One vct has one document: of
 * several configurations the first by id speaks.
 */
extern const VciDocument *vci_type_document(const VciIssuerEntry *issuer, int configuration);

#endif
