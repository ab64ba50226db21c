#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "store_statement.h"
#include "store_table.h"
#include "values.h"
#include "version.h"

/* Milliseconds that a request waits for a lock. */
#define LOCK_TIMEOUT 5000

/* Our own schema is not on it: every name of ours is written with it. */
#define PINNED_SEARCH_PATH "pg_catalog, pg_temp"

/*
 * The extension's owner, InvalidOid when it is to be found out anew and the version to be
 * checked with it: after each change of a relation, function or schema, after whatever was
 * rolled back, and once a second, since an update that changes nothing but pg_extension's row
 * is told to no session.
 */
static Oid known_owner = InvalidOid;

/* When the statement began that found it out. */
static TimestampTz known_since;

/* Did something change while known_owner was being found out? */
static bool owner_is_stale;

static void
forget_owner(void)
{
	known_owner = InvalidOid;
	owner_is_stale = true;
}

static void
relation_changed(Datum argument pg_attribute_unused(), Oid relation)
{
	forget_owner();
	vci_table_forget(relation);
}

static void
catalog_changed(Datum argument pg_attribute_unused(), int cache pg_attribute_unused(),
				uint32 hash pg_attribute_unused())
{
	forget_owner();
}

/* What a transaction saw of its own changes holds when it has committed them. */
static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT ||
		event == XACT_EVENT_PREPARE)
		forget_owner();
}

static void
subtransaction_ended(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_owner();
}

void
vci_store_start(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_changed, (Datum) 0);
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}

/* The owner of our tables is the extension's owner; three syscache look-ups. */
static Oid
find_owner(void)
{
	Oid namespace = get_namespace_oid("openid4vci", true);
	Oid table = OidIsValid(namespace) ? get_relname_relid("vci_issuer", namespace) : InvalidOid;
	HeapTuple tuple;
	Oid owner;

	if (!OidIsValid(table))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("extension openid4vci is not installed in this database"),
						errhint("CREATE EXTENSION openid4vci;")));
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* A clock that was set back makes it old, too. */
static bool
owner_is_recent(TimestampTz now)
{
	return now >= known_since && now < known_since + USECS_PER_SEC;
}

/* Before any statement of this version meets the tables of another. */
static Oid
extension_owner(void)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Oid owner;

	/* a transaction that holds all its locks already would take in no change until its end */
	AcceptInvalidationMessages();
	if (OidIsValid(known_owner) && owner_is_recent(now))
		return known_owner;
	owner_is_stale = false;
	vci_require_same_version();
	owner = find_owner();
	known_owner = owner_is_stale ? InvalidOid : owner;
	known_since = now;
	return owner;
}

VciStore *
vci_store_open(void)
{
	VciStore *store = palloc0(sizeof(VciStore));

	store->context = CurrentMemoryContext;
	store->owner = extension_owner();
	GetUserIdAndSecContext(&store->caller, &store->security_context);
	SetUserIdAndSecContext(store->owner, store->security_context | SECURITY_LOCAL_USERID_CHANGE);
	store->guc_level = NewGUCNestLevel();
	return store;
}

/*
 * Not as a setting: when anything was set, PostgreSQL 15 goes through all its settings at the
 * end, hundreds of them.
 */
void
vci_store_limit_waits(VciStore *store)
{
	store->lock_timeout = LockTimeout;
	store->limited = true;
	LockTimeout = LOCK_TIMEOUT;
}

void
vci_store_show_limit(VciStore *store)
{
	if (!store->limited)
		return;
	store->limited = false;
	LockTimeout = store->lock_timeout;
	(void) set_config_option("lock_timeout", CppAsString2(LOCK_TIMEOUT), PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* The level of the setting goes back to the caller's, too. */
void
vci_store_end_limit(VciStore *store)
{
	store->limited = false;
	LockTimeout = store->lock_timeout;
}

void
vci_store_connect(VciStore *store)
{
	if (store->connected)
		return;
	vci_store_show_limit(store);
	/* saved plans are made anew whenever the path is another one */
	(void) set_config_option("search_path", PINNED_SEARCH_PATH, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	store->connected = true;
	/* callers and the core allocate for the result, not for SPI */
	MemoryContextSwitchTo(store->context);
}

void
vci_store_close(VciStore *store)
{
	if (store->connected)
		SPI_finish();
	MemoryContextSwitchTo(store->context);
	AtEOXact_GUC(false, store->guc_level);
	SetUserIdAndSecContext(store->caller, store->security_context);
}

static void
put(VciArguments *args, Datum value, bool is_null)
{
	Assert(args->count < VCI_STATEMENT_MAX_ARGS);
	args->values[args->count] = value;
	args->nulls[args->count] = is_null ? 'n' : ' ';
	args->count++;
}

void
vci_put_null(VciArguments *args)
{
	put(args, (Datum) 0, true);
}

void
vci_put_datum(VciArguments *args, Datum value)
{
	put(args, value, false);
}

void
vci_put_int64(VciArguments *args, int64 value)
{
	put(args, Int64GetDatum(value), false);
}

void
vci_put_int64_or_null(VciArguments *args, int64 value)
{
	put(args, Int64GetDatum(value), value == 0);
}

void
vci_put_int32(VciArguments *args, int32 value)
{
	put(args, Int32GetDatum(value), false);
}

void
vci_put_boolean(VciArguments *args, bool value)
{
	put(args, BoolGetDatum(value), false);
}

void
vci_put_now(VciArguments *args)
{
	put(args, TimestampTzGetDatum(GetCurrentTimestamp()), false);
}

void
vci_put_text(VciArguments *args, const char *value)
{
	if (value == NULL)
		vci_put_null(args);
	else
		put(args, CStringGetTextDatum(value), false);
}

void
vci_put_name(VciArguments *args, const char *value)
{
	if (value == NULL)
		vci_put_null(args);
	else
		put(args, DirectFunctionCall1(namein, CStringGetDatum(value)), false);
}

void
vci_put_role(VciArguments *args, Oid role)
{
	vci_put_name(args, GetUserNameFromId(role, false));
}

void
vci_put_time(VciArguments *args, int64 seconds)
{
	put(args, TimestampTzGetDatum(vci_timestamp_of_seconds(seconds)), false);
}

void
vci_put_time_or_null(VciArguments *args, int64 seconds)
{
	if (seconds == 0)
		vci_put_null(args);
	else
		vci_put_time(args, seconds);
}

void
vci_put_bytes(VciArguments *args, const unsigned char *value, size_t len)
{
	if (value == NULL)
	{
		vci_put_null(args);
		return;
	}
	put(args, PointerGetDatum(vci_bytea(value, len)), false);
}

void
vci_put_bytea(VciArguments *args, bytea *value)
{
	put(args, PointerGetDatum(value), value == NULL);
}

void
vci_put_json(VciArguments *args, Datum value)
{
	put(args, value, value == (Datum) 0);
}

void
vci_put_texts(VciArguments *args, char **values, int count)
{
	put(args, vci_text_array_datum(values, count), false);
}

static void
prepare(VciStatement *statement)
{
	SPIPlanPtr plan = SPI_prepare(statement->sql, statement->nargs, statement->types);

	if (plan == NULL)
		elog(ERROR, "could not prepare a statement: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	statement->plan = plan;
}

static int
execute(VciStore *store, VciStatement *statement, VciArguments *args, bool read_only)
{
	int result;

	Assert(args->count == statement->nargs);
	vci_store_connect(store);
	if (statement->plan == NULL)
		prepare(statement);
	result = SPI_execute_plan(statement->plan, args->values, args->nulls, read_only, 0);
	if (result < 0)
		elog(ERROR, "a statement failed: %s", SPI_result_code_string(result));
	MemoryContextSwitchTo(store->context);
	return (int) SPI_processed;
}

int
vci_run(VciStore *store, VciStatement *statement, VciArguments *args)
{
	return execute(store, statement, args, false);
}

int
vci_read(VciStore *store, VciStatement *statement, VciArguments *args)
{
	return execute(store, statement, args, true);
}

static Datum
column(int row, int number, bool *is_null)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, is_null);
}

int64
vci_column_int64(int row, int number)
{
	bool is_null;
	Datum value = column(row, number, &is_null);

	return is_null ? 0 : DatumGetInt64(value);
}

int32
vci_column_int32(int row, int number)
{
	bool is_null;
	Datum value = column(row, number, &is_null);

	return is_null ? 0 : DatumGetInt32(value);
}

double
vci_column_double(int row, int number)
{
	bool is_null;
	Datum value = column(row, number, &is_null);

	return is_null ? 0 : DatumGetFloat8(value);
}

bool
vci_column_boolean(int row, int number)
{
	bool is_null;
	Datum value = column(row, number, &is_null);

	return !is_null && DatumGetBool(value);
}

char *
vci_column_text(VciStore *store, int row, int number)
{
	bool is_null;
	Datum value = column(row, number, &is_null);
	MemoryContext old;
	char *result;

	if (is_null)
		return NULL;
	old = MemoryContextSwitchTo(store->context);
	result = TextDatumGetCString(value);
	MemoryContextSwitchTo(old);
	return result;
}

bytea *
vci_column_bytea(VciStore *store, int row, int number)
{
	bool is_null;
	Datum value = column(row, number, &is_null);
	MemoryContext old;
	bytea *result;

	if (is_null)
		return NULL;
	old = MemoryContextSwitchTo(store->context);
	result = DatumGetByteaPCopy(value);
	MemoryContextSwitchTo(old);
	return result;
}

char **
vci_column_texts(VciStore *store, int row, int number, int *count)
{
	bool is_null;
	Datum value = column(row, number, &is_null);
	MemoryContext old;
	char **result;

	*count = 0;
	if (is_null)
		return NULL;
	old = MemoryContextSwitchTo(store->context);
	result = vci_text_array(DatumGetArrayTypePCopy(value), "column", count);
	MemoryContextSwitchTo(old);
	return result;
}
