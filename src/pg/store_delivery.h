/*
 * Statements on recipients of campaigns: what is to be sent to whom, and what became of it.
 */
#ifndef VCI_STORE_DELIVERY_H
#define VCI_STORE_DELIVERY_H

#include "store.h"

typedef struct VciDeliveryCampaign
{
	int64 id;
	int64 issuer_id;
	char *name;
	char *channel; /* of recipients that name none; NULL: none */
	bool paused;
} VciDeliveryCampaign;

/* All campaigns, or the one of this id (not 0), by id. */
extern VciDeliveryCampaign *vci_store_delivery_campaigns(VciStore *store, int64 id, int *count);

typedef struct VciDelivery
{
	int64 campaign_id;
	int64 id;
	int64 offer_id;
	char *reference;
	char *channel; /* NULL: the campaign's, also below */
	char *address;
	char *language;
	char *state; /* queued, taken, sent, delivered, failed */
	int32 attempts;
	bool sent; /* ever, as delivered */
	bool delivered;
} VciDelivery;

/* Whose deliveries a gateway asks for. */
typedef enum VciChannelMatch
{
	VCI_CHANNEL_ANY,
	VCI_CHANNEL_NAMED,	/* recipients that name this channel */
	VCI_CHANNEL_UNNAMED /* recipients that name none */
} VciChannelMatch;

/*
 * Takes at most max that are queued, or whose lease is over at now, until that time. Those that
 * another gateway is just taking are passed over.
 */
extern VciDelivery *vci_store_take_deliveries(VciStore *store, int64 campaign_id,
											  VciChannelMatch match, const char *channel,
											  TimestampTz now, TimestampTz until, int32 max,
											  int *count);

/* What was taken and can't be sent: the attempt is none. ids: int8[]. */
extern void vci_store_refuse_deliveries(VciStore *store, int64 campaign_id, Datum ids,
										TimestampTz now, const char *note);

/* The recipients of these campaigns and ids (int8[] both) that have an offer, locked. */
extern VciDelivery *vci_store_lock_deliveries(VciStore *store, Datum campaigns, Datum ids,
											  int *count);
/* state NULL: as it is; sent_at and delivered_at are set where they are not and the mark says so. */
extern void vci_store_mark_deliveries(VciStore *store, Datum campaigns, Datum ids,
									  const char *state, const char *note, TimestampTz now);

/* One recipient, under the calling query's snapshot; *issuer_id: the campaign's. NULL: none. */
extern VciDelivery *vci_store_delivery(VciStore *store, int64 campaign_id, int64 id,
									   int64 *issuer_id);

/* Which deliveries are to be sent again; at least one of the first three members is given. */
typedef struct VciResendChoice
{
	Datum campaigns; /* int8[] */
	const char *reference;
	Datum labels; /* jsonb, of the offers; 0: any */
	int64 issuer_id;
	const char *state; /* only those; NULL: sent, delivered and failed */
} VciResendChoice;

/* Queues at most max whose offer is still open, and returns how many. */
extern int64 vci_store_queue_again(VciStore *store, const VciResendChoice *choice, int32 max);

#endif
