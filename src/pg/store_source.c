/*
 * Functions of the registry that the extension calls: looked up by name, checked, and run
 * as their owner, never with the extension's rights.
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "store_statement.h"
#include "values.h"

#define SOURCE_MAX_ARGS 2

typedef struct SourceDefinition
{
	const char *name;
	int nargs;
	Oid arguments[SOURCE_MAX_ARGS];
	Oid result;
	const char *arguments_text;
	const char *result_text;
	const char *parameters;	 /* for a hint */
	const char *example;	 /* for a hint */
	const char *register_by; /* for a hint, with the function's name for %s */
} SourceDefinition;

/* In the order of VciSourceKind. */
static const SourceDefinition definitions[] = {
	{"claims source",
	 2,
	 {TEXTOID, TEXTOID},
	 JSONBOID,
	 "text, text",
	 "jsonb",
	 "subject_model text, subject_id text",
	 "registry.claims_of",
	 "SELECT openid4vci.vci_alter_configuration(id, '{\"claims_source\": \"%s\"}');"},
	{"subject source",
	 1,
	 {TEXTOID},
	 TEXTOID,
	 "text",
	 "text",
	 "claim text",
	 "registry.subject_of",
	 "SELECT openid4vci.vci_alter_authorization_server(url, '{\"subject_source\": \"%s\"}');"},
	{"authentication function",
	 1,
	 {JSONBOID},
	 JSONBOID,
	 "jsonb",
	 "jsonb",
	 "form jsonb",
	 "registry.authenticate",
	 "SELECT openid4vci.vci_alter_issuer('{\"authenticate\": \"%s\"}');"},
};

/* "schema.name" as the function of the kind's arguments; InvalidOid when there is none. */
static Oid
find_source(const SourceDefinition *kind, const char *function)
{
	List *names;

#if PG_VERSION_NUM >= 160000
	names = stringToQualifiedNameList(function, NULL);
#else
	names = stringToQualifiedNameList(function);
#endif
	if (list_length(names) != 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("%s \"%s\" must be schema.function", kind->name, function),
						errhint("Write it without arguments, for example %s.", kind->example)));
	return LookupFuncName(names, kind->nargs, kind->arguments, true);
}

char *
vci_store_check_source(VciStore *store, VciSourceKind kind_number, const char *function)
{
	const SourceDefinition *kind = &definitions[kind_number];
	Oid oid = find_source(kind, function);
	HeapTuple tuple;
	Form_pg_proc proc;
	Oid owner;
	bool fits;

	if (!OidIsValid(oid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("there is no function %s(%s)", function, kind->arguments_text),
						errhint("CREATE FUNCTION %s(%s) RETURNS %s ...", function, kind->parameters,
								kind->result_text)));
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", oid);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	owner = proc->proowner;
	fits =
		proc->prokind == PROKIND_FUNCTION && !proc->proretset && proc->prorettype == kind->result;
	ReleaseSysCache(tuple);
	if (!fits)
		ereport(ERROR, (errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
						errmsg("%s %s must return %s", kind->name, function, kind->result_text)));
	if (!has_privs_of_role(store->caller, owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("%s %s runs as its owner %s, of which you are no member", kind->name,
							   function, GetUserNameFromId(owner, false)),
						errhint("Let its owner register it, or own the function yourself.")));
	return GetUserNameFromId(owner, false);
}

/* The function's own schema is on its path, so that plain SQL in it finds its tables. */
static void
set_source_path(Oid function)
{
	char *schema = get_namespace_name(get_func_namespace(function));
	char *path = psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema));

	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
}

static Oid
require_owner(const SourceDefinition *kind, const char *function, Oid oid, const char *owner_name)
{
	HeapTuple tuple = OidIsValid(oid) ? SearchSysCache1(PROCOID, ObjectIdGetDatum(oid)) : NULL;
	Oid owner = InvalidOid;
	bool same = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

		owner = proc->proowner;
		same = proc->prorettype == kind->result && !proc->proretset &&
			   proc->prokind == PROKIND_FUNCTION &&
			   strcmp(GetUserNameFromId(owner, false), owner_name) == 0;
		ReleaseSysCache(tuple);
	}
	if (!same)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("%s %s is no longer the function that was registered", kind->name,
							   function),
						errdetail("It was a function of (%s) returning %s, owned by %s.",
								  kind->arguments_text, kind->result_text, owner_name),
						errhint("Register it again: %s", psprintf(kind->register_by, function))));
	return owner;
}

static void
fill_arguments(const SourceDefinition *kind, FunctionCallInfo fcinfo, const char *const *arguments)
{
	for (int i = 0; i < kind->nargs; i++)
	{
		fcinfo->args[i].isnull = arguments[i] == NULL;
		if (arguments[i] == NULL)
			fcinfo->args[i].value = (Datum) 0;
		else if (kind->arguments[i] == JSONBOID)
			fcinfo->args[i].value = DirectFunctionCall1(jsonb_in, CStringGetDatum(arguments[i]));
		else
			fcinfo->args[i].value = CStringGetTextDatum(arguments[i]);
	}
}

static bool
has_null(const SourceDefinition *kind, FunctionCallInfo fcinfo)
{
	for (int i = 0; i < kind->nargs; i++)
		if (fcinfo->args[i].isnull)
			return true;
	return false;
}

static char *
text_of(Oid type, Datum value)
{
	Jsonb *jsonb;

	if (type != JSONBOID)
		return TextDatumGetCString(value);
	jsonb = DatumGetJsonbP(value);
	return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
}

char *
vci_store_run_source(VciStore *store, VciSourceKind kind_number, const char *function,
					 const char *owner_name, const char *const *arguments)
{
	LOCAL_FCINFO(fcinfo, SOURCE_MAX_ARGS);
	const SourceDefinition *kind = &definitions[kind_number];
	Oid oid = find_source(kind, function);
	Oid owner = require_owner(kind, function, oid, owner_name);
	FmgrInfo info;
	int guc_level;
	Datum value;

	fmgr_info(oid, &info);
	InitFunctionCallInfoData(*fcinfo, &info, kind->nargs, InvalidOid, NULL, NULL);
	fill_arguments(kind, fcinfo, arguments);
	if (info.fn_strict && has_null(kind, fcinfo))
		return NULL;

	vci_store_show_limit(store);
	guc_level = NewGUCNestLevel();
	set_source_path(oid);
	SetUserIdAndSecContext(owner, store->security_context | SECURITY_RESTRICTED_OPERATION);
	value = FunctionCallInvoke(fcinfo);
	SetUserIdAndSecContext(store->owner, store->security_context | SECURITY_LOCAL_USERID_CHANGE);
	AtEOXact_GUC(false, guc_level); /* whatever it SET goes, too */
	return fcinfo->isnull ? NULL : text_of(kind->result, value);
}
