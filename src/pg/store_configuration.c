#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "store_statement.h"
#include "values.h"

bool
vci_store_insert_configuration(VciStore *store, int64 issuer_id, const char *id, const char *vct)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_configuration (issuer_id, id, vct) VALUES ($1, $2, $3) "
		"ON CONFLICT DO NOTHING",
		3,
		{INT8OID, TEXTOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, id);
	vci_put_text(&args, vct);
	return vci_run(store, &statement, &args) > 0;
}

/* A member that is there sets its column; JSON null sets what follows the comma. */
#define CHANGE(name, value, when_null)                                                             \
	name " = CASE WHEN $3 ? '" name "' THEN COALESCE(" value ", " when_null ") ELSE " name " END"
#define CHANGE_TEXT(name, when_null) CHANGE(name, "$3 ->> '" name "'", when_null)
#define CHANGE_JSON(name, when_null) CHANGE(name, "NULLIF($3 -> '" name "', 'null')", when_null)

bool
vci_store_update_configuration(VciStore *store, int64 issuer_id, const char *id, Datum changes,
							   const char *claims_source_owner)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_configuration SET "
		/* clang-format off */
		CHANGE_TEXT("vct", "''") ", "
		CHANGE_TEXT("format", "'dc+sd-jwt'") ", "
		CHANGE_TEXT("scope", "NULL") ", "
		CHANGE("validity", "($3 ->> 'validity')::interval", "NULL") ", "
		CHANGE_TEXT("binding", "'required'") ", "
		CHANGE("older", "ARRAY(SELECT jsonb_array_elements_text($3 -> 'older'))", "'{}'") ", "
		CHANGE("decoys", "($3 ->> 'decoys')::integer", "0") ", "
		CHANGE_JSON("always_disclosed", "'[]'") ", "
		CHANGE_JSON("selectively_disclosable", "'[]'") ", "
		CHANGE_JSON("claims", "NULL") ", "
		CHANGE_JSON("display", "NULL") ", "
		CHANGE_TEXT("claims_source", "NULL") ", "
																																														   /* clang-format on */
																																														   "claims_source_owner = CASE WHEN $3 ? 'claims_source' THEN $4 ELSE claims_source_owner END "
																																														   "WHERE issuer_id = $1 AND id = $2 AND retired_at IS NULL",
		4,
		{INT8OID, TEXTOID, JSONBOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, id);
	vci_put_datum(&args, changes);
	vci_put_text(&args, claims_source_owner);
	return vci_run(store, &statement, &args) > 0;
}

bool
vci_store_configuration_exists(VciStore *store, int64 issuer_id, const char *id)
{
	static VciStatement statement = {
		"SELECT FROM openid4vci.vci_configuration WHERE issuer_id = $1 AND id = $2",
		2,
		{INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, id);
	return vci_run(store, &statement, &args) > 0;
}

bool
vci_store_retire_configuration(VciStore *store, int64 issuer_id, const char *id)
{
	static VciStatement statement = {
		"UPDATE openid4vci.vci_configuration SET retired_at = clock_timestamp() "
		"WHERE issuer_id = $1 AND id = $2 AND retired_at IS NULL",
		2,
		{INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_int64(&args, issuer_id);
	vci_put_text(&args, id);
	return vci_run(store, &statement, &args) > 0;
}

VciConfigurationRow *
vci_store_configurations(VciStore *store, int64 issuer_id, int *count)
{
	static VciStatement statement = {
		"SELECT id, format, vct, scope, COALESCE(extract(epoch FROM validity)::bigint, 0), "
		"binding, "
		"older, decoys, always_disclosed::text, selectively_disclosable::text, claims::text, "
		"display::text, claims_source, claims_source_owner::text "
		"FROM openid4vci.vci_configuration WHERE issuer_id = $1 AND retired_at IS NULL ORDER BY id",
		1,
		{INT8OID},
		NULL};
	VciArguments args = {0};
	VciConfigurationRow *rows;

	vci_put_int64(&args, issuer_id);
	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciConfigurationRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		VciConfigurationRow *row = &rows[i];

		row->id = vci_column_text(store, i, 1);
		row->format = vci_column_text(store, i, 2);
		row->vct = vci_column_text(store, i, 3);
		row->scope = vci_column_text(store, i, 4);
		row->validity = vci_column_int64(i, 5);
		row->binding = vci_column_text(store, i, 6);
		row->older = vci_column_texts(store, i, 7, &row->older_count);
		row->decoys = vci_column_int32(i, 8);
		row->always_disclosed = vci_column_text(store, i, 9);
		row->selectively_disclosable = vci_column_text(store, i, 10);
		row->claims = vci_column_text(store, i, 11);
		row->display = vci_column_text(store, i, 12);
		row->claims_source = vci_column_text(store, i, 13);
		row->claims_source_owner = vci_column_text(store, i, 14);
	}
	return rows;
}

void
vci_store_put_did_document(VciStore *store, const char *did, Datum document)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_did_document (did, document, loaded_by) VALUES ($1, $2, $3) "
		"ON CONFLICT (did) DO UPDATE SET document = EXCLUDED.document, "
		"loaded_at = clock_timestamp(), loaded_by = EXCLUDED.loaded_by",
		3,
		{TEXTOID, JSONBOID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, did);
	vci_put_datum(&args, document);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_run(store, &statement, &args);
}

bool
vci_store_drop_did_document(VciStore *store, const char *did)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_did_document WHERE did = $1", 1, {TEXTOID}, NULL};
	VciArguments args = {0};

	vci_put_text(&args, did);
	return vci_run(store, &statement, &args) > 0;
}

char *
vci_store_did_document(VciStore *store, const char *did)
{
	static VciStatement statement = {
		"SELECT document::text FROM openid4vci.vci_did_document WHERE did = $1",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, did);
	return vci_run(store, &statement, &args) == 1 ? vci_column_text(store, 0, 1) : NULL;
}

/* GRANT and REVOKE of two sessions at once would trip over the same rows of the catalogs. */
static void
lock_duties(VciStore *store)
{
	static VciStatement statement = {
		"LOCK TABLE openid4vci.vci_duty IN SHARE ROW EXCLUSIVE MODE", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

void
vci_store_forget_former_duties(VciStore *store, const char *role_name)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_duty WHERE role_name = $1 AND NOT EXISTS (SELECT FROM "
		"pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee "
		"WHERE n.nspname = 'openid4vci' AND r.rolname = $1 AND a.privilege_type = 'USAGE')",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, role_name);
	vci_run(store, &statement, &args);
}

void
vci_store_insert_duty(VciStore *store, const char *role_name, const char *duty, int64 issuer_id)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_duty (role_name, duty, issuer_id, granted_by) "
		"VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		4,
		{TEXTOID, TEXTOID, INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	lock_duties(store);
	vci_put_text(&args, role_name);
	vci_put_text(&args, duty);
	vci_put_int64_or_null(&args, issuer_id);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	vci_run(store, &statement, &args);
}

bool
vci_store_delete_duty(VciStore *store, const char *role_name, const char *duty, int64 issuer_id)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_duty WHERE role_name = $1 AND duty = $2 "
		"AND issuer_id IS NOT DISTINCT FROM $3",
		3,
		{TEXTOID, TEXTOID, INT8OID},
		NULL};
	VciArguments args = {0};

	lock_duties(store);
	vci_put_text(&args, role_name);
	vci_put_text(&args, duty);
	vci_put_int64_or_null(&args, issuer_id);
	return vci_run(store, &statement, &args) > 0;
}

VciDutyRow *
vci_store_duties(VciStore *store, int *count)
{
	static VciStatement statement = {
		"SELECT role_name::text, duty, COALESCE(issuer_id, 0) FROM openid4vci.vci_duty",
		0,
		{0},
		NULL};
	VciArguments args = {0};
	VciDutyRow *rows;

	*count = vci_run(store, &statement, &args);
	rows = palloc0(sizeof(VciDutyRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].role_name = vci_column_text(store, i, 1);
		rows[i].duty = vci_column_text(store, i, 2);
		rows[i].issuer_id = vci_column_int64(i, 3);
	}
	return rows;
}

void
vci_store_execute_grant(VciStore *store, const char *statement)
{
	int result = SPI_execute(statement, false, 0);

	if (result != SPI_OK_UTILITY)
		elog(ERROR, "could not change privileges: %s", SPI_result_code_string(result));
	MemoryContextSwitchTo(store->context);
}

/* "schema.name" as the function of (text, text); InvalidOid when there is none. */
static Oid
find_claims_source(const char *function)
{
	List *names;
	Oid types[2] = {TEXTOID, TEXTOID};

#if PG_VERSION_NUM >= 160000
	names = stringToQualifiedNameList(function, NULL);
#else
	names = stringToQualifiedNameList(function);
#endif
	if (list_length(names) != 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("claims source \"%s\" must be schema.function", function),
						errhint("Write it without arguments, for example registry.claims_of.")));
	return LookupFuncName(names, 2, types, true);
}

char *
vci_store_check_claims_source(VciStore *store, const char *function)
{
	Oid oid = find_claims_source(function);
	HeapTuple tuple;
	Form_pg_proc proc;
	Oid owner;
	bool fits;

	if (!OidIsValid(oid))
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("there is no function %s(text, text)", function),
			 errhint("CREATE FUNCTION %s(subject_model text, subject_id text) RETURNS jsonb ...",
					 function)));
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", oid);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	owner = proc->proowner;
	fits = proc->prokind == PROKIND_FUNCTION && !proc->proretset && proc->prorettype == JSONBOID;
	ReleaseSysCache(tuple);
	if (!fits)
		ereport(ERROR, (errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
						errmsg("claims source %s must return jsonb", function)));
	if (!has_privs_of_role(store->caller, owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("claims source %s runs as its owner %s, of which you are no member",
							   function, GetUserNameFromId(owner, false)),
						errhint("Let its owner register it, or own the function yourself.")));
	return GetUserNameFromId(owner, false);
}

/* The function's own schema is on its path, so that plain SQL in it finds its tables. */
static void
set_claims_source_path(Oid function)
{
	char *schema = get_namespace_name(get_func_namespace(function));
	char *path = psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema));

	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
}

static void
check_owner(const char *function, Oid oid, const char *owner_name, Oid *owner)
{
	HeapTuple tuple = OidIsValid(oid) ? SearchSysCache1(PROCOID, ObjectIdGetDatum(oid)) : NULL;
	bool same = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

		*owner = proc->proowner;
		same = proc->prorettype == JSONBOID && !proc->proretset &&
			   proc->prokind == PROKIND_FUNCTION &&
			   strcmp(GetUserNameFromId(*owner, false), owner_name) == 0;
		ReleaseSysCache(tuple);
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("claims source %s is no longer the function that was registered", function),
				 errdetail("It was a function of (text, text) returning jsonb, owned by %s.",
						   owner_name),
				 errhint("Register it again: SELECT openid4vci.vci_alter_configuration(id, "
						 "'{\"claims_source\": \"%s\"}');",
						 function)));
}

static Datum
null_or_text(const char *string, bool *is_null)
{
	*is_null = string == NULL;
	return string == NULL ? (Datum) 0 : CStringGetTextDatum(string);
}

char *
vci_store_run_claims_source(VciStore *store, const char *function, const char *owner_name,
							const char *subject_model, const char *subject_id)
{
	LOCAL_FCINFO(fcinfo, 2);
	Oid oid = find_claims_source(function);
	Oid owner = InvalidOid;
	FmgrInfo info;
	int guc_level;
	Datum value;
	char *result = NULL;

	check_owner(function, oid, owner_name, &owner);
	fmgr_info(oid, &info);
	InitFunctionCallInfoData(*fcinfo, &info, 2, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = null_or_text(subject_model, &fcinfo->args[0].isnull);
	fcinfo->args[1].value = null_or_text(subject_id, &fcinfo->args[1].isnull);
	if (info.fn_strict && (fcinfo->args[0].isnull || fcinfo->args[1].isnull))
		return NULL;

	guc_level = NewGUCNestLevel();
	set_claims_source_path(oid);
	SetUserIdAndSecContext(owner, store->security_context | SECURITY_RESTRICTED_OPERATION);
	value = FunctionCallInvoke(fcinfo);
	SetUserIdAndSecContext(store->owner, store->security_context | SECURITY_LOCAL_USERID_CHANGE);
	AtEOXact_GUC(false, guc_level); /* whatever it SET goes, too */
	if (!fcinfo->isnull)
	{
		Jsonb *jsonb = DatumGetJsonbP(value);

		result = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	}
	return result;
}
