/*
 * SQL functions by which the registry decides on deferred credentials.
 */
#include "compat.h"

#include "utils/jsonb.h"

#include "../protocol/claims.h"
#include "cache.h"
#include "credential_call.h"
#include "duty.h"
#include "event.h"
#include "offer_functions.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define REASON_MAX_BYTES 1024

typedef struct Deferral
{
	VciStore *store;
	VciIssuerEntry *issuer;
	VciDeferredRow *row;
} Deferral;

/* The deferral, locked, of an issuer that the caller makes offers for. */
static Deferral
open_deferral(FunctionCallInfo fcinfo)
{
	Deferral deferral = {.store = vci_store_open()};
	int64 id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("deferred_id must not be null")));
	id = PG_GETARG_INT64(0);
	deferral.row = vci_store_deferred(deferral.store, id, 0);
	/* whether a stranger's deferral exists is not told */
	if (deferral.row == NULL ||
		!vci_has_duty(deferral.store, VCI_DUTY_OFFERER, deferral.row->issuer_id))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no deferred credential %lld of an issuer that you make "
							   "offers for",
							   (long long) id),
						errhint("SELECT id, state FROM openid4vci.vci_deferred_info;")));
	deferral.issuer = vci_cache_issuer_by_id(deferral.store, deferral.row->issuer_id);
	if (deferral.issuer == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the issuer of deferred credential %lld is retired", (long long) id)));
	return deferral;
}

static _Noreturn void
refuse(const Deferral *deferral, const char *state, const char *advice)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("deferred credential %lld %s", (long long) deferral->row->id, state),
					errhint("%s", advice)));
}

/* Neither fetched, nor over, nor withdrawn together with its offer. */
static void
require_undecided(const Deferral *deferral)
{
	const VciDeferredRow *row = deferral->row;
	const VciOfferRow *offer = vci_store_offer(deferral->store, row->offer_id, false);

	if (row->issued)
		refuse(deferral, "was fetched already", "What is issued can't be decided on any more.");
	if (row->expires_at <= vci_now())
		refuse(deferral, "has expired", "Make the holder a new offer.");
	if (offer == NULL || offer->cancelled || offer->generation != row->generation)
		refuse(deferral, "went with its offer, which was withdrawn",
			   "Make the holder a new offer.");
}

static VciJson *
stored_claims(const VciDeferredRow *row)
{
	return vci_stored_json(row->claims);
}

/* The subject and claims that stand in the offer for it; false when it holds them no more. */
static bool
find_dataset(const Deferral *deferral, VciDataset *dataset)
{
	const VciDeferredRow *row = deferral->row;
	const VciOfferRow *offer = vci_store_offer(deferral->store, row->offer_id, false);
	VciDataset of_offer = {.subject_model = offer->subject_model,
						   .subject_id = offer->subject_id,
						   .claims = vci_offer_claims(offer)};

	return vci_dataset_find(vci_offer_datasets(offer), row->configuration_id, row->dataset,
							&of_offer, dataset);
}

/* As claims of an offer: nothing must come to light only when the wallet fetches. */
static void
check_claims(const Deferral *deferral, const VciJson *given)
{
	VciIssuerEntry *issuer = deferral->issuer;
	int n =
		vci_cache_require_configuration(deferral->store, issuer, deferral->row->configuration_id);
	VciError error = VCI_ERROR_INIT;
	VciDataset dataset;
	bool by_source;

	if (!find_dataset(deferral, &dataset))
		refuse(deferral, "has no dataset in its offer any more", "Make the holder a new offer.");
	if (given != NULL)
		dataset.claims = given;
	by_source = issuer->claims_sources[n].function != NULL && dataset.subject_id != NULL;
	if (dataset.claims == NULL && !by_source)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("nothing says what \"%s\" will hold", issuer->configurations[n].id),
						errhint("SELECT openid4vci.vci_deferred_complete(%lld, '{...}');",
								(long long) deferral->row->id)));
	if (dataset.claims == NULL)
		return;
	vci_require(vci_claims_check(dataset.claims, &error), &error);
	if (!by_source)
		vci_require(vci_claims_check_mandatory(dataset.claims, &issuer->configurations[n], &error),
					&error);
	vci_cache_require_key(issuer);
	vci_cache_unseal(issuer);
	/* signed for trial: more disclosures than a credential can carry must be told now */
	(void) vci_sign_credential(issuer, n, deferral->row->format, dataset.claims, NULL, NULL,
							   vci_now());
}

static void
note(const Deferral *deferral, const char *kind)
{
	vci_note(deferral->store, deferral->issuer,
			 (VciEvent){.kind = kind,
						.offer_id = deferral->row->offer_id,
						.token_id = deferral->row->token_id,
						.deferred_id = deferral->row->id});
}

static void
complete(const Deferral *deferral, const VciJson *claims)
{
	const VciDeferredRow *row = deferral->row;

	require_undecided(deferral);
	if (row->denied)
		refuse(deferral, "was denied already", "Make the holder a new offer.");
	if (row->completed)
	{
		if (vci_json_equal(claims, stored_claims(row)))
			return;
		refuse(deferral, "was completed with other claims already",
			   "A decision stands; make the holder a new offer.");
	}
	if (row->by_source)
		refuse(deferral, "waits for its claims source, which is asked each time the wallet asks",
			   "Let the claims source answer with claims instead of a number.");
	check_claims(deferral, claims);
	vci_store_complete_deferred(deferral->store, row, claims ? vci_jsonb_datum(claims) : 0);
	note(deferral, VCI_EVENT_DEFERRED_COMPLETED);
}

PG_FUNCTION_INFO_V1(vci_deferred_complete);

/* openid4vci.vci_deferred_complete(deferred_id bigint, claims jsonb) returns void */
Datum
vci_deferred_complete(PG_FUNCTION_ARGS)
{
	Deferral deferral = open_deferral(fcinfo);

	complete(&deferral, vci_arg_json(fcinfo, 1, "claims"));
	vci_store_close(deferral.store);
	PG_RETURN_VOID();
}

static void
deny(const Deferral *deferral, const char *reason)
{
	require_undecided(deferral);
	if (deferral->row->denied)
		return;
	if (deferral->row->completed)
		refuse(deferral, "was completed already",
			   "Cancel its offer: SELECT openid4vci.vci_cancel_offer(offer_id);");
	vci_store_deny_deferred(deferral->store, deferral->row, reason);
	note(deferral, VCI_EVENT_DEFERRED_DENIED);
}

PG_FUNCTION_INFO_V1(vci_deferred_deny);

/* openid4vci.vci_deferred_deny(deferred_id bigint, reason text) returns void */
Datum
vci_deferred_deny(PG_FUNCTION_ARGS)
{
	Deferral deferral = open_deferral(fcinfo);
	char *reason = vci_arg_text(fcinfo, 1);

	vci_check_text(reason, "reason", REASON_MAX_BYTES);
	deny(&deferral, reason);
	vci_store_close(deferral.store);
	PG_RETURN_VOID();
}
