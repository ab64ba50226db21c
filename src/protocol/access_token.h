/*
 * JWT access tokens (RFC 9068) of external authorization servers.
 */
#ifndef VCI_ACCESS_TOKEN_H
#define VCI_ACCESS_TOKEN_H

#include "../jose/jws.h"
#include "../jose/seal.h"
#include "issuer.h"

#define VCI_ACCESS_TOKEN_LEEWAY	  60  /* seconds that a server's clock may be ahead */
#define VCI_ACCESS_TOKEN_TEXT_MAX 255 /* bytes of jti, client_id and the subject's claim */

/* What an issuer demands of one server's tokens. */
typedef struct VciAccessTokenPolicy
{
	const VciJson *jwks; /* the server's keys; NULL: none are loaded */
	bool accept_typ_jwt; /* also typ JWT, as Keycloak writes it, or none, as eSignet */
	bool accept_without_jti;
	const char *const *audiences;
	size_t audience_count;
	const char *const *client_ids;
	size_t client_id_count; /* 0: any client */
	const char *subject_claim;
	int64_t now; /* seconds since 1970 */
} VciAccessTokenPolicy;

/* Lent pointers into jws; all but iss only after vci_access_token_check. */
typedef struct VciAccessToken
{
	VciJws *jws;
	const char *iss;
	const char *jti; /* NULL: none, where the policy takes that */
	const char *subject;
	const char *client_id; /* client_id or azp; NULL: neither is there */
	const char *jkt;	   /* thumbprint of the key that it is bound to; NULL: a bearer token */
	int64_t expires_at;
	int64_t issued_at; /* iat; 0: none */
} VciAccessToken;

/* Is this a JWT by its shape (two dots)? A ticket of our own has no dot. */
extern bool vci_access_token_is_jwt(const char *text, size_t len);

/*
 * Takes a JWT apart and reads iss, by which the caller finds the server. Checks nothing else.
 * VCI_ERR_TOKEN. *token is NULL on failure.
 */
extern VciStatus vci_access_token_parse(const char *text, size_t len, VciAccessToken **token,
										VciError *error);

/*
 * typ, signature by a key of the server, then the claims (RFC 9068 section 4, RFC 9449
 * section 6.1): exp is there, nbf and iat are not in the future, aud holds one of the
 * audiences, client_id or azp is one of the client ids, jti (unless the policy takes tokens
 * without), the subject's claim a string, cnf with jkt alone. That exp is not past, the caller checks: some endpoints allow it.
 * VCI_ERR_TOKEN.
 */
extern VciStatus vci_access_token_check(VciAccessToken *token, const VciAccessTokenPolicy *policy,
										VciError *error);

/*
 * The configurations that the token is for: those whose scope its scope names, and those that
 * its authorization_details name (RFC 9396; with locations only where these hold the issuer's
 * URL). *selected is a new array of configuration ids. VCI_ERR_SCOPE when there is none.
 */
extern VciStatus vci_access_token_configurations(const VciAccessToken *token,
												 const VciIssuer *issuer,
												 const VciConfiguration *configurations,
												 size_t count, VciJson **selected, VciError *error);

/* What stands for this token among those used: over iss and jti, or what was signed. */
extern VciStatus vci_access_token_key(const VciAccessToken *token,
									  unsigned char key[VCI_DIGEST_BYTES], VciError *error);

extern void vci_access_token_free(VciAccessToken *token); /* NULL is allowed */

#endif
