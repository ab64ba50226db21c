/*
 * What an operator says of a campaign, as JSON.
 */
#ifndef VCI_CAMPAIGN_TERMS_H
#define VCI_CAMPAIGN_TERMS_H

#include "store_campaign.h"

/* Members of options: tx_code, expires_in, pace, labels, channel. Others are refused (22023). */
extern void vci_read_campaign_options(const VciJson *options, VciCampaignRow *row);

/* The same, and name, configuration_ids and recipients; null goes back to the default. */
extern void vci_read_campaign_changes(const VciJson *changes, VciCampaignRow *row);

/* Raises 22023 unless name and configurations can be what they are. */
extern void vci_check_campaign_row(const VciCampaignRow *row);

#endif
