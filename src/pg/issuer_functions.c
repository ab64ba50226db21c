/*
 * SQL functions that manage issuers and their keys.
 */
#include "compat.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "cache.h"
#include "duty.h"
#include "event.h"
#include "issuer_settings.h"
#include "release.h"
#include "report.h"
#include "root_key.h"
#include "values.h"

#define ISSUER_URL_MAX 1024

static int64
insert_issuer(VciStore *store, const char *url)
{
	int64 id = vci_store_next_issuer_id(store);
	VciError error = VCI_ERROR_INIT;
	VciSecret data_key;
	char *root_key_id;
	bytea *sealed;

	vci_root_keys_follow(store);
	vci_require(vci_random(data_key.bytes, sizeof(data_key.bytes), &error), &error);
	sealed = vci_root_seal(VCI_ISSUER_DATA_KEY, id, data_key.bytes, sizeof(data_key.bytes),
						   &root_key_id);
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
	vci_check_setting_names(given);
	*settings = given ? vci_json_copy(given) : vci_json_new_object();
	vci_require_memory(*settings);
	if (display != NULL)
		vci_require_done(vci_json_set(*settings, "display", vci_json_ref(display)));
	vci_require_done(vci_json_set_string(*settings, "profile", profile));

	id = insert_issuer(store, url);
	vci_change_settings(store, id, *settings);
	vci_store_close(store);
	PG_RETURN_INT64(id);
}

/* Changes settings; a switch that is turned leaves an event. */
static void
alter_issuer(VciStore *store, const VciIssuerEntry *issuer, const VciJson *settings)
{
	int64 id = issuer->rules.id;
	bool was_paused = issuer->rules.issuance_paused;

	vci_change_settings(store, id, settings);
	/* spent nonces are forgotten after their lifetime: a longer one must not revive them */
	if (vci_json_has(settings, "c_nonce_lifetime") || vci_json_has(settings, "profile"))
		vci_store_void_nonces(store, id);
	issuer = vci_cache_issuer_by_id(store, id);
	if (issuer != NULL && issuer->rules.issuance_paused != was_paused)
		vci_note(store, issuer,
				 (VciEvent){.kind = was_paused ? VCI_EVENT_ISSUANCE_RESUMED
											   : VCI_EVENT_ISSUANCE_PAUSED});
}

PG_FUNCTION_INFO_V1(vci_alter_issuer);

/* openid4vci.vci_alter_issuer(settings jsonb, issuer text) returns void */
Datum
vci_alter_issuer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciJson *settings = vci_arg_json(fcinfo, 0, "settings");
	VciIssuerEntry *issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, 1), VCI_DUTY_ISSUER_ADMIN);

	vci_check_setting_names(settings);
	if (settings != NULL)
		alter_issuer(store, issuer, settings);
	vci_store_close(store);
	PG_RETURN_VOID();
}

static void
set_paused(VciStore *store, const char *issuer_url, bool paused)
{
	VciIssuerEntry *issuer = vci_issuer_with_duty(store, issuer_url, VCI_DUTY_ISSUER_ADMIN);
	VciJson **settings = vci_own_json();

	vci_require_memory(*settings = vci_json_new_object());
	vci_require_done(vci_json_set_boolean(*settings, "issuance_paused", paused));
	alter_issuer(store, issuer, *settings);
}

PG_FUNCTION_INFO_V1(vci_pause_issuance);

/* openid4vci.vci_pause_issuance(issuer text) returns void */
Datum
vci_pause_issuance(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();

	set_paused(store, vci_arg_text(fcinfo, 0), true);
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_resume_issuance);

/* openid4vci.vci_resume_issuance(issuer text) returns void */
Datum
vci_resume_issuance(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();

	set_paused(store, vci_arg_text(fcinfo, 0), false);
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
