/*
 * DIDs as holder keys: did:jwk and did:key are decoded, did:web is looked up in a
 * DID document that an operator loaded. Nothing is fetched.
 */
#ifndef VCI_DID_H
#define VCI_DID_H

#include <stdbool.h>

#include "json.h"
#include "jwk.h"

typedef enum VciDidMethod
{
	VCI_DID_NONE, /* not a DID */
	VCI_DID_JWK,
	VCI_DID_KEY,
	VCI_DID_WEB,
	VCI_DID_OTHER
} VciDidMethod;

/* Method of a DID or DID URL. */
extern VciDidMethod vci_did_method(const char *did_url);

/* The DID before '#', '?' or '/' of a DID URL, malloc'd; NULL when memory is out. */
extern char *vci_did_of_url(const char *did_url);

/*
 * The key of a did:jwk or did:key (P-256, P-384, Ed25519) DID or DID URL. A fragment,
 * when there is one, must name the one verification method ("#0", or the multibase
 * value). curves is as for vci_key_from_public_jwk_on. VCI_ERR_DID, VCI_ERR_KEY_UNSUPPORTED,
 * and the errors of a public JWK.
 */
extern VciStatus vci_key_from_did(const char *did_url, VciCurves *curves, VciKey **key,
								  VciError *error);

/*
 * The key that did_url names in a DID document (DID Core section 5.2): its id must be
 * the DID, the method must stand under "authentication" or "assertionMethod". A DID
 * without fragment is accepted when the document names exactly one such key.
 * publicKeyJwk and publicKeyMultibase are read.
 */
extern VciStatus vci_key_from_did_document(const VciJson *document, const char *did_url,
										   VciKey **key, VciError *error);

/*
 * did:web for an https or http issuer URL ("did:web:host%3A8443:tenant"); malloc'd, NULL
 * for another URL or when memory is out.
 */
extern char *vci_did_web_from_url(const char *url);

#endif
