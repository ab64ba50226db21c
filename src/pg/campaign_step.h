/*
 * One step of a campaign, in the caller's transaction: its recipients are loaded, or a chunk of
 * offers is made.
 */
#ifndef VCI_CAMPAIGN_STEP_H
#define VCI_CAMPAIGN_STEP_H

#include "campaign.h"

typedef struct VciCampaignStep
{
	const char *state; /* as vci_campaign_info has it, after the step */
	int64 loaded;	   /* recipients, in this step as the next three */
	int64 made;
	int64 existing;
	int64 failed;
	int64 recipients; /* of the whole campaign, as the next four */
	int64 made_so_far;
	int64 existing_so_far;
	int64 failed_so_far;
	double rate;
	double wait;  /* seconds until its pace, or others who are at it, let it go on; 0: none */
	int64 behind; /* id of the last recipient that was looked at; 0: begin anew */
} VciCampaignStep;

/* step->behind is where to go on; the rest is filled in. Opens and closes the store. */
extern void vci_campaign_take_step(int64 id, int64 max, VciCampaignStep *step);

#endif
