/*
 * SQL functions about the database as a whole: which one may issue, what a restore undoes,
 * and under which root key everything is sealed.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "duty.h"
#include "event.h"
#include "report.h"
#include "root_key.h"
#include "store.h"
#include "store_status.h"
#include "values.h"

#define EPOCH_BITS UINT64CONST(0x0FFFFFFFFFFFFFFF)
#define STEP_BITS  0x000FFFFF

static uint64
random_number(void)
{
	VciError error = VCI_ERROR_INIT;
	uint64 number;

	vci_require(vci_random(&number, sizeof(number), &error), &error);
	return number;
}

/* Every nonce given out so far is void. */
static void
begin_epoch(VciStore *store)
{
	vci_store_set_epoch(store, (int64) (random_number() & EPOCH_BITS));
}

/* An old snapshot would not show what others have committed since. */
static void
require_fresh_snapshots(const char *function)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						errmsg("%s needs a READ COMMITTED transaction", function),
						errhint("BEGIN ISOLATION LEVEL READ COMMITTED;")));
}

PG_FUNCTION_INFO_V1(vci_adopt_database);

/* openid4vci.vci_adopt_database() returns boolean */
Datum
vci_adopt_database(PG_FUNCTION_ARGS pg_attribute_unused())
{
	VciStore *store = vci_store_open();
	bool adopted;

	vci_require_duty(store, VCI_DUTY_KEY_ADMIN, VCI_ALL_ISSUERS);
	adopted = vci_store_adopt_database(store);
	if (adopted)
	{
		begin_epoch(store);
		vci_store_close_status_lists(store);
		vci_note_database(store, (VciEvent){.kind = VCI_EVENT_DATABASE_ADOPTED});
	}
	vci_store_close(store);
	PG_RETURN_BOOL(adopted);
}

static TimestampTz
arg_cut(FunctionCallInfo fcinfo)
{
	TimestampTz cut;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("cut must not be null"),
						errhint("It is the time whose state this database was brought back to: "
								"when the dump began, or the recovery target.")));
	cut = PG_GETARG_TIMESTAMPTZ(0);
	if (cut > GetCurrentTimestamp())
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("cut lies in the future: %s", timestamptz_to_str(cut)),
						errhint("It is the time whose state this database was brought back to; "
								"when that is not known, now().")));
	return cut;
}

static Datum
withdrawn_counts(FunctionCallInfo fcinfo, int64 pending, int64 redeemed)
{
	Datum values[] = {Int64GetDatum(pending), Int64GetDatum(redeemed)};
	bool nulls[] = {false, false};

	return vci_row_datum(fcinfo, values, nulls);
}

PG_FUNCTION_INFO_V1(vci_after_restore);

/*
 * openid4vci.vci_after_restore(cut timestamptz, OUT pending bigint, OUT redeemed bigint)
 *
 * Steps lock requests before offers, and vci_purge may hold the row of vci_database before it
 * comes to offers; so does this. The generations rise by another step each
 * time: one more could be what the lost time had reached already.
 */
Datum
vci_after_restore(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	int32 step = (int32) (random_number() & STEP_BITS) + 1;
	TimestampTz cut;
	int64 pending;
	int64 redeemed;

	vci_require_duty(store, VCI_DUTY_KEY_ADMIN, VCI_ALL_ISSUERS);
	cut = arg_cut(fcinfo);
	require_fresh_snapshots("vci_after_restore");
	vci_store_note_restore(store);
	vci_store_withdraw_requests(store, cut, step);
	vci_store_stop_redeeming(store);
	redeemed = vci_store_withdraw_offers(store, cut, step, &pending);
	begin_epoch(store);
	/* the sequence of positions was set back, too, and would give places a second time */
	vci_store_close_status_lists(store);
	vci_note_database(store, (VciEvent){.kind = VCI_EVENT_DATABASE_RESTORED});
	vci_store_close(store);
	PG_RETURN_DATUM(withdrawn_counts(fcinfo, pending, redeemed));
}

static const char *
place_of(VciSealedKind kind)
{
	switch (kind)
	{
		case VCI_SEALED_DATA_KEY:
			return VCI_ISSUER_DATA_KEY;
		case VCI_SEALED_SIGNING_KEY:
			return VCI_SIGNING_KEY;
		case VCI_SEALED_EVENT_KEY:
			return VCI_EVENT_KEY;
	}
	elog(ERROR, "unknown kind of sealed row: %d", (int) kind);
}

/* What is opened on the way goes, wiped, with the context of its own. */
static void
reseal(VciStore *store, VciSealedRow row)
{
	MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "openid4vci reseal", ALLOCSET_SMALL_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(scratch);
	const unsigned char *plain;
	size_t len;

	vci_root_unseal(place_of(row.kind), row.id, row.sealed, row.root_key_id, &plain, &len);
	row.sealed = vci_root_seal(place_of(row.kind), row.id, plain, len, &row.root_key_id);
	vci_store_reseal(store, &row);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(scratch);
}

PG_FUNCTION_INFO_V1(vci_rotate_root_key);

/* openid4vci.vci_rotate_root_key() returns bigint */
Datum
vci_rotate_root_key(PG_FUNCTION_ARGS pg_attribute_unused())
{
	VciStore *store = vci_store_open();
	char first[VCI_ROOT_KEY_ID_SIZE];
	VciSealedRow *rows;
	int count;

	vci_require_duty(store, VCI_DUTY_KEY_ADMIN, VCI_ALL_ISSUERS);
	require_fresh_snapshots("vci_rotate_root_key");
	vci_root_keys_refresh();
	vci_root_key_id(first);
	vci_store_stop_sealing(store);
	rows = vci_store_sealed_rows(store, first, &count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		reseal(store, rows[i]);
	}
	if (count > 0)
		vci_note_database(store, (VciEvent){.kind = VCI_EVENT_ROOT_KEY_ROTATED});
	vci_store_close(store);
	PG_RETURN_INT64(count);
}
