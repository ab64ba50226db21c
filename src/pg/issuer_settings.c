#include "compat.h"

#include "utils/builtins.h"

#include "cache.h"
#include "duty.h"
#include "issuer_settings.h"
#include "release.h"
#include "report.h"
#include "store_purge.h"
#include "store_status_read.h"
#include "values.h"

/* Settings that are whole numbers, with the bounds that the table's checks have too. */
typedef struct NumberSetting
{
	const char *name;
	int min;
	int max;
	bool in_seconds;
} NumberSetting;

static const NumberSetting number_settings[] = {
	{"offer_lifetime", 1, 315360000, true},
	{"access_token_lifetime", 1, 31536000, true},
	{"c_nonce_lifetime", 1, 2592000, true},
	{"retry_window", 0, 3600, true},
	{"time_rounding", 1, 604800, true},
	{"proof_max_age", 1, 2592000, true},
	{"tx_code_max_failures", 1, 100, false},
	{"batch_size", 1, 32, false},
	{"dpop_proof_max_age", 1, 3600, true},
	{"refresh_token_lifetime", 1, 315360000, true},
	{"authorization_request_lifetime", 1, 86400, true},
	{"authorization_code_lifetime", 1, 600, true},
	{"authorization_request_rate", 1, 1000000, false},
	{"tx_code_retry_delay", 0, 3600, true},
	{"deferred_interval", 1, 2592000, true},
	{"deferred_lifetime", 1, 31536000, true},
	{"status_list_size", 1024, 16777216, false},
	{"status_list_ttl", 1, 31536000, true},
	{"status_list_lifetime", 60, 31536000, true},
	{"token_retention", 3600, 315360000, true},
	{"offer_retention", 86400, INT_MAX, true},
	{"credential_retention", 86400, INT_MAX, true},
	{"event_retention", 86400, INT_MAX, true},
};

static const char *const flag_settings[] = {"iss_did_web", "dpop_nonce", "notify_events",
											"issuance_paused", "keep_claims"};

static const char *const setting_names[] = {"profile",
											"display",
											"base_path",
											"endpoints",
											"iss_did_web",
											"issuance_paused",
											"offer_lifetime",
											"access_token_lifetime",
											"refresh_token_lifetime",
											"c_nonce_lifetime",
											"retry_window",
											"time_rounding",
											"proof_max_age",
											"tx_code_max_failures",
											"tx_code_retry_delay",
											"batch_size",
											"deferred_interval",
											"deferred_lifetime",
											"status_list_size",
											"status_list_ttl",
											"status_list_lifetime",
											"dpop",
											"dpop_nonce",
											"dpop_proof_max_age",
											"authorization_request_lifetime",
											"authorization_code_lifetime",
											"authorization_request_rate",
											"login_url",
											"authenticate",
											"login_fields",
											"wallet_url",
											"notify_events",
											"keep_claims",
											"token_retention",
											"offer_retention",
											"credential_retention",
											"event_retention",
											"report_labels",
											NULL};

void
vci_check_setting_names(const VciJson *settings)
{
	vci_check_members(settings, "settings", setting_names);
}

static void
check_numbers(const VciJson *settings)
{
	for (size_t i = 0; i < lengthof(number_settings); i++)
	{
		const NumberSetting *setting = &number_settings[i];
		const VciJson *value = vci_json_get(settings, setting->name);
		int64_t number;

		if (value != NULL &&
			(!vci_json_int64(value, &number) || number < setting->min || number > setting->max))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("setting %s must be a whole number%s from %d to %d", setting->name,
							setting->in_seconds ? " of seconds" : "", setting->min, setting->max)));
	}
}

static void
check_status_list_size(const VciJson *settings)
{
	int64_t size;

	if (vci_json_get_int64(settings, "status_list_size", &size) && (size & (size - 1)) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("setting status_list_size must be a power of two"),
						errhint("For example 1048576, or half or double of it.")));
}

static void
check_flags(const VciJson *settings)
{
	for (size_t i = 0; i < lengthof(flag_settings); i++)
	{
		const VciJson *value = vci_json_get(settings, flag_settings[i]);

		if (value != NULL && vci_json_kind(value) != VCI_JSON_BOOLEAN)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("setting %s must be a boolean", flag_settings[i])));
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

static void
check_words(const VciJson *settings)
{
	const char *profile = string_setting(settings, "profile");
	const char *dpop = string_setting(settings, "dpop");

	if (profile != NULL && strcmp(profile, "openspp") != 0 && strcmp(profile, "final") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there is no profile \"%s\"", profile),
						errhint("Profiles are openspp and final.")));
	if (dpop != NULL && strcmp(dpop, "off") != 0 && strcmp(dpop, "optional") != 0 &&
		strcmp(dpop, "required") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dpop can't be \"%s\"", dpop),
				 errhint("It is off, optional or required.")));
}

#define REPORT_LABELS_MAX	  8
#define REPORT_LABEL_MAX_SIZE 63

/* Each one makes the funnel longer by as many rows as the label has values. */
static void
check_report_labels(const VciJson *labels)
{
	bool good = vci_json_kind(labels) == VCI_JSON_ARRAY &&
				vci_json_array_length(labels) <= REPORT_LABELS_MAX;

	for (size_t i = 0; good && i < vci_json_array_length(labels); i++)
	{
		const char *name = vci_json_string(vci_json_array_at(labels, i));

		good = name != NULL && name[0] != '\0' && strlen(name) <= REPORT_LABEL_MAX_SIZE;
	}
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting report_labels must be an array of at most %d names of labels",
						REPORT_LABELS_MAX),
				 errhint("For example: {\"report_labels\": [\"area\", \"program\"]}")));
}

/* What the table's own checks would refuse, in words, and without showing the row. */
static void
check_settings(const VciJson *settings)
{
	const char *base_path = string_setting(settings, "base_path");
	const char *login_url = string_setting(settings, "login_url");
	const char *wallet_url = string_setting(settings, "wallet_url");
	const VciJson *endpoints = vci_json_get(settings, "endpoints");
	const VciJson *display = vci_json_get(settings, "display");
	const VciJson *login_fields = vci_json_get(settings, "login_fields");
	const VciJson *report_labels = vci_json_get(settings, "report_labels");
	VciError error = VCI_ERROR_INIT;

	check_numbers(settings);
	check_status_list_size(settings);
	check_flags(settings);
	check_words(settings);
	if (base_path != NULL)
		vci_require(vci_issuer_base_path_check(base_path, &error), &error);
	if (login_url != NULL)
		vci_require(vci_page_url_check(login_url, "the URL of a login page", &error), &error);
	if (wallet_url != NULL)
		vci_require(vci_page_url_check(wallet_url, "wallet_url", &error), &error);
	if (endpoints != NULL && vci_json_kind(endpoints) != VCI_JSON_OBJECT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("setting endpoints must be an object by endpoint name"),
						errhint("For example: {\"endpoints\": {\"nonce\": {\"enabled\": false}, "
								"\"token\": {\"path\": \"/token\"}}}")));
	if (display != NULL)
		vci_require(vci_issuer_display_check(display, &error), &error);
	if (report_labels != NULL)
		check_report_labels(report_labels);
	if (login_fields != NULL)
		vci_require(vci_login_fields_check(login_fields, &error), &error);
}

/* Would a request for b's endpoint also be one for a's? */
static bool
place_covers(const VciIssuerEntry *a, VciEndpoint a_endpoint, const VciIssuerEntry *b,
			 VciEndpoint b_endpoint)
{
	const VciEndpointPlace *one = &a->places[a_endpoint];
	const VciEndpointPlace *other = &b->places[b_endpoint];
	size_t len = strlen(one->path);
	const char *rest;

	if (!a->rules.endpoints[a_endpoint].enabled || !b->rules.endpoints[b_endpoint].enabled ||
		strcmp(one->authority, other->authority) != 0)
		return false;
	if (strncmp(other->path, one->path, len) != 0)
		return false;
	rest = other->path + len;
	/* an offer's URL is longer than what its endpoint lies at */
	return rest[0] == '\0' ||
		   (vci_endpoint_takes(b_endpoint, "") && vci_endpoint_takes(a_endpoint, rest));
}

static void
refuse_shared_endpoints(const VciIssuerEntry *changed, const VciIssuerEntry *other)
{
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
		for (int j = 0; j < VCI_ENDPOINT_COUNT; j++)
			if (place_covers(changed, i, other, j) || place_covers(other, j, changed, i))
				ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
								errmsg("another issuer has an endpoint at %s%s already",
									   other->places[j].authority, other->places[j].path),
								errhint("Choose another base_path, or other endpoints.")));
}

/*
 * Two issuers with the same endpoints would answer in each other's place, or not at all.
 * Reading the issuers again also checks what all settings together make of the endpoints.
 */
static void
check_endpoints(VciStore *store, int64 id)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++)
			if (issuers[i].rules.id == id && issuers[j].rules.id != id)
				refuse_shared_endpoints(&issuers[i], &issuers[j]);
}

/* The profile final knows no older shapes: a configuration that has them stands in its way. */
static void
check_profile(VciStore *store, int64 id)
{
	VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, id);

	if (issuer == NULL || issuer->rules.profile != VCI_PROFILE_FINAL)
		return;
	for (int i = 0; i < issuer->configuration_count; i++)
		if (issuer->configurations[i].older != 0)
			ereport(
				ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("configuration \"%s\" bends to older wallets, which profile final "
						"does not allow",
						issuer->configurations[i].id),
				 errhint("First: SELECT openid4vci.vci_alter_configuration(%s, '{\"older\": []}', "
						 "issuer => %s);",
						 quote_literal_cstr(issuer->configurations[i].id),
						 quote_literal_cstr(issuer->rules.url))));
	for (int i = 0; i < issuer->client_count; i++)
		if (!issuer->clients[i].pkce_required)
			ereport(
				ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("client \"%s\" need not use PKCE, which profile final does not allow",
						issuer->clients[i].id),
				 errhint(
					 "First: SELECT openid4vci.vci_alter_client(%s, '{\"pkce_required\": true}', "
					 "issuer => %s);",
					 quote_literal_cstr(issuer->clients[i].id),
					 quote_literal_cstr(issuer->rules.url))));
}

/* Who fetched a token may keep it for its ttl, and it must not expire meanwhile. */
static void
check_status_list_times(VciStore *store, int64 id)
{
	const VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, id);

	if (issuer != NULL && issuer->rules.status_list_lifetime < issuer->rules.status_list_ttl)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("status_list_lifetime (%d seconds) must not be shorter than "
							   "status_list_ttl (%d seconds)",
							   issuer->rules.status_list_lifetime, issuer->rules.status_list_ttl),
						errhint("Change both in one call of vci_alter_issuer.")));
}

/* May these settings move an endpoint, or switch one on? */
static bool
concerns_endpoints(const VciJson *settings)
{
	return vci_json_has(settings, "endpoints") || vci_json_has(settings, "base_path") ||
		   vci_json_has(settings, "profile");
}

/*
 * A Host header that names some issuer's endpoint shuts out the endpoints of others at other
 * hosts: so a new host is for who may make issuers.
 */
static void
check_hosts(VciStore *store, int64 issuer_id, const VciJson *settings)
{
	const VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, issuer_id);
	VciJsonIter iter = vci_json_iter(vci_json_get(settings, "endpoints"));

	while (issuer != NULL && vci_json_next(&iter))
	{
		const char *base_url = vci_json_get_string(iter.value, "base_url");
		char **authority = vci_own_text();

		if (base_url == NULL)
			continue;
		vci_require_memory(*authority = vci_issuer_url_authority(base_url));
		if (strcmp(*authority, issuer->authority) != 0)
			vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS);
	}
}

/* Where its status lists are; NULL: nowhere. */
static const char *
status_lists_url(VciStore *store, int64 issuer_id)
{
	const VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, issuer_id);
	const VciEndpointRule *lists =
		issuer ? &issuer->rules.endpoints[VCI_ENDPOINT_STATUS_LIST] : NULL;

	return lists != NULL && lists->enabled ? pstrdup(lists->url) : NULL;
}

/* What was issued names the URL of its status list, and the list's token repeats it as sub. */
static void
warn_of_moved_lists(VciStore *store, int64 issuer_id, const char *former)
{
	const char *url = status_lists_url(store, issuer_id);
	int count = 0;

	if (former == NULL || (url != NULL && strcmp(url, former) == 0))
		return;
	(void) vci_store_status_list_names(store, issuer_id, &count);
	if (count > 0)
		ereport(
			WARNING,
			(errmsg("what was issued so far may name status lists at %s, where none is any more: "
					"verifiers can't tell whether that was revoked",
					former),
			 errhint("Let the endpoint status_list stay there, by its enabled, path and "
					 "base_url.")));
}

void
vci_change_settings(VciStore *store, int64 issuer_id, const VciJson *settings)
{
	const char *authenticate = string_setting(settings, "authenticate");
	const char *owner = NULL;
	const char *lists = NULL;

	check_settings(settings);
	if (authenticate != NULL)
		owner = vci_store_check_source(store, VCI_AUTHENTICATE, authenticate);
	if (concerns_endpoints(settings))
	{
		vci_store_serialize_issuers(store);
		lists = status_lists_url(store, issuer_id);
	}
	vci_store_update_issuer(store, issuer_id, vci_jsonb_datum(settings), owner);
	if (vci_json_has(settings, "keep_claims"))
		vci_store_restart_sweep(store, VCI_KEPT_CLAIMS);
	check_endpoints(store, issuer_id);
	check_hosts(store, issuer_id, settings);
	check_profile(store, issuer_id);
	check_status_list_times(store, issuer_id);
	warn_of_moved_lists(store, issuer_id, lists);
}
