/*
 * How it stands with an offer, and what its registry can do about it.
 */
#ifndef VCI_SITUATION_H
#define VCI_SITUATION_H

#include <stdbool.h>
#include <stdint.h>

/* Of the offer's deferred credentials, the one that says most. */
typedef enum VciDeferral
{
	VCI_DEFERRAL_NONE,
	VCI_DEFERRAL_WAITING, /* for vci_deferred_complete */
	VCI_DEFERRAL_ASKED,	  /* the claims source said "not yet" and is asked again */
	VCI_DEFERRAL_READY,
	VCI_DEFERRAL_DENIED
} VciDeferral;

/* What is known of the offer; times in seconds since 1970. */
typedef struct VciOfferStanding
{
	bool cancelled;
	bool redeemed;
	bool issued;
	bool claims_erased;
	bool brings_more; /* than the one credential that was issued */
	bool has_tx_code;
	bool locked;		  /* by wrong transaction codes */
	int64_t tx_code_from; /* when the next one is taken; 0: at once */
	int64_t expires_at;
	int64_t ends_at; /* when nothing more can be issued; 0: unknown */
	VciDeferral deferral;
	int64_t deferral_expires_at;
} VciOfferStanding;

#define VCI_SITUATION_MAX_ACTIONS 5

typedef struct VciSituation
{
	const char *name;
	const char *summary;	 /* the same in a sentence, for who helps people */
	int64_t until;			 /* when it ends by itself; 0: it does not */
	bool may_issue;			 /* a wallet may come for a credential */
	const char *next_action; /* SQL function that helps; NULL: there is nothing to do */
	const char *actions[VCI_SITUATION_MAX_ACTIONS]; /* those that take effect now */
	int action_count;
} VciSituation;

/* Why a wallet that does all right gets nothing, in a sentence; NULL: there is no such obstacle. */
extern const char *vci_obstacle_summary(const char *obstacle);

extern void vci_situation_of(const VciOfferStanding *offer, int64_t now, VciSituation *situation);

#endif
