/*
 * SD-JWT VC type metadata (draft-ietf-oauth-sd-jwt-vc): what a vct means, made of the
 * configuration that issues it.
 */
#ifndef VCI_TYPE_METADATA_H
#define VCI_TYPE_METADATA_H

#include "issuer.h"

/*
 * The path of a vct at which this issuer can answer for it: a URL whose scheme and authority are
 * those of the issuer or one of its endpoints, with a path, without query, fragment and percent
 * escapes. NULL for any other. Lent.
 */
extern const char *vci_type_path(const VciIssuer *issuer, const char *vct);

/*
 * The document; the same bytes when printed, as long as the configuration is the same. New, NULL
 * only when memory is out. Display data without a locale get "und", since one is required there.
 */
extern VciJson *vci_type_metadata(const VciConfiguration *configuration);

#endif
