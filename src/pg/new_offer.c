/*
 * Offers as they are made: vci_create_offer, and the offer of an approved authorization.
 */
#include "compat.h"

#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../jose/did.h"
#include "../protocol/offer.h"
#include "backend_curves.h"
#include "cache.h"
#include "duty.h"
#include "event.h"
#include "holder.h"
#include "offer_content.h"
#include "offer_form.h"
#include "offer_functions.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define TX_CODE_DEFAULT_LENGTH 6
#define NAME_MAX_BYTES		   255
#define URL_MAX_BYTES		   2000

enum CreateOfferArgument
{
	ARG_CONFIGURATION_IDS,
	ARG_SUBJECT_MODEL,
	ARG_SUBJECT_ID,
	ARG_CLAIMS,
	ARG_TX_CODE,
	ARG_GENERATE_TX_CODE,
	ARG_TX_CODE_MODE,
	ARG_TX_CODE_LENGTH,
	ARG_TX_CODE_DESCRIPTION,
	ARG_HOLDER,
	ARG_EXPIRES_IN,
	ARG_REFERENCE,
	ARG_LABELS,
	ARG_GRANTS,
	ARG_ISSUER,
	ARG_OPTIONS
};

static void
read_content(FunctionCallInfo fcinfo, VciNewOffer *offer)
{
	if (PG_ARGISNULL(ARG_CONFIGURATION_IDS))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("configuration_ids must not be null"),
						errhint("For example configuration_ids => '{EntitlementCredential}'.")));
	offer->configuration_ids = vci_text_array(PG_GETARG_ARRAYTYPE_P(ARG_CONFIGURATION_IDS),
											  "configuration_ids", &offer->configuration_count);
	offer->subject_model = vci_arg_text(fcinfo, ARG_SUBJECT_MODEL);
	offer->subject_id = vci_arg_text(fcinfo, ARG_SUBJECT_ID);
	/* vci_check_offer_content reads what they hold */
	if (!PG_ARGISNULL(ARG_CLAIMS) && !vci_is_json_null(PG_GETARG_DATUM(ARG_CLAIMS)))
		offer->claims = PG_GETARG_DATUM(ARG_CLAIMS);
}

/* Who describes a transaction code wants one: an offer without it must not slip through. */
static void
check_no_tx_code(FunctionCallInfo fcinfo, const char *mode, int length)
{
	if (PG_ARGISNULL(ARG_TX_CODE_DESCRIPTION) && strcmp(mode, "numeric") == 0 &&
		length == TX_CODE_DEFAULT_LENGTH)
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("a transaction code is described, but the offer would have none"),
					errhint("Add generate_tx_code => true, or tx_code => '...'.")));
}

/* The transaction code asked for, or NULL. */
static char *
read_tx_code(FunctionCallInfo fcinfo, VciNewOffer *offer)
{
	bool generate = !PG_ARGISNULL(ARG_GENERATE_TX_CODE) && PG_GETARG_BOOL(ARG_GENERATE_TX_CODE);
	char *given = vci_arg_text(fcinfo, ARG_TX_CODE);
	char *mode_name = vci_arg_text_required(fcinfo, ARG_TX_CODE_MODE, "tx_code_mode");
	VciError error = VCI_ERROR_INIT;
	VciTxCodeMode mode;
	int length = PG_ARGISNULL(ARG_TX_CODE_LENGTH) ? TX_CODE_DEFAULT_LENGTH
												  : PG_GETARG_INT32(ARG_TX_CODE_LENGTH);
	char **tx_code = vci_own_text();

	if (!generate && given == NULL)
	{
		check_no_tx_code(fcinfo, mode_name, length);
		return NULL;
	}
	if (generate && given != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("tx_code and generate_tx_code exclude each other")));
	vci_require(vci_tx_code_mode_by_name(mode_name, &mode, &error), &error);
	if (generate)
		vci_require(vci_tx_code_generate(mode, length, tx_code, &error), &error);
	else
		vci_require(vci_tx_code_check(given, mode, &length, &error), &error);
	offer->tx_code_mode = mode_name;
	offer->tx_code_length = length;
	offer->tx_code_description = vci_arg_text(fcinfo, ARG_TX_CODE_DESCRIPTION);
	if (offer->tx_code_description != NULL && pg_mbstrlen(offer->tx_code_description) > 300)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("tx_code_description must have at most 300 characters")));
	return generate ? *tx_code : given;
}

/* The offer may come before the document; without it every proof will be refused. */
static void
warn_of_unknown_document(VciStore *store, const char *did_url)
{
	char **did = vci_own_text();

	vci_require_memory(*did = vci_did_of_url(did_url));
	if (vci_store_did_document(store, *did) == NULL)
		ereport(WARNING,
				(errmsg("the DID document of %s is not loaded: nothing can be issued to it before",
						*did),
				 errhint("SELECT openid4vci.vci_load_did_document('%s', '{...}');", *did)));
}

static void
read_holder_did(VciStore *store, VciNewOffer *offer, const char *holder)
{
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;

	if (vci_did_method(holder) == VCI_DID_WEB)
		warn_of_unknown_document(store, holder);
	else
		vci_require(vci_key_from_did(holder, vci_backend_curves(), key, &error), &error);
	offer->holder_did = pstrdup(holder);
}

void
vci_set_offer_holder(VciStore *store, VciNewOffer *offer, const char *holder)
{
	VciError error = VCI_ERROR_INIT;
	VciJson **jwk;
	VciJson **canonical;
	VciKey **key;

	if (holder == NULL)
		return;
	vci_check_holder(holder);
	if (holder[0] != '{')
	{
		read_holder_did(store, offer, holder);
		return;
	}
	jwk = vci_own_json();
	canonical = vci_own_json();
	key = vci_own_key();
	vci_require(vci_json_parse_object(holder, strlen(holder), jwk, &error), &error);
	vci_require(vci_key_from_public_jwk_on(vci_backend_curves(), *jwk, key, &error), &error);
	vci_require_memory(*canonical = vci_key_public_jwk(*key));
	offer->holder_jwk = vci_jsonb_datum(*canonical);
}

void
vci_check_binding_of_holder(const VciIssuerEntry *issuer, const VciNewOffer *offer)
{
	if (offer->holder_did == NULL && offer->holder_jwk == (Datum) 0)
		return;
	for (int i = 0; i < offer->configuration_count; i++)
	{
		int n = vci_cache_find_configuration(issuer, offer->configuration_ids[i]);

		if (issuer->configurations[n].binding == VCI_HOLDER_ABSENT)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("configuration \"%s\" binds its credentials to no holder: "
								   "holder must be NULL",
								   offer->configuration_ids[i])));
	}
}

static bool
has_grant(const VciNewOffer *offer, const char *grant)
{
	for (int i = 0; i < offer->grant_count; i++)
		if (strcmp(offer->grants[i], grant) == 0)
			return true;
	return false;
}

/* Nobody could redeem it by an authorization code. */
static void
check_authorization_code_grant(const VciIssuerEntry *issuer)
{
	if (vci_takes_authorization_requests(&issuer->rules) ||
		issuer->rules.authorization_server_count > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("this issuer has no authorization code flow: an offer by authorization_code "
					"could not be redeemed"),
			 errhint("Register a wallet with vci_create_client, and set login_url or authenticate "
					 "with vci_alter_issuer.")));
}

static void
read_grants(FunctionCallInfo fcinfo, const VciIssuerEntry *issuer, VciNewOffer *offer)
{
	static char *default_grants[] = {VCI_GRANT_PRE_AUTHORIZED};
	bool pre_authorized;
	bool by_authorization;

	offer->grants = default_grants;
	offer->grant_count = 1;
	if (PG_ARGISNULL(ARG_GRANTS))
		return;
	offer->grants =
		vci_text_array(PG_GETARG_ARRAYTYPE_P(ARG_GRANTS), "grants", &offer->grant_count);
	pre_authorized = has_grant(offer, VCI_GRANT_PRE_AUTHORIZED);
	by_authorization = has_grant(offer, VCI_GRANT_AUTHORIZATION_CODE);
	if (offer->grant_count != (int) pre_authorized + (int) by_authorization ||
		offer->grant_count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("grants must be NULL, {%s}, {%s} or both", VCI_GRANT_PRE_AUTHORIZED,
							   VCI_GRANT_AUTHORIZATION_CODE)));
	if (by_authorization)
		check_authorization_code_grant(issuer);
	if (!pre_authorized && offer->tx_code_mode != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a transaction code goes with the grant %s alone",
							   VCI_GRANT_PRE_AUTHORIZED),
						errhint("Leave tx_code and generate_tx_code out, or add the grant.")));
}

/* A text among the options, or NULL. */
static char *
option_text(const VciJson *options, const char *name, size_t max)
{
	const VciJson *value = vci_json_get(options, name);

	if (value == NULL)
		return NULL;
	if (vci_json_string(value) == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option %s must be a text", name)));
	vci_check_text(vci_json_string(value), name, max);
	return pstrdup(vci_json_string(value));
}

/* One of the servers that the metadata list, if they list any (OpenID4VCI 1.0 section 4.1.1). */
static void
check_authorization_server(const VciIssuerEntry *issuer, const VciNewOffer *offer)
{
	const char *url = offer->authorization_server;

	if (url == NULL)
		return;
	if (issuer->rules.authorization_server_count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("authorization_server is only for issuers that trust external "
							   "authorization servers"),
						errhint("Leave it out, or add one by vci_create_authorization_server.")));
	if (!has_grant(offer, VCI_GRANT_AUTHORIZATION_CODE))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("authorization_server goes with the grant %s alone",
							   VCI_GRANT_AUTHORIZATION_CODE)));
	if (strcmp(url, issuer->rules.url) != 0 && vci_cache_find_server(issuer, url) == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("authorization_server \"%s\" is neither this issuer nor one that it "
							   "trusts",
							   url),
						errhint("SELECT url FROM openid4vci.vci_authorization_server_info;")));
}

/* Whoever logs in is compared with the offer's subject: its link is no authentication. */
static void
check_who_may_log_in(const VciIssuerEntry *issuer, const VciNewOffer *offer)
{
	const char *server = offer->authorization_server;

	if (!has_grant(offer, VCI_GRANT_AUTHORIZATION_CODE) || offer->subject_id != NULL ||
		(server != NULL && strcmp(server, issuer->rules.url) != 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("an offer by authorization_code needs a subject_id: only the person whom it is "
					"for may be approved"),
			 errhint("For example subject_model => 'res.partner', subject_id => '7'.")));
}

static void
read_options(FunctionCallInfo fcinfo, const VciIssuerEntry *issuer, VciNewOffer *offer)
{
	static const char *const known[] = {"client_id", "authorization_server", "datasets", NULL};
	VciJson *options = NULL;

	if (!PG_ARGISNULL(ARG_OPTIONS) && !vci_is_empty_object(PG_GETARG_DATUM(ARG_OPTIONS)))
		options = vci_arg_json(fcinfo, ARG_OPTIONS, "options");
	vci_check_members(options, "options", known);
	offer->client_id = option_text(options, "client_id", NAME_MAX_BYTES);
	offer->authorization_server = option_text(options, "authorization_server", URL_MAX_BYTES);
	if (vci_json_get(options, "datasets") != NULL)
		offer->datasets = vci_jsonb_datum(vci_json_get(options, "datasets"));
	check_authorization_server(issuer, offer);
	check_who_may_log_in(issuer, offer);
}

static void
read_reference_and_labels(FunctionCallInfo fcinfo, VciNewOffer *offer)
{
	VciJson *labels = vci_arg_json(fcinfo, ARG_LABELS, "labels");

	offer->reference = vci_arg_text(fcinfo, ARG_REFERENCE);
	vci_check_text(offer->reference, "reference", NAME_MAX_BYTES);
	if (labels == NULL)
		return;
	if (vci_json_kind(labels) != VCI_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels must be a JSON object"),
				 errhint("For example '{\"campaign\": \"2026-11\"}'.")));
	offer->labels = PG_GETARG_DATUM(ARG_LABELS);
}

bool
vci_insert_new_offer(VciStore *store, const VciIssuerEntry *issuer, const VciNewOffer *offer)
{
	if (!vci_store_insert_offer(store, offer))
		return false;
	vci_note(store, issuer, (VciEvent){.kind = VCI_EVENT_OFFER_CREATED, .offer_id = offer->id});
	return true;
}

/* What links are made of, from what was just inserted. */
static VciOfferRow *
row_of_new_offer(const VciNewOffer *offer)
{
	VciOfferRow *row = palloc0(sizeof(VciOfferRow));

	row->id = offer->id;
	row->issuer_id = offer->issuer_id;
	row->generation = offer->generation;
	row->expires_at = offer->expires_at;
	row->tx_code_mode = offer->tx_code_mode;
	row->tx_code_length = offer->tx_code_length;
	row->tx_code_description = offer->tx_code_description;
	row->configuration_ids = offer->configuration_ids;
	row->configuration_count = offer->configuration_count;
	row->grants = offer->grants;
	row->grant_count = offer->grant_count;
	row->authorization_server = offer->authorization_server;
	return row;
}

/* As vci_offer_info has it. */
static const char *
state_of(const VciOfferRow *offer)
{
	if (offer->cancelled)
		return "cancelled";
	if (offer->redeemed)
		return "redeemed";
	return offer->expires_at <= vci_now() ? "expired" : "pending";
}

static Datum
created_offer(FunctionCallInfo fcinfo, const VciIssuerEntry *issuer, const VciOfferRow *offer,
			  const char *tx_code, bool created)
{
	VciOfferTexts texts = vci_offer_texts(fcinfo, issuer, offer);
	Datum values[8];
	bool nulls[8] = {false};

	values[0] = Int64GetDatum(offer->id);
	values[1] = texts.offer;
	values[2] = texts.by_value;
	values[3] = texts.by_reference;
	nulls[4] = tx_code == NULL;
	values[4] = tx_code ? CStringGetTextDatum(tx_code) : (Datum) 0;
	values[5] = TimestampTzGetDatum(vci_timestamp_of_seconds(offer->expires_at));
	values[6] = BoolGetDatum(created);
	values[7] = CStringGetTextDatum(state_of(offer));
	return vci_row_datum(fcinfo, values, nulls);
}

/* Everything that the arguments say; returns the transaction code, or NULL. */
static char *
read_offer(FunctionCallInfo fcinfo, VciStore *store, const VciIssuerEntry *issuer,
		   VciNewOffer *offer)
{
	char *tx_code;

	offer->issuer_id = issuer->rules.id;
	offer->keep_claims = issuer->keep_claims;
	read_content(fcinfo, offer);
	tx_code = read_tx_code(fcinfo, offer);
	read_grants(fcinfo, issuer, offer);
	read_options(fcinfo, issuer, offer);
	vci_check_offer_content(store, issuer, offer);
	vci_set_offer_holder(store, offer, vci_arg_text(fcinfo, ARG_HOLDER));
	vci_check_binding_of_holder(issuer, offer);
	read_reference_and_labels(fcinfo, offer);
	offer->expires_at = vci_now() + vci_arg_seconds(fcinfo, ARG_EXPIRES_IN, "expires_in",
													issuer->rules.offer_lifetime);
	offer->id = vci_store_next_offer_id(store);
	offer->generation = vci_first_generation();
	if (tx_code != NULL)
		offer->tx_code_verifier = vci_tx_code_verifier(issuer, offer->id, tx_code);
	return tx_code;
}

PG_FUNCTION_INFO_V1(vci_create_offer);

/* openid4vci.vci_create_offer(configuration_ids text[], ...) returns vci_created_offer */
Datum
vci_create_offer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, ARG_ISSUER), VCI_DUTY_OFFERER);
	VciNewOffer offer = {0};
	VciOfferRow *row;
	char *tx_code;
	bool created;

	vci_cache_require_key(issuer);
	vci_cache_unseal(issuer);
	tx_code = read_offer(fcinfo, store, issuer, &offer);
	created = vci_insert_new_offer(store, issuer, &offer);
	row = created ? row_of_new_offer(&offer)
				  : vci_store_offer_by_reference(store, issuer->rules.id, offer.reference);
	if (row == NULL)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("an offer with this reference is being created at the same time")));
	vci_store_close(store);
	PG_RETURN_DATUM(created_offer(fcinfo, issuer, row, created ? tx_code : NULL, created));
}

void
vci_offer_for_approval(VciStore *store, const VciIssuerEntry *issuer, VciNewOffer *offer)
{
	static char *grants[] = {VCI_GRANT_AUTHORIZATION_CODE};

	vci_cache_require_key(issuer);
	offer->issuer_id = issuer->rules.id;
	offer->keep_claims = issuer->keep_claims;
	offer->grants = grants;
	offer->grant_count = lengthof(grants);
	vci_check_offer_content(store, issuer, offer);
	offer->id = vci_store_next_offer_id(store);
	offer->generation = vci_first_generation();
	(void) vci_insert_new_offer(store, issuer, offer);
}
