#include "token.h"

#include <string.h>

#include "../jose/base64url.h"
#include "../jose/seal.h"
#include "offer.h"

static VciStatus
check_pre_authorized_state(const VciOfferFacts *facts, int32_t code_generation, int64_t now,
						   VciError *error)
{
	if (facts->authorization_only)
		return vci_error(error, VCI_ERR_GRANT, "this offer has no pre-authorized code grant");
	if (code_generation != facts->generation)
		return vci_error(error, VCI_ERR_GRANT,
						 "this code was replaced by a newer one; ask the issuer for the current "
						 "link");
	if (facts->cancelled)
		return vci_error(error, VCI_ERR_GRANT, "the issuer cancelled this offer");
	if (facts->redeemed)
		return vci_error(error, VCI_ERR_GRANT,
						 "this code was redeemed already; a code works once, ask the issuer for a "
						 "new offer");
	if (now >= facts->expires_at)
		return vci_error(error, VCI_ERR_GRANT,
						 "this code has expired; ask the issuer for a new offer");
	return VCI_OK;
}

static VciStatus
check_tx_code(const VciTokenRequest *request, const VciOfferFacts *facts, const VciIssuer *issuer,
			  bool tx_code_matches, VciError *error)
{
	if (!facts->has_tx_code)
	{
		if (request->tx_code != NULL)
			return vci_error(error, VCI_ERR_TX_CODE_UNEXPECTED,
							 "this offer has no transaction code; repeat the request without "
							 "tx_code");
		return VCI_OK;
	}
	if (facts->tx_code_failures >= issuer->tx_code_max_failures)
		return vci_error(error, VCI_ERR_OFFER_LOCKED,
						 "this offer is locked after too many wrong transaction codes; ask the "
						 "issuer for a new one");
	if (request->tx_code == NULL)
		return vci_error(error, VCI_ERR_TX_CODE_MISSING,
						 "this offer needs its transaction code in the parameter tx_code");
	if (facts->tx_code_wait > 0)
		return vci_error(error, VCI_ERR_TOO_MANY,
						 "the last transaction code was wrong; the next one is taken in %d seconds",
						 (int) facts->tx_code_wait);
	if (!tx_code_matches)
		return vci_error(error, VCI_ERR_TX_CODE_WRONG, "the transaction code is wrong");
	return VCI_OK;
}

static bool
same_client(const char *bound, const char *given)
{
	return bound == NULL || (given != NULL && strcmp(bound, given) == 0);
}

VciStatus
vci_token_check_offer(const VciTokenRequest *request, const VciOfferFacts *facts,
					  const VciIssuer *issuer, int32_t code_generation, bool tx_code_matches,
					  int64_t now, VciError *error)
{
	VciStatus status = check_pre_authorized_state(facts, code_generation, now, error);

	if (status != VCI_OK)
		return status;
	if (!same_client(facts->client_id, request->client_id))
		return vci_error(error, VCI_ERR_CLIENT,
						 "this offer is for another wallet; send its client_id");
	return check_tx_code(request, facts, issuer, tx_code_matches, error);
}

VciStatus
vci_pkce_check(const char *code_challenge, const char *code_verifier, VciError *error)
{
	unsigned char digest[VCI_DIGEST_BYTES];
	char computed[VCI_DIGEST_BYTES * 2];
	VciStatus status;

	if (code_challenge == NULL && code_verifier == NULL)
		return VCI_OK;
	if (code_challenge == NULL)
		return vci_error(error, VCI_ERR_PKCE,
						 "a code_verifier came, but the authorization request had no "
						 "code_challenge");
	if (code_verifier == NULL)
		return vci_error(error, VCI_ERR_PKCE,
						 "the code_verifier is missing: the authorization request had a "
						 "code_challenge");
	status = vci_sha256(code_verifier, strlen(code_verifier), digest, error);
	if (status != VCI_OK)
		return status;
	vci_base64url_encode(digest, sizeof(digest), computed);
	if (strlen(computed) != strlen(code_challenge) ||
		!vci_bytes_equal(computed, code_challenge, strlen(computed)))
		return vci_error(error, VCI_ERR_PKCE,
						 "the code_verifier does not belong to the code_challenge of the "
						 "authorization request");
	return VCI_OK;
}

/* The DPoP key of the request against the one that the grant is bound to. */
static VciStatus
check_key(const char *bound, const char *jkt, const char *what, VciError *error)
{
	if (bound == NULL)
		return VCI_OK;
	if (jkt == NULL)
		return vci_error(error, VCI_ERR_DPOP,
						 "%s is bound to a key: send a DPoP proof made with it", what);
	if (strcmp(bound, jkt) != 0)
		return vci_error(error, VCI_ERR_GRANT, "%s is bound to another DPoP key", what);
	return VCI_OK;
}

/* Is the asker the one who got the code? */
static VciStatus
check_code_holder(const VciTokenRequest *request, const VciAuthorizationFacts *facts,
				  int32_t code_generation, const char *jkt, VciError *error)
{
	VciStatus status;

	if (code_generation != facts->generation)
		return vci_error(error, VCI_ERR_GRANT, "this authorization code is void");
	if (!same_client(facts->client_id, request->client_id))
		return vci_error(error, VCI_ERR_GRANT,
						 "this authorization code was given to another client_id");
	/* RFC 6749 section 4.1.3: it always came with the authorization request here */
	if (request->redirect_uri == NULL || strcmp(request->redirect_uri, facts->redirect_uri) != 0)
		return vci_error(error, VCI_ERR_GRANT,
						 "redirect_uri must be the one of the authorization request");
	status = vci_pkce_check(facts->code_challenge, request->code_verifier, error);
	if (status != VCI_OK)
		return status;
	return check_key(facts->jkt, jkt, "this authorization code", error);
}

VciStatus
vci_token_check_authorization(const VciTokenRequest *request, const VciAuthorizationFacts *facts,
							  int32_t code_generation, const char *jkt, int64_t now, bool *replayed,
							  VciError *error)
{
	VciStatus status = check_code_holder(request, facts, code_generation, jkt, error);

	*replayed = false;
	if (status != VCI_OK)
		return status;
	if (facts->redeemed)
	{
		*replayed = true;
		return vci_error(error, VCI_ERR_GRANT,
						 "this authorization code was redeemed already; what it gave is revoked");
	}
	if (!facts->approved || facts->denied)
		return vci_error(error, VCI_ERR_GRANT, "this authorization request is not approved");
	if (now >= facts->code_expires_at)
		return vci_error(error, VCI_ERR_GRANT,
						 "this authorization code has expired; start a new authorization request");
	return VCI_OK;
}

VciStatus
vci_token_check_refresh(const VciTokenRequest *request, const VciRefreshFacts *facts,
						int32_t token_generation, const char *jkt, int64_t now, bool *replayed,
						VciError *error)
{
	VciStatus status;

	*replayed = false;
	if (token_generation != facts->generation)
		return vci_error(error, VCI_ERR_GRANT, "this refresh token is void");
	if (!same_client(facts->client_id, request->client_id))
		return vci_error(error, VCI_ERR_GRANT, "this refresh token was given to another client_id");
	status = check_key(facts->jkt, jkt, "this refresh token", error);
	if (status != VCI_OK)
		return status;
	if (facts->replaced)
	{
		*replayed = true;
		return vci_error(error, VCI_ERR_GRANT,
						 "this refresh token was replaced, and the new one was used; all of them "
						 "are revoked");
	}
	if (now >= facts->expires_at)
		return vci_error(error, VCI_ERR_GRANT,
						 "this refresh token has expired; ask the issuer for a new offer");
	return VCI_OK;
}
