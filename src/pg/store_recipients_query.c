#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/varlena.h"

#include "store_recipients_query.h"
#include "store_statement.h"

/* In the order of column_names. */
typedef enum RecipientColumn
{
	COLUMN_REFERENCE,
	COLUMN_SUBJECT_MODEL,
	COLUMN_SUBJECT_ID,
	COLUMN_LABELS,
	COLUMN_CLAIMS,
	COLUMN_HOLDER,
	COLUMN_CHANNEL,
	COLUMN_ADDRESS,
	COLUMN_LANGUAGE,
	COLUMN_COUNT
} RecipientColumn;

static const char *const column_names[COLUMN_COUNT] = {"reference", "subject_model", "subject_id",
													   "labels",	"claims",		 "holder",
													   "channel",	"address",		 "language"};

struct VciRecipientsReader
{
	VciStore *store;
	Oid role;
	Portal portal;
	int attributes[COLUMN_COUNT]; /* SPI's numbers, 0: the query has no such column */
};

/*
 * As the query's role from here to leave. The search_path is the store's, with no schema of
 * anybody on it, so that the query means the same whoever runs it.
 */
static int
enter(VciStore *store, Oid role)
{
	SetUserIdAndSecContext(role, store->security_context | SECURITY_LOCAL_USERID_CHANGE |
									 SECURITY_RESTRICTED_OPERATION);
	return NewGUCNestLevel();
}

static void
leave(VciStore *store, int guc_level)
{
	AtEOXact_GUC(false, guc_level); /* whatever it SET goes, too */
	SetUserIdAndSecContext(store->owner, store->security_context | SECURITY_LOCAL_USERID_CHANGE);
	MemoryContextSwitchTo(store->context);
}

/* "schema.relation" becomes a query of all its columns; everything else is one already. */
static char *
query_of(const char *text)
{
	List *names;
	StringInfoData query;
	ListCell *name;

	if (!SplitIdentifierString(pstrdup(text), '.', &names) || names == NIL)
		return pstrdup(text);
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT * FROM ");
	foreach (name, names)
		appendStringInfo(&query, "%s%s", foreach_current_index(name) == 0 ? "" : ".",
						 quote_identifier(lfirst(name)));
	return query.data;
}

/* A SELECT that locks or changes rows would do so each time somebody looks. */
static const CachedPlanSource *
require_select(SPIPlanPtr plan)
{
	List *sources = SPI_plan_get_plan_sources(plan);
	const CachedPlanSource *source = list_length(sources) == 1 ? linitial(sources) : NULL;
	const Query *query = source != NULL && list_length(source->query_list) == 1
							 ? linitial_node(Query, source->query_list)
							 : NULL;

	if (query == NULL || query->commandType != CMD_SELECT || query->hasModifyingCTE ||
		query->rowMarks != NIL || source->resultDesc == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("recipients must be a relation or one SELECT that changes and locks nothing"),
			 errhint("For example 'SELECT ''2026-'' || id AS reference, id::text AS subject_id "
					 "FROM registry.person'.")));
	return source;
}

static int
column_by_name(const char *name)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (strcmp(column_names[i], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("recipients have no column \"%s\"", name),
			 errhint("Columns are reference, and, where wanted, subject_model, subject_id, labels, "
					 "claims, holder, channel, address and language: name them in the query, or "
					 "make a view of them.")));
}

static void
check_type(int column, Oid type)
{
	Oid base = getBaseType(type);

	if ((column == COLUMN_LABELS || column == COLUMN_CLAIMS) && base != JSONBOID)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column %s of recipients must be jsonb, not %s",
							   column_names[column], format_type_be(type)),
						errhint("Make it, for example, by jsonb_build_object, or cast it.")));
}

static void
read_columns(TupleDesc descriptor, int attributes[COLUMN_COUNT])
{
	memset(attributes, 0, sizeof(int) * COLUMN_COUNT);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		int column = column_by_name(NameStr(attribute->attname));

		if (attributes[column] != 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("recipients have two columns \"%s\"", column_names[column])));
		check_type(column, attribute->atttypid);
		attributes[column] = i + 1;
	}
	if (attributes[COLUMN_REFERENCE] == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recipients need a column reference"),
				 errhint("It names each person once, so that nobody gets two offers, for example "
						 "'2026-' || id AS reference.")));
}

/* To be called as the query's role: types' input functions run already when it is parsed. */
static SPIPlanPtr
prepare(const char *text, int attributes[COLUMN_COUNT])
{
	SPIPlanPtr plan = SPI_prepare_cursor(query_of(text), 0, NULL, CURSOR_OPT_NO_SCROLL);

	if (plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recipients can't be read: %s", SPI_result_code_string(SPI_result))));
	read_columns(require_select(plan)->resultDesc, attributes);
	return plan;
}

void
vci_store_check_recipients(VciStore *store, const char *text, Oid role)
{
	int attributes[COLUMN_COUNT];
	int guc_level;

	vci_store_connect(store);
	guc_level = enter(store, role);
	(void) SPI_freeplan(prepare(text, attributes));
	leave(store, guc_level);
}

VciRecipientsReader *
vci_store_open_recipients(VciStore *store, const char *text, Oid role)
{
	VciRecipientsReader *reader = palloc0(sizeof(VciRecipientsReader));
	int guc_level;

	reader->store = store;
	reader->role = role;
	vci_store_connect(store);
	guc_level = enter(store, role);
	reader->portal = SPI_cursor_open(NULL, prepare(text, reader->attributes), NULL, NULL, true);
	leave(store, guc_level);
	return reader;
}

static char *
text_of(const VciRecipientsReader *reader, HeapTuple row, RecipientColumn column)
{
	int attribute = reader->attributes[column];

	return attribute == 0 ? NULL : SPI_getvalue(row, SPI_tuptable->tupdesc, attribute);
}

static Datum
jsonb_of(const VciRecipientsReader *reader, HeapTuple row, RecipientColumn column)
{
	int attribute = reader->attributes[column];
	bool is_null = true;
	Datum value = (Datum) 0;

	if (attribute != 0)
		value = SPI_getbinval(row, SPI_tuptable->tupdesc, attribute, &is_null);
	return is_null ? (Datum) 0 : JsonbPGetDatum(DatumGetJsonbPCopy(value));
}

/* Still as the query's role, since types have output functions. */
static void
read_row(const VciRecipientsReader *reader, HeapTuple row, VciRecipient *recipient)
{
	MemoryContext old = MemoryContextSwitchTo(reader->store->context);

	*recipient = (VciRecipient){
		.reference = text_of(reader, row, COLUMN_REFERENCE),
		.subject_model = text_of(reader, row, COLUMN_SUBJECT_MODEL),
		.subject_id = text_of(reader, row, COLUMN_SUBJECT_ID),
		.holder = text_of(reader, row, COLUMN_HOLDER),
		.channel = text_of(reader, row, COLUMN_CHANNEL),
		.address = text_of(reader, row, COLUMN_ADDRESS),
		.language = text_of(reader, row, COLUMN_LANGUAGE),
		.labels = jsonb_of(reader, row, COLUMN_LABELS),
		.claims = jsonb_of(reader, row, COLUMN_CLAIMS),
	};
	MemoryContextSwitchTo(old);
}

int
vci_store_next_recipients(VciRecipientsReader *reader, int max, VciRecipient *rows)
{
	int guc_level = enter(reader->store, reader->role);
	int count;

	SPI_cursor_fetch(reader->portal, true, max);
	count = (int) SPI_processed;
	for (int i = 0; i < count; i++)
		read_row(reader, SPI_tuptable->vals[i], &rows[i]);
	SPI_freetuptable(SPI_tuptable);
	leave(reader->store, guc_level);
	return count;
}

void
vci_store_close_recipients(VciRecipientsReader *reader)
{
	int guc_level = enter(reader->store, reader->role);

	SPI_cursor_close(reader->portal);
	leave(reader->store, guc_level);
}
