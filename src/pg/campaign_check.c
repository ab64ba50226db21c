/*
 * openid4vci.vci_check_campaign: what would come of a campaign, without making anything.
 */
#include "compat.h"

#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "campaign.h"
#include "store_recipients_query.h"
#include "values.h"

#define MAX_FAILURES 100000

typedef struct Check
{
	VciCampaign campaign;
	ReturnSetInfo *result;
	int64 read;
	int64 new_offers;
	int64 existing;
	int64 repeated;
	int64 failing;
	int64 failures_left;
	HTAB *seen; /* digests of references: 64 bits, which meet by chance in no campaign */
} Check;

static bool
is_repeated(Check *check, const VciRecipient *recipient)
{
	uint64 digest;
	bool found;

	if (recipient->reference == NULL)
		return false;
	digest = DatumGetUInt64(hash_any_extended((const unsigned char *) recipient->reference,
											  (int) strlen(recipient->reference), 0));
	(void) hash_search(check->seen, &digest, HASH_ENTER, &found);
	return found;
}

static void
put_row(const Check *check, const char *outcome, int64 number, const char *reference,
		const char *reason)
{
	Datum values[4];
	bool nulls[4] = {false, number < 0, reference == NULL, reason == NULL};

	values[0] = CStringGetTextDatum(outcome);
	values[1] = Int64GetDatum(number);
	values[2] = reference == NULL ? (Datum) 0 : CStringGetTextDatum(reference);
	values[3] = reason == NULL ? (Datum) 0 : CStringGetTextDatum(reason);
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
}

static void
count(Check *check, const VciRecipient *recipient, const VciRecipientOutcome *outcome)
{
	if (is_repeated(check, recipient))
		check->repeated++;
	else if (outcome->failure != NULL)
	{
		check->failing++;
		if (check->failures_left-- > 0)
			put_row(check, "failure", -1, recipient->reference, outcome->failure);
	}
	else if (outcome->offer_id != 0)
		check->existing++;
	else
		check->new_offers++;
}

static void
read_recipients(Check *check)
{
	VciStore *store = check->campaign.store;
	MemoryContext context = store->context;
	MemoryContext batch = AllocSetContextCreate(context, "recipients", ALLOCSET_DEFAULT_SIZES);
	VciRecipient *rows = palloc(sizeof(VciRecipient) * VCI_CAMPAIGN_CHUNK);
	VciRecipientOutcome *outcomes = palloc(sizeof(VciRecipientOutcome) * VCI_CAMPAIGN_CHUNK);
	VciNewOffer *new_offers = palloc(sizeof(VciNewOffer) * VCI_CAMPAIGN_CHUNK);
	VciRecipientsReader *reader = vci_store_open_recipients(store, check->campaign.row->recipients,
															vci_campaign_role(&check->campaign));
	int rows_read;

	store->context = batch;
	while ((rows_read = vci_store_next_recipients(reader, VCI_CAMPAIGN_CHUNK, rows)) > 0)
	{
		vci_campaign_check(&check->campaign, rows, rows_read, new_offers, outcomes);
		for (int i = 0; i < rows_read; i++)
			count(check, &rows[i], &outcomes[i]);
		check->read += rows_read;
		MemoryContextReset(batch);
		CHECK_FOR_INTERRUPTS();
	}
	vci_store_close_recipients(reader);
	store->context = context;
	MemoryContextSwitchTo(context);
	MemoryContextDelete(batch);
}

static HTAB *
make_seen(void)
{
	HASHCTL control = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64)};

	control.hcxt = CurrentMemoryContext;
	return hash_create("references", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

PG_FUNCTION_INFO_V1(vci_check_campaign);

/* openid4vci.vci_check_campaign(campaign bigint, max_failures integer, OUT outcome text,
 * OUT recipients bigint, OUT reference text, OUT reason text) returns setof record */
Datum
vci_check_campaign(PG_FUNCTION_ARGS)
{
	int32 max_failures = PG_GETARG_INT32(1);
	Check check = {.failures_left = max_failures};
	VciStore *store;

	if (max_failures < 0 || max_failures > MAX_FAILURES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_failures must be from 0 to %d, it is %d", MAX_FAILURES,
							   max_failures)));
	InitMaterializedSRF(fcinfo, 0);
	check.result = (ReturnSetInfo *) fcinfo->resultinfo;
	store = vci_store_open();
	check.campaign = vci_campaign_for_operator(store, PG_GETARG_INT64(0));
	check.seen = make_seen();
	vci_campaign_require_terms(&check.campaign);
	vci_cache_unseal(check.campaign.issuer);
	read_recipients(&check);
	put_row(&check, "recipients", check.read, NULL, NULL);
	put_row(&check, "new offers", check.new_offers, NULL, NULL);
	put_row(&check, "existing offers", check.existing, NULL, NULL);
	put_row(&check, "repeated references", check.repeated, NULL, NULL);
	put_row(&check, "failures", check.failing, NULL, NULL);
	vci_store_close(store);
	return (Datum) 0;
}
