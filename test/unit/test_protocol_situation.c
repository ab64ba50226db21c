/* How it stands with an offer: each situation, what helps, and what takes effect. */
#include "protocol/situation.h"

#include <stdio.h>
#include <string.h>

#include "protocol_fixture.h"

#define LATER	(NOW + 600)
#define EARLIER (NOW - 600)

/* "name next_action: action action", as the situation is compared. */
static void
stands(VciOfferStanding offer, const char *expected, int64_t until, const char *what)
{
	VciSituation situation;
	char text[400];
	int len;

	vci_situation_of(&offer, NOW, &situation);
	len = snprintf(text, sizeof(text), "%s %s:", situation.name,
				   situation.next_action ? situation.next_action : "-");
	for (int i = 0; i < situation.action_count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t) len, " %s", situation.actions[i]);
	is_text(text, expected, what);
	ok(situation.summary != NULL && strlen(situation.summary) > 20, "%s is said in a sentence",
	   situation.name);
	is_number(situation.until, until, "and until when");
}

static void
test_open(void)
{
	VciOfferStanding offer = {.expires_at = LATER, .ends_at = LATER};

	stands(offer,
		   "pending vci_offer_uri: vci_offer_uri vci_extend_offer vci_rotate_code vci_cancel_offer",
		   LATER, "without a transaction code");
	offer.has_tx_code = true;
	stands(offer,
		   "pending vci_offer_uri: vci_offer_uri vci_extend_offer vci_rotate_code "
		   "vci_reset_tx_code vci_cancel_offer",
		   LATER, "with one");
	offer.tx_code_from = NOW;
	stands(offer,
		   "pending vci_offer_uri: vci_offer_uri vci_extend_offer vci_rotate_code "
		   "vci_reset_tx_code vci_cancel_offer",
		   LATER, "after a wrong one, when the next is taken");
	offer.tx_code_from = NOW + 5;
	stands(offer,
		   "delayed vci_reset_tx_code: vci_offer_uri vci_extend_offer vci_rotate_code "
		   "vci_reset_tx_code vci_cancel_offer",
		   NOW + 5, "and when it is not yet");
	offer.locked = true;
	stands(offer,
		   "locked vci_reset_tx_code: vci_offer_uri vci_extend_offer vci_rotate_code "
		   "vci_reset_tx_code vci_cancel_offer",
		   LATER, "after too many");
	offer.expires_at = NOW;
	stands(offer,
		   "expired vci_extend_offer: vci_extend_offer vci_rotate_code vci_reset_tx_code "
		   "vci_cancel_offer",
		   0, "expired, whatever else");
	offer.claims_erased = true;
	stands(offer, "expired vci_create_offer: vci_cancel_offer", 0, "and its claims erased");
}

static void
test_redeemed(void)
{
	VciOfferStanding offer = {.redeemed = true, .expires_at = EARLIER, .ends_at = LATER};

	stands(offer, "redeemed -: vci_reopen_offer vci_cancel_offer", LATER, "while its token lives");
	offer.ends_at = 0;
	stands(offer, "redeemed -: vci_reopen_offer vci_cancel_offer", 0,
		   "of version 0.1.0, whose end is unknown");
	offer.ends_at = NOW;
	stands(offer, "lapsed vci_reopen_offer: vci_reopen_offer vci_cancel_offer", 0, "and after it");
	offer.claims_erased = true;
	stands(offer, "lapsed vci_create_offer: vci_cancel_offer", 0, "its claims erased");
	offer.claims_erased = false;
	offer.issued = true;
	stands(offer, "issued -:", 0, "its one credential issued");
	offer.brings_more = true;
	stands(offer, "issued -: vci_cancel_offer", 0, "one of several");
	offer.cancelled = true;
	stands(offer, "cancelled -:", 0, "cancelled after that");
	offer.issued = false;
	stands(offer, "cancelled -: vci_reopen_offer", 0, "cancelled before");
	offer.claims_erased = true;
	stands(offer, "cancelled -:", 0, "and its claims erased");
}

static void
test_deferred(void)
{
	VciOfferStanding offer = {.redeemed = true,
							  .ends_at = LATER,
							  .deferral = VCI_DEFERRAL_WAITING,
							  .deferral_expires_at = LATER + 1};

	stands(offer, "deferred vci_deferred_complete: vci_reopen_offer vci_cancel_offer", LATER + 1,
		   "somebody has to decide");
	offer.deferral = VCI_DEFERRAL_ASKED;
	stands(offer, "deferred -: vci_reopen_offer vci_cancel_offer", LATER + 1,
		   "the claims source decides");
	offer.deferral = VCI_DEFERRAL_READY;
	stands(offer, "ready -: vci_reopen_offer vci_cancel_offer", LATER + 1, "decided");
	offer.deferral = VCI_DEFERRAL_DENIED;
	stands(offer, "denied -: vci_reopen_offer vci_cancel_offer", 0, "denied");
	offer.issued = true;
	offer.brings_more = true;
	stands(offer, "issued -: vci_cancel_offer", 0, "denied, and another one issued");
	offer.deferral = VCI_DEFERRAL_WAITING;
	stands(offer, "deferred vci_deferred_complete: vci_cancel_offer", LATER + 1,
		   "one waits, and another one is issued");
}

int
main(void)
{
	test_open();
	test_redeemed();
	test_deferred();
	return done_testing();
}
