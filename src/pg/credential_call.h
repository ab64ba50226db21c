/*
 * One credential request, from its checks to its record: the credential endpoint makes one,
 * the batch endpoint several. First everything is checked and signed, then it is written.
 */
#ifndef VCI_CREDENTIAL_CALL_H
#define VCI_CREDENTIAL_CALL_H

#include "../protocol/credential.h"
#include "../protocol/dataset.h"
#include "access.h"
#include "answer.h"
#include "cache.h"
#include "holder.h"
#include "issuance.h"

typedef struct VciSpentNonce
{
	int64 issued_at;
	unsigned char random[VCI_NONCE_RANDOM_BYTES];
} VciSpentNonce;

/* What the requests of one HTTP request share: token, time, digest, nonces to be spent. */
typedef struct VciCredentialSession
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	VciAccess access;
	const VciJson *datasets; /* the offer's; NULL: none */
	VciDataset of_offer;	 /* the offer's own subject and claims */
	int64 now;
	unsigned char digest[VCI_DIGEST_BYTES]; /* of the body, to recognise a repeated one */
	VciSpentNonce nonces[VCI_MAX_PROOFS];
	int nonce_count;
	int used_nonce; /* the one that vci_credential_session_spend found used already */
} VciCredentialSession;

typedef enum VciCredentialOutcome
{
	VCI_OUTCOME_ISSUE,
	VCI_OUTCOME_DEFER,
	VCI_OUTCOME_REPEAT,		 /* it was issued, and the answer may have got lost */
	VCI_OUTCOME_REPEAT_DEFER /* it was deferred, likewise */
} VciCredentialOutcome;

typedef struct VciCredentialCall
{
	VciCredentialSession *session;
	const VciCredentialRequest *request;
	const VciConfiguration *configuration;
	int position; /* of the configuration */
	int number;	  /* of the dataset */
	VciDataset dataset;
	const char *format;
	VciNamedHolder holder;
	VciKey *keys[VCI_MAX_PROOFS]; /* a credential for each; NULL: without cnf */
	int key_count;
	int nonce_end; /* of the session's nonces, those before it are of this call or earlier ones */
	VciCredentialOutcome outcome;
	const char *credentials[VCI_MAX_PROOFS]; /* signed */
	int64 expires_at[VCI_MAX_PROOFS];
	VciStatusPlace statuses[VCI_MAX_PROOFS];
	VciCredentialRow *rows; /* of VCI_OUTCOME_REPEAT */
	int64 first_id;			/* of the first credential record */
	int64 deferred_id;
	bool by_source; /* of VCI_OUTCOME_DEFER */
	int32 wait;
} VciCredentialCall;

/*
 * What comes before the body is looked at: issuance is not paused, the access token's MAC or
 * signature holds, the media type is right. store and issuer are set.
 */
extern VciStatus vci_credential_session_open(VciCredentialSession *session,
											 const VciHttpRequest *http, VciEndpoint endpoint,
											 VciError *error);

/* Locks the access token's rows and learns what the offer is for. */
extern VciStatus vci_credential_session_lock(VciCredentialSession *session, VciError *error);

/*
 * Checks everything about the request, decides the outcome, collects the claims and signs;
 * writes nothing. The proofs' nonces are added to the session.
 */
extern VciStatus vci_credential_call_check(VciCredentialCall *call, VciError *error);

/* Is its answer one that was given before? Its nonces are spent then. */
extern bool vci_credential_call_repeats(const VciCredentialCall *call);

/* Spends the session's nonces, all or none: a wallet keeps its fresh ones otherwise. */
extern VciStatus vci_credential_session_spend(VciCredentialSession *session, VciError *error);

/* Writes what the outcome asks for. The nonces are spent. */
extern void vci_credential_call_record(VciCredentialCall *call);

/* The response's body, owned; *status is 200 or 202. */
extern VciJson *vci_credential_call_response(const VciCredentialCall *call, int *status);

/* The refusal; drafts up to 13 hand a fresh c_nonce to a wallet whose proof was refused. */
extern VciAnswer *vci_credential_refuse(const VciIssuerEntry *issuer, bool older,
										const VciError *error);

/* Reads a JSON text that the store keeps; owned, NULL for NULL. */
extern VciJson *vci_stored_json(const char *text);

/*
 * notification_id of the answer that holds this credential record first, or NULL when the
 * issuer has no notification endpoint; palloc'd.
 */
extern char *vci_notification_id(const VciIssuerEntry *issuer, int64 credential_id,
								 int32 offer_generation);

/* transaction_id of a deferral; palloc'd. */
extern char *vci_transaction_id(const VciIssuerEntry *issuer, int64 deferred_id,
								int32 offer_generation);

#endif
