/*
 * The token endpoint (OpenID4VCI 1.0 section 6, RFC 6749 sections 4.1.3, 5 and 6).
 */
#ifndef VCI_TOKEN_H
#define VCI_TOKEN_H

#include "dataset.h"
#include "http.h"
#include "issuer.h"

#define VCI_GRANT_REFRESH_TOKEN		  "refresh_token"
#define VCI_MAX_AUTHORIZATION_DETAILS 32

/*
 * Reads authorization_details (RFC 9396, OpenID4VCI 1.0 section 5.1.1): a JSON array of 1 to
 * VCI_MAX_AUTHORIZATION_DETAILS objects of type openid_credential, each with its
 * credential_configuration_id; locations, when there, must hold issuer_url. Unknown members
 * are ignored. *details is new. VCI_ERR_AUTHORIZATION_DETAILS.
 */
extern VciStatus vci_authorization_details_parse(const char *text, const char *issuer_url,
												 VciJson **details, VciError *error);

/* Is text one of the values of scope, which spaces separate (RFC 6749 section 3.3)? */
extern bool vci_scope_names(const char *scope, const char *text);

/*
 * The configurations that the values of scope (RFC 6749 section 3.3) name; unknown values are
 * ignored. *selected is a new array of configuration ids. VCI_ERR_SCOPE_UNKNOWN when it
 * would be empty.
 */
extern VciStatus vci_scope_select(const char *scope, const VciConfiguration *configurations,
								  size_t count, VciJson **selected, VciError *error);

typedef enum VciGrant
{
	VCI_BY_PRE_AUTHORIZED_CODE,
	VCI_BY_AUTHORIZATION_CODE,
	VCI_BY_REFRESH_TOKEN
} VciGrant;

typedef struct VciTokenRequest
{
	VciForm form;
	VciGrant grant;
	/* what redeems the grant: pre-authorized code, authorization code or refresh token */
	const char *credential;
	/* NULL when absent, as all below; the last three are read with the grant they belong to */
	const char *client_id;
	VciJson *authorization_details; /* parsed array */
	const char *tx_code;			/* pre-authorized code */
	const char *redirect_uri;		/* authorization code */
	const char *code_verifier;		/* authorization code */
	const char *scope;				/* refresh token */
} VciTokenRequest;

/*
 * Reads a token request body (form). VCI_ERR_REQUEST, VCI_ERR_GRANT_TYPE (any but the three),
 * VCI_ERR_PKCE (a malformed code_verifier, RFC 7636 section 4.1),
 * VCI_ERR_AUTHORIZATION_DETAILS (malformed, empty, other type), form errors. Unknown
 * parameters are ignored.
 */
extern VciStatus vci_token_request_parse(const char *body, size_t len, const char *issuer_url,
										 VciTokenRequest *request, VciError *error);
extern void vci_token_request_free(VciTokenRequest *request);

/* What the offer's locked row says. */
typedef struct VciOfferFacts
{
	int32_t generation;
	bool cancelled;
	bool redeemed;
	bool authorization_only; /* the offer has no pre-authorized grant */
	int64_t expires_at;		 /* seconds since 1970 */
	bool has_tx_code;
	int32_t tx_code_failures;
	int32_t tx_code_wait;  /* seconds until it takes a transaction code again */
	const char *client_id; /* the only client that may redeem it; NULL: any */
} VciOfferFacts;

/*
 * May this pre-authorized code of that generation redeem the offer now? tx_code_matches is
 * ignored when the request or the offer has none. The order is: generation, cancelled,
 * redeemed, expired (all VCI_ERR_GRANT with a text for each), another client
 * (VCI_ERR_CLIENT), locked (VCI_ERR_OFFER_LOCKED), tx_code missing or unexpected, too soon
 * after a wrong one (VCI_ERR_TOO_MANY; none of these counts), wrong
 * (VCI_ERR_TX_CODE_WRONG: the caller counts it and commits).
 */
extern VciStatus vci_token_check_offer(const VciTokenRequest *request, const VciOfferFacts *facts,
									   const VciIssuer *issuer, int32_t code_generation,
									   bool tx_code_matches, int64_t now, VciError *error);

/*
 * Does code_verifier (NULL: none came) prove code_challenge, its base64url SHA-256 (NULL:
 * there was none, and then none may come, RFC 9700 section 4.8.2)? VCI_ERR_PKCE.
 */
extern VciStatus vci_pkce_check(const char *code_challenge, const char *code_verifier,
								VciError *error);

/* What the locked row of an authorization says. */
typedef struct VciAuthorizationFacts
{
	int32_t generation;
	const char *client_id;
	const char *redirect_uri;
	const char *code_challenge; /* NULL: none */
	const char *jkt;			/* DPoP key the code is bound to; NULL: none */
	bool approved;
	bool denied;
	bool redeemed;
	int64_t code_expires_at;
} VciAuthorizationFacts;

/*
 * May this authorization code of that generation be redeemed now, under a DPoP proof of the
 * key jkt (NULL: none came)? First what shows that the asker is the one who got the code:
 * generation, client, redirect_uri (VCI_ERR_GRANT), PKCE (VCI_ERR_PKCE), key (VCI_ERR_DPOP
 * without a proof, VCI_ERR_GRANT). *replayed is set when all of that holds and the code is
 * redeemed already (VCI_ERR_GRANT): what it gave is to be revoked (RFC 6749 section 4.1.2).
 */
extern VciStatus vci_token_check_authorization(const VciTokenRequest *request,
											   const VciAuthorizationFacts *facts,
											   int32_t code_generation, const char *jkt,
											   int64_t now, bool *replayed, VciError *error);

/* What the locked row of a refresh token says. */
typedef struct VciRefreshFacts
{
	int32_t generation;
	const char *client_id; /* NULL: any */
	const char *jkt;	   /* NULL: not bound */
	bool replaced;		   /* its successor was used */
	int64_t expires_at;
} VciRefreshFacts;

/*
 * May this refresh token be used now? VCI_ERR_GRANT, VCI_ERR_DPOP (bound, and no proof came).
 * *replayed is set when client and key hold and its successor was used already: the family
 * is to be revoked (RFC 9700 section 4.14.2).
 */
extern VciStatus vci_token_check_refresh(const VciTokenRequest *request,
										 const VciRefreshFacts *facts, int32_t token_generation,
										 const char *jkt, int64_t now, bool *replayed,
										 VciError *error);

/*
 * The configurations that the token will cover: those granted, narrowed to what
 * authorization_details, or else scope, name. VCI_ERR_AUTHORIZATION_DETAILS or
 * VCI_ERR_SCOPE_UNKNOWN when one is not granted. *selected is a new array of configuration
 * ids in the order in which they were granted or asked for.
 */
extern VciStatus vci_token_select_configurations(const VciTokenRequest *request,
												 const char *const *granted, size_t count,
												 const VciConfiguration *configurations,
												 size_t configuration_count, VciJson **selected,
												 VciError *error);

/*
 * Must the token response name credential_identifiers: they were asked for, or one of the
 * configurations has several datasets?
 */
extern bool vci_token_needs_identifiers(const VciJson *selected, const VciJson *datasets,
										bool asked_for);

typedef struct VciTokenGrant
{
	const char *access_token;
	bool bound; /* to a DPoP key */
	int32_t expires_in;
	const char *refresh_token; /* NULL: none, also below */
	const char *c_nonce;
	const VciJson *selected; /* configuration ids */
	const VciJson *datasets; /* of the offer */
	bool identifiers;		 /* name credential_identifiers */
} VciTokenGrant;

/*
 * The response body: access_token, token_type, expires_in, refresh_token, c_nonce,
 * c_nonce_expires_in, authorization_details. New; NULL when memory is out.
 */
extern VciJson *vci_token_response(const VciIssuer *issuer, const VciTokenGrant *grant);

#endif
