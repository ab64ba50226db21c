/*
 * vci_events: the outbox, read so that a reader who remembers the last id misses none.
 */
#include "compat.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "cache.h"
#include "duty.h"
#include "values.h"

#define MAX_EVENTS	100000
#define EVENT_CHUNK 1000

/* As many as 0.2.0 declares; of a declaration with fewer, the first ones are put. */
#define EVENT_COLUMNS 12

static Datum
id_or_null(int64 id, bool *is_null)
{
	*is_null = id == 0;
	return Int64GetDatum(id);
}

static Datum
name_datum(const char *text)
{
	return DirectFunctionCall1(namein, CStringGetDatum(text));
}

static void
put_event(ReturnSetInfo *result, const VciEventRow *row)
{
	Datum values[EVENT_COLUMNS];
	bool nulls[EVENT_COLUMNS] = {false};

	values[0] = Int64GetDatum(row->id);
	values[1] = TimestampTzGetDatum(row->at);
	nulls[2] = row->issuer == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(row->issuer);
	values[3] = CStringGetTextDatum(row->event.kind);
	values[4] = id_or_null(row->event.offer_id, &nulls[4]);
	values[5] = id_or_null(row->event.authorization_id, &nulls[5]);
	values[6] = id_or_null(row->event.token_id, &nulls[6]);
	values[7] = id_or_null(row->event.deferred_id, &nulls[7]);
	values[8] = id_or_null(row->event.credential_id, &nulls[8]);
	values[9] = id_or_null(row->event.key_id, &nulls[9]);
	nulls[10] = row->event.role_name == NULL;
	values[10] = nulls[10] ? (Datum) 0 : name_datum(row->event.role_name);
	nulls[11] = row->event.duty == NULL;
	values[11] = nulls[11] ? (Datum) 0 : CStringGetTextDatum(row->event.duty);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * Puts those of the rows that the caller may see. False when that was all: max are put, or a
 * gap is not settled.
 */
static bool
put_rows(ReturnSetInfo *result, VciStore *store, const VciEventRow *rows, int count, int64 *last,
		 int32 *left)
{
	for (int i = 0; i < count; i++)
	{
		if (*left == 0 || (rows[i].id != *last + 1 && !rows[i].settled))
			return false;
		*last = rows[i].id;
		/* also of an issuer that was retired since; those of no issuer need a duty for all */
		if (!vci_may_read(store, rows[i].event.issuer_id))
			continue;
		put_event(result, &rows[i]);
		(*left)--;
	}
	return true;
}

/*
 * Puts at most max events behind after. An id that is missing may still be on its way: the
 * row behind the gap is settled once every transaction that could have drawn the missing
 * one has ended. Before that nothing behind the gap is shown.
 */
static void
put_events(ReturnSetInfo *result, VciStore *store, int64 after, int32 max)
{
	MemoryContext caller = store->context;
	MemoryContext chunk =
		AllocSetContextCreate(caller, "openid4vci events", ALLOCSET_DEFAULT_SIZES);
	int64 last = after;
	int32 left = max;
	int count;
	bool more;

	/* a reader of one quiet issuer may have to pass millions of other issuers' events */
	store->context = chunk;
	do
	{
		VciEventRow *rows;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(chunk);
		MemoryContextSwitchTo(chunk);
		rows = vci_store_events(store, last, EVENT_CHUNK, &count);
		more = put_rows(result, store, rows, count, &last, &left);
	} while (more && count == EVENT_CHUNK);
	MemoryContextSwitchTo(caller);
	store->context = caller;
	MemoryContextDelete(chunk);
}

PG_FUNCTION_INFO_V1(vci_events);

/* openid4vci.vci_events(after bigint, max_rows integer) returns setof record */
Datum
vci_events(PG_FUNCTION_ARGS)
{
	int64 after = PG_GETARG_INT64(0);
	int32 max_rows = PG_GETARG_INT32(1);
	VciStore *store;

	InitMaterializedSRF(fcinfo, 0);
	if (max_rows < 1 || max_rows > MAX_EVENTS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be from 1 to %d, it is %d", MAX_EVENTS, max_rows)));
	store = vci_store_open();
	put_events((ReturnSetInfo *) fcinfo->resultinfo, store, after, max_rows);
	vci_store_close(store);
	return (Datum) 0;
}
