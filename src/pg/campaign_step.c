#include "compat.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "campaign_step.h"
#include "duty.h"
#include "store_recipients_query.h"
#include "values.h"

#define PACED_CHUNKS_A_MINUTE 30
#define OTHERS_ARE_AT_IT	  0.5 /* seconds until it is looked again */

/* As vci_campaign_info has it. */
static const char *
state_of(const VciCampaignRow *row)
{
	if (row->cancelled)
		return "cancelled";
	if (row->finished)
		return "finished";
	if (row->paused)
		return "paused";
	if (row->started)
		return "running";
	return row->loaded ? "loaded" : "draft";
}

static bool
is_at_rest(const VciCampaignRow *row)
{
	return row->cancelled || row->finished || row->paused;
}

/* The campaign's table would keep only the first of those without a reference. */
static void
require_references(const VciCampaign *campaign, const VciRecipient *rows, int count, int64 before)
{
	for (int i = 0; i < count; i++)
	{
		if (rows[i].reference == NULL || rows[i].reference[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("row %lld of the recipients of campaign %lld has no reference",
							(long long) (before + i + 1), (long long) campaign->row->id),
					 errhint("SELECT * FROM openid4vci.vci_check_campaign(%lld); then change the "
							 "query by vci_alter_campaign.",
							 (long long) campaign->row->id)));
		vci_check_text(rows[i].reference, "reference", VCI_REFERENCE_MAX);
	}
}

/* Some thousand rows of memory, however many there are. */
static int64
load_recipients(const VciCampaign *campaign)
{
	VciStore *store = campaign->store;
	MemoryContext context = store->context;
	MemoryContext batch = AllocSetContextCreate(context, "recipients", ALLOCSET_DEFAULT_SIZES);
	VciRecipient *rows = palloc(sizeof(VciRecipient) * VCI_CAMPAIGN_CHUNK);
	VciRecipientsReader *reader =
		vci_store_open_recipients(store, campaign->row->recipients, vci_campaign_role(campaign));
	int64 read = 0;
	int64 added = 0;
	int count;

	store->context = batch;
	while ((count = vci_store_next_recipients(reader, VCI_CAMPAIGN_CHUNK, rows)) > 0)
	{
		require_references(campaign, rows, count, read);
		read += count;
		added += vci_store_insert_recipients(store, campaign->row->id, rows, count);
		MemoryContextReset(batch);
		CHECK_FOR_INTERRUPTS();
	}
	vci_store_close_recipients(reader);
	store->context = context;
	MemoryContextSwitchTo(context);
	MemoryContextDelete(batch);
	if (added >= VCI_CAMPAIGN_CHUNK)
		vci_store_analyze_recipients(store);
	return added;
}

static void
load(VciStore *store, int64 id, VciCampaignStep *step)
{
	VciCampaign campaign = vci_campaign_locked(store, id, true);

	/* somebody else may have done it, or stopped it, while we waited */
	if (!is_at_rest(campaign.row) && !campaign.row->loaded)
	{
		vci_campaign_require_terms(&campaign);
		step->loaded = load_recipients(&campaign);
		vci_store_note_loaded(store, id, step->loaded);
	}
}

static void
count_outcomes(const VciRecipientOutcome *outcomes, int count, VciCampaignStep *step)
{
	for (int i = 0; i < count; i++)
	{
		if (outcomes[i].created)
			step->made++;
		else if (outcomes[i].offer_id != 0)
			step->existing++;
		else
			step->failed++;
	}
}

static void
make_chunk(const VciCampaign *campaign, int32 max, VciCampaignStep *step)
{
	VciStore *store = campaign->store;
	int64 id = campaign->row->id;
	TimestampTz since = GetCurrentTimestamp();
	int count;
	VciRecipient *rows = vci_store_take_recipients(store, id, step->behind, max, &count);
	VciRecipientOutcome *outcomes = palloc(sizeof(VciRecipientOutcome) * Max(count, 1));

	if (count == 0 && step->behind == 0 && !vci_store_has_open_recipients(store, id))
		vci_store_finish_campaign(store, id);
	else if (count == 0 && step->behind == 0)
		step->wait = OTHERS_ARE_AT_IT;
	step->behind = count < max ? 0 : rows[count - 1].id;
	if (count == 0)
		return;
	vci_cache_unseal(campaign->issuer);
	vci_campaign_make(campaign, rows, count, outcomes);
	vci_store_settle_recipients(store, id, rows, outcomes, count);
	count_outcomes(outcomes, count, step);
	vci_store_count_chunk(store, id, step->made, step->existing, step->failed, since);
}

static int32
chunk_size(const VciCampaignRow *row, int64 max)
{
	int64 size = Min(max, VCI_CAMPAIGN_CHUNK);

	if (row->pace > 0)
		size = Min(size, Max(row->pace / PACED_CHUNKS_A_MINUTE, 1));
	return (int32) size;
}

static void
make(VciStore *store, int64 id, int64 max, VciCampaignStep *step)
{
	VciCampaign campaign = vci_campaign_locked(store, id, false);

	if (is_at_rest(campaign.row) || !campaign.row->loaded)
		return;
	if (campaign.row->paced_for > 0)
	{
		step->wait = campaign.row->paced_for;
		return;
	}
	vci_campaign_require_terms(&campaign);
	make_chunk(&campaign, chunk_size(campaign.row, max), step);
}

void
vci_campaign_take_step(int64 id, int64 max, VciCampaignStep *step)
{
	VciStore *store = vci_store_open();
	VciCampaign campaign = vci_campaign_for_operator(store, id);

	*step = (VciCampaignStep){.behind = step->behind};
	if (!is_at_rest(campaign.row) && !campaign.row->loaded)
		load(store, id, step);
	else if (!is_at_rest(campaign.row))
		make(store, id, max, step);
	campaign.row = vci_store_campaign(store, id, false);
	step->state = state_of(campaign.row);
	step->recipients = campaign.row->recipient_count;
	step->made_so_far = campaign.row->made_count;
	step->existing_so_far = campaign.row->existing_count;
	step->failed_so_far = campaign.row->failed_count;
	step->rate = campaign.row->rate;
	vci_store_close(store);
}

PG_FUNCTION_INFO_V1(vci_campaign_step);

/* openid4vci.vci_campaign_step(campaign bigint, max_rows integer, ...) returns record */
Datum
vci_campaign_step(PG_FUNCTION_ARGS)
{
	VciCampaignStep step = {0};
	int32 max = PG_GETARG_INT32(1);
	Datum values[7];
	bool nulls[7] = {false};

	if (max < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be positive, it is %d", max)));
	vci_campaign_take_step(PG_GETARG_INT64(0), max, &step);
	values[0] = CStringGetTextDatum(step.state);
	values[1] = Int64GetDatum(step.loaded);
	values[2] = Int64GetDatum(step.made);
	values[3] = Int64GetDatum(step.existing);
	values[4] = Int64GetDatum(step.failed);
	values[5] = Int64GetDatum(step.recipients - step.made_so_far - step.existing_so_far -
							  step.failed_so_far);
	values[6] = Float8GetDatum(step.wait);
	return vci_row_datum(fcinfo, values, nulls);
}
