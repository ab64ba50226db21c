/*
 * DPoP (RFC 9449) at the endpoints: the proof of a request, the nonces for the next one.
 */
#ifndef VCI_PG_DPOP_H
#define VCI_PG_DPOP_H

#include "../protocol/http.h"
#include "answer.h"
#include "cache.h"
#include "store.h"

/*
 * Checks the DPoP header of a request and spends its jti; reads and writes nothing before
 * the signature holds. access_token: what came under scheme DPoP, NULL at the token and the
 * PAR endpoint. bound_to: the thumbprint that the proof's key must have, or NULL. *jkt is the thumbprint of the proof's key (palloc'd), NULL when there is no
 * proof or the issuer does not look at it (mode off); without a proof an issuer that requires
 * one says no, except at PAR. The issuer must be unsealed. VCI_ERR_DPOP, VCI_ERR_DPOP_NONCE.
 */
extern VciStatus vci_dpop_check(VciStore *store, const VciIssuerEntry *issuer,
								const VciHttpRequest *http, VciEndpoint endpoint,
								const char *access_token, const char *bound_to, char **jkt,
								VciError *error);

/*
 * What DPoP adds to each answer of such an endpoint, unless the issuer's mode is off: a
 * DPoP-Nonce header when the issuer (or this refusal) asks for nonces, and a DPoP challenge to
 * a refusal.
 * Call it once, on the finished answer, error or not.
 */
extern void vci_dpop_add_headers(VciAnswer *answer, const VciIssuerEntry *issuer);

#endif
