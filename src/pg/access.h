/*
 * Access to the resource endpoints (credential, batch, deferred, notification): under an
 * access token of our own, or a JWT of an external authorization server that the issuer
 * trusts (RFC 9068), as a bearer token (RFC 6750) or bound to a key (RFC 9449).
 */
#ifndef VCI_ACCESS_H
#define VCI_ACCESS_H

#include "../protocol/http.h"
#include "cache.h"
#include "store.h"

typedef struct VciAccess
{
	char *jkt;			/* of the DPoP proof's key; NULL: the token came as a bearer token */
	VciTokenRow *token; /* both since vci_access_lock */
	VciOfferRow *offer;

	/* private */
	int64 token_id; /* of an own token's ticket */
	int64 offer_id; /* 0: the ticket does not tell */
	int32 token_generation;
	struct VciExternalAccess *external; /* NULL: an own token */
} VciAccess;

/*
 * Checks the Authorization header: the MAC of an own token, or the signature and claims of a
 * trusted server's JWT, and the DPoP proof, of which it spends the jti. Reads no token row.
 * The issuer must be unsealed. VCI_ERR_TOKEN_MISSING, VCI_ERR_REQUEST (repeated header),
 * VCI_ERR_TOKEN, VCI_ERR_DPOP, VCI_ERR_DPOP_NONCE; VCI_ERR_SCOPE when a server's JWT names no
 * configuration of this issuer.
 */
extern VciStatus vci_access_open(VciStore *store, const VciIssuerEntry *issuer,
								 const VciHttpRequest *http, VciEndpoint endpoint,
								 VciAccess *access, VciError *error);

/*
 * Locks the token's row, then its offer's, and checks that the token is alive: expiry (unless
 * expired_too), generations, cancelled offer, binding to the proof's key. The first use of a
 * server's JWT makes both rows. Fills token and offer. VCI_ERR_TOKEN, and VCI_ERR_DENIED when
 * the registry knows no subject for a server's JWT.
 */
extern VciStatus vci_access_lock(VciStore *store, const VciIssuerEntry *issuer, int64 now,
								 bool expired_too, VciAccess *access, VciError *error);

#endif
