/*
 * SQL functions that manage credential configurations and DID documents.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "../jose/did.h"
#include "../protocol/type_metadata.h"
#include "cache.h"
#include "duty.h"
#include "release.h"
#include "report.h"
#include "store_key.h"
#include "values.h"

#define IDENTIFIER_MAX 255
#define VCT_MAX		   1024
#define VALIDITY_MAX   INT64CONST(3155760000) /* 100 years */

static const char *const configuration_members[] = {"vct",
													"always_disclosed",
													"selectively_disclosable",
													"claims",
													"display",
													"claims_source",
													"validity",
													"format",
													"scope",
													"binding",
													"decoys",
													"older",
													"deferred",
													"status_bits",
													"w3c_status",
													"vct_integrity",
													NULL};

static const char *const option_members[] = {
	"decoys", "older", "deferred", "status_bits", "w3c_status", "vct_integrity", NULL};

/* Members whose SQL cast would otherwise report JSON text instead of the member's name. */
static void
check_member_kind(const VciJson *changes, const char *name, VciJsonKind expected,
				  const char *expected_name)
{
	const VciJson *value = vci_json_get(changes, name);

	if (value != NULL && vci_json_kind(value) != expected)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be %s", name, expected_name)));
}

static void
check_older(const VciJson *changes)
{
	const VciJson *older = vci_json_get(changes, "older");

	check_member_kind(changes, "older", VCI_JSON_ARRAY, "an array of switch names");
	for (size_t i = 0; i < vci_json_array_length(older); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(older, i));

		if (name == NULL || vci_older_by_name(name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("older has no switch \"%s\"", name ? name : "(no string)"),
					 errhint("Switches: format_request, singular_proof, untyped_proof, vc_sd_jwt, "
							 "metadata, holder_without_proof, credential_definition.")));
	}
}

/* Whole statuses fit into a byte (draft-ietf-oauth-status-list section 4.1). */
static void
check_status_bits(const VciJson *bits)
{
	int64_t count;

	if (bits == NULL ||
		(vci_json_int64(bits, &count) && (count == 1 || count == 2 || count == 4 || count == 8)))
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("status_bits must be 1, 2, 4 or 8, or null for no status"),
					errhint("1 bit: credentials can be revoked; 2: suspended, too.")));
}

/* Read here, where the error names the member, and not inside the UPDATE. */
static void
check_validity(const char *text)
{
	Datum span;
	int64 seconds;

	if (text == NULL)
		return;
	span = DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
	seconds = vci_interval_seconds(DatumGetIntervalP(span));
	if (seconds < 1 || seconds > VALIDITY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("validity must be from 1 second to 100 years, or NULL for no exp; it is %s",
						text),
				 errhint("Write the unit, as in '365 days'; a bare number counts seconds.")));
}

static void
check_kinds(const VciJson *changes)
{
	static const char *const texts[] = {"vct",	  "claims_source", "validity",
										"format", "scope",		   "binding"};
	static const char *const arrays[] = {"always_disclosed", "selectively_disclosable", "claims",
										 "display"};
	const char *binding = vci_json_get_string(changes, "binding");
	const VciJson *decoys = vci_json_get(changes, "decoys");
	int64_t decoy_count;

	for (size_t i = 0; i < lengthof(texts); i++)
		check_member_kind(changes, texts[i], VCI_JSON_STRING, "a string");
	for (size_t i = 0; i < lengthof(arrays); i++)
		check_member_kind(changes, arrays[i], VCI_JSON_ARRAY, "an array");
	if (decoys != NULL &&
		(!vci_json_int64(decoys, &decoy_count) || decoy_count < 0 || decoy_count > 64))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("decoys must be a whole number from 0 to 64")));
	check_member_kind(changes, "deferred", VCI_JSON_BOOLEAN, "a boolean");
	check_member_kind(changes, "w3c_status", VCI_JSON_BOOLEAN, "a boolean");
	check_member_kind(changes, "vct_integrity", VCI_JSON_BOOLEAN, "a boolean");
	check_status_bits(vci_json_get(changes, "status_bits"));
	check_older(changes);
	check_validity(vci_json_get_string(changes, "validity"));
	if (binding != NULL && strcmp(binding, "required") != 0 && strcmp(binding, "optional") != 0 &&
		strcmp(binding, "absent") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("binding can't be \"%s\"", binding),
						errhint("It is required, optional or absent.")));
	vci_check_text(vci_json_get_string(changes, "vct"), "vct", VCT_MAX);
	vci_check_text(vci_json_get_string(changes, "scope"), "scope", IDENTIFIER_MAX);
}

/* ["a", ["b","c"]] as an operator writes it becomes [["a"], ["b","c"]]. */
static void
normalize_paths(VciJson *changes, const char *name)
{
	const VciJson *given = vci_json_get(changes, name);
	VciJson **paths;
	VciError error = VCI_ERROR_INIT;

	if (given == NULL)
		return;
	paths = vci_own_json();
	vci_require(vci_claims_paths_normalize(given, paths, &error), &error);
	vci_require_done(vci_json_set(changes, name, vci_json_ref(*paths)));
}

/* Reads the row back as the rules will see it and checks it as a whole. */
static void
check_stored(VciStore *store, const VciIssuerEntry *issuer, const char *id)
{
	int count;
	VciConfigurationRow *rows = vci_store_configurations(store, issuer->rules.id, &count);

	for (int i = 0; i < count; i++)
	{
		VciConfiguration rules;
		VciError error = VCI_ERROR_INIT;

		if (strcmp(rows[i].id, id) != 0)
			continue;
		vci_rules_of_configuration_row(&rows[i], &rules);
		vci_require(vci_configuration_check(&rules, &error), &error);
		if (issuer->rules.profile == VCI_PROFILE_FINAL && rules.older != 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("profile final has no older shapes: older must be empty")));
		if (rules.vct_integrity && vci_type_path(&issuer->rules, rules.vct) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("vct_integrity needs a vct at which this issuer answers with "
							"type metadata, not \"%s\"",
							rules.vct),
					 errhint("For example: \"vct\": \"%s/types/%s\".", issuer->rules.url, id)));
		if (rules.w3c_status && rules.status_bits == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("w3c_status needs status_bits: both tell of the same bits"),
							errhint("'{\"status_bits\": 2, \"w3c_status\": true}'")));
	}
}

/* Applies checked changes; claims_source is resolved with the caller's rights. */
static void
change_configuration(VciStore *store, const VciIssuerEntry *issuer, const char *id,
					 VciJson *changes)
{
	const char *claims_source;
	char *owner = NULL;

	check_kinds(changes);
	normalize_paths(changes, "always_disclosed");
	normalize_paths(changes, "selectively_disclosable");
	claims_source = vci_json_get_string(changes, "claims_source");
	if (claims_source != NULL)
		owner = vci_store_check_source(store, VCI_CLAIMS_SOURCE, claims_source);
	if (!vci_store_update_configuration(store, issuer->rules.id, id, vci_jsonb_datum(changes),
										owner))
		(void) vci_cache_require_configuration(store, issuer, id);
	check_stored(store, issuer, id);
}

static void
set_text(VciJson *object, const char *name, FunctionCallInfo fcinfo, int argument)
{
	char *value = vci_arg_text(fcinfo, argument);

	if (value != NULL)
		vci_require_done(vci_json_set_string(object, name, value));
}

static void
set_json(VciJson *object, const char *name, FunctionCallInfo fcinfo, int argument)
{
	VciJson *value = vci_arg_json(fcinfo, argument, name);

	if (value != NULL)
		vci_require_done(vci_json_set(object, name, vci_json_ref(value)));
}

static void
set_validity(VciJson *changes, FunctionCallInfo fcinfo, int argument)
{
	char *text;

	if (PG_ARGISNULL(argument))
		return;
	text = DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(argument)));
	vci_require_done(vci_json_set_string(changes, "validity", text));
}

/* How far a configuration bends when nobody says: as the issuer's profile has it. */
static void
set_default_older(VciJson *changes, const VciIssuerEntry *issuer)
{
	static const char *const guide[] = {"format_request", "singular_proof", "untyped_proof",
										"vc_sd_jwt", "metadata"};
	VciJson *older = vci_json_new_array();

	vci_require_memory(older);
	vci_require_done(vci_json_set(changes, "older", older));
	for (size_t i = 0; issuer->rules.profile == VCI_PROFILE_OPENSPP && i < lengthof(guide); i++)
		vci_require_done(vci_json_append_string(older, guide[i]));
}

static void
set_options(VciJson *changes, const VciIssuerEntry *issuer, const VciJson *options)
{
	VciJsonIter iter;

	vci_check_members(options, "options", option_members);
	set_default_older(changes, issuer);
	iter = vci_json_iter(options);
	while (vci_json_next(&iter))
		if (iter.value != NULL)
			vci_require_done(vci_json_set(changes, iter.name, vci_json_ref(iter.value)));
}

PG_FUNCTION_INFO_V1(vci_create_configuration);

/* openid4vci.vci_create_configuration(id, vct, always_disclosed, selectively_disclosable,
 * claims, display, claims_source, validity, format, scope, binding, issuer, options)
 * returns text */
Datum
vci_create_configuration(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *id = vci_arg_text_required(fcinfo, 0, "id");
	char *vct = vci_arg_text_required(fcinfo, 1, "vct");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 11), VCI_DUTY_ISSUER_ADMIN);
	VciJson **changes = vci_own_json();

	vci_check_text(id, "id", IDENTIFIER_MAX);
	vci_check_text(vct, "vct", VCT_MAX);
	vci_require_memory(*changes = vci_json_new_object());
	set_json(*changes, "always_disclosed", fcinfo, 2);
	set_json(*changes, "selectively_disclosable", fcinfo, 3);
	set_json(*changes, "claims", fcinfo, 4);
	set_json(*changes, "display", fcinfo, 5);
	set_text(*changes, "claims_source", fcinfo, 6);
	set_validity(*changes, fcinfo, 7);
	set_text(*changes, "format", fcinfo, 8);
	if (PG_ARGISNULL(9))
		vci_require_done(vci_json_set_string(*changes, "scope", id));
	else
		set_text(*changes, "scope", fcinfo, 9);
	set_text(*changes, "binding", fcinfo, 10);
	set_options(*changes, issuer, vci_arg_json(fcinfo, 12, "options"));

	/* a key that is retired meanwhile must stay published for what is signed of this one, too */
	vci_store_lock_keys(store, issuer->rules.id);
	if (!vci_store_insert_configuration(store, issuer->rules.id, id, vct))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("issuer %s already has a credential configuration \"%s\"",
							   issuer->rules.url, id),
						errhint("Change it with vci_alter_configuration; a retired id is not used "
								"again.")));
	change_configuration(store, issuer, id, *changes);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

PG_FUNCTION_INFO_V1(vci_alter_configuration);

/* openid4vci.vci_alter_configuration(id text, changes jsonb, issuer text) returns void */
Datum
vci_alter_configuration(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *id = vci_arg_text_required(fcinfo, 0, "id");
	VciJson *changes = vci_arg_json(fcinfo, 1, "changes");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 2), VCI_DUTY_ISSUER_ADMIN);

	vci_check_members(changes, "changes", configuration_members);
	if (vci_json_has(changes, "older") && vci_json_get(changes, "older") == NULL)
		set_default_older(changes, issuer);
	if (changes != NULL)
		change_configuration(store, issuer, id, changes);
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_retire_configuration);

/* openid4vci.vci_retire_configuration(id text, issuer text) returns void */
Datum
vci_retire_configuration(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *id = vci_arg_text_required(fcinfo, 0, "id");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_ISSUER_ADMIN);

	(void) vci_cache_require_configuration(store, issuer, id);
	vci_store_retire_configuration(store, issuer->rules.id, id);
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_load_did_document);

/* openid4vci.vci_load_did_document(did text, document jsonb) returns void */
Datum
vci_load_did_document(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *did = text_to_cstring(PG_GETARG_TEXT_PP(0));
	VciJson *document = vci_arg_json(fcinfo, 1, "document");
	const char *id = vci_json_get_string(document, "id");

	vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	vci_check_text(did, "did", VCT_MAX);
	if (vci_did_method(did) != VCI_DID_WEB || strpbrk(did, "#?/") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is no did:web DID", did),
				 errdetail("did:jwk and did:key hold their key themselves; only did:web "
						   "needs a document.")));
	if (id == NULL || strcmp(id, did) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the document's id must be \"%s\", it is \"%s\"", did,
							   id ? id : "(absent)")));
	vci_store_put_did_document(store, did, PG_GETARG_DATUM(1));
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_drop_did_document);

/* openid4vci.vci_drop_did_document(did text) returns boolean */
Datum
vci_drop_did_document(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	bool dropped;

	vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	dropped = vci_store_drop_did_document(store, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	vci_store_close(store);
	PG_RETURN_BOOL(dropped);
}
