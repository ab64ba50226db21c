/*
 * vci_issuer_settings: an issuer's settings with the defaults where it has none of its own.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "duty.h"
#include "release.h"
#include "report.h"
#include "values.h"

typedef struct NumberInForce
{
	const char *name;
	size_t offset;
} NumberInForce;

#define NUMBER(member)                                                                             \
	{                                                                                              \
#member, offsetof(VciIssuer, member)                                                       \
	}

static const NumberInForce numbers[] = {
	NUMBER(offer_lifetime),
	NUMBER(access_token_lifetime),
	NUMBER(c_nonce_lifetime),
	NUMBER(retry_window),
	NUMBER(time_rounding),
	NUMBER(proof_max_age),
	NUMBER(tx_code_max_failures),
	NUMBER(tx_code_retry_delay),
	NUMBER(batch_size),
	NUMBER(dpop_proof_max_age),
	NUMBER(refresh_token_lifetime),
	NUMBER(authorization_request_lifetime),
	NUMBER(authorization_code_lifetime),
	NUMBER(authorization_request_rate),
	NUMBER(deferred_interval),
	NUMBER(deferred_lifetime),
	NUMBER(status_list_size),
	NUMBER(status_list_ttl),
	NUMBER(status_list_lifetime),
};

static void
set_text(VciJson *settings, const char *name, const char *text)
{
	vci_require_done(text == NULL ? vci_json_set_null(settings, name)
								  : vci_json_set_string(settings, name, text));
}

static void
set_copy(VciJson *settings, const char *name, const VciJson *value)
{
	vci_require_done(value == NULL ? vci_json_set_null(settings, name)
								   : vci_json_set(settings, name, vci_json_copy(value)));
}

static void
set_numbers(VciJson *settings, const VciIssuer *rules)
{
	for (size_t i = 0; i < lengthof(numbers); i++)
		vci_require_done(
			vci_json_set_int64(settings, numbers[i].name,
							   *(const int32_t *) ((const char *) rules + numbers[i].offset)));
	if (rules->refresh_token_lifetime == 0)
		vci_require_done(vci_json_set_null(settings, "refresh_token_lifetime"));
}

static const char *
dpop_name(VciDpopMode mode)
{
	switch (mode)
	{
		case VCI_DPOP_OFF:
			return "off";
		case VCI_DPOP_OPTIONAL:
			return "optional";
		case VCI_DPOP_REQUIRED:
			return "required";
	}
	return NULL;
}

static void
set_words_and_flags(VciJson *settings, const VciIssuerEntry *issuer)
{
	const VciIssuer *rules = &issuer->rules;

	set_text(settings, "profile", rules->profile == VCI_PROFILE_FINAL ? "final" : "openspp");
	set_text(settings, "base_path", rules->base_path);
	set_text(settings, "dpop", dpop_name(rules->dpop));
	set_text(settings, "login_url", issuer->login_url);
	set_text(settings, "wallet_url", issuer->wallet_url);
	set_text(settings, "authenticate", issuer->authenticate.function);
	vci_require_done(vci_json_set_boolean(settings, "iss_did_web", rules->iss_did_web) &&
					 vci_json_set_boolean(settings, "issuance_paused", rules->issuance_paused) &&
					 vci_json_set_boolean(settings, "dpop_nonce", rules->dpop_nonce) &&
					 vci_json_set_boolean(settings, "notify_events", issuer->notify_events) &&
					 vci_json_set_boolean(settings, "keep_claims", issuer->keep_claims));
}

static void
set_endpoints(VciJson *settings, const VciIssuer *rules)
{
	VciJson *endpoints = vci_json_new_object();

	vci_require_done(vci_json_set(settings, "endpoints", endpoints));
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
	{
		const VciEndpointRule *rule = &rules->endpoints[i];
		VciJson *endpoint = vci_json_new_object();

		vci_require_done(vci_json_set(endpoints, vci_endpoint_name((VciEndpoint) i), endpoint) &&
						 vci_json_set_boolean(endpoint, "enabled", rule->enabled) &&
						 vci_json_set_string(endpoint, "url", rule->url));
	}
}

PG_FUNCTION_INFO_V1(vci_issuer_settings);

/* openid4vci.vci_issuer_settings(issuer text) returns jsonb */
Datum
vci_issuer_settings(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer = vci_cache_issuer(store, vci_arg_text(fcinfo, 0));
	VciJson **settings = vci_own_json();

	if (!vci_may_read(store, issuer->rules.id))
		vci_require_duty(store, VCI_DUTY_REPORTER, issuer->rules.id);
	vci_require_memory(*settings = vci_json_new_object());
	set_words_and_flags(*settings, issuer);
	set_numbers(*settings, &issuer->rules);
	set_endpoints(*settings, &issuer->rules);
	set_copy(*settings, "display", issuer->rules.display);
	set_copy(*settings, "login_fields", issuer->login_fields);
	vci_store_close(store);
	PG_RETURN_DATUM(vci_jsonb_datum(*settings));
}
