#include "situation.h"

#include <string.h>

#define NEW_OFFER "vci_create_offer"
#define LINK	  "vci_offer_uri"
#define EXTEND	  "vci_extend_offer"
#define ROTATE	  "vci_rotate_code"
#define NEW_PIN	  "vci_reset_tx_code"
#define REOPEN	  "vci_reopen_offer"
#define CANCEL	  "vci_cancel_offer"
#define DECIDE	  "vci_deferred_complete"

static void
set(VciSituation *situation, const char *name, int64_t until, bool may_issue,
	const char *next_action)
{
	situation->name = name;
	situation->until = until;
	situation->may_issue = may_issue;
	situation->next_action = next_action;
}

/* Nobody has redeemed it. What is erased can't be offered for longer, only anew. */
static void
tell_open(const VciOfferStanding *offer, int64_t now, VciSituation *situation)
{
	if (offer->expires_at <= now)
		set(situation, "expired", 0, false, offer->claims_erased ? NEW_OFFER : EXTEND);
	else if (offer->locked)
		set(situation, "locked", offer->expires_at, true, NEW_PIN);
	else if (offer->tx_code_from > now)
		set(situation, "delayed", offer->tx_code_from, true, NEW_PIN);
	else
		set(situation, "pending", offer->expires_at, true, LINK);
}

/* A wallet has redeemed it, and has no credential yet. */
static void
tell_redeemed(const VciOfferStanding *offer, int64_t now, VciSituation *situation)
{
	if (offer->ends_at == 0 || offer->ends_at > now)
		set(situation, "redeemed", offer->ends_at, true, NULL);
	else
		set(situation, "lapsed", 0, false, offer->claims_erased ? NEW_OFFER : REOPEN);
}

static void
tell_deferred(const VciOfferStanding *offer, VciSituation *situation)
{
	switch (offer->deferral)
	{
		case VCI_DEFERRAL_WAITING:
			set(situation, "deferred", offer->deferral_expires_at, true, DECIDE);
			break;
		case VCI_DEFERRAL_ASKED:
			set(situation, "deferred", offer->deferral_expires_at, true, NULL);
			break;
		case VCI_DEFERRAL_READY:
			set(situation, "ready", offer->deferral_expires_at, true, NULL);
			break;
		case VCI_DEFERRAL_DENIED:
			set(situation, "denied", 0, false, NULL);
			break;
		case VCI_DEFERRAL_NONE:
			break;
	}
}

static void
tell(const VciOfferStanding *offer, int64_t now, VciSituation *situation)
{
	if (offer->cancelled)
		set(situation, "cancelled", 0, false, NULL);
	else if (!offer->redeemed)
		tell_open(offer, now, situation);
	else if (offer->deferral != VCI_DEFERRAL_NONE &&
			 !(offer->issued && offer->deferral == VCI_DEFERRAL_DENIED))
		tell_deferred(offer, situation);
	else if (offer->issued)
		set(situation, "issued", 0, offer->brings_more, NULL);
	else
		tell_redeemed(offer, now, situation);
}

static void
add(VciSituation *situation, bool takes_effect, const char *action)
{
	if (takes_effect)
		situation->actions[situation->action_count++] = action;
}

void
vci_situation_of(const VciOfferStanding *offer, int64_t now, VciSituation *situation)
{
	bool open = !offer->cancelled && !offer->redeemed;
	bool usable = open && !offer->claims_erased;

	memset(situation, 0, sizeof(*situation));
	tell(offer, now, situation);
	add(situation, usable && offer->expires_at > now, LINK);
	add(situation, usable, EXTEND);
	add(situation, usable, ROTATE);
	add(situation, usable && offer->has_tx_code, NEW_PIN);
	add(situation, !open && !offer->issued && !offer->claims_erased, REOPEN);
	add(situation, !offer->cancelled && (!offer->issued || offer->brings_more), CANCEL);
}
