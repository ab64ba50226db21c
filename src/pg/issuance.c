#include "compat.h"

#include "utils/builtins.h"

#include "../protocol/claims.h"
#include "../protocol/deferred.h"
#include "backend_curves.h"
#include "document.h"
#include "durability.h"
#include "duty.h"
#include "event.h"
#include "issuance.h"
#include "release.h"
#include "report.h"
#include "values.h"

#define VCI_SUBJECT_MAX_BYTES 255 /* as for offers */

VciStatus
vci_check_issuance(const VciIssuerEntry *issuer, VciError *error)
{
	if (issuer->is_copy)
		return vci_error(error, VCI_ERR_PAUSED,
						 "this database is a copy of the issuer's and issues nothing; use the "
						 "issuer itself, or try again later");
	if (issuer->rules.issuance_paused)
		return vci_error(error, VCI_ERR_PAUSED, "the issuer has stopped issuance; try again later");
	return VCI_OK;
}

void
vci_require_issuance(const VciIssuerEntry *issuer)
{
	if (issuer->is_copy)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("this database is a copy of issuer %s and issues nothing", issuer->rules.url),
			 errhint("Leave it so while the original issues. If it takes the original's place: "
					 "SELECT * FROM openid4vci.vci_after_restore('time of the copy'); "
					 "SELECT openid4vci.vci_adopt_database();")));
	if (issuer->rules.issuance_paused)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("issuer %s has stopped issuance", issuer->rules.url),
						errhint("Resume it: SELECT openid4vci.vci_resume_issuance('%s');",
								issuer->rules.url)));
}

/* What the source says replaces members of the same name. */
static VciJson *
merge(const VciJson *claims, const VciJson *over)
{
	VciJson **merged = vci_own_json();
	VciJsonIter iter = vci_json_iter(over);

	vci_require_memory(*merged = vci_json_copy(claims));
	while (vci_json_next(&iter))
		vci_require_done(iter.value ? vci_json_set(*merged, iter.name, vci_json_ref(iter.value))
									: vci_json_set_null(*merged, iter.name));
	return *merged;
}

static void
raise_unusable(const VciSource *source, const VciError *error)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("claims source %s returned claims that can't be issued", source->function),
			 errdetail("%s", error->text)));
}

/* Its answer, an object or a number of seconds to wait (*wait); NULL when it knows nothing. */
static VciJson *
ask_claims_source(VciStore *store, const VciSource *source, const VciDataset *dataset, int32 *wait)
{
	const char *arguments[] = {dataset->subject_model, dataset->subject_id};
	char *text =
		vci_store_run_source(store, VCI_CLAIMS_SOURCE, source->function, source->owner, arguments);
	VciJson **answer = vci_own_json();
	VciError error = VCI_ERROR_INIT;

	if (text == NULL)
		return NULL;
	if (vci_json_parse(text, strlen(text), answer, &error) != VCI_OK)
		raise_unusable(source, &error);
	*wait = vci_deferred_wait(*answer);
	if (*wait == 0 && vci_json_kind(*answer) == VCI_JSON_NUMBER)
	{
		vci_error(&error, VCI_ERR_REQUEST,
				  "a number means \"not yet\": whole seconds to wait, 1 to %d", VCI_MAX_WAIT);
		raise_unusable(source, &error);
	}
	if (*wait == 0 && vci_claims_check(*answer, &error) != VCI_OK)
		raise_unusable(source, &error);
	return *answer;
}

VciStatus
vci_collect_claims(VciStore *store, const VciIssuerEntry *issuer, int configuration,
				   const VciDataset *dataset, const VciJson **claims, int32 *wait, VciError *error)
{
	const VciSource *source = &issuer->claims_sources[configuration];
	VciStatus status;

	*wait = 0;
	*claims = dataset->claims;
	if (source->function != NULL && dataset->subject_id != NULL)
	{
		VciJson *answer = ask_claims_source(store, source, dataset, wait);

		if (answer == NULL)
			return vci_error(error, VCI_ERR_DENIED,
							 "the registry holds nothing to issue for this subject");
		if (*wait > 0)
		{
			*claims = NULL;
			return VCI_OK;
		}
		*claims = *claims == NULL ? answer : merge(*claims, answer);
	}
	if (*claims == NULL)
		return vci_error(error, VCI_ERR_DENIED,
						 "the offer holds no claims and names no subject "
						 "for this credential");
	status = vci_claims_check(*claims, error);
	if (status == VCI_OK)
		status = vci_claims_check_mandatory(*claims, &issuer->configurations[configuration], error);
	return status;
}

VciSignedCredential
vci_sign_credential(const VciIssuerEntry *issuer, int configuration, const char *format,
					const VciJson *claims, const VciJson *holder_jwk, const VciStatusPlace *status,
					int64 issued_at)
{
	VciCredentialParts parts = {.issuer = &issuer->rules,
								.configuration = &issuer->configurations[configuration],
								.format = format,
								.claims = claims,
								.holder_jwk = holder_jwk,
								.kid = issuer->signing.kid,
								.x5c = issuer->signing.x5c,
								.key = issuer->signing.key,
								.issued_at = issued_at,
								.status =
									status != NULL && status->list_id != 0 ? &status->entry : NULL};
	VciSignedCredential result = {0};
	VciError error = VCI_ERROR_INIT;
	char **sd_jwt = vci_own_text();
	int64_t expires_at;

	if (parts.configuration->vct_integrity)
		parts.vct_integrity = vci_type_document(issuer, configuration)->integrity;
	vci_require(vci_credential_build(&parts, sd_jwt, &expires_at, &error), &error);
	result.sd_jwt = *sd_jwt;
	result.expires_at = expires_at;
	return result;
}

/* An operator's holder_jwk, checked, and its key; NULL for none. */
static VciJson *
holder_of_argument(FunctionCallInfo fcinfo, int argument, const VciConfiguration *configuration,
				   VciKey **key)
{
	VciJson *given = vci_arg_json(fcinfo, argument, "holder_jwk");
	VciError error = VCI_ERROR_INIT;

	if (given == NULL && configuration->binding == VCI_HOLDER_REQUIRED)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("configuration \"%s\" binds its credentials to a holder: holder_jwk must "
						"not be null",
						configuration->id),
				 errhint("Give the holder's public JWK, or alter the configuration: "
						 "'{\"binding\": \"optional\"}'.")));
	if (given == NULL)
		return NULL;
	if (configuration->binding == VCI_HOLDER_ABSENT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("configuration \"%s\" binds its credentials to no holder: "
							   "holder_jwk must be null",
							   configuration->id)));
	vci_require(vci_key_from_public_jwk_on(vci_backend_curves(), given, key, &error), &error);
	return given;
}

/* Who revokes it later finds it by its record. */
static void
require_no_status(const VciConfiguration *configuration)
{
	if (configuration->status_bits != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("credentials of configuration \"%s\" have a place in a status list, "
							   "so each needs a record",
							   configuration->id),
						errhint("Issue it by openid4vci.vci_issue_and_record, or alter the "
								"configuration: '{\"status_bits\": null}'.")));
}

PG_FUNCTION_INFO_V1(vci_issue_sdjwt);

/* openid4vci.vci_issue_sdjwt(configuration_id text, claims jsonb, holder_jwk jsonb,
 * issuer text) returns text */
Datum
vci_issue_sdjwt(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *id = vci_arg_text_required(fcinfo, 0, "configuration_id");
	VciJson *claims = vci_arg_json(fcinfo, 1, "claims");
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 3), VCI_DUTY_OFFERER);
	int n = vci_cache_require_configuration(store, issuer, id);
	const VciConfiguration *configuration = &issuer->configurations[n];
	VciJson *holder;
	VciError error = VCI_ERROR_INIT;
	VciSignedCredential credential;

	if (claims == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("claims must not be null")));
	require_no_status(configuration);
	vci_require_issuance(issuer);
	vci_require(vci_claims_check(claims, &error), &error);
	vci_require(vci_claims_check_mandatory(claims, configuration, &error), &error);
	holder = holder_of_argument(fcinfo, 2, configuration, vci_own_key());
	vci_cache_require_key(issuer);
	vci_cache_unseal(issuer);
	credential =
		vci_sign_credential(issuer, n, configuration->format, claims, holder, NULL, vci_now());
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(credential.sd_jwt));
}

static Datum
issued_credential(FunctionCallInfo fcinfo, int64 id, const VciSignedCredential *credential)
{
	Datum values[3];
	bool nulls[3] = {false, false, credential->expires_at == 0};

	values[0] = Int64GetDatum(id);
	values[1] = CStringGetTextDatum(credential->sd_jwt);
	values[2] = TimestampTzGetDatum(vci_timestamp_of_seconds(credential->expires_at));
	return vci_row_datum(fcinfo, values, nulls);
}

/* The subject fits its column, and claims come from the call or from the source. */
static void
check_recorded_subject(const VciNewCredential *record, bool given, const VciSource *source)
{
	vci_check_text(record->subject_model, "subject_model", VCI_SUBJECT_MAX_BYTES);
	vci_check_text(record->subject_id, "subject_id", VCI_SUBJECT_MAX_BYTES);
	if (!given && (source->function == NULL || record->subject_id == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("nothing says what \"%s\" will hold", record->configuration_id),
				 errhint("Give claims => '{...}', or a subject_id and a configuration with a "
						 "claims source.")));
}

/* What it will hold; raises when the claims source says "not yet". */
static const VciJson *
claims_to_record(FunctionCallInfo fcinfo, VciStore *store, const VciIssuerEntry *issuer, int n,
				 const VciNewCredential *record)
{
	VciDataset dataset = {.subject_model = record->subject_model,
						  .subject_id = record->subject_id,
						  .claims = vci_arg_json(fcinfo, 1, "claims")};
	VciError error = VCI_ERROR_INIT;
	const VciJson *claims;
	int32 wait;

	check_recorded_subject(record, dataset.claims != NULL, &issuer->claims_sources[n]);
	if (dataset.claims != NULL)
		vci_require(vci_claims_check(dataset.claims, &error), &error);
	vci_require(vci_collect_claims(store, issuer, n, &dataset, &claims, &wait, &error), &error);
	if (wait > 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("claims source %s says \"not yet\" of this subject",
							   issuer->claims_sources[n].function),
						errhint("Ask again in %d seconds.", wait)));
	return claims;
}

PG_FUNCTION_INFO_V1(vci_issue_and_record);

/* openid4vci.vci_issue_and_record(configuration_id text, claims jsonb, holder_jwk jsonb,
 * subject_model text, subject_id text, issuer text) returns vci_issued_credential */
Datum
vci_issue_and_record(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *id = vci_arg_text_required(fcinfo, 0, "configuration_id");
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, vci_arg_text(fcinfo, 5), VCI_DUTY_OFFERER);
	int n = vci_cache_require_configuration(store, issuer, id);
	const VciConfiguration *configuration = &issuer->configurations[n];
	char thumbprint[VCI_THUMBPRINT_SIZE];
	VciNewCredential record = {.issuer_id = issuer->rules.id,
							   .key_id = issuer->signing.id,
							   .dataset = VCI_FIRST_DATASET,
							   .instance = 1,
							   .issued_at = vci_now(),
							   .configuration_id = configuration->id,
							   .format = configuration->format,
							   .subject_model = vci_arg_text(fcinfo, 3),
							   .subject_id = vci_arg_text(fcinfo, 4)};
	VciSignedCredential credential;
	VciStatusPlace status;
	VciError error = VCI_ERROR_INIT;
	VciKey **holder_key = vci_own_key();
	VciJson *holder;
	const VciJson *claims;
	int64 credential_id;

	vci_require_durability();
	vci_require_issuance(issuer);
	vci_cache_require_key(issuer);
	vci_cache_unseal(issuer);
	holder = holder_of_argument(fcinfo, 2, configuration, holder_key);
	if (holder != NULL)
		vci_require(vci_key_thumbprint(*holder_key, thumbprint, &error), &error);
	claims = claims_to_record(fcinfo, store, issuer, n, &record);
	status = vci_allot_status(store, issuer, configuration);
	credential =
		vci_sign_credential(issuer, n, record.format, claims, holder, &status, record.issued_at);
	record.status_list_id = status.list_id;
	record.status_index = status.entry.index;
	record.expires_at = credential.expires_at;
	record.holder_thumbprint = holder ? thumbprint : NULL;
	credential_id = vci_store_insert_credential(store, &record);
	vci_note(store, issuer,
			 (VciEvent){.kind = VCI_EVENT_CREDENTIAL_ISSUED, .credential_id = credential_id});
	vci_store_close(store);
	PG_RETURN_DATUM(issued_credential(fcinfo, credential_id, &credential));
}
