/*
 * Duties: their rows, and the privileges that go with them.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "store_statement.h"

/* GRANT and REVOKE of two sessions at once would trip over the same rows of the catalogs. */
void
vci_store_lock_duties(VciStore *store)
{
	static VciStatement statement = {
		"LOCK TABLE openid4vci.vci_duty IN SHARE ROW EXCLUSIVE MODE", 0, {0}, NULL};
	VciArguments args = {0};

	vci_run(store, &statement, &args);
}

/* Runs a statement whose columns are role_name, duty and issuer_id. */
static VciDutyRow *
run_for_duties(VciStore *store, VciStatement *statement, VciArguments *args, int *count)
{
	VciDutyRow *rows;

	*count = vci_run(store, statement, args);
	rows = palloc0(sizeof(VciDutyRow) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		rows[i].role_name = vci_column_text(store, i, 1);
		rows[i].duty = vci_column_text(store, i, 2);
		rows[i].issuer_id = vci_column_int64(i, 3);
	}
	return rows;
}

VciDutyRow *
vci_store_forget_former_duties(VciStore *store, const char *role_name, int *count)
{
	static VciStatement statement = {
		"DELETE FROM openid4vci.vci_duty WHERE role_name = $1 AND NOT EXISTS (SELECT FROM "
		"pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee "
		"WHERE n.nspname = 'openid4vci' AND r.rolname = $1 AND a.privilege_type = 'USAGE') "
		"RETURNING role_name::text, duty, COALESCE(issuer_id, 0)",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, role_name);
	return run_for_duties(store, &statement, &args, count);
}

bool
vci_store_insert_duty(VciStore *store, const char *role_name, const char *duty, int64 issuer_id)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_duty (role_name, duty, issuer_id, granted_by) "
		"VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		4,
		{TEXTOID, TEXTOID, INT8OID, TEXTOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, role_name);
	vci_put_text(&args, duty);
	vci_put_int64_or_null(&args, issuer_id);
	vci_put_text(&args, GetUserNameFromId(store->caller, false));
	return vci_run(store, &statement, &args) > 0;
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

	vci_put_text(&args, role_name);
	vci_put_text(&args, duty);
	vci_put_int64_or_null(&args, issuer_id);
	return vci_run(store, &statement, &args) > 0;
}

VciDutyRow *
vci_store_duties(VciStore *store, int *count)
{
	static VciStatement statement = {"SELECT role_name::text, duty, COALESCE(issuer_id, 0) FROM "
									 "openid4vci.vci_duty ORDER BY role_name, duty, issuer_id",
									 0,
									 {0},
									 NULL};
	VciArguments args = {0};

	return run_for_duties(store, &statement, &args, count);
}

void
vci_store_execute_grant(VciStore *store, const char *statement)
{
	int result;

	vci_store_connect(store);
	result = SPI_execute(statement, false, 0);
	if (result != SPI_OK_UTILITY)
		elog(ERROR, "could not change privileges: %s", SPI_result_code_string(result));
	MemoryContextSwitchTo(store->context);
}

/* What the installed version of the extension does not have is not missed. */
char *
vci_store_missing_privilege(VciStore *store, const char *role_name, char **objects, int count)
{
	static VciStatement statement = {
		"SELECT o FROM unnest($2 || '{USAGE ON SCHEMA openid4vci}'::text[]) o WHERE NOT CASE "
		"WHEN o LIKE 'USAGE ON SCHEMA %' THEN has_schema_privilege($1, substr(o, 17), 'USAGE') "
		"WHEN o LIKE 'EXECUTE ON FUNCTION %' THEN "
		"has_function_privilege($1, to_regprocedure(substr(o, 21)), 'EXECUTE') "
		"WHEN o LIKE 'EXECUTE ON PROCEDURE %' THEN "
		"has_function_privilege($1, to_regprocedure(substr(o, 22)), 'EXECUTE') "
		"WHEN o LIKE 'SELECT ON ALL %' THEN NOT EXISTS (SELECT FROM pg_class c "
		"WHERE c.relnamespace = 'openid4vci'::regnamespace AND CASE "
		"WHEN o LIKE 'SELECT ON ALL SEQUENCES %' THEN c.relkind = 'S' "
		"AND NOT has_sequence_privilege($1, c.oid, 'SELECT') "
		"ELSE c.relkind IN ('r', 'v') AND NOT has_table_privilege($1, c.oid, 'SELECT') END) "
		"ELSE has_table_privilege($1, to_regclass(substr(o, 11)), 'SELECT') END LIMIT 1",
		2,
		{TEXTOID, TEXTARRAYOID},
		NULL};
	VciArguments args = {0};

	vci_put_text(&args, role_name);
	vci_put_texts(&args, objects, count);
	return vci_run(store, &statement, &args) == 0 ? NULL : vci_column_text(store, 0, 1);
}
