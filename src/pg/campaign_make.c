/*
 * From recipients of a campaign to offers, by the code of vci_create_offer.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "../protocol/offer.h"
#include "campaign.h"
#include "campaign_tx_code.h"
#include "duty.h"
#include "offer_content.h"
#include "offer_functions.h"
#include "report.h"
#include "values.h"

#define CHANNEL_MAX	 63
#define ADDRESS_MAX	 500
#define LANGUAGE_MAX 35

VciCampaign
vci_campaign_for_operator(VciStore *store, int64 id)
{
	VciCampaign campaign = {.store = store, .row = vci_store_campaign(store, id, false)};

	if (campaign.row == NULL || !vci_has_duty(store, VCI_DUTY_OFFERER, campaign.row->issuer_id))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no campaign %lld of an issuer that you make offers for",
							   (long long) id),
						errhint("SELECT id, name FROM openid4vci.vci_campaign_info;")));
	campaign.issuer = vci_cache_issuer_by_id(store, campaign.row->issuer_id);
	if (campaign.issuer == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the issuer of campaign %lld is retired", (long long) id)));
	return campaign;
}

VciCampaign
vci_campaign_locked(VciStore *store, int64 id, bool alone)
{
	VciCampaign campaign = vci_campaign_for_operator(store, id);

	vci_store_lock_campaign(id, alone);
	campaign.row = vci_store_campaign(store, id, true);
	return campaign;
}

/* A role that makes no offers any more lends its rights to none. */
Oid
vci_campaign_role(const VciCampaign *campaign)
{
	VciStore *store = campaign->store;
	Oid role = get_role_oid(campaign->row->created_by, true);
	Oid caller = store->caller;
	bool may = false;

	if (OidIsValid(role))
	{
		store->caller = role;
		may = vci_has_duty(store, VCI_DUTY_OFFERER, campaign->row->issuer_id);
		store->caller = caller;
	}
	if (!may)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the recipients of campaign %lld were given by %s, who makes no offers of "
						"this issuer any more",
						(long long) campaign->row->id,
						campaign->row->created_by[0] == '\0'
							? "a role that is gone"
							: psprintf("role \"%s\"", campaign->row->created_by)),
				 errhint("Somebody who does takes it over: SELECT openid4vci.vci_alter_campaign("
						 "%lld, '{\"recipients\": \"...\"}');",
						 (long long) campaign->row->id)));
	return role;
}

void
vci_campaign_require_terms(const VciCampaign *campaign)
{
	const VciCampaignRow *row = campaign->row;

	vci_cache_require_key(campaign->issuer);
	for (int i = 0; i < row->configuration_count; i++)
		(void) vci_cache_require_configuration(campaign->store, campaign->issuer,
											   row->configuration_ids[i]);
}

/* The recipient's own labels come over those of the campaign. */
static Datum
merge_labels(const VciCampaignRow *row, Datum own)
{
	if (own == (Datum) 0 || vci_is_json_null(own))
		return row->labels;
	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(own)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels must be a JSON object")));
	if (row->labels == (Datum) 0)
		return own;
	return DirectFunctionCall2(jsonb_concat, row->labels, own);
}

/* What the gateways get of it. */
static void
check_texts(const VciRecipient *recipient)
{
	if (recipient->reference == NULL || recipient->reference[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the reference is missing")));
	vci_check_text(recipient->reference, "reference", VCI_REFERENCE_MAX);
	vci_check_text(recipient->channel, "channel", CHANNEL_MAX);
	vci_check_text(recipient->address, "address", ADDRESS_MAX);
	vci_check_text(recipient->language, "language", LANGUAGE_MAX);
}

/* Everything but id, generation, transaction code and time. */
static void
fill_offer(const VciCampaign *campaign, const VciRecipient *recipient, VciNewOffer *offer)
{
	static char *grants[] = {VCI_GRANT_PRE_AUTHORIZED};
	const VciCampaignRow *row = campaign->row;

	check_texts(recipient);
	*offer = (VciNewOffer){
		.issuer_id = row->issuer_id,
		.configuration_ids = row->configuration_ids,
		.configuration_count = row->configuration_count,
		.grants = grants,
		.grant_count = lengthof(grants),
		.subject_model = recipient->subject_model,
		.subject_id = recipient->subject_id,
		.reference = recipient->reference,
		.campaign_id = row->id,
		.keep_claims = campaign->issuer->keep_claims,
		.labels = merge_labels(row, recipient->labels),
	};
	if (recipient->claims != (Datum) 0 && !vci_is_json_null(recipient->claims))
		offer->claims = recipient->claims;
	vci_check_offer_content(campaign->store, campaign->issuer, offer);
	vci_set_offer_holder(campaign->store, offer, recipient->holder);
	vci_check_binding_of_holder(campaign->issuer, offer);
}

/* Not the recipient's: whoever comes next would fail, too. */
static bool
is_fault_of_server(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			return false;
		default:
			return true;
	}
}

static char *
failure_of(const ErrorData *error)
{
	return error->detail == NULL ? pstrdup(error->message)
								 : psprintf("%s (%s)", error->message, error->detail);
}

/*
 * Checks from this row on, in a subtransaction that writes nothing and so costs next to nothing,
 * until one fails, whose outcome then says why; returns which row is next.
 */
static int
check_until_failure(const VciCampaign *campaign, const VciRecipient *rows, int count, int from,
					VciNewOffer *new_offers, VciRecipientOutcome *outcomes)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int at = from;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		for (; at < count; at++)
			if (outcomes[at].offer_id == 0 && outcomes[at].failure == NULL)
				fill_offer(campaign, &rows[at], &new_offers[at]);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (is_fault_of_server(error))
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		outcomes[at].failure = failure_of(error);
		at++;
	}
	PG_END_TRY();
	return at;
}

/* An offer of other configurations is another matter: this person would get nothing, unnoticed. */
static void
take_existing(const VciReferencedOffer *offer, VciRecipientOutcome *outcome)
{
	if (!offer->fits)
	{
		outcome->failure = psprintf("offer %lld of other configurations has this reference",
									(long long) offer->id);
		return;
	}
	outcome->offer_id = offer->id;
	outcome->queued = offer->pending;
}

static void
find_existing(const VciCampaign *campaign, const VciRecipient *rows, int count,
			  VciRecipientOutcome *outcomes)
{
	const VciCampaignRow *row = campaign->row;
	int found;
	VciReferencedOffer *offers =
		vci_store_referenced_offers(campaign->store, row->issuer_id, row->configuration_ids,
									row->configuration_count, rows, count, &found);

	memset(outcomes, 0, sizeof(VciRecipientOutcome) * count);
	for (int i = 0; i < found; i++)
		take_existing(&offers[i], &outcomes[offers[i].row]);
}

void
vci_campaign_check(const VciCampaign *campaign, const VciRecipient *rows, int count,
				   VciNewOffer *new_offers, VciRecipientOutcome *outcomes)
{
	int next = 0;

	find_existing(campaign, rows, count, outcomes);
	while (next < count)
		next = check_until_failure(campaign, rows, count, next, new_offers, outcomes);
}

static void
set_tx_code(const VciCampaign *campaign, const VciRecipient *recipient, VciNewOffer *offer)
{
	const VciCampaignRow *row = campaign->row;
	char *tx_code;

	if (row->tx_code_length == 0)
		return;
	offer->tx_code_mode = row->tx_code_mode;
	offer->tx_code_length = row->tx_code_length;
	offer->tx_code_description = row->tx_code_description;
	tx_code = vci_campaign_tx_code(campaign->issuer, row->id, recipient->id, row->tx_code_length,
								   strcmp(row->tx_code_mode, "numeric") == 0);
	offer->tx_code_verifier = vci_tx_code_verifier(campaign->issuer, offer->id, tx_code);
	vci_wipe(tx_code, strlen(tx_code));
}

static void
make_offer(const VciCampaign *campaign, const VciRecipient *recipient, VciNewOffer *offer,
		   VciRecipientOutcome *outcome)
{
	int64 lifetime = campaign->row->expires_after != 0 ? campaign->row->expires_after
													   : campaign->issuer->rules.offer_lifetime;

	offer->expires_at = vci_now() + lifetime;
	offer->id = vci_store_next_offer_id(campaign->store);
	offer->generation = vci_first_generation();
	set_tx_code(campaign, recipient, offer);
	if (vci_insert_new_offer(campaign->store, campaign->issuer, offer))
	{
		*outcome = (VciRecipientOutcome){.offer_id = offer->id, .created = true, .queued = true};
		return;
	}
	find_existing(campaign, recipient, 1, outcome);
	if (outcome->offer_id == 0 && outcome->failure == NULL)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("an offer with the reference of a recipient is being created at the "
							   "same time")));
}

void
vci_campaign_make(const VciCampaign *campaign, const VciRecipient *rows, int count,
				  VciRecipientOutcome *outcomes)
{
	VciNewOffer *new_offers = palloc0(sizeof(VciNewOffer) * Max(count, 1));

	vci_campaign_check(campaign, rows, count, new_offers, outcomes);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (outcomes[i].offer_id == 0 && outcomes[i].failure == NULL)
			make_offer(campaign, &rows[i], &new_offers[i], &outcomes[i]);
	}
}
