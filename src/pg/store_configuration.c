#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "store_statement.h"
#include "values.h"

bool
vci_store_insert_configuration(VciStore *store, int64 issuer_id, const char *id, const char *vct)
{
	static VciStatement statement = {
		"INSERT INTO openid4vci.vci_configuration (issuer_id, id, vct, longest_validity) "
		"VALUES ($1, $2, $3, '0') ON CONFLICT (issuer_id, id) DO NOTHING",
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

/* Of what it was before and what it becomes the longer, NULL (without end) above all. */
#define VALIDITY "CASE WHEN $3 ? 'validity' THEN ($3 ->> 'validity')::interval ELSE validity END"
#define LONGEST_VALIDITY                                                                           \
	"longest_validity = (SELECT CASE WHEN v IS NULL OR longest_validity IS NULL THEN NULL "        \
	"WHEN extract(epoch FROM v) > extract(epoch FROM longest_validity) THEN v "                    \
	"ELSE longest_validity END FROM (SELECT " VALIDITY " AS v) AS new_validity)"

bool
vci_store_update_configuration(VciStore *store, int64 issuer_id, const char *id, Datum changes,
							   const char *claims_source_owner)
{
	/* clang-format off */
	static VciStatement statement = {
		"UPDATE openid4vci.vci_configuration SET "
		CHANGE_TEXT("vct", "''") ", "
		CHANGE_TEXT("format", "'dc+sd-jwt'") ", "
		CHANGE_TEXT("scope", "NULL") ", "
		CHANGE("validity", "($3 ->> 'validity')::interval", "NULL") ", "
		LONGEST_VALIDITY ", "
		CHANGE_TEXT("binding", "'required'") ", "
		CHANGE("older", "ARRAY(SELECT jsonb_array_elements_text($3 -> 'older'))", "'{}'") ", "
		CHANGE("decoys", "($3 ->> 'decoys')::integer", "0") ", "
		CHANGE("deferred", "($3 ->> 'deferred')::boolean", "false") ", "
		CHANGE("status_bits", "($3 ->> 'status_bits')::integer", "NULL") ", "
		CHANGE("w3c_status", "($3 ->> 'w3c_status')::boolean", "false") ", "
		CHANGE("vct_integrity", "($3 ->> 'vct_integrity')::boolean", "false") ", "
		CHANGE_JSON("always_disclosed", "'[]'") ", "
		CHANGE_JSON("selectively_disclosable", "'[]'") ", "
		CHANGE_JSON("claims", "NULL") ", "
		CHANGE_JSON("display", "NULL") ", "
		CHANGE_TEXT("claims_source", "NULL") ", "
		"claims_source_owner = CASE WHEN $3 ? 'claims_source' THEN $4 ELSE claims_source_owner END "
		"WHERE issuer_id = $1 AND id = $2 AND retired_at IS NULL",
		4,
		{INT8OID, TEXTOID, JSONBOID, TEXTOID},
		NULL};
	/* clang-format on */
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
		"display::text, claims_source, claims_source_owner::text, deferred, status_bits, "
		"w3c_status, vct_integrity "
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
		row->deferred = vci_column_boolean(i, 15);
		row->status_bits = vci_column_int32(i, 16);
		row->w3c_status = vci_column_boolean(i, 17);
		row->vct_integrity = vci_column_boolean(i, 18);
	}
	return rows;
}

int64 *
vci_store_issuers_of_type(VciStore *store, const char *path, int *count)
{
	static VciStatement statement = {
		"SELECT DISTINCT issuer_id FROM openid4vci.vci_configuration "
		"WHERE retired_at IS NULL AND right(vct, length($1)) = $1 ORDER BY issuer_id",
		1,
		{TEXTOID},
		NULL};
	VciArguments args = {0};
	int64 *ids;

	vci_put_text(&args, path);
	*count = vci_run(store, &statement, &args);
	ids = palloc(sizeof(int64) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		ids[i] = vci_column_int64(i, 1);
	return ids;
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
