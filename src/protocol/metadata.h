/*
 * Documents that an issuer publishes. Each function returns a new object, NULL only
 * when memory is out.
 */
#ifndef VCI_METADATA_H
#define VCI_METADATA_H

#include "issuer.h"

typedef struct VciPublishedKey
{
	const char *kid;
	const VciJson *public_jwk; /* required members only */
	VciAlg alg;
	int64_t published_until; /* seconds since 1970; INT64_MAX: for good */
} VciPublishedKey;

/* Is it still published at now (seconds since 1970)? */
extern bool vci_is_published(const VciPublishedKey *key, int64_t now);

/* Credential issuer metadata (OpenID4VCI 1.0 section 12.2.4). */
extern VciJson *vci_metadata_credential_issuer(const VciIssuer *issuer,
											   const VciConfiguration *configurations,
											   size_t count);

/* Does the authorization code flow work here: wallets, a login page, the endpoints? */
extern bool vci_takes_authorization_requests(const VciIssuer *issuer);

/*
 * Authorization server metadata (RFC 8414; section 12.3): only what works. For an issuer
 * whose token endpoint is enabled.
 */
extern VciJson *vci_metadata_authorization_server(const VciIssuer *issuer,
												  const VciConfiguration *configurations,
												  size_t count);

/*
 * JWK set (RFC 7517 section 5) of public keys, each with kid, alg and use "sig": of those
 * given the ones that are published at now, in their order, also below.
 */
extern VciJson *vci_metadata_jwks(const VciPublishedKey *keys, size_t count, int64_t now);

/* JWT VC issuer metadata (SD-JWT VC section 4): issuer and jwks by value. */
extern VciJson *vci_metadata_jwt_vc_issuer(const VciIssuer *issuer, const VciPublishedKey *keys,
										   size_t count, int64_t now);

/* did:web document: one JsonWebKey method a key, under assertionMethod. */
extern VciJson *vci_metadata_did_document(const VciIssuer *issuer, const VciPublishedKey *keys,
										  size_t count, int64_t now);

typedef struct VciDeviation
{
	const char *name;	/* setting or switch, e.g. "access_token_lifetime" */
	const char *detail; /* plain words: what deviates, from which section, what to do */
} VciDeviation;

#define VCI_MAX_DEVIATIONS 24 /* more than any issuer or configuration has */

/*
 * Every way in which this issuer (configuration NULL) or configuration deviates from
 * OpenID4VCI 1.0 and RFC 9700. Fills at most max entries of static text; returns the count.
 */
extern size_t vci_deviations(const VciIssuer *issuer, const VciConfiguration *configuration,
							 VciDeviation *deviations, size_t max);

#endif
