#include "compat.h"

#include "../protocol/authorization.h"
#include "../protocol/offer.h"
#include "../protocol/redirect.h"
#include "authorization.h"
#include "authorization_endpoint.h"
#include "consent_endpoint.h"
#include "issuance.h"
#include "dpop.h"
#include "event.h"
#include "offer_functions.h"
#include "release.h"
#include "ticket.h"
#include "values.h"

#define RATE_SECONDS 60

/* An authorization request while it is checked. */
typedef struct Arrival
{
	VciStore *store;
	const VciIssuerEntry *issuer;
	const VciHttpRequest *http;
	VciAuthorizationRequest *request;
	const VciClientRow *client;
	VciOfferRow *offer; /* of issuer_state; NULL: none */
	VciJson *selected;
	char *jkt;
	int64 now;
	int retry_after; /* seconds, with VCI_ERR_TOO_MANY */
} Arrival;

static Arrival
arrival_of(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	return (Arrival){.store = store,
					 .issuer = issuer,
					 .http = http,
					 .request = vci_own_authorization_request(),
					 .now = vci_now()};
}

/* Where a person logs in and decides. */
typedef enum LoginPlace
{
	LOGIN_NOWHERE,
	LOGIN_PORTAL,  /* the registry's own page */
	LOGIN_BUILT_IN /* the consent endpoint */
} LoginPlace;

static LoginPlace
login_place(const VciIssuerEntry *issuer)
{
	if (issuer->login_url != NULL)
		return LOGIN_PORTAL;
	if (issuer->authenticate.function != NULL &&
		issuer->rules.endpoints[VCI_ENDPOINT_CONSENT].enabled)
		return LOGIN_BUILT_IN;
	return LOGIN_NOWHERE;
}

/* What must hold before any request is looked at. */
static VciStatus
check_issuer(const VciIssuerEntry *issuer, VciError *error)
{
	VciStatus status = vci_check_issuance(issuer, error);

	if (status == VCI_OK && login_place(issuer) == LOGIN_NOWHERE)
		return vci_error(error, VCI_ERR_REQUEST,
						 "this issuer has no login page; ask it for an offer instead");
	return status;
}

/* The form of a POST, or the query. */
static VciStatus
read_request(Arrival *arrival, VciError *error)
{
	const VciHttpRequest *http = arrival->http;
	const char *text = http->query == NULL ? "" : http->query;
	size_t len = strlen(text);

	if (strcmp(http->method, "POST") == 0)
	{
		VciStatus status =
			vci_http_content_type_check(http, "application/x-www-form-urlencoded", error);

		if (status != VCI_OK)
			return status;
		text = http->body == NULL ? "" : http->body;
		len = http->body_len;
	}
	return vci_authorization_request_parse(text, len, arrival->request, error);
}

static VciStatus
check_client(Arrival *arrival, VciError *error)
{
	return vci_authorization_check_client(arrival->issuer, arrival->request->client_id,
										  arrival->request->redirect_uri, &arrival->client, error);
}

static VciStatus
check_offer(const Arrival *arrival, const VciOfferRow *offer, int32 generation, VciError *error)
{
	if (offer == NULL || offer->issuer_id != arrival->issuer->rules.id ||
		!vci_offer_has_grant(offer, VCI_GRANT_AUTHORIZATION_CODE))
		return vci_error(error, VCI_ERR_ISSUER_STATE, "issuer_state is of no offer that is here");
	if (offer->generation != generation)
		return vci_error(error, VCI_ERR_ISSUER_STATE,
						 "the link of this offer was replaced by a newer one");
	if (offer->cancelled || offer->redeemed)
		return vci_error(error, VCI_ERR_ISSUER_STATE, "this offer is %s",
						 offer->cancelled ? "cancelled" : "redeemed already");
	if (arrival->now >= offer->expires_at)
		return vci_error(error, VCI_ERR_ISSUER_STATE, "this offer has expired");
	if (offer->client_id != NULL && strcmp(offer->client_id, arrival->client->id) != 0)
		return vci_error(error, VCI_ERR_ISSUER_STATE, "this offer is for another wallet");
	return VCI_OK;
}

/* The offer that issuer_state names, once its MAC holds. */
static VciStatus
find_offer(Arrival *arrival, VciError *error)
{
	const char *issuer_state = arrival->request->issuer_state;
	int64_t id;
	int32_t generation;
	VciStatus status;

	if (issuer_state == NULL)
		return VCI_OK;
	status = vci_ticket_open(&arrival->issuer->ticket_keys, VCI_TICKET_ISSUER_STATE, issuer_state,
							 strlen(issuer_state), &id, &generation, error);
	if (status != VCI_OK)
		return status;
	arrival->offer = vci_store_offer(arrival->store, id, false);
	return check_offer(arrival, arrival->offer, generation, error);
}

/* Requests are rows: no stranger may write them without end. */
static VciStatus
check_rate(Arrival *arrival, VciError *error)
{
	const VciIssuer *rules = &arrival->issuer->rules;
	double age =
		vci_store_authorization_age(arrival->store, rules->id, rules->authorization_request_rate);

	if (age < 0 || age >= RATE_SECONDS)
		return VCI_OK;
	arrival->retry_after = RATE_SECONDS - (int) age;
	return vci_error(error, VCI_ERR_TOO_MANY,
					 "too many authorization requests now; try again in %d seconds",
					 arrival->retry_after);
}

/* All but the client and its redirect URI, which hold already. */
static VciStatus
check_request(Arrival *arrival, VciError *error)
{
	const VciIssuerEntry *issuer = arrival->issuer;
	VciJson **selected = vci_own_json();
	bool pkce_required =
		arrival->client->pkce_required || issuer->rules.profile == VCI_PROFILE_FINAL;
	VciOfferRow *offer;
	VciStatus status =
		vci_authorization_request_check(arrival->request, &issuer->rules, pkce_required, error);

	if (status == VCI_OK)
		status = find_offer(arrival, error);
	offer = arrival->offer;
	if (status == VCI_OK)
		status = vci_authorization_select(
			arrival->request, issuer->configurations, issuer->configuration_count,
			offer == NULL ? NULL : (const char *const *) offer->configuration_ids,
			offer == NULL ? 0 : offer->configuration_count, selected, error);
	arrival->selected = *selected;
	/* a key is bound only where its proofs will be looked at */
	if (issuer->rules.dpop != VCI_DPOP_OFF)
		arrival->jkt = unconstify(char *, arrival->request->dpop_jkt);
	return status;
}

static void
fill_configurations(VciAuthorizationRow *row, const VciJson *selected)
{
	row->configuration_count = (int) vci_json_array_length(selected);
	row->configuration_ids = palloc(sizeof(char *) * Max(row->configuration_count, 1));
	for (int i = 0; i < row->configuration_count; i++)
		row->configuration_ids[i] = pstrdup(vci_json_string(vci_json_array_at(selected, i)));
}

static VciAuthorizationRow *
new_row(const Arrival *arrival)
{
	VciAuthorizationRow *row = palloc0(sizeof(VciAuthorizationRow));
	const VciAuthorizationRequest *request = arrival->request;

	row->issuer_id = arrival->issuer->rules.id;
	row->generation = vci_first_generation();
	if (arrival->offer != NULL)
	{
		row->offer_id = arrival->offer->id;
		row->offer_generation = arrival->offer->generation;
	}
	row->identifiers = request->authorization_details != NULL;
	row->client_id = arrival->client->id;
	row->redirect_uri = pstrdup(request->redirect_uri);
	row->state = unconstify(char *, request->state);
	row->code_challenge = unconstify(char *, request->code_challenge);
	row->jkt = arrival->jkt;
	fill_configurations(row, arrival->selected);
	return row;
}

static void
insert_row(const Arrival *arrival, VciAuthorizationRow *row)
{
	/* no event: what a stranger can cause stands in the table that vci_purge clears */
	row->id = vci_store_insert_authorization(arrival->store, row);
}

/* Pushed requests ------------------------------------------------------------------- */

static VciStatus
check_pushing_client(Arrival *arrival, VciError *error)
{
	if (arrival->request->request_uri != NULL)
		return vci_error(error, VCI_ERR_REQUEST,
						 "request_uri must not be pushed (RFC 9126 section 2.1)");
	return check_client(arrival, error);
}

/* The DPoP proof of a pushed request binds its code, as dpop_jkt does (RFC 9449 section 10.1). */
static VciStatus
check_proof(Arrival *arrival, VciError *error)
{
	char *jkt = NULL;
	VciStatus status = vci_dpop_check(arrival->store, arrival->issuer, arrival->http,
									  VCI_ENDPOINT_PAR, NULL, arrival->jkt, &jkt, error);

	if (status == VCI_OK && jkt != NULL)
		arrival->jkt = jkt;
	return status;
}

static VciAnswer *
push(Arrival *arrival)
{
	VciAuthorizationRow *row = new_row(arrival);
	VciJson **body = vci_own_json();
	char *ticket;

	row->pushed = true;
	row->expires_at = arrival->now + VCI_REQUEST_URI_LIFETIME;
	insert_row(arrival, row);
	ticket = vci_issuer_ticket(arrival->issuer, VCI_TICKET_REQUEST, row->id, row->generation);
	vci_require_memory(*body = vci_json_new_object());
	vci_require_done(
		vci_json_set_string(*body, "request_uri", psprintf(VCI_REQUEST_URI_PREFIX "%s", ticket)) &&
		vci_json_set_int64(*body, "expires_in", VCI_REQUEST_URI_LIFETIME));
	return vci_answer_no_store(201, *body);
}

VciAnswer *
vci_par_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	Arrival arrival = arrival_of(store, issuer, http);
	VciError error = VCI_ERROR_INIT;
	VciAnswer *answer;
	VciStatus status = check_issuer(issuer, &error);

	if (status == VCI_OK)
		status = read_request(&arrival, &error);
	if (status == VCI_OK)
		status = check_pushing_client(&arrival, &error);
	if (status == VCI_OK)
		status = check_request(&arrival, &error);
	if (status == VCI_OK)
		status = check_rate(&arrival, &error);
	if (status == VCI_OK)
		status = check_proof(&arrival, &error);
	answer =
		status == VCI_OK ? push(&arrival) : vci_answer_error(&error, VCI_ASKER_AUTHORIZATION, NULL);
	if (status == VCI_ERR_TOO_MANY)
		vci_answer_header(answer, "Retry-After", psprintf("%d", arrival.retry_after));
	vci_dpop_add_headers(answer, issuer);
	return answer;
}

/* The browser ------------------------------------------------------------------------ */

/* On to where the person decides, with the request's ticket. */
static void
send_on(const Arrival *arrival, const VciAuthorizationRow *row, VciBrowserAnswer *answer)
{
	const VciIssuerEntry *issuer = arrival->issuer;
	VciRedirectParameter request = {"request", vci_authorization_ticket(issuer, row)};
	char **location = vci_own_text();

	*location = vci_redirect_build(login_place(issuer) == LOGIN_PORTAL
									   ? issuer->login_url
									   : issuer->rules.endpoints[VCI_ENDPOINT_CONSENT].url,
								   &request, 1);
	vci_require_memory(*location);
	answer->location = *location;
}

/* The built-in page knows its browser by a cookie. */
static bytea *
bind_browser(const Arrival *arrival, VciBrowserAnswer *answer)
{
	VciBrowser browser;

	if (login_place(arrival->issuer) != LOGIN_BUILT_IN)
		return NULL;
	browser = vci_consent_browser(arrival->http);
	answer->set_cookie = browser.set_cookie;
	return browser.digest;
}

/* The locked row of a pushed request that this client may open now. */
static VciStatus
find_pushed(Arrival *arrival, VciAuthorizationRow **row, VciError *error)
{
	const char *uri = arrival->request->request_uri;
	size_t prefix = strlen(VCI_REQUEST_URI_PREFIX);
	int64_t id;
	int32_t generation;
	VciStatus status;

	if (strncmp(uri, VCI_REQUEST_URI_PREFIX, prefix) != 0)
		return vci_error(error, VCI_ERR_REQUEST_URI, "request_uri must be one of this server's");
	status = vci_ticket_open(&arrival->issuer->ticket_keys, VCI_TICKET_REQUEST, uri + prefix,
							 strlen(uri + prefix), &id, &generation, error);
	if (status != VCI_OK)
		return status;
	*row = vci_store_authorization(arrival->store, id, true);
	if (*row == NULL || (*row)->issuer_id != arrival->issuer->rules.id ||
		(*row)->generation != generation || !(*row)->pushed ||
		strcmp((*row)->client_id, arrival->request->client_id) != 0)
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "request_uri names no request of this wallet; start again in your wallet");
	if ((*row)->opened)
		return vci_error(error, VCI_ERR_REQUEST_URI,
						 "this request was opened already; go on where you opened it, or start "
						 "again in your wallet");
	return vci_authorization_check_client(arrival->issuer, (*row)->client_id, (*row)->redirect_uri,
										  &arrival->client, error);
}

static VciStatus
open_pushed(Arrival *arrival, VciBrowserAnswer *answer, VciError *error)
{
	VciAuthorizationRow *row = NULL;
	VciError late = VCI_ERROR_INIT;
	VciStatus status = find_pushed(arrival, &row, error);

	if (status != VCI_OK)
		return status;
	if (arrival->now >= row->expires_at)
	{
		vci_error(&late, VCI_ERR_REQUEST_URI, "this request_uri has expired");
		answer->location =
			vci_authorization_error_location(arrival->issuer, row->redirect_uri, row->state, &late);
		return VCI_OK;
	}
	vci_store_open_authorization(arrival->store, row->id, bind_browser(arrival, answer),
								 arrival->now +
									 arrival->issuer->rules.authorization_request_lifetime);
	send_on(arrival, row, answer);
	return VCI_OK;
}

static VciStatus
open_plain(Arrival *arrival, VciBrowserAnswer *answer, VciError *error)
{
	VciError fault = VCI_ERROR_INIT;
	VciAuthorizationRow *row;
	VciStatus status = check_client(arrival, error);

	if (status != VCI_OK)
		return status;
	if (check_request(arrival, &fault) != VCI_OK)
	{
		answer->location = vci_authorization_error_location(
			arrival->issuer, arrival->request->redirect_uri, arrival->request->state, &fault);
		return VCI_OK;
	}
	status = check_rate(arrival, error);
	if (status != VCI_OK)
		return status;
	row = new_row(arrival);
	row->opened = true;
	row->expires_at = arrival->now + arrival->issuer->rules.authorization_request_lifetime;
	row->browser = bind_browser(arrival, answer);
	insert_row(arrival, row);
	send_on(arrival, row, answer);
	return VCI_OK;
}

VciStatus
vci_authorize_browser(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http,
					  VciBrowserAnswer *answer, VciError *error)
{
	Arrival arrival = arrival_of(store, issuer, http);
	VciStatus status = check_issuer(issuer, error);

	memset(answer, 0, sizeof(*answer));
	if (status == VCI_OK)
		status = read_request(&arrival, error);
	if (status == VCI_OK)
		status = arrival.request->request_uri != NULL ? open_pushed(&arrival, answer, error)
													  : open_plain(&arrival, answer, error);
	if (status == VCI_ERR_TOO_MANY)
		answer->retry_after = psprintf("%d", arrival.retry_after);
	if (status == VCI_ERR_PAUSED)
		answer->retry_after = VCI_PAUSED_RETRY_AFTER;
	return status;
}

VciAnswer *
vci_authorize_endpoint(VciStore *store, const VciIssuerEntry *issuer, const VciHttpRequest *http)
{
	VciError error = VCI_ERROR_INIT;
	VciBrowserAnswer browser;
	VciAnswer *answer;

	/* looking whether the page is there opens no request */
	if (strcmp(http->method, "HEAD") == 0)
		return vci_answer_html(200, "", "'none'");
	if (vci_authorize_browser(store, issuer, http, &browser, &error) == VCI_OK)
		answer = vci_answer_redirect(browser.location);
	else if (vci_is_server_fault(error.code))
		vci_raise(&error);
	else
		answer = vci_consent_notice(
			issuer, http, vci_oauth_error(error.code, VCI_ASKER_AUTHORIZATION).http_status,
			error.text);
	if (browser.retry_after != NULL)
		vci_answer_header(answer, "Retry-After", browser.retry_after);
	if (browser.set_cookie != NULL)
		vci_answer_header(answer, "Set-Cookie", browser.set_cookie);
	return answer;
}
