/*
 * SQL functions that make campaigns, change, stop and end them.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "campaign.h"
#include "campaign_terms.h"
#include "duty.h"
#include "event.h"
#include "store_recipients_query.h"
#include "values.h"

static void
raise_taken(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
					errmsg("this issuer has a campaign \"%s\" already", name),
					errhint("vci_alter_campaign changes it; another one needs another name.")));
}

enum CreateCampaignArgument
{
	ARG_NAME,
	ARG_CONFIGURATION_IDS,
	ARG_RECIPIENTS,
	ARG_OPTIONS,
	ARG_ISSUER
};

static void
read_arguments(FunctionCallInfo fcinfo, VciCampaignRow *row)
{
	if (PG_ARGISNULL(ARG_CONFIGURATION_IDS))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("configuration_ids must not be null"),
						errhint("For example configuration_ids => '{EntitlementCredential}'.")));
	row->name = vci_arg_text_required(fcinfo, ARG_NAME, "name");
	row->recipients = vci_arg_text_required(fcinfo, ARG_RECIPIENTS, "recipients");
	row->configuration_ids = vci_text_array(PG_GETARG_ARRAYTYPE_P(ARG_CONFIGURATION_IDS),
											"configuration_ids", &row->configuration_count);
	vci_read_campaign_options(vci_arg_json(fcinfo, ARG_OPTIONS, "options"), row);
}

PG_FUNCTION_INFO_V1(vci_create_campaign);

/* openid4vci.vci_create_campaign(name text, configuration_ids text[], recipients text,
 * options jsonb, issuer text) returns bigint */
Datum
vci_create_campaign(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciCampaignRow row = {0};
	VciCampaign campaign = {.store = store, .row = &row};
	int64 id;

	campaign.issuer =
		vci_issuer_with_duty(store, vci_arg_text(fcinfo, ARG_ISSUER), VCI_DUTY_OFFERER);
	row.issuer_id = campaign.issuer->rules.id;
	row.created_by = GetUserNameFromId(store->caller, false);
	read_arguments(fcinfo, &row);
	vci_check_campaign_row(&row);
	vci_campaign_require_terms(&campaign);
	vci_store_check_recipients(store, row.recipients, store->caller);
	id = vci_store_insert_campaign(store, &row);
	if (id == 0)
		raise_taken(row.name);
	vci_store_close(store);
	PG_RETURN_INT64(id);
}

static void
require_not_cancelled(const VciCampaignRow *row)
{
	if (row->cancelled)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("campaign %lld is cancelled", (long long) row->id),
						errhint("Create a new one by vci_create_campaign.")));
}

/* What some people have in their hands already can't be another thing for the rest. */
static void
require_same_offers(const VciCampaignRow *row, const VciJson *changes)
{
	static const char *const fixed[] = {"configuration_ids", "tx_code"};

	for (size_t i = 0; i < lengthof(fixed); i++)
		if (row->made_count > 0 && vci_json_has(changes, fixed[i]))
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("%s can't change any more: campaign %lld has made %lld offers",
								   fixed[i], (long long) row->id, (long long) row->made_count),
							errhint("Cancel it and create another one.")));
}

/* Whoever has no offer yet is to be read again; failed_only: of those, who could get none. */
static void
unload(const VciCampaign *campaign, bool failed_only)
{
	const VciCampaignRow *row = campaign->row;
	int64 dropped = vci_store_drop_recipients(campaign->store, row->id, failed_only);

	vci_store_note_unloaded(campaign->store, row->id, dropped, row->failed_count);
}

PG_FUNCTION_INFO_V1(vci_alter_campaign);

/* openid4vci.vci_alter_campaign(campaign bigint, changes jsonb) returns void */
Datum
vci_alter_campaign(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciCampaign campaign = vci_campaign_locked(store, PG_GETARG_INT64(0), true);
	VciJson *changes = vci_arg_json(fcinfo, 1, "changes");
	bool rereads = vci_json_has(changes, "recipients");

	require_not_cancelled(campaign.row);
	require_same_offers(campaign.row, changes);
	vci_read_campaign_changes(changes, campaign.row);
	vci_check_campaign_row(campaign.row);
	vci_campaign_require_terms(&campaign);
	if (rereads)
	{
		vci_store_check_recipients(store, campaign.row->recipients, store->caller);
		campaign.row->created_by = GetUserNameFromId(store->caller, false);
	}
	if (!vci_store_alter_campaign(store, campaign.row))
		raise_taken(campaign.row->name);
	if (rereads)
		unload(&campaign, false);
	vci_store_close(store);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(vci_pause_campaign);

/* openid4vci.vci_pause_campaign(campaign bigint) returns boolean */
Datum
vci_pause_campaign(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciCampaign campaign = vci_campaign_locked(store, PG_GETARG_INT64(0), true);
	bool pause = !campaign.row->paused && !campaign.row->cancelled;

	if (pause)
		vci_store_pause_campaign(store, campaign.row->id);
	vci_store_close(store);
	PG_RETURN_BOOL(pause);
}

PG_FUNCTION_INFO_V1(vci_resume_campaign);

/* openid4vci.vci_resume_campaign(campaign bigint, reload boolean) returns boolean */
Datum
vci_resume_campaign(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciCampaign campaign = vci_campaign_locked(store, PG_GETARG_INT64(0), true);
	bool reload = PG_GETARG_BOOL(1);
	bool resume = campaign.row->paused || reload;

	require_not_cancelled(campaign.row);
	if (campaign.row->paused)
		vci_store_resume_campaign(store, campaign.row->id);
	if (reload)
		unload(&campaign, true);
	vci_store_close(store);
	PG_RETURN_BOOL(resume);
}

PG_FUNCTION_INFO_V1(vci_cancel_campaign);

/* openid4vci.vci_cancel_campaign(campaign bigint, max_rows integer) returns bigint */
Datum
vci_cancel_campaign(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciCampaign campaign = vci_campaign_locked(store, PG_GETARG_INT64(0), true);
	int32 max = PG_GETARG_INT32(1);
	int64 *ids;
	int count;

	if (max < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be positive, it is %d", max)));
	if (!campaign.row->cancelled)
		vci_store_cancel_campaign(store, campaign.row->id);
	ids = vci_store_cancel_campaign_offers(store, campaign.row->id, max, &count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		vci_note(store, campaign.issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_CANCELLED, .offer_id = ids[i]});
	}
	vci_store_close(store);
	PG_RETURN_INT64(count);
}
