#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"

#include "../protocol/landing.h"
#include "../protocol/offer.h"
#include "consent_endpoint.h"
#include "event.h"
#include "issuance.h"
#include "landing_endpoint.h"
#include "offer_functions.h"
#include "offer_situation.h"
#include "qr.h"
#include "release.h"
#include "ticket.h"
#include "values.h"

/* Browsers hold a form's target against it even when it is redirected to. */
#define FORM_ACTION "'self' openid-credential-offer:"

typedef struct LandingCall
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	VciPageLanguage language;
} LandingCall;

const char *
vci_landing_code(const VciIssuerEntry *issuer, const char *path)
{
	const char *base = issuer->places[VCI_ENDPOINT_LANDING].path;
	size_t len = strlen(base);

	if (!issuer->rules.endpoints[VCI_ENDPOINT_LANDING].enabled || strncmp(path, base, len) != 0 ||
		path[len] != '/' || path[len + 1] == '\0' || strchr(path + len + 1, '/') != NULL)
		return NULL;
	return path + len + 1;
}

static VciAnswer *
answer_page(const LandingCall *call, int status, const char *html, const char *form_action)
{
	VciAnswer *answer = vci_answer_page(status, html, &call->language, form_action);

	vci_answer_header(answer, "X-Robots-Tag", "noindex, nofollow");
	return answer;
}

static VciAnswer *
answer_notice(const LandingCall *call, int status, VciLandingState state)
{
	VciError error = VCI_ERROR_INIT;
	char **html = vci_own_text();

	vci_require(vci_landing_notice(&call->language, &call->issuer->rules, state, html, &error),
				&error);
	return answer_page(call, status, *html, "'none'");
}

/* By reference, which is the shorter one, where wallets can fetch the offer. */
static char *
wallet_link(const LandingCall *call, const VciOfferRow *offer)
{
	bool by_reference = call->issuer->rules.endpoints[VCI_ENDPOINT_OFFER].enabled;

	return vci_offer_link(call->issuer, offer,
						  by_reference ? VCI_LINK_BY_REFERENCE : VCI_LINK_BY_VALUE);
}

/* What the offer holds, without configurations that were retired since. */
static const VciConfiguration **
configurations_of(const LandingCall *call, const VciOfferRow *offer, size_t *count)
{
	const VciConfiguration **found =
		palloc(sizeof(VciConfiguration *) * Max(offer->configuration_count, 1));

	*count = 0;
	for (int i = 0; i < offer->configuration_count; i++)
	{
		int n = vci_cache_find_configuration(call->issuer, offer->configuration_ids[i]);

		if (n >= 0)
			found[(*count)++] = &call->issuer->configurations[n];
	}
	return found;
}

static VciAnswer *
answer_open(const LandingCall *call, const VciOfferRow *offer)
{
	const VciLandingWords *words = vci_landing_words(call->language.words->language);
	char *link = wallet_link(call, offer);
	VciError error = VCI_ERROR_INIT;
	char **html = vci_own_text();
	VciLandingPage page = {
		.language = &call->language,
		.issuer = &call->issuer->rules,
		.link = link,
		.qr = strlen(link) <= VCI_QR_MAX_BYTES ? vci_qr_svg(link, words->qr_label) : NULL,
		.has_tx_code = offer->tx_code_mode != NULL,
		.tx_code_description = offer->tx_code_description,
		.needs_login = !vci_offer_has_grant(offer, VCI_GRANT_PRE_AUTHORIZED),
		.wallet_url = call->issuer->wallet_url,
		.until = offer->expires_at,
	};

	page.configurations = configurations_of(call, offer, &page.configuration_count);
	vci_require(vci_landing_page(&page, html, &error), &error);
	return answer_page(call, 200, *html, FORM_ACTION);
}

/* The first press counts, and the way to the wallet does not depend on it. */
static void
note_opened(const LandingCall *call, const VciOfferRow *offer)
{
	if (offer->opened || RecoveryInProgress() || XactReadOnly)
		return;
	offer = vci_store_offer(call->store, offer->id, true);
	if (offer == NULL || offer->opened)
		return;
	vci_store_mark_opened(call->store, offer->id);
	vci_note(call->store, call->issuer,
			 (VciEvent){.kind = VCI_EVENT_OFFER_OPENED, .offer_id = offer->id});
}

static VciAnswer *
answer_offer(const LandingCall *call, const VciOfferRow *offer)
{
	VciSituation situation;
	VciLandingState state;

	(void) vci_tell_offer(call->store, call->issuer, offer, vci_now(), &situation);
	state = vci_landing_state(&situation);
	if (state != VCI_LANDING_OPEN)
		return answer_notice(call, situation.may_issue ? 200 : 410, state);
	if (strcmp(call->http->method, "POST") != 0)
		return answer_open(call, offer);
	note_opened(call, offer);
	return vci_answer_redirect(wallet_link(call, offer));
}

VciAnswer *
vci_landing_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	const char *code = vci_landing_code(issuer, http->path);
	LandingCall call = {.store = store, .issuer = issuer, .http = http};
	VciError error = VCI_ERROR_INIT;
	const VciOfferRow *offer;
	bool repeated;
	int64_t id;
	int32_t generation;
	VciStatus status;

	call.language = vci_page_language(vci_http_header(http, "Accept-Language", &repeated));
	status = vci_ticket_open(&issuer->ticket_keys, VCI_TICKET_LANDING, code, strlen(code), &id,
							 &generation, &error);
	if (vci_is_server_fault(status))
		vci_raise(&error);
	if (status != VCI_OK)
		return answer_notice(&call, 404, VCI_LANDING_UNKNOWN);
	if (vci_check_issuance(issuer, &error) != VCI_OK)
		return vci_consent_later(issuer, http, &error);
	offer = vci_store_offer(store, id, false);
	if (offer == NULL || offer->issuer_id != issuer->rules.id)
		return answer_notice(&call, 410, VCI_LANDING_EXPIRED); /* purged */
	if (offer->generation != generation)
		return answer_notice(&call, 410, VCI_LANDING_REPLACED);
	return answer_offer(&call, offer);
}
