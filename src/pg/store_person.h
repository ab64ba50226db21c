/*
 * Everything of one person: offers, what waits, credentials, and what campaigns have in mind.
 */
#ifndef VCI_STORE_PERSON_H
#define VCI_STORE_PERSON_H

#include "store.h"

/* Who: a reference, or a subject, or both. */
typedef struct VciPersonKey
{
	int64 issuer_id;
	const char *reference;	   /* NULL: any, also below */
	const char *subject_model; /* with subject_id */
	const char *subject_id;
} VciPersonKey;

/* Of each kind, at most so many of the latest. */
#define VCI_PERSON_MAX 100

typedef struct VciPersonOffer
{
	int64 id;
	TimestampTz created_at;
	int32 tx_code_failures;
	TimestampTz tx_code_failed_at; /* 0: never, also below */
	TimestampTz opened_at;
	char *campaign; /* that addressed the person last; NULL: none */
	char *delivery; /* sent, failed ...; NULL: none */
	char *delivery_note;
	TimestampTz delivery_at;
} VciPersonOffer;

typedef struct VciPersonDeferral
{
	int64 id;
	int64 offer_id;
	TimestampTz created_at;
	char *configuration_id;
	char *state; /* as vci_deferred_info has it */
	char *reason;
	bool by_source;
} VciPersonDeferral;

typedef struct VciPersonCredential
{
	int64 id;
	int64 offer_id; /* 0: none */
	TimestampTz issued_at;
	char *configuration_id;
	char *state; /* valid, suspended, revoked, expired */
	char *status_reason;
	char *notification; /* what the wallet told; NULL: nothing */
	char *notification_description;
} VciPersonCredential;

/* Whom a campaign addresses, who has no offer. */
typedef struct VciPersonRecipient
{
	int64 id;
	TimestampTz at; /* when it failed; else when the campaign read it */
	char *campaign;
	char **configuration_ids;
	int configuration_count;
	char *failure; /* NULL: not tried yet */
} VciPersonRecipient;

/* All read under the calling query's snapshot, latest first. */
extern VciPersonOffer *vci_store_person_offers(VciStore *store, const VciPersonKey *key,
											   int *count);
extern VciPersonDeferral *vci_store_person_deferrals(VciStore *store, Datum offers, int *count);
/* offers: int8[]; those of the subject, too, where it is given. */
extern VciPersonCredential *vci_store_person_credentials(VciStore *store, const VciPersonKey *key,
														 Datum offers, int *count);
extern VciPersonRecipient *vci_store_person_recipients(VciStore *store, const VciPersonKey *key,
													   int *count);

#endif
