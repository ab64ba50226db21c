/*
 * Whom a campaign addresses.
 */
#ifndef VCI_STORE_RECIPIENT_H
#define VCI_STORE_RECIPIENT_H

#include "store.h"

typedef struct VciRecipient
{
	int64 id;
	char *reference; /* NULL only as a query gave it */
	char *subject_model;
	char *subject_id;
	char *holder;
	char *channel;
	char *address;
	char *language;
	Datum labels; /* jsonb or 0 */
	Datum claims;
} VciRecipient;

/* What came of one of them. */
typedef struct VciRecipientOutcome
{
	int64 offer_id; /* 0: none, and failure says why */
	bool created;	/* false: its reference had that offer already */
	bool queued;	/* somebody has to be told of it */
	char *failure;
} VciRecipientOutcome;

/*
 * To be called behind many: a campaign that the statistics don't know is taken for one person's,
 * and each chunk of it would read the whole of it.
 */
extern void vci_store_analyze_recipients(VciStore *store);

/* Returns how many are new: a reference that is there, in the table or before, stays as it is. */
extern int64 vci_store_insert_recipients(VciStore *store, int64 campaign_id,
										 const VciRecipient *rows, int count);

/* Those who have no offer yet, behind this id, at most max, locked; others' are passed by. */
extern VciRecipient *vci_store_take_recipients(VciStore *store, int64 campaign_id, int64 behind,
											   int32 max, int *count);

/* rows: at least one, in the order of their ids. */
extern void vci_store_settle_recipients(VciStore *store, int64 campaign_id,
										const VciRecipient *rows,
										const VciRecipientOutcome *outcomes, int count);

/* Has anybody no offer yet, also where somebody is at it? */
extern bool vci_store_has_open_recipients(VciStore *store, int64 campaign_id);

/* Takes out who has no offer, or (failed_only) only who could get none; how many. */
extern int64 vci_store_drop_recipients(VciStore *store, int64 campaign_id, bool failed_only);

/* An offer that has the reference of row number row (from 0). */
typedef struct VciReferencedOffer
{
	int row;
	int64 id;
	bool pending;
	bool fits; /* it is of the same configurations */
} VciReferencedOffer;

extern VciReferencedOffer *vci_store_referenced_offers(VciStore *store, int64 issuer_id,
													   char **configuration_ids,
													   int configuration_count,
													   const VciRecipient *rows, int row_count,
													   int *count);

#endif
