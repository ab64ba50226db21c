/*
 * Offers that are there: their links, and the SQL functions that change them.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "../protocol/landing.h"
#include "../protocol/offer.h"
#include "cache.h"
#include "duty.h"
#include "event.h"
#include "offer_functions.h"
#include "release.h"
#include "report.h"
#include "ticket.h"
#include "values.h"

bool
vci_offer_has_grant(const VciOfferRow *offer, const char *grant)
{
	for (int i = 0; i < offer->grant_count; i++)
		if (strcmp(offer->grants[i], grant) == 0)
			return true;
	return false;
}

VciJson *
vci_offer_claims(const VciOfferRow *offer)
{
	return offer->claims == (Datum) 0 ? NULL : vci_json_of_datum(offer->claims, "claims");
}

VciJson *
vci_offer_datasets(const VciOfferRow *offer)
{
	return offer->datasets == (Datum) 0 ? NULL : vci_json_of_datum(offer->datasets, "datasets");
}

VciJson *
vci_offer_json(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	VciJson **json = vci_own_json();
	VciTxCode tx_code = {VCI_TX_CODE_NUMERIC, offer->tx_code_length, offer->tx_code_description};
	VciOfferGrants grants = {.authorization_server = offer->authorization_server};

	if (offer->tx_code_mode != NULL && strcmp(offer->tx_code_mode, "text") == 0)
		tx_code.mode = VCI_TX_CODE_TEXT;
	if (offer->tx_code_mode != NULL)
		grants.tx_code = &tx_code;
	if (vci_offer_has_grant(offer, VCI_GRANT_PRE_AUTHORIZED))
		grants.pre_authorized_code =
			vci_issuer_ticket(issuer, VCI_TICKET_CODE, offer->id, offer->generation);
	if (vci_offer_has_grant(offer, VCI_GRANT_AUTHORIZATION_CODE))
		grants.issuer_state =
			vci_issuer_ticket(issuer, VCI_TICKET_ISSUER_STATE, offer->id, offer->generation);
	*json = vci_offer_object(&issuer->rules, (const char *const *) offer->configuration_ids,
							 offer->configuration_count, &grants);
	vci_require_memory(*json);
	return *json;
}

static char *
page_link(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	if (!issuer->rules.endpoints[VCI_ENDPOINT_LANDING].enabled)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the landing page of issuer %s is switched off", issuer->rules.url),
						errhint("SELECT openid4vci.vci_alter_issuer('{\"endpoints\": {\"landing\": "
								"{\"enabled\": true}}}', %s);",
								quote_literal_cstr(issuer->rules.url))));
	return vci_landing_link(&issuer->rules, vci_issuer_ticket(issuer, VCI_TICKET_LANDING, offer->id,
															  offer->generation));
}

static char *
reference_link(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	return vci_offer_uri_by_reference(
		&issuer->rules, vci_issuer_ticket(issuer, VCI_TICKET_OFFER, offer->id, offer->generation));
}

char *
vci_offer_link(const VciIssuerEntry *issuer, const VciOfferRow *offer, VciLinkKind kind)
{
	char **uri = vci_own_text();

	switch (kind)
	{
		case VCI_LINK_BY_VALUE:
			*uri = vci_offer_uri_by_value(vci_offer_json(issuer, offer));
			break;
		case VCI_LINK_BY_REFERENCE:
			*uri = reference_link(issuer, offer);
			break;
		case VCI_LINK_BY_PAGE:
			*uri = page_link(issuer, offer);
			break;
	}
	vci_require_memory(*uri);
	return *uri;
}

VciLinkKind
vci_link_kind_by_name(const char *name)
{
	if (strcmp(name, "value") == 0)
		return VCI_LINK_BY_VALUE;
	if (strcmp(name, "reference") == 0)
		return VCI_LINK_BY_REFERENCE;
	if (strcmp(name, "page") == 0)
		return VCI_LINK_BY_PAGE;
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 errmsg("a link goes by \"value\", by \"reference\" or by \"page\", not by \"%s\"", name)));
}

VciOfferRow *
vci_offer_for_operator(VciStore *store, int64 id, bool lock, VciIssuerEntry **issuer)
{
	VciOfferRow *offer = vci_store_offer(store, id, lock);

	/* whether a stranger's offer exists is not told */
	if (offer == NULL || !vci_has_duty(store, VCI_DUTY_OFFERER, offer->issuer_id))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no offer %lld of an issuer that you make offers for",
							   (long long) id)));
	*issuer = vci_cache_issuer_by_id(store, offer->issuer_id);
	if (*issuer == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the issuer of offer %lld is retired", (long long) id)));
	vci_cache_unseal(*issuer);
	return offer;
}

/* Drawn together, since drawing costs much more than a few bytes do. */
#define GENERATIONS_DRAWN 64

int32
vci_first_generation(void)
{
	static uint32 drawn[GENERATIONS_DRAWN];
	static int left = 0;
	VciError error = VCI_ERROR_INIT;

	if (left == 0)
	{
		vci_require(vci_random(drawn, sizeof(drawn), &error), &error);
		left = GENERATIONS_DRAWN;
	}
	return (int32) (drawn[--left] >> 2); /* far from the end, since it is raised */
}

bytea *
vci_tx_code_verifier(const VciIssuerEntry *issuer, int64 offer_id, const char *tx_code)
{
	VciError error = VCI_ERROR_INIT;
	char *bound = psprintf("%lld:%s", (long long) offer_id, tx_code);
	bytea *verifier = palloc(VCI_DIGEST_BYTES + VARHDRSZ);

	SET_VARSIZE(verifier, VCI_DIGEST_BYTES + VARHDRSZ);
	vci_require(vci_hmac(&issuer->tx_code_key, bound, strlen(bound),
						 (unsigned char *) VARDATA(verifier), &error),
				&error);
	vci_wipe(bound, strlen(bound));
	return verifier;
}

PG_FUNCTION_INFO_V1(vci_offer_uri);

/* openid4vci.vci_offer_uri(offer_id bigint, by text) returns text */
Datum
vci_offer_uri(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciLinkKind kind = vci_link_kind_by_name(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	VciIssuerEntry *issuer;
	VciOfferRow *offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), false, &issuer);
	char *link = vci_offer_link(issuer, offer, kind);

	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(link));
}

/* What was erased can't be issued, whatever the offer's state becomes. */
static void
require_claims(const VciOfferRow *offer)
{
	if (offer->claims_erased)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("offer %lld is over, and its claims are erased", (long long) offer->id),
				 errhint("Create a new offer: SELECT * FROM "
						 "openid4vci.vci_create_offer('{...}', claims => '{...}');")));
}

/* Raises unless the offer is pending or expired, and its claims are there. */
static void
require_open(const VciOfferRow *offer)
{
	if (offer->cancelled || offer->redeemed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("offer %lld is %s", (long long) offer->id,
						offer->cancelled ? "cancelled" : "redeemed"),
				 offer->issued
					 ? errhint("Its credential is issued; create a new offer.")
					 : errhint("SELECT openid4vci.vci_reopen_offer(%lld); makes it pending again.",
							   (long long) offer->id)));
	require_claims(offer);
}

static void
note_longer_life(VciStore *store, const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	vci_note(
		store, issuer,
		(VciEvent){.kind = offer->expiry_noted ? VCI_EVENT_OFFER_REVIVED : VCI_EVENT_OFFER_EXTENDED,
				   .offer_id = offer->id});
}

PG_FUNCTION_INFO_V1(vci_extend_offer);

/* openid4vci.vci_extend_offer(offer_id bigint, expires_in interval) returns timestamptz */
Datum
vci_extend_offer(PG_FUNCTION_ARGS)
{
	VciStore *store;
	VciIssuerEntry *issuer;
	VciOfferRow *offer;
	int64 expires_at;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	store = vci_store_open();
	offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), true, &issuer);
	require_open(offer);
	expires_at = vci_now() + vci_arg_seconds(fcinfo, 1, "expires_in", issuer->rules.offer_lifetime);
	vci_store_extend_offer(store, offer->id, expires_at);
	note_longer_life(store, issuer, offer);
	vci_store_close(store);
	PG_RETURN_TIMESTAMPTZ(vci_timestamp_of_seconds(expires_at));
}

PG_FUNCTION_INFO_V1(vci_rotate_code);

/* openid4vci.vci_rotate_code(offer_id bigint) returns text */
Datum
vci_rotate_code(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciOfferRow *offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), true, &issuer);
	char *link;

	require_open(offer);
	vci_store_raise_generation(store, offer->id);
	offer->generation++;
	link = vci_offer_link(issuer, offer, VCI_LINK_BY_VALUE);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(link));
}

/* A new transaction code in the offer's own mode: the given one, or a generated one. */
static char *
new_tx_code(const VciOfferRow *offer, char *given, int *length)
{
	VciError error = VCI_ERROR_INIT;
	VciTxCodeMode mode;
	char **generated = vci_own_text();

	*length = offer->tx_code_length;
	vci_require(vci_tx_code_mode_by_name(offer->tx_code_mode, &mode, &error), &error);
	if (given != NULL)
	{
		vci_require(vci_tx_code_check(given, mode, length, &error), &error);
		return given;
	}
	vci_require(vci_tx_code_generate(mode, *length, generated, &error), &error);
	return *generated;
}

PG_FUNCTION_INFO_V1(vci_reset_tx_code);

/* openid4vci.vci_reset_tx_code(offer_id bigint, tx_code text) returns text */
Datum
vci_reset_tx_code(PG_FUNCTION_ARGS)
{
	VciStore *store;
	VciIssuerEntry *issuer;
	VciOfferRow *offer;
	char *tx_code;
	int length;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	store = vci_store_open();
	offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), true, &issuer);
	require_open(offer);
	if (offer->tx_code_mode == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("offer %lld asks for no transaction code", (long long) offer->id),
						errhint("Cancel it and create one with generate_tx_code => true.")));
	tx_code = new_tx_code(offer, vci_arg_text(fcinfo, 1), &length);
	vci_store_set_tx_code(store, offer->id, vci_tx_code_verifier(issuer, offer->id, tx_code),
						  length);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(tx_code));
}

PG_FUNCTION_INFO_V1(vci_reopen_offer);

/* openid4vci.vci_reopen_offer(offer_id bigint) returns text */
Datum
vci_reopen_offer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciOfferRow *offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), true, &issuer);
	int64 now = vci_now();
	char *link;

	if (offer->issued)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("a credential was issued for offer %lld", (long long) offer->id),
						errhint("Create a new offer instead.")));
	if (!offer->cancelled && !offer->redeemed)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("offer %lld is not redeemed: there is nothing to reopen",
							   (long long) offer->id),
						errhint("vci_extend_offer gives it more time, vci_rotate_code a new link, "
								"vci_reset_tx_code a new PIN.")));
	require_claims(offer);
	if (offer->expires_at <= now)
		offer->expires_at = now + issuer->rules.offer_lifetime;
	vci_store_reopen_offer(store, offer->id, offer->expires_at);
	vci_note(store, issuer, (VciEvent){.kind = VCI_EVENT_OFFER_REOPENED, .offer_id = offer->id});
	if (offer->expiry_noted)
		note_longer_life(store, issuer, offer);
	offer->generation++;
	link = vci_offer_link(issuer, offer, VCI_LINK_BY_VALUE);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(link));
}

bool
vci_offer_brings_more(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	return offer->configuration_count > 1 || offer->datasets != (Datum) 0 ||
		   issuer->rules.refresh_token_lifetime > 0;
}

PG_FUNCTION_INFO_V1(vci_cancel_offer);

/* openid4vci.vci_cancel_offer(offer_id bigint) returns boolean */
Datum
vci_cancel_offer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciOfferRow *offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), true, &issuer);
	bool cancel = !offer->cancelled && (!offer->issued || vci_offer_brings_more(issuer, offer));

	if (cancel)
	{
		vci_store_cancel_offer(store, offer->id);
		vci_note(store, issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_CANCELLED, .offer_id = offer->id});
	}
	vci_store_close(store);
	PG_RETURN_BOOL(cancel);
}
