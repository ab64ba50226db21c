/*
 * Statements of vci_purge: what is over is found by index and in bounded steps, and rows that
 * somebody else has locked are left to the next call.
 */
#ifndef VCI_STORE_PURGE_H
#define VCI_STORE_PURGE_H

#include "store.h"

/* What the settings of all issuers, retired ones too, come to. Seconds. */
typedef struct VciRetention
{
	int64 shortest_token;	   /* also of refresh tokens, authorizations, deferrals; 0: no issuer */
	int64 shortest_offer;	   /* 0: every issuer keeps them for good */
	int64 shortest_credential; /* the same */
	int64 longest_event;	   /* 0: some issuer keeps them for good */
	int64 longest_retry_window;
} VciRetention;

extern VciRetention vci_store_retention(VciStore *store);

/* Spent c_nonces and DPoP proofs. */
extern int64 vci_store_purge_nonces(VciStore *store, int64 issued_before, int32 max_rows);
extern int64 vci_store_purge_dpop_proofs(VciStore *store, int64 issued_before, int32 max_rows);
/* How many of them there are to purge, counted up to max. */
extern int64 vci_store_count_old_nonces(VciStore *store, int64 issued_before, int64 max);
extern int64 vci_store_count_old_dpop_proofs(VciStore *store, int64 issued_before, int64 max);

/* How far the purge has come with a kind of row. */
typedef struct VciPurgeMark
{
	int64 mark;
	int64 swept_at; /* 0: never */
} VciPurgeMark;

/* Locks it until the transaction ends; false while another transaction has it. */
extern bool vci_store_lock_mark(VciStore *store, const char *kind, VciPurgeMark *mark);
/* swept_at 0: as it was. */
extern void vci_store_set_mark(VciStore *store, const char *kind, int64 mark, int64 swept_at);
#define VCI_CLAIMS		"claims"
#define VCI_KEPT_CLAIMS "kept_claims"

/* The next sweep of this kind begins anew, and at once. */
extern void vci_store_restart_sweep(VciStore *store, const char *kind);

/*
 * Offers whose claims_due has come: their claims are erased, or looked at again when they end,
 * or stay for good when their issuer keeps them now. Returns how many.
 */
extern int64 vci_store_purge_due_claims(VciStore *store, int64 now, int32 max_rows);
extern int64 vci_store_count_due_claims(VciStore *store, int64 now, int64 max);

/* Events behind which offers may have ended before their claims are due. */
typedef struct VciEndings
{
	int64 mark;		/* the last event that was looked at */
	Datum offers;	/* int8[]; 0: there is none */
	Datum deferred; /* int8[]; 0: there is none */
	int deferred_count;
	bool more; /* there are further ones to look at now */
} VciEndings;

/*
 * Looks at most at max_events behind the mark, as far as they are settled and happened before
 * that time, for at most max_offers endings.
 */
extern VciEndings vci_store_endings(VciStore *store, int64 mark, int64 before, int64 max_events,
									int32 max_offers);
/* The last event there is. */
extern int64 vci_store_last_event(VciStore *store);
/*
 * Offers of one credential, whose deferral was denied: nothing comes of them any more, unless a
 * refresh token is out. Those with more credentials end with their token.
 */
extern void vci_store_end_denied_offers(VciStore *store, int64 now, Datum deferred);
/* Erases the claims of those of the offers that are over; returns of how many. */
extern int64 vci_store_erase_offer_claims(VciStore *store, int64 now, Datum offers);
/* Erases the claims of those of the deferrals that are over; returns of how many. */
extern int64 vci_store_erase_deferred_claims(VciStore *store, int64 now, Datum deferred);

/* Tables without an index by which what is over could be found: read in the order of ids. */
typedef enum VciSweep
{
	VCI_SWEEP_TOKEN,
	VCI_SWEEP_REFRESH_TOKEN,
	VCI_SWEEP_AUTHORIZATION,
	VCI_SWEEP_DEFERRED,
	VCI_SWEEP_OFFER,
	VCI_SWEEP_CREDENTIAL,
	VCI_SWEEP_KEPT_CLAIMS /* claims whose issuer kept them, and does so no more */
} VciSweep;

typedef struct VciSweepWindow
{
	int64 last;	 /* id of the last row looked at, or of the last one of due when they are max */
	int64 count; /* rows looked at */
	Datum due;	 /* int8[] of what is over; 0: nothing is */
	int due_count;
	bool old; /* was any row made before old_before? */
} VciSweepWindow;

/* Looks at most at max_rows rows behind mark, for at most max_due that are over. */
extern VciSweepWindow vci_store_look(VciStore *store, VciSweep sweep, int64 now, int64 mark,
									 int64 max_rows, int32 max_due, int64 old_before);
/* Removes (of kept claims: makes due) those that are still over; returns how many. */
extern int64 vci_store_clear(VciStore *store, VciSweep sweep, int64 now, Datum due);
/* Recipients of campaigns, in the order of campaign and id. */
typedef struct VciRecipientWindow
{
	int64 last_campaign; /* of the last row looked at, or of the last one due when they are max */
	int64 last;
	int64 count; /* rows looked at */
	int64 due_count;
} VciRecipientWindow;

/* Looks at most at max_rows rows behind this one, for at most max_due to remove or erase. */
extern VciRecipientWindow vci_store_look_at_recipients(VciStore *store, int64 now,
													   int64 after_campaign, int64 after,
													   int64 max_rows, int32 max_due);
/* Removes them, or erases addresses, claims and notes; returns how many. */
extern int64 vci_store_clear_recipients(VciStore *store, int64 now, int64 after_campaign,
										int64 after, const VciRecipientWindow *window);

/* The highest id of the table. */
extern int64 vci_store_last_id(VciStore *store, VciSweep sweep);

#endif
