/*
 * The deferred credential endpoint (OpenID4VCI 1.0 section 9).
 */
#ifndef VCI_DEFERRED_H
#define VCI_DEFERRED_H

#include "credential.h"

#define VCI_MAX_WAIT 2592000 /* seconds that a claims source may ask for */

typedef struct VciDeferredRequest
{
	VciJson *body;
	const char *transaction_id; /* lent */
} VciDeferredRequest;

/*
 * Reads {"transaction_id": "..."}. VCI_ERR_JSON*, VCI_ERR_REQUEST (it is missing or no
 * string), VCI_ERR_ENCRYPTION (credential_response_encryption: not offered here).
 */
extern VciStatus vci_deferred_request_parse(const char *body, size_t len,
											VciDeferredRequest *request, VciError *error);
extern void vci_deferred_request_free(VciDeferredRequest *request);

/*
 * "Not yet": {"transaction_id","interval"}; drafts up to 13 know no interval in it, so older
 * shapes go without. New; NULL when memory is out.
 */
extern VciJson *vci_deferred_response(VciResponseShape shape, const char *transaction_id,
									  int32_t interval);

/*
 * What a claims source says instead of claims: a whole number of seconds from 1 to
 * VCI_MAX_WAIT means "not yet, ask again then". 0 for anything else.
 */
extern int32_t vci_deferred_wait(const VciJson *answer);

/* What the locked row says. */
typedef struct VciDeferredFacts
{
	bool issued;
	double issued_ago; /* seconds */
	bool denied;
	bool completed;
	bool by_source; /* the claims source decides, each time it is asked */
	int64_t expires_at;
} VciDeferredFacts;

typedef enum VciDeferredStep
{
	VCI_DEFERRED_WAIT,	/* nobody has decided yet */
	VCI_DEFERRED_ISSUE, /* now, if the claims source has the claims */
	VCI_DEFERRED_REPEAT /* the answer that may have got lost */
} VciDeferredStep;

/*
 * What to do when the wallet asks now. VCI_ERR_TRANSACTION: it was fetched longer ago than
 * the retry window, or is expired; VCI_ERR_DENIED.
 */
extern VciStatus vci_deferred_decide(const VciDeferredFacts *facts, const VciIssuer *issuer,
									 int64_t now, VciDeferredStep *step, VciError *error);

#endif
