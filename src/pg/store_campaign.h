/*
 * Campaigns themselves; whom they address stands in store_recipient.h.
 */
#ifndef VCI_STORE_CAMPAIGN_H
#define VCI_STORE_CAMPAIGN_H

#include "store.h"

typedef struct VciCampaignRow
{
	int64 id;
	int64 issuer_id;
	char *name;
	char **configuration_ids;
	int configuration_count;
	char *recipients;
	char *created_by;
	int32 tx_code_length; /* 0: no transaction code */
	char *tx_code_mode;	  /* "numeric" or "text" */
	char *tx_code_description;
	char *expires_in; /* NULL: offer_lifetime of the issuer */
	int32 pace;		  /* offers a minute; 0: as fast as they go */
	Datum labels;	  /* jsonb or 0 */
	char *channel;
	bool loaded;
	bool started;
	bool paused;
	bool finished;
	bool cancelled;
	int64 recipient_count;
	int64 made_count;
	int64 existing_count;
	int64 failed_count;
	double rate;		 /* recipients a second; 0: unknown */
	double paced_for;	 /* seconds until its pace lets it go on; 0: now */
	int64 expires_after; /* expires_in in seconds; 0: of the issuer */
} VciCampaignRow;

/*
 * Who makes offers of a campaign shares it until the transaction ends, who changes it has it
 * alone. A lock of the lock manager, where nobody who waits is overtaken for ever, as one who
 * waits for a row is by those who share it.
 */
extern void vci_store_lock_campaign(int64 id, bool alone);

/* NULL: there is none. keep: it stays as it is read until the transaction ends, but for counts. */
extern VciCampaignRow *vci_store_campaign(VciStore *store, int64 id, bool keep);

/* Its id; 0 when the issuer has one of this name. created_by is the store's caller. */
extern int64 vci_store_insert_campaign(VciStore *store, const VciCampaignRow *campaign);

/* Everything up to channel; false when the issuer has another one of this name. */
extern bool vci_store_alter_campaign(VciStore *store, const VciCampaignRow *campaign);

/*
 * A role of this name that has no privilege on the extension is another one than that which gave
 * queries under the name: they are to be given anew.
 */
extern void vci_store_disown_campaigns(VciStore *store, const char *role_name);

extern void vci_store_pause_campaign(VciStore *store, int64 id);
extern void vci_store_resume_campaign(VciStore *store, int64 id);
extern void vci_store_cancel_campaign(VciStore *store, int64 id);
extern void vci_store_finish_campaign(VciStore *store, int64 id);

/* Its recipients are loaded, so many new ones. */
extern void vci_store_note_loaded(VciStore *store, int64 id, int64 added);
/* They are to be loaded again; so many were taken out, of whom so many had failed. */
extern void vci_store_note_unloaded(VciStore *store, int64 id, int64 dropped, int64 failed);

/* A chunk that began at since. */
extern void vci_store_count_chunk(VciStore *store, int64 id, int64 made, int64 existing,
								  int64 failed, TimestampTz since);

/* Ends offers of the campaign that issued nothing yet, at most max; returns their ids. */
extern int64 *vci_store_cancel_campaign_offers(VciStore *store, int64 id, int32 max, int *count);

#endif
