/*
 * SQL functions that give and take duties, and tell who has them.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "cache.h"
#include "duty.h"
#include "event.h"
#include "store_campaign.h"
#include "values.h"

/* vci_health looks at no more pairs of role and duty. */
#define CHECKED_MAX 200

static void
run_on_objects(VciStore *store, const char *verb, VciDuty duty, const char *preposition,
			   const char *role_name)
{
	const VciDutyDefinition *definition = vci_duty_definition(duty);
	const char *role = quote_identifier(role_name);

	for (int i = 0; definition->objects[i] != NULL; i++)
		vci_store_execute_grant(
			store, psprintf("%s %s %s %s", verb, definition->objects[i], preposition, role));
}

static void
give_objects(VciStore *store, VciDuty duty, const char *role_name)
{
	vci_store_execute_grant(
		store, psprintf("GRANT USAGE ON SCHEMA openid4vci TO %s", quote_identifier(role_name)));
	run_on_objects(store, "GRANT", duty, "TO", role_name);
}

/* The duties that an issuer_admin may hand on. */
static bool
is_smaller_duty(VciDuty duty)
{
	switch (duty)
	{
		case VCI_DUTY_ENDPOINT:
		case VCI_DUTY_OFFERER:
		case VCI_DUTY_VERIFIER:
		case VCI_DUTY_REPORTER:
		case VCI_DUTY_GATEWAY:
		case VCI_DUTY_TX_CODE_GATEWAY:
			return true;
		case VCI_DUTY_ISSUER_ADMIN:
		case VCI_DUTY_KEY_ADMIN:
		case VCI_DUTY_AUDITOR:
		case VCI_DUTY_BACKUP:
			break;
	}
	return false;
}

/* Smaller duties are given by an issuer_admin, too, within its own limits. */
static void
require_right_to_grant(VciStore *store, VciDuty duty, int64 issuer_id)
{
	if (vci_is_master(store))
		return;
	if (!is_smaller_duty(duty))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only the extension's owner gives or takes the duty %s",
						vci_duty_definition(duty)->name),
				 errhint("An issuer_admin gives endpoint, offerer, verifier, reporter, gateway and "
						 "tx_code_gateway. Let a superuser give the others.")));
	vci_require_duty(store, VCI_DUTY_ISSUER_ADMIN, issuer_id);
}

typedef struct GrantArguments
{
	char *role_name;
	VciDuty duty;
	int64 issuer_id;
} GrantArguments;

static GrantArguments
grant_arguments(VciStore *store, FunctionCallInfo fcinfo, bool role_must_exist)
{
	GrantArguments grant;
	char *issuer;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("role must not be null")));
	grant.role_name = pstrdup(NameStr(*PG_GETARG_NAME(0)));
	grant.duty = vci_duty_by_name(vci_arg_text_required(fcinfo, 1, "duty"));
	issuer = vci_arg_text(fcinfo, 2);
	if (role_must_exist && !OidIsValid(get_role_oid(grant.role_name, true)))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("role \"%s\" does not exist", grant.role_name),
						strcmp(grant.role_name, "public") == 0
							? errhint("A duty is given to a role, never to everybody.")
							: errhint("CREATE ROLE %s LOGIN; makes it.",
									  quote_identifier(grant.role_name))));
	if (issuer != NULL && !vci_duty_definition(grant.duty)->limitable)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the duty %s can't be limited to one issuer",
							   vci_duty_definition(grant.duty)->name),
						errhint("Leave issuer out.")));
	grant.issuer_id = issuer ? vci_cache_issuer(store, issuer)->rules.id : VCI_ALL_ISSUERS;
	require_right_to_grant(store, grant.duty, grant.issuer_id);
	return grant;
}

static void
note_duty(VciStore *store, const char *kind, const char *role_name, const char *duty,
		  int64 issuer_id)
{
	VciIssuerEntry *issuer =
		issuer_id == VCI_ALL_ISSUERS ? NULL : vci_cache_issuer_by_id(store, issuer_id);
	VciEvent event = {.kind = kind, .issuer_id = issuer_id, .role_name = role_name, .duty = duty};

	if (issuer == NULL) /* for all, or for one that was retired */
		vci_note_database(store, event);
	else
		vci_note(store, issuer, event);
}

PG_FUNCTION_INFO_V1(vci_grant);

/* openid4vci.vci_grant(role name, duty text, issuer text) returns void */
Datum
vci_grant(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	GrantArguments grant = grant_arguments(store, fcinfo, true);
	const char *duty = vci_duty_definition(grant.duty)->name;
	int count;
	VciDutyRow *former;

	vci_store_lock_duties(store);
	vci_store_disown_campaigns(store, grant.role_name);
	former = vci_store_forget_former_duties(store, grant.role_name, &count);
	for (int i = 0; i < count; i++)
		note_duty(store, VCI_EVENT_DUTY_TAKEN, former[i].role_name, former[i].duty,
				  former[i].issuer_id);
	if (vci_store_insert_duty(store, grant.role_name, duty, grant.issuer_id))
		note_duty(store, VCI_EVENT_DUTY_GIVEN, grant.role_name, duty, grant.issuer_id);
	give_objects(store, grant.duty, grant.role_name);
	vci_store_close(store);
	PG_RETURN_VOID();
}

/* Other duties of the role may need some of the same objects: give those back. */
static void
restore_objects(VciStore *store, const char *role_name)
{
	int count;
	VciDutyRow *grants = vci_store_duties(store, &count);
	bool any = false;

	for (int i = 0; i < count; i++)
		if (strcmp(grants[i].role_name, role_name) == 0)
		{
			run_on_objects(store, "GRANT", vci_duty_by_name(grants[i].duty), "TO", role_name);
			any = true;
		}
	if (!any)
		vci_store_execute_grant(store, psprintf("REVOKE USAGE ON SCHEMA openid4vci FROM %s",
												quote_identifier(role_name)));
}

/* An old snapshot would hide a duty given since, and its rights would be taken too. */
static void
require_new_snapshots(const char *function)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						errmsg("%s needs a READ COMMITTED transaction", function),
						errhint("BEGIN ISOLATION LEVEL READ COMMITTED; before it, COMMIT; "
								"after it.")));
}

PG_FUNCTION_INFO_V1(vci_revoke);

/* openid4vci.vci_revoke(role name, duty text, issuer text) returns void */
Datum
vci_revoke(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	GrantArguments grant = grant_arguments(store, fcinfo, false);
	const char *duty = vci_duty_definition(grant.duty)->name;

	require_new_snapshots("vci_revoke");
	vci_store_lock_duties(store);
	if (!vci_store_delete_duty(store, grant.role_name, duty, grant.issuer_id))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" has no such grant of the duty %s", grant.role_name, duty),
				 errhint("A grant for one issuer is taken back with the same issuer.")));
	note_duty(store, VCI_EVENT_DUTY_TAKEN, grant.role_name, duty, grant.issuer_id);
	if (OidIsValid(get_role_oid(grant.role_name, true)))
	{
		run_on_objects(store, "REVOKE", grant.duty, "FROM", grant.role_name);
		restore_objects(store, grant.role_name);
	}
	vci_store_close(store);
	PG_RETURN_VOID();
}

/* What duties of another version of the extension needed, or somebody gave by hand, goes. */
static void
take_all_objects(VciStore *store, const char *role_name)
{
	static const char *const kinds[] = {"ROUTINES", "TABLES", "SEQUENCES"};

	for (size_t i = 0; i < lengthof(kinds); i++)
		vci_store_execute_grant(store, psprintf("REVOKE ALL ON ALL %s IN SCHEMA openid4vci FROM %s",
												kinds[i], quote_identifier(role_name)));
}

static void
warn_of_missing_role(const VciDutyRow *grant)
{
	ereport(WARNING,
			(errmsg("role \"%s\" does not exist; its duty %s stays recorded", grant->role_name,
					grant->duty),
			 errhint("CREATE ROLE %s ...; and call vci_reapply_duties() again, or SELECT "
					 "openid4vci.vci_revoke(%s, '%s'); with the issuer that vci_duty_info shows.",
					 quote_identifier(grant->role_name), quote_literal_cstr(grant->role_name),
					 grant->duty)));
}

PG_FUNCTION_INFO_V1(vci_reapply_duties);

/* openid4vci.vci_reapply_duties() returns void */
Datum
vci_reapply_duties(PG_FUNCTION_ARGS pg_attribute_unused())
{
	VciStore *store = vci_store_open();
	const char *former_role = NULL;
	int count;
	VciDutyRow *grants;

	if (!vci_is_master(store))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("only the extension's owner reapplies duties"),
						errhint("SELECT openid4vci.vci_reapply_duties(); as superuser.")));
	require_new_snapshots("vci_reapply_duties");
	vci_store_lock_duties(store);
	grants = vci_store_duties(store, &count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!OidIsValid(get_role_oid(grants[i].role_name, true)))
		{
			warn_of_missing_role(&grants[i]);
			continue;
		}
		if (former_role == NULL || strcmp(former_role, grants[i].role_name) != 0)
			take_all_objects(store, grants[i].role_name);
		former_role = grants[i].role_name;
		give_objects(store, vci_duty_by_name(grants[i].duty), grants[i].role_name);
	}
	vci_store_close(store);
	PG_RETURN_VOID();
}

/* What the role lacks of a duty, in words; NULL: nothing. */
static char *
lack_of(VciStore *store, const VciDutyRow *grant)
{
	const VciDutyDefinition *definition = vci_duty_definition(vci_duty_by_name(grant->duty));
	char *objects[lengthof(definition->objects)];
	int count = 0;
	char *missing;

	if (!OidIsValid(get_role_oid(grant->role_name, true)))
		return psprintf("role %s has the duty %s and does not exist; create it and SELECT "
						"openid4vci.vci_reapply_duties(); or SELECT openid4vci.vci_revoke(%s, "
						"'%s'); with the issuer that vci_duty_info shows",
						quote_identifier(grant->role_name), grant->duty,
						quote_literal_cstr(grant->role_name), grant->duty);
	for (; definition->objects[count] != NULL; count++)
		objects[count] = pstrdup(definition->objects[count]);
	missing = vci_store_missing_privilege(store, grant->role_name, objects, count);
	if (missing == NULL)
		return NULL;
	return psprintf("role %s lacks %s, which its duty %s needs; as superuser: SELECT "
					"openid4vci.vci_reapply_duties();",
					quote_identifier(grant->role_name), missing, grant->duty);
}

bool
vci_duties_applied(VciStore *store, char **detail)
{
	int count;
	VciDutyRow *grants = vci_store_duties(store, &count);
	int checked = 0;

	for (int i = 0; i < count && checked < CHECKED_MAX; i++)
	{
		/* a role's grants of one duty for several issuers need the same */
		if (i > 0 && strcmp(grants[i].role_name, grants[i - 1].role_name) == 0 &&
			strcmp(grants[i].duty, grants[i - 1].duty) == 0)
			continue;
		checked++;
		*detail = lack_of(store, &grants[i]);
		if (*detail != NULL)
			return false;
	}
	*detail = "each role has the privileges that its duties need";
	return true;
}

static bool
is_covered(VciStore *store, VciDuty duty, int64 issuer_id)
{
	if (duty == VCI_DUTY_REPORTER)
		return vci_may_read(store, issuer_id);
	if (duty == VCI_DUTY_GATEWAY || duty == VCI_DUTY_TX_CODE_GATEWAY)
		return vci_may_deliver(store, duty == VCI_DUTY_TX_CODE_GATEWAY, issuer_id);
	return vci_has_duty(store, duty, issuer_id);
}

PG_FUNCTION_INFO_V1(vci_duty_issuers);

/* openid4vci.vci_duty_issuers(duty text) returns bigint[] */
Datum
vci_duty_issuers(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciDuty duty = vci_duty_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	int count;
	int64 *ids = vci_store_issuer_ids(store, &count);
	Datum *elements = palloc(sizeof(Datum) * (count + 1));
	int granted = 0;

	for (int i = -1; i < count; i++)
	{
		int64 id = i < 0 ? VCI_ALL_ISSUERS : ids[i];

		if (is_covered(store, duty, id))
			elements[granted++] = Int64GetDatum(id);
	}
	vci_store_close(store);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, granted, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
