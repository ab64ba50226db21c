/*
 * Which offers a function for many of them means: those of a campaign, or with labels, or both.
 */
#ifndef VCI_OFFER_CHOICE_H
#define VCI_OFFER_CHOICE_H

#include "cache.h"
#include "store.h"

typedef struct VciOfferChoice
{
	VciIssuerEntry *issuer;
	int64 campaign_id; /* 0: any, or none */
	Datum labels;	   /* jsonb; 0: any, or none */
	int32 max_rows;
} VciOfferChoice;

/* Positions of the arguments that say it. */
typedef struct VciOfferChoiceArguments
{
	int campaign;
	int labels;
	int issuer;
	int max_rows;
	int reference; /* 0: the function has none */
} VciOfferChoiceArguments;

/*
 * Checks the caller's duty offerer for the campaign's issuer, or the one that is named (NULL: the
 * only one). Raises 22023 when none of campaign, labels and reference is given, which never means
 * all, when labels are no object with members or max_rows is not positive; 42704 when it is no
 * campaign of that issuer.
 */
extern VciOfferChoice vci_offer_choice(FunctionCallInfo fcinfo, VciStore *store,
									   VciOfferChoiceArguments arguments);

#endif
