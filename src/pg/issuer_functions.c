/*
 * SQL functions that manage issuers and their keys.
 */
#include "compat.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "cache.h"
#include "duty.h"
#include "release.h"
#include "report.h"
#include "root_key.h"
#include "values.h"

#define ISSUER_URL_MAX 1024

/* Settings that are whole numbers, with the bounds that the table's checks have too. */
typedef struct NumberSetting
{
	const char *name;
	int min;
	int max;
} NumberSetting;

static const NumberSetting number_settings[] = {
	{"offer_lifetime", 1, 315360000}, {"access_token_lifetime", 1, 31536000},
	{"c_nonce_lifetime", 1, 2592000}, {"retry_window", 0, 3600},
	{"time_rounding", 1, 604800},	  {"proof_max_age", 1, 2592000},
	{"tx_code_max_failures", 1, 100}, {"batch_size", 1, 32},
};

static const char *const issuer_settings[] = {"profile",
											  "display",
											  "base_path",
											  "iss_did_web",
											  "offer_lifetime",
											  "access_token_lifetime",
											  "c_nonce_lifetime",
											  "retry_window",
											  "time_rounding",
											  "proof_max_age",
											  "tx_code_max_failures",
											  "batch_size",
											  NULL};

static void
check_number_settings(const VciJson *settings)
{
	for (size_t i = 0; i < lengthof(number_settings); i++)
	{
		const NumberSetting *setting = &number_settings[i];
		const VciJson *value = vci_json_get(settings, setting->name);
		int64_t number;

		if (value != NULL &&
			(!vci_json_int64(value, &number) || number < setting->min || number > setting->max))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("setting %s must be a whole number from %d to %d", setting->name,
								   setting->min, setting->max)));
	}
}

/* Text of a setting that must be a string; NULL when it is absent or null. */
static const char *
string_setting(const VciJson *settings, const char *name)
{
	const VciJson *value = vci_json_get(settings, name);

	if (value != NULL && vci_json_kind(value) != VCI_JSON_STRING)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("setting %s must be a string", name)));
	return vci_json_string(value);
}

/* What the table's own checks would refuse, in words, and without showing the row. */
static void
check_settings(const VciJson *settings)
{
	const VciJson *iss_did_web = vci_json_get(settings, "iss_did_web");
	const char *profile = string_setting(settings, "profile");
	const char *base_path = string_setting(settings, "base_path");
	VciError error = VCI_ERROR_INIT;

	check_number_settings(settings);
	if (iss_did_web != NULL && vci_json_kind(iss_did_web) != VCI_JSON_BOOLEAN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("setting iss_did_web must be a boolean")));
	if (profile != NULL && strcmp(profile, "openspp") != 0 && strcmp(profile, "final") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there is no profile \"%s\"", profile),
						errhint("Profiles are openspp and final.")));
	if (base_path != NULL)
		vci_require(vci_issuer_base_path_check(base_path, &error), &error);
}

static void
change_settings(VciStore *store, int64 id, const VciJson *settings)
{
	VciError error = VCI_ERROR_INIT;
	const VciJson *display = vci_json_get(settings, "display");

	vci_check_members(settings, "settings", issuer_settings);
	check_settings(settings);
	if (display != NULL)
		vci_require(vci_issuer_display_check(display, &error), &error);
	vci_store_update_issuer(store, id, vci_jsonb_datum(settings));
}

/* The profile final knows no older shapes: a configuration that has them stands in its way. */
static void
check_profile_of_configurations(VciStore *store, int64 id)
{
	VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, id);

	if (issuer == NULL || issuer->rules.profile != VCI_PROFILE_FINAL)
		return;
	for (int i = 0; i < issuer->configuration_count; i++)
		if (issuer->configurations[i].older != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("configuration \"%s\" bends to older wallets, which profile final "
							"does not allow",
							issuer->configurations[i].id),
					 errhint("First: SELECT openid4vci.vci_alter_configuration('%s', '{\"older\": "
							 "[]}', issuer => '%s');",
							 issuer->configurations[i].id, issuer->rules.url)));
}

static char *
endpoint_prefix(const VciIssuerEntry *issuer)
{
	return psprintf("%s%s%s", issuer->authority, issuer->path, issuer->rules.base_path);
}

/* Two issuers with the same endpoints would answer in each other's place, or not at all. */
static void
check_endpoints(VciStore *store, int64 id)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++)
			if (issuers[i].rules.id == id && issuers[j].rules.id != id &&
				strcmp(endpoint_prefix(&issuers[i]), endpoint_prefix(&issuers[j])) == 0)
				ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
								errmsg("another issuer has its endpoints below %s already",
									   endpoint_prefix(&issuers[j])),
								errhint("Choose another base_path.")));
}

static int64
insert_issuer(VciStore *store, const char *url)
{
	int64 id = vci_store_next_issuer_id(store);
	VciError error = VCI_ERROR_INIT;
	VciSecret data_key;
	char *root_key_id;
	bytea *sealed;

	vci_require(vci_random(data_key.bytes, sizeof(data_key.bytes), &error), &error);
	sealed =
		vci_root_seal("issuer data key", id, data_key.bytes, sizeof(data_key.bytes), &root_key_id);
	vci_wipe(&data_key, sizeof(data_key));
	if (!vci_store_insert_issuer(store, id, url, sealed, root_key_id))
		ereport(
			ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("issuer %s exists already", url),
			 errhint("vci_alter_issuer changes its settings. A retired issuer comes back when a "
					 "superuser sets retired_at to NULL in openid4vci.vci_issuer.")));
	return id;
}

static void
check_url(const char *url)
{
	VciError error = VCI_ERROR_INIT;

	vci_check_text(url, "url", ISSUER_URL_MAX);
	vci_require(vci_issuer_url_check(url, &error), &error);
}

PG_FUNCTION_INFO_V1(vci_create_issuer);

/* openid4vci.vci_create_issuer(url text, display jsonb, profile text, settings jsonb)
 * returns bigint */
Datum
vci_create_issuer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *url = vci_arg_text_required(fcinfo, 0, "url");
	VciJson *display = vci_arg_json(fcinfo, 1, "display");
	char *profile = vci_arg_text_required(fcinfo, 2, "profile");
	VciJson *given = vci_arg_json(fcinfo, 3, "settings");
	VciJson **settings = vci_own_json();
	int64 id;

	vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	check_url(url);
	vci_check_members(given, "settings", issuer_settings);
	*settings = given ? vci_json_copy(given) : vci_json_new_object();
	vci_require_memory(*settings);
	if (display != NULL)
		vci_require_done(vci_json_set(*settings, "display", vci_json_ref(display)));
	vci_require_done(vci_json_set_string(*settings, "profile", profile));

	id = insert_issuer(store, url);
	change_settings(store, id, *settings);
	check_endpoints(store, id);
	vci_store_close(store);
	PG_RETURN_INT64(id);
}

PG_FUNCTION_INFO_V1(vci_alter_issuer);

/* openid4vci.vci_alter_issuer(settings jsonb, issuer text) returns void */
Datum
vci_alter_issuer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciJson *settings = vci_arg_json(fcinfo, 0, "settings");
	int64 id =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_ISSUER_ADMIN)->rules.id;

	if (settings != NULL)
	{
		change_settings(store, id, settings);
		/* spent nonces are forgotten after their lifetime: a longer one must not revive them */
		if (vci_json_has(settings, "c_nonce_lifetime") || vci_json_has(settings, "profile"))
			vci_store_void_nonces(store, id);
		check_profile_of_configurations(store, id);
		check_endpoints(store, id);
	}
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_retire_issuer);

/* openid4vci.vci_retire_issuer(issuer text) returns void */
Datum
vci_retire_issuer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_ISSUER_ADMIN);

	vci_store_retire_issuer(store, issuer->rules.id);
	vci_store_close(store);
	PG_RETURN_VOID();
}

/* Generates, seals and records a key; returns its kid. */
static char *
create_key(VciStore *store, int64 issuer_id, VciAlg alg)
{
	int64 id = vci_store_next_key_id(store);
	VciKey **key = vci_own_key();
	VciJson **public_jwk = vci_own_json();
	VciSensitiveBytes *der = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	char *kid = palloc(VCI_THUMBPRINT_SIZE);
	char *root_key_id;
	bytea *sealed;

	vci_require(vci_key_generate(alg, key, &error), &error);
	vci_require(vci_key_thumbprint(*key, kid, &error), &error);
	vci_require(vci_key_to_private_der(*key, &der->data, &der->len, &error), &error);
	vci_require_memory(*public_jwk = vci_key_public_jwk(*key));
	sealed = vci_root_seal("signing key", id, der->data, der->len, &root_key_id);
	vci_store_insert_key(store, id, issuer_id, kid, vci_alg_name(alg), vci_jsonb_datum(*public_jwk),
						 sealed, root_key_id);
	return kid;
}

PG_FUNCTION_INFO_V1(vci_create_key);

/* openid4vci.vci_create_key(issuer text, alg text) returns text */
Datum
vci_create_key(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 0), VCI_DUTY_ISSUER_ADMIN);
	char *name = vci_arg_text_required(fcinfo, 1, "alg");
	VciAlg alg = vci_alg_by_name(name);
	char *kid;

	if (alg != VCI_ALG_ES256 && alg != VCI_ALG_ES384 && alg != VCI_ALG_EDDSA)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("alg \"%s\" can't sign credentials here", name),
						errhint("Use ES256 (every wallet knows it), ES384 or EdDSA.")));
	kid = create_key(store, issuer->rules.id, alg);
	vci_store_close(store);
	PG_RETURN_TEXT_P(cstring_to_text(kid));
}

static void
set_key_state(FunctionCallInfo fcinfo, const char *state, const char *issuer_url)
{
	VciStore *store = vci_store_open();
	char *kid = vci_arg_text_required(fcinfo, 0, "kid");
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, issuer_url, VCI_DUTY_ISSUER_ADMIN);

	if (strcmp(state, "active") != 0 && strcmp(state, "retired") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a key can't be \"%s\"", state),
				 errhint("Its state is active or retired.")));
	if (!vci_store_alter_key(store, issuer->rules.id, kid, state))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("issuer %s has no key \"%s\"", issuer->rules.url, kid),
						errhint("SELECT kid, state FROM openid4vci.vci_key_info; lists them.")));
	vci_store_close(store);
}

PG_FUNCTION_INFO_V1(vci_alter_key);

/* openid4vci.vci_alter_key(kid text, state text, issuer text) returns void */
Datum
vci_alter_key(PG_FUNCTION_ARGS)
{
	set_key_state(fcinfo, vci_arg_text_required(fcinfo, 1, "state"), vci_arg_text(fcinfo, 2));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_retire_key);

/* openid4vci.vci_retire_key(kid text, issuer text) returns void */
Datum
vci_retire_key(PG_FUNCTION_ARGS)
{
	set_key_state(fcinfo, "retired", vci_arg_text(fcinfo, 1));
	PG_RETURN_VOID();
}
