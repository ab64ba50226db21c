/*
 * SQL functions that create offers and change them.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "../jose/did.h"
#include "../protocol/claims.h"
#include "../protocol/offer.h"
#include "cache.h"
#include "duty.h"
#include "issuance.h"
#include "offer_functions.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define TX_CODE_DEFAULT_LENGTH 6
#define LARGE_CLAIMS		   2048 /* bytes of jsonb; less cannot hold 1024 disclosures */
#define NAME_MAX_BYTES		   255
#define HOLDER_MAX_BYTES	   8192

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

static char *
ticket(const VciIssuerEntry *issuer, VciTicketKind kind, const VciOfferRow *offer)
{
	VciError error = VCI_ERROR_INIT;
	char *text = palloc(VCI_TICKET_SIZE);

	vci_require(
		vci_ticket_make(&issuer->ticket_key, kind, offer->id, offer->generation, text, &error),
		&error);
	return text;
}

VciJson *
vci_offer_json(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	VciJson **json = vci_own_json();
	VciTxCode tx_code = {VCI_TX_CODE_NUMERIC, offer->tx_code_length, offer->tx_code_description};

	if (offer->tx_code_mode != NULL && strcmp(offer->tx_code_mode, "text") == 0)
		tx_code.mode = VCI_TX_CODE_TEXT;
	*json = vci_offer_object(&issuer->rules, (const char *const *) offer->configuration_ids,
							 offer->configuration_count, ticket(issuer, VCI_TICKET_CODE, offer),
							 offer->tx_code_mode ? &tx_code : NULL);
	vci_require_memory(*json);
	return *json;
}

char *
vci_offer_link(const VciIssuerEntry *issuer, const VciOfferRow *offer, VciLinkKind kind)
{
	char **uri = vci_own_text();

	*uri =
		kind == VCI_LINK_BY_VALUE
			? vci_offer_uri_by_value(vci_offer_json(issuer, offer))
			: vci_offer_uri_by_reference(&issuer->rules, ticket(issuer, VCI_TICKET_OFFER, offer));
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
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("a link goes by \"value\" or by \"reference\", not by \"%s\"", name)));
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

int32
vci_first_generation(void)
{
	VciError error = VCI_ERROR_INIT;
	uint32 random;

	vci_require(vci_random(&random, sizeof(random), &error), &error);
	return (int32) (random >> 2); /* far from the end, since it is raised */
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

static void
read_configurations(FunctionCallInfo fcinfo, VciStore *store, const VciIssuerEntry *issuer,
					VciNewOffer *offer)
{
	if (PG_ARGISNULL(ARG_CONFIGURATION_IDS))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("configuration_ids must not be null"),
						errhint("For example configuration_ids => '{EntitlementCredential}'.")));
	offer->configuration_ids = vci_text_array(PG_GETARG_ARRAYTYPE_P(ARG_CONFIGURATION_IDS),
											  "configuration_ids", &offer->configuration_count);
	if (offer->configuration_count < 1 || offer->configuration_count > 32)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an offer names 1 to 32 configurations")));
	for (int i = 0; i < offer->configuration_count; i++)
	{
		(void) vci_cache_require_configuration(store, issuer, offer->configuration_ids[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(offer->configuration_ids[i], offer->configuration_ids[j]) == 0)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("configuration \"%s\" is named twice",
									   offer->configuration_ids[i])));
	}
}

/* Each configuration must have its claims: from the offer, or from its source. */
static void
check_claims(VciStore *store, const VciIssuerEntry *issuer, const VciNewOffer *offer,
			 const VciJson *claims)
{
	VciError error = VCI_ERROR_INIT;

	if (claims != NULL)
		vci_require(vci_claims_check(claims, &error), &error);
	for (int i = 0; i < offer->configuration_count; i++)
	{
		int n = vci_cache_require_configuration(store, issuer, offer->configuration_ids[i]);

		if (issuer->claims_sources[n].function != NULL && offer->subject_id != NULL)
			continue;
		if (claims == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("nothing says what \"%s\" will hold", offer->configuration_ids[i]),
					 errhint("Give claims => '{...}', or a subject_id and a configuration with a "
							 "claims source.")));
		vci_require(vci_claims_check_mandatory(claims, &issuer->configurations[n], &error), &error);
	}
}

/*
 * Many or large claims are signed once for trial: more disclosures or bytes than a
 * credential can carry must not come to light when the code is spent already.
 */
static void
check_size_of_claims(const VciIssuerEntry *issuer, const VciNewOffer *offer, const VciJson *claims)
{
	for (int i = 0; i < offer->configuration_count; i++)
	{
		int n = vci_cache_find_configuration(issuer, offer->configuration_ids[i]);

		(void) vci_sign_credential(issuer, n, issuer->configurations[n].format, claims, NULL,
								   vci_now());
	}
}

static void
read_claims(FunctionCallInfo fcinfo, VciStore *store, const VciIssuerEntry *issuer,
			VciNewOffer *offer)
{
	VciJson *claims = vci_arg_json(fcinfo, ARG_CLAIMS, "claims");

	offer->subject_model = vci_arg_text(fcinfo, ARG_SUBJECT_MODEL);
	offer->subject_id = vci_arg_text(fcinfo, ARG_SUBJECT_ID);
	vci_check_text(offer->subject_model, "subject_model", NAME_MAX_BYTES);
	vci_check_text(offer->subject_id, "subject_id", NAME_MAX_BYTES);
	check_claims(store, issuer, offer, claims);
	if (claims == NULL)
		return;
	if (VARSIZE_ANY(PG_GETARG_JSONB_P(ARG_CLAIMS)) > LARGE_CLAIMS)
		check_size_of_claims(issuer, offer, claims);
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

#define DID_CHARACTERS                                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%" /* DID Core 3.1 */

/* A did:web, alone or with the fragment that names one of its keys. */
static bool
is_did_web(const char *holder)
{
	const char *name;
	const char *rest;

	if (vci_did_method(holder) != VCI_DID_WEB)
		return false;
	name = holder + strlen("did:web:");
	rest = name + strspn(name, DID_CHARACTERS);
	if (rest == name)
		return false;
	return rest[0] == '\0' || (rest[0] == '#' && rest[1] != '\0' &&
							   rest[1 + strspn(rest + 1, DID_CHARACTERS)] == '\0');
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
	VciDidMethod method = vci_did_method(holder);
	VciKey **key = vci_own_key();
	VciError error = VCI_ERROR_INIT;

	if (method == VCI_DID_JWK || method == VCI_DID_KEY)
		vci_require(vci_key_from_did(holder, key, &error), &error);
	else if (!is_did_web(holder))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holder must be a DID (did:jwk, did:key, did:web) or a public JWK")));
	else
		warn_of_unknown_document(store, holder);
	offer->holder_did = pstrdup(holder);
}

static void
read_holder(FunctionCallInfo fcinfo, VciStore *store, VciNewOffer *offer)
{
	char *holder = vci_arg_text(fcinfo, ARG_HOLDER);
	VciError error = VCI_ERROR_INIT;
	VciJson **jwk;
	VciJson **canonical;
	VciKey **key;

	if (holder == NULL)
		return;
	if (strlen(holder) > HOLDER_MAX_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("holder must have at most %d bytes", HOLDER_MAX_BYTES)));
	if (holder[0] != '{')
	{
		read_holder_did(store, offer, holder);
		return;
	}
	jwk = vci_own_json();
	canonical = vci_own_json();
	key = vci_own_key();
	vci_require(vci_json_parse_object(holder, strlen(holder), jwk, &error), &error);
	vci_require(vci_key_from_public_jwk(*jwk, key, &error), &error);
	vci_require_memory(*canonical = vci_key_public_jwk(*key));
	offer->holder_jwk = vci_jsonb_datum(*canonical);
}

/* A credential without holder binding would go to anybody, whatever holder is named. */
static void
check_binding_of_holder(const VciIssuerEntry *issuer, const VciNewOffer *offer)
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

static void
read_grants(FunctionCallInfo fcinfo, VciNewOffer *offer)
{
	static char *default_grants[] = {VCI_GRANT_PRE_AUTHORIZED};

	offer->grants = default_grants;
	offer->grant_count = 1;
	if (PG_ARGISNULL(ARG_GRANTS))
		return;
	offer->grants =
		vci_text_array(PG_GETARG_ARRAYTYPE_P(ARG_GRANTS), "grants", &offer->grant_count);
	if (offer->grant_count != 1 || strcmp(offer->grants[0], VCI_GRANT_PRE_AUTHORIZED) != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("grants must be NULL or {%s}", VCI_GRANT_PRE_AUTHORIZED)));
}

static void
read_reference_and_labels(FunctionCallInfo fcinfo, VciNewOffer *offer)
{
	VciJson *labels = vci_arg_json(fcinfo, ARG_LABELS, "labels");
	static const char *const no_options[] = {NULL};

	offer->reference = vci_arg_text(fcinfo, ARG_REFERENCE);
	vci_check_text(offer->reference, "reference", NAME_MAX_BYTES);
	if (labels != NULL)
	{
		if (vci_json_kind(labels) != VCI_JSON_OBJECT)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("labels must be a JSON object"),
							errhint("For example '{\"campaign\": \"2026-11\"}'.")));
		offer->labels = PG_GETARG_DATUM(ARG_LABELS);
	}
	vci_check_members(vci_arg_json(fcinfo, ARG_OPTIONS, "options"), "options", no_options);
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
	TupleDesc descriptor;
	Datum values[8];
	bool nulls[8] = {false};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "vci_create_offer must return vci_created_offer");
	values[0] = Int64GetDatum(offer->id);
	values[1] = vci_jsonb_datum(vci_offer_json(issuer, offer));
	values[2] = CStringGetTextDatum(vci_offer_link(issuer, offer, VCI_LINK_BY_VALUE));
	values[3] = CStringGetTextDatum(vci_offer_link(issuer, offer, VCI_LINK_BY_REFERENCE));
	nulls[4] = tx_code == NULL;
	values[4] = tx_code ? CStringGetTextDatum(tx_code) : (Datum) 0;
	values[5] = TimestampTzGetDatum(vci_timestamp_of_seconds(offer->expires_at));
	values[6] = BoolGetDatum(created);
	values[7] = CStringGetTextDatum(state_of(offer));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
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
	offer.issuer_id = issuer->rules.id;
	read_configurations(fcinfo, store, issuer, &offer);
	read_claims(fcinfo, store, issuer, &offer);
	tx_code = read_tx_code(fcinfo, &offer);
	read_holder(fcinfo, store, &offer);
	check_binding_of_holder(issuer, &offer);
	read_grants(fcinfo, &offer);
	read_reference_and_labels(fcinfo, &offer);
	offer.expires_at = vci_now() + vci_arg_seconds(fcinfo, ARG_EXPIRES_IN, "expires_in",
												   issuer->rules.offer_lifetime);
	offer.id = vci_store_next_offer_id(store);
	offer.generation = vci_first_generation();
	if (tx_code != NULL)
		offer.tx_code_verifier = vci_tx_code_verifier(issuer, offer.id, tx_code);

	created = vci_store_insert_offer(store, &offer);
	row = created ? row_of_new_offer(&offer)
				  : vci_store_offer_by_reference(store, issuer->rules.id, offer.reference);
	if (row == NULL)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("an offer with this reference is being created at the same time")));
	vci_store_close(store);
	PG_RETURN_DATUM(created_offer(fcinfo, issuer, row, created ? tx_code : NULL, created));
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

/* Raises unless the offer is pending or expired. */
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
	if (offer->expires_at <= now)
		offer->expires_at = now + issuer->rules.offer_lifetime;
	vci_store_reopen_offer(store, offer->id, offer->expires_at);
	offer->generation++;
	link = vci_offer_link(issuer, offer, VCI_LINK_BY_VALUE);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(link));
}

PG_FUNCTION_INFO_V1(vci_cancel_offer);

/* openid4vci.vci_cancel_offer(offer_id bigint) returns boolean */
Datum
vci_cancel_offer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciOfferRow *offer = vci_offer_for_operator(store, PG_GETARG_INT64(0), true, &issuer);
	/* of several credentials, one may be issued and the others not yet */
	bool cancel = !offer->cancelled && (!offer->issued || offer->configuration_count > 1);

	if (cancel)
		vci_store_cancel_offer(store, offer->id);
	vci_store_close(store);
	PG_RETURN_BOOL(cancel);
}
