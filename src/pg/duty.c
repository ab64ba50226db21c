#include "compat.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "cache.h"
#include "duty.h"

#define ON_FUNCTION(signature)	"EXECUTE ON FUNCTION openid4vci." signature
#define ON_PROCEDURE(signature) "EXECUTE ON PROCEDURE openid4vci." signature
#define ON_VIEW(name)			"SELECT ON openid4vci." name

#define VIEWS                                                                                      \
	ON_VIEW("vci_issuer_info"), ON_VIEW("vci_key_info"), ON_VIEW("vci_configuration_info"),        \
		ON_VIEW("vci_offer_info"), ON_VIEW("vci_credential_info"), ON_VIEW("vci_client_info"),     \
		ON_VIEW("vci_authorization_server_info"), ON_VIEW("vci_authorization_info"),               \
		ON_VIEW("vci_deferred_info"), ON_VIEW("vci_event_info"),                                   \
		ON_FUNCTION("vci_events(bigint, integer)"), ON_FUNCTION("vci_duty_issuers(text)"),         \
		ON_FUNCTION("vci_check_issuer(text)"), ON_FUNCTION("vci_health()"),                        \
		ON_VIEW("vci_funnel_info"), ON_VIEW("vci_latency_info"), ON_VIEW("vci_campaign_info"),     \
		ON_VIEW("vci_campaign_failure_info"), ON_FUNCTION("vci_refresh_funnel(integer)"),          \
		ON_FUNCTION("vci_offer_situation(bigint)"),                                                \
		ON_FUNCTION("vci_person(text, text, text, text)"),                                         \
		ON_FUNCTION("vci_issuer_settings(text)"), ON_FUNCTION("vci_credential_status(bigint)")

/* Links go one way, transaction codes another. */
#define DELIVERIES                                                                                 \
	ON_VIEW("vci_delivery_queue"),                                                                 \
		ON_FUNCTION("vci_take_deliveries(bigint, text, integer, interval)"),                       \
		ON_FUNCTION("vci_mark_deliveries(bigint[], text, text, bigint)"),                          \
		ON_FUNCTION("vci_delivery_link(bigint, bigint)")

#define DELIVERY_TX_CODES                                                                          \
	ON_VIEW("vci_delivery_tx_codes"), ON_FUNCTION("vci_delivery_tx_code(bigint, bigint)")

/* In the order of VciDuty. */
static const VciDutyDefinition definitions[] = {
	{"endpoint", true, {ON_FUNCTION("vci_http(text, text, text[], bytea)"), NULL}},
	{"offerer",
	 true,
	 {VIEWS,
	  ON_FUNCTION("vci_create_offer(text[], text, text, jsonb, text, boolean, text, integer, text, "
				  "text, interval, text, jsonb, text[], text, jsonb)"),
	  ON_FUNCTION("vci_offer_uri(bigint, text)"),
	  ON_FUNCTION("vci_find_offer(text)"),
	  ON_FUNCTION("vci_offer_qr(bigint, text, text)"),
	  ON_FUNCTION("vci_offer_qr_png(bigint, text, integer)"),
	  ON_FUNCTION("vci_extend_offer(bigint, interval)"),
	  ON_FUNCTION("vci_rotate_code(bigint)"),
	  ON_FUNCTION("vci_reset_tx_code(bigint, text)"),
	  ON_FUNCTION("vci_reopen_offer(bigint)"),
	  ON_FUNCTION("vci_cancel_offer(bigint)"),
	  ON_FUNCTION("vci_extend_offers(timestamp with time zone, bigint, jsonb, text, integer)"),
	  ON_FUNCTION("vci_cancel_offers(bigint, jsonb, text, integer)"),
	  DELIVERIES,
	  DELIVERY_TX_CODES,
	  ON_FUNCTION("vci_resend(bigint, jsonb, text, text, text, integer)"),
	  ON_FUNCTION("vci_create_campaign(text, text[], text, jsonb, text)"),
	  ON_FUNCTION("vci_alter_campaign(bigint, jsonb)"),
	  ON_FUNCTION("vci_pause_campaign(bigint)"),
	  ON_FUNCTION("vci_resume_campaign(bigint, boolean)"),
	  ON_FUNCTION("vci_cancel_campaign(bigint, integer)"),
	  ON_FUNCTION("vci_check_campaign(bigint, integer)"),
	  ON_FUNCTION("vci_campaign_step(bigint, integer)"),
	  ON_PROCEDURE("vci_campaign_run(bigint, bigint)"),
	  ON_FUNCTION("vci_purge(integer)"),
	  ON_FUNCTION("vci_exchange_code(text, text, text)"),
	  ON_FUNCTION("vci_request_token(jsonb, text, text)"),
	  ON_FUNCTION("vci_push_authorization(jsonb, text, text)"),
	  ON_FUNCTION("vci_authorize(jsonb, text)"),
	  ON_FUNCTION("vci_authorization_request(text, text)"),
	  ON_FUNCTION("vci_authorize_approve(text, text, text, jsonb, jsonb, text)"),
	  ON_FUNCTION("vci_authorize_deny(text, text, text)"),
	  ON_FUNCTION("vci_create_nonce(text)"),
	  ON_FUNCTION("vci_holder_jwk(text)"),
	  ON_FUNCTION("vci_issue_sdjwt(text, jsonb, jsonb, text)"),
	  ON_FUNCTION("vci_issue_and_record(text, jsonb, jsonb, text, text, text)"),
	  ON_FUNCTION("vci_request_credential(text, jsonb, text, text)"),
	  ON_FUNCTION("vci_request_deferred(text, text, text, text)"),
	  ON_FUNCTION("vci_record_notification(text, text, text, text, text, text)"),
	  ON_FUNCTION("vci_deferred_complete(bigint, jsonb)"),
	  ON_FUNCTION("vci_deferred_deny(bigint, text)"),
	  ON_FUNCTION("vci_revoke(bigint, text, bigint, text, text, text, jsonb, text, integer)"),
	  ON_FUNCTION("vci_suspend(bigint, text, bigint, text, text, text, jsonb, text, integer)"),
	  ON_FUNCTION("vci_reinstate(bigint, text, bigint, text, text, text, jsonb, text, integer)"),
	  ON_FUNCTION("vci_verify_kbjwt(text, text, text, text, jsonb, text, boolean, interval)"),
	  ON_FUNCTION("vci_verify_sdjwt(text, text, text, jsonb, boolean, interval)"),
	  ON_FUNCTION("vci_verify_dpop(text, text, text, text, interval)"),
	  ON_FUNCTION("vci_purge(integer)"),
	  ON_FUNCTION("vci_seal_events(integer)"),
	  NULL}},
	{"issuer_admin",
	 true,
	 {VIEWS,
	  ON_FUNCTION("vci_create_issuer(text, jsonb, text, jsonb)"),
	  ON_FUNCTION("vci_alter_issuer(jsonb, text)"),
	  ON_FUNCTION("vci_recount_funnel()"),
	  ON_FUNCTION("vci_retire_issuer(text)"),
	  ON_FUNCTION("vci_pause_issuance(text)"),
	  ON_FUNCTION("vci_resume_issuance(text)"),
	  ON_FUNCTION(
		  "vci_create_configuration(text, text, jsonb, jsonb, jsonb, jsonb, text, interval, "
		  "text, text, text, text, jsonb)"),
	  ON_FUNCTION("vci_alter_configuration(text, jsonb, text)"),
	  ON_FUNCTION("vci_retire_configuration(text, text)"),
	  ON_FUNCTION("vci_create_authorization_server(text, text[], jsonb, jsonb, text)"),
	  ON_FUNCTION("vci_alter_authorization_server(text, jsonb, text)"),
	  ON_FUNCTION("vci_drop_authorization_server(text, text)"),
	  ON_FUNCTION("vci_load_jwks(text, jsonb, text)"),
	  ON_FUNCTION("vci_create_client(text, text[], text, jsonb, text)"),
	  ON_FUNCTION("vci_alter_client(text, jsonb, text)"),
	  ON_FUNCTION("vci_retire_client(text, text)"),
	  ON_FUNCTION("vci_load_did_document(text, jsonb)"),
	  ON_FUNCTION("vci_drop_did_document(text)"),
	  ON_FUNCTION("vci_purge(integer)"),
	  ON_FUNCTION("vci_seal_events(integer)"),
	  ON_FUNCTION("vci_grant(name, text, text)"),
	  ON_FUNCTION("vci_revoke(name, text, text)"),
	  ON_VIEW("vci_duty_info"),
	  NULL}},
	{"key_admin",
	 true,
	 {VIEWS, ON_FUNCTION("vci_create_key(text, text, text)"),
	  ON_FUNCTION("vci_import_key(text, text, text, text)"),
	  ON_FUNCTION("vci_alter_key(text, text, text)"), ON_FUNCTION("vci_retire_key(text, text)"),
	  ON_FUNCTION("vci_destroy_key(text, text, boolean)"),
	  ON_FUNCTION("vci_rotate_key(text, text, interval)"),
	  ON_FUNCTION("vci_set_key_certificates(text, text, text)"),
	  ON_FUNCTION("vci_key_csr(text, text, text)"), ON_FUNCTION("vci_rotate_root_key()"),
	  ON_FUNCTION("vci_adopt_database()"),
	  ON_FUNCTION("vci_after_restore(timestamp with time zone)"), NULL}},
	{"verifier",
	 true,
	 {ON_FUNCTION("vci_verify_kbjwt(text, text, text, text, jsonb, text, boolean, interval)"),
	  ON_FUNCTION("vci_verify_sdjwt(text, text, text, jsonb, boolean, interval)"),
	  ON_FUNCTION("vci_verify_dpop(text, text, text, text, interval)"), NULL}},
	{"reporter", true, {VIEWS, NULL}},
	{"auditor",
	 true,
	 {VIEWS, ON_VIEW("vci_event_seal_info"), ON_VIEW("vci_duty_info"),
	  ON_FUNCTION("vci_seal_events(integer)"), ON_FUNCTION("vci_event_head()"),
	  ON_FUNCTION("vci_verify_events(text)"), NULL}},
	{"backup",
	 false,
	 {"SELECT ON ALL TABLES IN SCHEMA openid4vci", "SELECT ON ALL SEQUENCES IN SCHEMA openid4vci",
	  ON_FUNCTION("vci_duty_issuers(text)"), ON_FUNCTION("vci_delivery_link(bigint, bigint)"),
	  ON_FUNCTION("vci_delivery_tx_code(bigint, bigint)"), NULL}},
	{"gateway", true, {DELIVERIES, ON_FUNCTION("vci_duty_issuers(text)"), NULL}},
	{"tx_code_gateway", true, {DELIVERY_TX_CODES, ON_FUNCTION("vci_duty_issuers(text)"), NULL}},
};

const VciDutyDefinition *
vci_duty_definition(VciDuty duty)
{
	return &definitions[duty];
}

VciDuty
vci_duty_by_name(const char *name)
{
	for (size_t i = 0; i < lengthof(definitions); i++)
		if (strcmp(definitions[i].name, name) == 0)
			return (VciDuty) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no duty \"%s\"", name),
			 errhint("Duties are endpoint, offerer, issuer_admin, key_admin, verifier, "
					 "reporter, auditor, backup, gateway and tx_code_gateway.")));
}

bool
vci_is_master(VciStore *store)
{
	return store->caller == store->owner || superuser_arg(store->caller);
}

/* Does the grant's role still exist, and is the caller a member of it? */
static bool
grant_applies(VciStore *store, const VciDutyRow *grant)
{
	Oid role = get_role_oid(grant->role_name, true);

	return OidIsValid(role) && has_privs_of_role(store->caller, role);
}

bool
vci_has_duty(VciStore *store, VciDuty duty, int64 issuer_id)
{
	int count;
	const VciDutyRow *grants;

	if (vci_is_master(store))
		return true;
	grants = vci_cache_duties(store, &count);
	for (int i = 0; i < count; i++)
		if (strcmp(grants[i].duty, definitions[duty].name) == 0 &&
			(grants[i].issuer_id == VCI_ALL_ISSUERS || grants[i].issuer_id == issuer_id) &&
			grant_applies(store, &grants[i]))
			return true;
	return false;
}

bool
vci_may_read(VciStore *store, int64 issuer_id)
{
	static const VciDuty reading[] = {VCI_DUTY_REPORTER, VCI_DUTY_OFFERER, VCI_DUTY_ISSUER_ADMIN,
									  VCI_DUTY_KEY_ADMIN, VCI_DUTY_AUDITOR};

	for (size_t i = 0; i < lengthof(reading); i++)
		if (vci_has_duty(store, reading[i], issuer_id))
			return true;
	return false;
}

bool
vci_may_deliver(VciStore *store, bool tx_codes, int64 issuer_id)
{
	return vci_has_duty(store, tx_codes ? VCI_DUTY_TX_CODE_GATEWAY : VCI_DUTY_GATEWAY, issuer_id) ||
		   vci_has_duty(store, VCI_DUTY_OFFERER, issuer_id);
}

/* ", issuer => 'url'" for a hint; empty for all issuers. */
static char *
issuer_argument(VciStore *store, int64 issuer_id)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);

	for (int i = 0; i < count; i++)
		if (issuers[i].rules.id == issuer_id)
			return psprintf(", issuer => '%s'", issuers[i].rules.url);
	return "";
}

void
vci_require_duty(VciStore *store, VciDuty duty, int64 issuer_id)
{
	char *role;

	if (vci_has_duty(store, duty, issuer_id))
		return;
	role = GetUserNameFromId(store->caller, false);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" lacks the duty %s%s", role, definitions[duty].name,
					issuer_id == VCI_ALL_ISSUERS ? " for all issuers" : " for this issuer"),
			 errhint("The extension's owner gives it: SELECT openid4vci.vci_grant(%s, '%s'%s);",
					 quote_literal_cstr(role), definitions[duty].name,
					 issuer_argument(store, issuer_id))));
}

/*
 * The one issuer for which the caller has the duty; NULL when it has it for none or is the
 * owner. With several it must be said which, and only those are named.
 */
static VciIssuerEntry *
only_issuer_with_duty(VciStore *store, VciDuty duty)
{
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	VciIssuerEntry *found = NULL;

	for (int i = 0; i < count; i++)
	{
		if (!vci_has_duty(store, duty, issuers[i].rules.id))
			continue;
		if (found != NULL)
			ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_PARAMETER),
							errmsg("there are several issuers: say which one"),
							errhint("Add issuer => '%s'.", found->rules.url)));
		found = &issuers[i];
	}
	if (found == NULL && count > 1)
		vci_require_duty(store, duty, VCI_ALL_ISSUERS);
	return found;
}

VciIssuerEntry *
vci_issuer_with_duty(VciStore *store, const char *url, VciDuty duty)
{
	VciIssuerEntry *issuer = url == NULL ? only_issuer_with_duty(store, duty) : NULL;

	if (issuer == NULL)
	{
		issuer = vci_cache_issuer(store, url);
		vci_require_duty(store, duty, issuer->rules.id);
	}
	return vci_cache_load(store, issuer);
}
