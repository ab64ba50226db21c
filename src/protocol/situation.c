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

/* What each situation means to the person and to who helps. */
static const struct
{
	const char *name;
	const char *summary;
} words[] = {
	{"pending", "Nobody has used the offer yet: its link or QR code, opened with a wallet, brings "
				"the credential."},
	{"delayed", "A wrong PIN was entered just now; in a moment the next one is taken."},
	{"locked", "Too many wrong PINs were entered: the offer is locked until it gets a new PIN."},
	{"expired", "Nobody used the offer in time."},
	{"redeemed", "A wallet has taken up the offer and can fetch the credential."},
	{"deferred", "A wallet has asked for the credential, which waits for a decision or for data."},
	{"ready", "The credential that waited is ready: the wallet can fetch it now."},
	{"denied", "The credential was denied."},
	{"lapsed", "A wallet took up the offer and never fetched the credential; its time is over."},
	{"issued", "The credential was issued to a wallet."},
	{"cancelled", "The offer was cancelled: its link is dead."},
};

static const struct
{
	const char *name;
	const char *summary;
} obstacles[] = {
	{"copy", "This database is a copy of the one that issues."},
	{"paused", "Issuance is paused: wallets are told to try again later."},
	{"no_key", "The issuer has no active signing key."},
	{"configuration_retired", "What is offered is not issued any more."},
	{"holder_unknown", "The holder's did:web document is not loaded."},
};

const char *
vci_obstacle_summary(const char *obstacle)
{
	for (size_t i = 0; obstacle != NULL && i < sizeof(obstacles) / sizeof(obstacles[0]); i++)
		if (strcmp(obstacles[i].name, obstacle) == 0)
			return obstacles[i].summary;
	return NULL;
}

static const char *
summary_of(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].summary;
	return NULL;
}

static void
set(VciSituation *situation, const char *name, int64_t until, bool may_issue,
	const char *next_action)
{
	situation->name = name;
	situation->summary = summary_of(name);
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
