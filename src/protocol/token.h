/*
 * The token endpoint (OpenID4VCI 1.0 section 6, RFC 6749 section 5).
 */
#ifndef VCI_TOKEN_H
#define VCI_TOKEN_H

#include "http.h"
#include "issuer.h"

#define VCI_MAX_AUTHORIZATION_DETAILS 32
#define VCI_FIRST_DATASET			  1

typedef struct VciTokenRequest
{
	VciForm form;
	const char *grant_type;
	const char *pre_authorized_code;
	const char *tx_code;			/* NULL when absent */
	VciJson *authorization_details; /* parsed array; NULL when absent */
} VciTokenRequest;

/*
 * Reads a token request body (form). VCI_ERR_REQUEST, VCI_ERR_GRANT_TYPE (any grant but
 * pre-authorized_code), VCI_ERR_AUTHORIZATION_DETAILS (malformed, empty, other type),
 * form errors. Unknown parameters are ignored; client_id is accepted and not needed.
 */
extern VciStatus vci_token_request_parse(const char *body, size_t len, VciTokenRequest *request,
										 VciError *error);
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
} VciOfferFacts;

/*
 * May this code of that generation redeem the offer now? tx_code_matches is ignored
 * when the request or the offer has none. The order is: generation, cancelled,
 * redeemed, expired (all VCI_ERR_GRANT with a text for each), locked
 * (VCI_ERR_OFFER_LOCKED), tx_code missing or unexpected (neither counts), wrong
 * (VCI_ERR_TX_CODE_WRONG: the caller counts it and commits).
 */
extern VciStatus vci_token_check_offer(const VciTokenRequest *request, const VciOfferFacts *facts,
									   const VciIssuer *issuer, int32_t code_generation,
									   bool tx_code_matches, int64_t now, VciError *error);

/*
 * The configurations that the token will cover: those of the offer, narrowed to what
 * authorization_details names. VCI_ERR_AUTHORIZATION_DETAILS when one is not offered.
 * *selected is a new array of configuration ids.
 */
extern VciStatus vci_token_select_configurations(const VciTokenRequest *request,
												 const char *const *offered, size_t count,
												 VciJson **selected, VciError *error);

/*
 * credential_identifier of a dataset (from VCI_FIRST_DATASET on): the configuration id
 * itself is never one, because it holds no '#'. malloc'd.
 */
extern char *vci_credential_identifier(const char *configuration_id, int dataset);

/*
 * The response body: access_token, token_type, expires_in, c_nonce, c_nonce_expires_in,
 * and authorization_details (with credential_identifiers) when they were asked for. c_nonce
 * NULL leaves both members out; request may be NULL. New; NULL when memory is out.
 */
extern VciJson *vci_token_response(const VciIssuer *issuer, const VciTokenRequest *request,
								   const VciJson *selected, const char *access_token,
								   int32_t expires_in, const char *c_nonce);

#endif
