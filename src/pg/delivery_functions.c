/*
 * Deliveries of campaigns: gateways take them, and say what became of them.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "../protocol/offer.h"
#include "campaign_tx_code.h"
#include "duty.h"
#include "event.h"
#include "issuance.h"
#include "offer_choice.h"
#include "offer_functions.h"
#include "store_delivery.h"
#include "values.h"

#define MAX_DELIVERIES 100000
#define NOTE_MAX_BYTES 1000

/* Deliveries taken by one statement. */
#define TAKE_CHUNK 1000

/* For each delivery that may be handed out, so many are looked at whose offer is closed. */
#define LOOKS 10

static Datum
ids_datum(const int64 *ids, int count)
{
	Datum *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(
		construct_array(elements, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
check_max_rows(int32 max_rows)
{
	if (max_rows < 1 || max_rows > MAX_DELIVERIES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be from 1 to %d, it is %d", MAX_DELIVERIES, max_rows)));
}

/* Why nobody can redeem the offer any more. */
typedef enum Closed
{
	CLOSED_PURGED,
	CLOSED_CANCELLED,
	CLOSED_REDEEMED,
	CLOSED_EXPIRED,
	OPEN
} Closed;

static const char *const closed_notes[] = {
	"not sent: the offer is purged", "not sent: the offer is cancelled",
	"not sent: the offer is redeemed", "not sent: the offer has expired"};

static Closed
closed_of(const VciOfferRow *offer, int64 now)
{
	if (offer == NULL)
		return CLOSED_PURGED;
	if (offer->cancelled)
		return CLOSED_CANCELLED;
	if (offer->redeemed)
		return CLOSED_REDEEMED;
	return offer->expires_at <= now ? CLOSED_EXPIRED : OPEN;
}

/* One call of vci_take_deliveries. */
typedef struct Taking
{
	VciStore *store;
	ReturnSetInfo *result;
	TimestampTz now;
	TimestampTz until;
	char *channel; /* NULL: any */
	bool named;	   /* one campaign alone */
	int32 left;	   /* to hand out */
	int32 looks;   /* at deliveries */
} Taking;

static Datum
text_or_null(const char *text, bool *is_null)
{
	*is_null = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
put_delivery(const Taking *taking, const VciDeliveryCampaign *campaign,
			 const VciIssuerEntry *issuer, const VciDelivery *row, const VciOfferRow *offer)
{
	Datum values[12];
	bool nulls[12] = {false};

	values[0] = Int64GetDatum(row->id);
	values[1] = Int64GetDatum(campaign->id);
	values[2] = CStringGetTextDatum(campaign->name);
	values[3] = Int64GetDatum(offer->id);
	values[4] = CStringGetTextDatum(row->reference);
	values[5] = text_or_null(row->channel != NULL ? row->channel : campaign->channel, &nulls[5]);
	values[6] = text_or_null(row->address, &nulls[6]);
	values[7] = text_or_null(row->language, &nulls[7]);
	values[8] = CStringGetTextDatum(vci_offer_link(issuer, offer, VCI_LINK_BY_PAGE));
	values[9] = TimestampTzGetDatum(vci_timestamp_of_seconds(offer->expires_at));
	values[10] = BoolGetDatum(offer->tx_code_mode != NULL);
	values[11] = Int32GetDatum(row->attempts);
	tuplestore_putvalues(taking->result->setResult, taking->result->setDesc, values, nulls);
}

/* Hands out those whose offers are open; the others are marked with the reason. */
static void
hand_out(Taking *taking, const VciDeliveryCampaign *campaign, const VciIssuerEntry *issuer,
		 const VciDelivery *rows, int count)
{
	int64 *closed[OPEN];
	int closed_counts[OPEN] = {0};
	int64 now = vci_seconds_of_timestamp(taking->now);

	for (int i = 0; i < OPEN; i++)
		closed[i] = palloc(sizeof(int64) * count);
	for (int i = 0; i < count; i++)
	{
		VciOfferRow *offer = vci_store_offer(taking->store, rows[i].offer_id, false);
		Closed why = closed_of(offer, now);

		if (why == OPEN)
		{
			put_delivery(taking, campaign, issuer, &rows[i], offer);
			taking->left--;
		}
		else
			closed[why][closed_counts[why]++] = rows[i].id;
	}
	for (int i = 0; i < OPEN; i++)
		if (closed_counts[i] > 0)
			vci_store_refuse_deliveries(taking->store, campaign->id,
										ids_datum(closed[i], closed_counts[i]), taking->now,
										closed_notes[i]);
}

static void
take_matching(Taking *taking, const VciDeliveryCampaign *campaign, const VciIssuerEntry *issuer,
			  VciChannelMatch match)
{
	VciStore *store = taking->store;
	MemoryContext caller = store->context;
	MemoryContext chunk =
		AllocSetContextCreate(caller, "openid4vci deliveries", ALLOCSET_DEFAULT_SIZES);
	int32 asked = 0;
	int count = 0;

	store->context = chunk;
	while (count == asked && taking->left > 0 && taking->looks > 0)
	{
		VciDelivery *rows;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(chunk);
		MemoryContextSwitchTo(chunk);
		asked = Min(Min(taking->left, taking->looks), TAKE_CHUNK);
		rows = vci_store_take_deliveries(store, campaign->id, match, taking->channel, taking->now,
										 taking->until, asked, &count);
		taking->looks -= count;
		hand_out(taking, campaign, issuer, rows, count);
	}
	MemoryContextSwitchTo(caller);
	store->context = caller;
	MemoryContextDelete(chunk);
}

/*
 * A campaign that is paused, or of an issuer that issues nothing now, sends nobody to it. Only who
 * asked for this one is told of the issuer: others' messages don't wait for it.
 */
static void
take_of_campaign(Taking *taking, const VciDeliveryCampaign *campaign)
{
	VciIssuerEntry *issuer;

	if (campaign->paused || taking->left == 0 ||
		!vci_may_deliver(taking->store, false, campaign->issuer_id))
		return;
	issuer = vci_cache_issuer_by_id(taking->store, campaign->issuer_id);
	if (issuer == NULL || (issuer->rules.issuance_paused && !issuer->is_copy && !taking->named))
		return;
	vci_require_issuance(issuer);
	vci_cache_unseal(issuer);
	if (taking->channel == NULL)
	{
		take_matching(taking, campaign, issuer, VCI_CHANNEL_ANY);
		return;
	}
	take_matching(taking, campaign, issuer, VCI_CHANNEL_NAMED);
	if (vci_same_text(campaign->channel, taking->channel))
		take_matching(taking, campaign, issuer, VCI_CHANNEL_UNNAMED);
}

/* The campaigns that the caller may deliver, or the one of this id. */
static VciDeliveryCampaign *
campaigns_to_deliver(VciStore *store, FunctionCallInfo fcinfo, int argument, int *count)
{
	int64 id = PG_ARGISNULL(argument) ? 0 : PG_GETARG_INT64(argument);
	VciDeliveryCampaign *campaigns = vci_store_delivery_campaigns(store, id, count);
	int kept = 0;

	for (int i = 0; i < *count; i++)
		if (vci_may_deliver(store, false, campaigns[i].issuer_id))
			campaigns[kept++] = campaigns[i];
	*count = kept;
	if (!PG_ARGISNULL(argument) && (id == 0 || kept == 0))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no campaign %lld that you deliver", (long long) id)));
	return campaigns;
}

PG_FUNCTION_INFO_V1(vci_take_deliveries);

/* openid4vci.vci_take_deliveries(campaign bigint, channel text, max_rows integer,
 * lease interval) returns setof record */
Datum
vci_take_deliveries(PG_FUNCTION_ARGS)
{
	Taking taking = {.now = GetCurrentTimestamp(),
					 .channel = vci_arg_text(fcinfo, 1),
					 .named = !PG_ARGISNULL(0)};
	VciDeliveryCampaign *campaigns;
	int count;

	InitMaterializedSRF(fcinfo, 0);
	taking.result = (ReturnSetInfo *) fcinfo->resultinfo;
	taking.left = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	check_max_rows(taking.left);
	taking.looks = taking.left * LOOKS;
	taking.until = taking.now + vci_arg_seconds(fcinfo, 3, "lease", 600) * USECS_PER_SEC;
	taking.store = vci_store_open();
	campaigns = campaigns_to_deliver(taking.store, fcinfo, 0, &count);
	for (int i = 0; i < count; i++)
		take_of_campaign(&taking, &campaigns[i]);
	vci_store_close(taking.store);
	return (Datum) 0;
}

/* What a gateway says of deliveries. */
typedef struct Mark
{
	const char *state; /* sent, delivered, failed */
	const char *note;
	TimestampTz now;
} Mark;

static bool
is_state(const char *state, const char *name)
{
	return strcmp(state, name) == 0;
}

/*
 * Marks come late, twice and out of order: what is delivered stays so, and what failed was not
 * sent later.
 */
static bool
advances(const Mark *mark, const VciDelivery *row)
{
	if (is_state(mark->state, "delivered"))
		return !is_state(row->state, "delivered");
	if (is_state(row->state, "queued") || is_state(row->state, "taken"))
		return true;
	return is_state(mark->state, "failed") && is_state(row->state, "sent");
}

static void
note_delivery(VciStore *store, const VciIssuerEntry *issuer, const Mark *mark,
			  const VciDelivery *row)
{
	bool failed = is_state(mark->state, "failed");

	if (failed)
		vci_note(store, issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_UNDELIVERED, .offer_id = row->offer_id});
	if (!failed && !row->sent)
		vci_note(store, issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_SENT, .offer_id = row->offer_id});
	if (is_state(mark->state, "delivered") && !row->delivered)
		vci_note(store, issuer,
				 (VciEvent){.kind = VCI_EVENT_OFFER_DELIVERED, .offer_id = row->offer_id});
}

/* NULL: retired. */
static VciIssuerEntry *
issuer_of_delivery(VciStore *store, const VciDeliveryCampaign *campaigns, int count,
				   const VciDelivery *row)
{
	for (int i = 0; i < count; i++)
		if (campaigns[i].id == row->campaign_id)
			return vci_cache_issuer_by_id(store, campaigns[i].issuer_id);
	return NULL;
}

static int
compare_ids(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* All or nothing: who marks another's row, or one that is gone, has mixed something up. */
static void
require_found(ArrayType *ids, const VciDelivery *rows, int count)
{
	int64 *wanted = (int64 *) ARR_DATA_PTR(ids);
	int64 *found = palloc(sizeof(int64) * Max(count, 1));

	for (int i = 0; i < count; i++)
		found[i] = rows[i].id;
	qsort(found, count, sizeof(int64), compare_ids);
	for (int i = 0; i < ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)); i++)
		if (bsearch(&wanted[i], found, count, sizeof(int64), compare_ids) == NULL)
			ereport(
				ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no delivery %lld of a campaign that you deliver",
						(long long) wanted[i]),
				 errhint("Nothing is marked. Its id is the column id of vci_take_deliveries and "
						 "vci_delivery_queue.")));
}

static ArrayType *
ids_argument(FunctionCallInfo fcinfo, int n)
{
	ArrayType *ids;

	if (PG_ARGISNULL(n))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("ids must not be null")));
	ids = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(ids) > 1 || array_contains_nulls(ids))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("ids must be an array of one dimension without nulls")));
	if (ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)) > MAX_DELIVERIES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("ids must have at most %d elements", MAX_DELIVERIES)));
	return ids;
}

static Mark
mark_arguments(FunctionCallInfo fcinfo)
{
	Mark mark = {.state = vci_arg_text_required(fcinfo, 1, "delivery"),
				 .note = vci_arg_text(fcinfo, 2),
				 .now = GetCurrentTimestamp()};

	vci_check_text(mark.note, "note", NOTE_MAX_BYTES);
	if (!is_state(mark.state, "sent") && !is_state(mark.state, "delivered") &&
		!is_state(mark.state, "failed"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a delivery is marked sent, delivered or failed, not \"%s\"", mark.state)));
	return mark;
}

/* Marks those that it brings further, and returns how many. */
static int
apply_mark(VciStore *store, const Mark *mark, Datum campaign_ids, const VciDelivery *rows,
		   int count)
{
	int64 *ids = palloc(sizeof(int64) * Max(count, 1));
	int marked = 0;

	for (int i = 0; i < count; i++)
		if (advances(mark, &rows[i]))
			ids[marked++] = rows[i].id;
	if (marked > 0)
		vci_store_mark_deliveries(store, campaign_ids, ids_datum(ids, marked), mark->state,
								  mark->note, mark->now);
	return marked;
}

static void
note_deliveries(VciStore *store, const Mark *mark, const VciDeliveryCampaign *campaigns,
				int campaign_count, const VciDelivery *rows, int count)
{
	MemoryContext row =
		AllocSetContextCreate(CurrentMemoryContext, "openid4vci delivery", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row);

	for (int i = 0; i < count; i++)
	{
		VciIssuerEntry *issuer;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row);
		if (!advances(mark, &rows[i]))
			continue;
		issuer = issuer_of_delivery(store, campaigns, campaign_count, &rows[i]);
		if (issuer != NULL)
			note_delivery(store, issuer, mark, &rows[i]);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row);
}

static Datum
campaign_ids(const VciDeliveryCampaign *campaigns, int count)
{
	int64 *ids = palloc(sizeof(int64) * Max(count, 1));

	for (int i = 0; i < count; i++)
		ids[i] = campaigns[i].id;
	return ids_datum(ids, count);
}

PG_FUNCTION_INFO_V1(vci_mark_deliveries);

/* openid4vci.vci_mark_deliveries(ids bigint[], delivery text, note text, campaign bigint)
 * returns bigint */
Datum
vci_mark_deliveries(PG_FUNCTION_ARGS)
{
	ArrayType *ids = ids_argument(fcinfo, 0);
	Mark mark = mark_arguments(fcinfo);
	VciStore *store = vci_store_open();
	int campaign_count;
	VciDeliveryCampaign *campaigns = campaigns_to_deliver(store, fcinfo, 3, &campaign_count);
	Datum in_campaigns = campaign_ids(campaigns, campaign_count);
	int count;
	VciDelivery *rows =
		vci_store_lock_deliveries(store, in_campaigns, PointerGetDatum(ids), &count);
	int marked;

	require_found(ids, rows, count);
	marked = apply_mark(store, &mark, in_campaigns, rows, count);
	note_deliveries(store, &mark, campaigns, campaign_count, rows, count);
	vci_store_close(store);
	PG_RETURN_INT64(marked);
}

/* The recipient, after checking that its offer is one that the caller hands out. */
static VciDelivery *
delivery_to_show(VciStore *store, FunctionCallInfo fcinfo, bool tx_code, VciIssuerEntry **issuer)
{
	int64 issuer_id = 0;
	VciDelivery *row =
		vci_store_delivery(store, PG_GETARG_INT64(0), PG_GETARG_INT64(1), &issuer_id);

	if (row == NULL || row->offer_id == 0 || !vci_may_deliver(store, tx_code, issuer_id))
		return NULL;
	*issuer = vci_cache_issuer_by_id(store, issuer_id);
	if (*issuer == NULL)
		return NULL;
	if ((*issuer)->is_copy)
		vci_require_issuance(*issuer);
	vci_cache_unseal(*issuer);
	return row;
}

PG_FUNCTION_INFO_V1(vci_delivery_link);

/* openid4vci.vci_delivery_link(campaign bigint, id bigint) returns text */
Datum
vci_delivery_link(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciDelivery *row = delivery_to_show(store, fcinfo, false, &issuer);
	VciOfferRow *offer = row == NULL ? NULL : vci_store_offer(store, row->offer_id, false);
	char *link = NULL;

	if (closed_of(offer, vci_now()) == OPEN)
		link = vci_offer_link(issuer, offer, VCI_LINK_BY_PAGE);
	vci_store_close(store);
	if (link == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(link));
}

/* The derived code, as long as it is the offer's: vci_reset_tx_code may have given another. */
static char *
tx_code_of(const VciIssuerEntry *issuer, const VciDelivery *row, const VciOfferRow *offer)
{
	char *code;
	bytea *verifier;

	if (closed_of(offer, vci_now()) != OPEN || offer->tx_code_verifier == NULL)
		return NULL;
	code = vci_campaign_tx_code(issuer, row->campaign_id, row->id, offer->tx_code_length,
								is_state(offer->tx_code_mode, "numeric"));
	verifier = vci_tx_code_verifier(issuer, offer->id, code);
	if (VARSIZE_ANY(verifier) == VARSIZE_ANY(offer->tx_code_verifier) &&
		vci_bytes_equal(VARDATA_ANY(verifier), VARDATA_ANY(offer->tx_code_verifier),
						VARSIZE_ANY_EXHDR(verifier)))
		return code;
	return NULL;
}

PG_FUNCTION_INFO_V1(vci_delivery_tx_code);

/* openid4vci.vci_delivery_tx_code(campaign bigint, id bigint) returns text */
Datum
vci_delivery_tx_code(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciIssuerEntry *issuer;
	VciDelivery *row = delivery_to_show(store, fcinfo, true, &issuer);
	char *code = NULL;

	if (row != NULL)
		code = tx_code_of(issuer, row, vci_store_offer(store, row->offer_id, false));
	vci_store_close(store);
	if (code == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(code));
}

static void
check_state_to_resend(const char *state)
{
	if (state != NULL && !is_state(state, "sent") && !is_state(state, "delivered") &&
		!is_state(state, "failed"))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("delivery must be sent, delivered or failed, it is \"%s\"", state)));
}

PG_FUNCTION_INFO_V1(vci_resend);

/* openid4vci.vci_resend(campaign bigint, labels jsonb, reference text, delivery text,
 * issuer text, max_rows integer) returns bigint */
Datum
vci_resend(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	VciOfferChoice choice =
		vci_offer_choice(fcinfo, store, (VciOfferChoiceArguments){0, 1, 4, 5, 2});
	VciResendChoice resend = {.reference = vci_arg_text(fcinfo, 2),
							  .labels = choice.labels,
							  .issuer_id = choice.issuer->rules.id,
							  .state = vci_arg_text(fcinfo, 3)};
	int count;
	int kept = 0;
	VciDeliveryCampaign *campaigns;
	int64 queued;

	check_state_to_resend(resend.state);
	campaigns = vci_store_delivery_campaigns(store, choice.campaign_id, &count);
	for (int i = 0; i < count; i++)
		if (campaigns[i].issuer_id == resend.issuer_id)
			campaigns[kept++] = campaigns[i];
	resend.campaigns = campaign_ids(campaigns, kept);
	queued = vci_store_queue_again(store, &resend, choice.max_rows);
	vci_store_close(store);
	PG_RETURN_INT64(queued);
}
