#include "compat.h"

#include "duty.h"
#include "offer_choice.h"
#include "store_delivery.h"
#include "values.h"

/* Whether a stranger's campaign exists is not told. */
static VciIssuerEntry *
issuer_of_campaign(VciStore *store, int64 campaign_id)
{
	int count;
	VciDeliveryCampaign *campaign = vci_store_delivery_campaigns(store, campaign_id, &count);
	VciIssuerEntry *issuer = NULL;

	if (campaign_id == 0 || count == 0 ||
		!vci_has_duty(store, VCI_DUTY_OFFERER, campaign->issuer_id))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no campaign %lld of an issuer that you make offers for",
							   (long long) campaign_id)));
	issuer = vci_cache_issuer_by_id(store, campaign->issuer_id);
	if (issuer == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the issuer of campaign %lld is retired", (long long) campaign_id)));
	return issuer;
}

static Datum
labels_argument(FunctionCallInfo fcinfo, int n)
{
	Jsonb *labels;

	if (PG_ARGISNULL(n))
		return (Datum) 0;
	labels = PG_GETARG_JSONB_P(n);
	if (!JB_ROOT_IS_OBJECT(labels) || JB_ROOT_COUNT(labels) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("labels must be a JSON object with a member at least"),
				 errhint("For example '{\"district\": \"north\"}': offers with that label.")));
	return JsonbPGetDatum(labels);
}

static void
require_choice(FunctionCallInfo fcinfo, const VciOfferChoiceArguments *arguments)
{
	bool by_reference = arguments->reference > 0;

	if (!PG_ARGISNULL(arguments->campaign) || !PG_ARGISNULL(arguments->labels) ||
		(by_reference && !PG_ARGISNULL(arguments->reference)))
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("none of campaign, labels%s is given: which offers are meant?",
						   by_reference ? ", reference" : ""),
					errhint("campaign => 7, or labels => '{\"district\": \"north\"}', or both.")));
}

static int32
max_rows_argument(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n) || PG_GETARG_INT32(n) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_rows must be positive"),
				 errhint("It limits one call; repeat the call until it returns 0.")));
	return PG_GETARG_INT32(n);
}

VciOfferChoice
vci_offer_choice(FunctionCallInfo fcinfo, VciStore *store, VciOfferChoiceArguments arguments)
{
	char *url = vci_arg_text(fcinfo, arguments.issuer);
	VciOfferChoice choice = {.labels = labels_argument(fcinfo, arguments.labels)};

	require_choice(fcinfo, &arguments);
	choice.max_rows = max_rows_argument(fcinfo, arguments.max_rows);
	if (url != NULL || PG_ARGISNULL(arguments.campaign))
		choice.issuer = vci_issuer_with_duty(store, url, VCI_DUTY_OFFERER);
	if (PG_ARGISNULL(arguments.campaign))
		return choice;
	choice.campaign_id = PG_GETARG_INT64(arguments.campaign);
	if (choice.issuer == NULL)
		choice.issuer = issuer_of_campaign(store, choice.campaign_id);
	else if (issuer_of_campaign(store, choice.campaign_id)->rules.id != choice.issuer->rules.id)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("campaign %lld is not one of issuer %s",
							   (long long) choice.campaign_id, choice.issuer->rules.url),
						errhint("Leave issuer out: the campaign tells it.")));
	return choice;
}
