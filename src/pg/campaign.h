/*
 * What the functions on campaigns share: who may use one, what its recipients get.
 */
#ifndef VCI_CAMPAIGN_H
#define VCI_CAMPAIGN_H

#include "cache.h"
#include "store_campaign.h"
#include "store_recipient.h"

#define VCI_CAMPAIGN_CHUNK 1000 /* recipients that are read, checked or made together */
#define VCI_REFERENCE_MAX  255	/* bytes */

typedef struct VciCampaign
{
	VciStore *store;
	VciCampaignRow *row;
	VciIssuerEntry *issuer;
} VciCampaign;

/*
 * The campaign of this id, for who has the duty offerer for its issuer; whether a stranger's
 * exists is not told. Raises 42704, or 55000 when the issuer is retired.
 */
extern VciCampaign vci_campaign_for_operator(VciStore *store, int64 id);

/*
 * The same, locked first: alone against everybody else on it, or shared by those who make its
 * offers. What row says is true until the transaction ends, but for its counts.
 */
extern VciCampaign vci_campaign_locked(VciStore *store, int64 id, bool alone);

/* The role with whose rights its recipients are read. Raises when it may not do so any more. */
extern Oid vci_campaign_role(const VciCampaign *campaign);

/* Raises 42704 or 55000 when no offer at all could be made: unknown configuration, no key. */
extern void vci_campaign_require_terms(const VciCampaign *campaign);

/*
 * What would come of these recipients, without writing anything: an offer that is there, or the
 * reason why none can be made, or neither when it can. A failure of the server is raised.
 * new_offers[i] is filled for those of whom one can be made.
 */
extern void vci_campaign_check(const VciCampaign *campaign, const VciRecipient *rows, int count,
							   VciNewOffer *new_offers, VciRecipientOutcome *outcomes);

/* The same, and makes the offers; the issuer must be unsealed. */
extern void vci_campaign_make(const VciCampaign *campaign, const VciRecipient *rows, int count,
							  VciRecipientOutcome *outcomes);

#endif
