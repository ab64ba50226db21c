/*
 * vci_person: everything of one person, in plain words, for a help desk.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "duty.h"
#include "offer_situation.h"
#include "store_person.h"
#include "values.h"

#define TEXT_MAX_BYTES 255

/* A row of the result; NULL or 0: null. */
typedef struct PersonLine
{
	const char *kind;
	int64 offer_id;
	int64 deferred_id;
	int64 credential_id;
	const char *campaign;
	char **configuration_ids;
	int configuration_count;
	TimestampTz at;
	const char *situation;
	const char *summary;
	const char *problem;
	const char *next_action;
} PersonLine;

typedef struct Desk
{
	VciStore *store;
	VciIssuerEntry *issuer;
	VciPersonKey key;
	ReturnSetInfo *result;
} Desk;

static Datum
text_or_null(const char *text, bool *is_null)
{
	*is_null = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static Datum
id_or_null(int64 id, bool *is_null)
{
	*is_null = id == 0;
	return Int64GetDatum(id);
}

static void
put_line(const Desk *desk, const PersonLine *line)
{
	Datum values[11];
	bool nulls[11] = {false};

	values[0] = CStringGetTextDatum(line->kind);
	values[1] = id_or_null(line->offer_id, &nulls[1]);
	values[2] = id_or_null(line->deferred_id, &nulls[2]);
	values[3] = id_or_null(line->credential_id, &nulls[3]);
	values[4] = text_or_null(line->campaign, &nulls[4]);
	values[5] = vci_text_array_datum(line->configuration_ids, line->configuration_count);
	nulls[6] = line->at == 0;
	values[6] = TimestampTzGetDatum(line->at);
	values[7] = CStringGetTextDatum(line->situation);
	values[8] = CStringGetTextDatum(line->summary);
	values[9] = text_or_null(line->problem, &nulls[9]);
	values[10] = text_or_null(line->next_action, &nulls[10]);
	tuplestore_putvalues(desk->result->setResult, desk->result->setDesc, values, nulls);
}

static bool
is(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

/* May somebody still redeem it, or could somebody if it were extended? */
static bool
is_unused(const VciSituation *situation)
{
	return is(situation->name, "pending") || is(situation->name, "delayed") ||
		   is(situation->name, "locked") || is(situation->name, "expired");
}

static const char *
words_of_delivery(const char *delivery)
{
	if (is(delivery, "queued"))
		return " Its message waits to be sent.";
	if (is(delivery, "taken"))
		return " Its message is being sent.";
	if (is(delivery, "sent"))
		return " Its message was sent.";
	if (is(delivery, "delivered"))
		return " Its message was delivered.";
	return is(delivery, "failed") ? " Its message did not reach the person." : "";
}

static const char *
summary_of_offer(const VciSituation *situation, const VciPersonOffer *facts)
{
	if (!is_unused(situation))
		return situation->summary;
	return psprintf("%s%s%s", situation->summary, words_of_delivery(facts->delivery),
					facts->opened_at != 0 ? " Somebody has opened its page." : "");
}

/* What went wrong last, as long as it stands in the way. */
static const char *
problem_of_offer(const VciSituation *situation, const char *obstacle, const VciPersonOffer *facts)
{
	bool undelivered = is(facts->delivery, "failed");

	if (obstacle != NULL)
		return vci_obstacle_summary(obstacle);
	if (!is_unused(situation))
		return NULL;
	if (undelivered && facts->delivery_at >= facts->tx_code_failed_at)
		return psprintf("Not delivered: %s", facts->delivery_note ? facts->delivery_note
																  : "the gateway did not say why");
	if (facts->tx_code_failures > 0)
		return psprintf("A wrong PIN was entered, %d in all.", facts->tx_code_failures);
	return NULL;
}

static const char *
action_of_offer(const VciSituation *situation, const char *obstacle, const VciPersonOffer *facts)
{
	if (is(obstacle, "paused"))
		return "vci_resume_issuance";
	if (is(obstacle, "no_key"))
		return "vci_create_key";
	if (is(obstacle, "holder_unknown"))
		return "vci_load_did_document";
	if (obstacle != NULL)
		return NULL;
	if (is(facts->delivery, "failed") &&
		(is(situation->name, "pending") || is(situation->name, "delayed")))
		return "vci_resend";
	return situation->next_action;
}

static void
tell_offer(const Desk *desk, const VciPersonOffer *facts, int64 now)
{
	VciOfferRow *offer = vci_store_offer(desk->store, facts->id, false);
	VciSituation situation;
	const char *obstacle;

	if (offer == NULL)
		return;
	obstacle = vci_tell_offer(desk->store, desk->issuer, offer, now, &situation);
	put_line(desk, &(PersonLine){.kind = "offer",
								 .offer_id = facts->id,
								 .campaign = facts->campaign,
								 .configuration_ids = offer->configuration_ids,
								 .configuration_count = offer->configuration_count,
								 .at = facts->created_at,
								 .situation = situation.name,
								 .summary = summary_of_offer(&situation, facts),
								 .problem = problem_of_offer(&situation, obstacle, facts),
								 .next_action = action_of_offer(&situation, obstacle, facts)});
}

/* int8[] of the offers that are told. */
static Datum
tell_offers(const Desk *desk)
{
	int64 now = vci_now();
	int count;
	VciPersonOffer *offers = vci_store_person_offers(desk->store, &desk->key, &count);
	Datum *ids = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		tell_offer(desk, &offers[i], now);
		ids[i] = Int64GetDatum(offers[i].id);
	}
	return PointerGetDatum(
		construct_array(ids, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static const char *
summary_of_deferral(const VciPersonDeferral *deferral)
{
	if (is(deferral->state, "waiting"))
		return deferral->by_source ? "The credential waits for data: the wallet asks again."
								   : "The credential waits for a decision.";
	if (is(deferral->state, "ready"))
		return "The credential that waited is ready: the wallet can fetch it now.";
	if (is(deferral->state, "issued"))
		return "The credential that waited was fetched.";
	if (is(deferral->state, "denied"))
		return "The credential that waited was denied.";
	return is(deferral->state, "expired") ? "The credential that waited was not fetched in time."
										  : "What waited went with its offer.";
}

static void
tell_deferrals(const Desk *desk, Datum offers)
{
	int count;
	VciPersonDeferral *rows = vci_store_person_deferrals(desk->store, offers, &count);

	for (int i = 0; i < count; i++)
	{
		bool undecided = is(rows[i].state, "waiting") && !rows[i].by_source;
		bool denied = is(rows[i].state, "denied") && rows[i].reason != NULL;

		put_line(desk,
				 &(PersonLine){.kind = "deferred",
							   .offer_id = rows[i].offer_id,
							   .deferred_id = rows[i].id,
							   .configuration_ids = &rows[i].configuration_id,
							   .configuration_count = 1,
							   .at = rows[i].created_at,
							   .situation = rows[i].state,
							   .summary = summary_of_deferral(&rows[i]),
							   .problem = denied ? psprintf("Denied: %s", rows[i].reason) : NULL,
							   .next_action = undecided ? "vci_deferred_complete" : NULL});
	}
}

static const char *
summary_of_credential(const VciPersonCredential *credential)
{
	const char *told = "";

	if (is(credential->notification, "credential_accepted"))
		told = " The wallet has taken it.";
	else if (is(credential->notification, "credential_failure"))
		told = " The wallet could not take it.";
	else if (is(credential->notification, "credential_deleted"))
		told = " The person deleted it.";
	return psprintf("The credential is %s.%s", credential->state, told);
}

static const char *
problem_of_credential(const VciPersonCredential *credential)
{
	if (is(credential->notification, "credential_failure"))
		return psprintf("The wallet told a failure: %s", credential->notification_description
															 ? credential->notification_description
															 : "without saying which");
	if (credential->status_reason == NULL)
		return NULL;
	if (is(credential->state, "revoked"))
		return psprintf("Revoked: %s", credential->status_reason);
	return is(credential->state, "suspended") ? psprintf("Suspended: %s", credential->status_reason)
											  : NULL;
}

static const char *
action_of_credential(const VciPersonCredential *credential)
{
	if (is(credential->state, "suspended"))
		return "vci_reinstate";
	if (is(credential->state, "expired") || is(credential->notification, "credential_failure") ||
		is(credential->notification, "credential_deleted"))
		return "vci_create_offer";
	return NULL;
}

static void
tell_credentials(const Desk *desk, Datum offers)
{
	int count;
	VciPersonCredential *rows =
		vci_store_person_credentials(desk->store, &desk->key, offers, &count);

	for (int i = 0; i < count; i++)
		put_line(desk, &(PersonLine){.kind = "credential",
									 .offer_id = rows[i].offer_id,
									 .credential_id = rows[i].id,
									 .configuration_ids = &rows[i].configuration_id,
									 .configuration_count = 1,
									 .at = rows[i].issued_at,
									 .situation = rows[i].state,
									 .summary = summary_of_credential(&rows[i]),
									 .problem = problem_of_credential(&rows[i]),
									 .next_action = action_of_credential(&rows[i])});
}

/* Whom a campaign has in mind, without an offer yet. */
static void
tell_recipients(const Desk *desk)
{
	int count;
	VciPersonRecipient *rows = vci_store_person_recipients(desk->store, &desk->key, &count);

	for (int i = 0; i < count; i++)
	{
		bool failed = rows[i].failure != NULL;

		put_line(desk,
				 &(PersonLine){.kind = "recipient",
							   .campaign = rows[i].campaign,
							   .configuration_ids = rows[i].configuration_ids,
							   .configuration_count = rows[i].configuration_count,
							   .at = rows[i].at,
							   .situation = failed ? "failed" : "waiting",
							   .summary = failed ? "A campaign could make no offer for the "
												   "person."
												 : "A campaign will make an offer for the "
												   "person.",
							   .problem = rows[i].failure,
							   .next_action = failed ? "vci_resume_campaign" : "vci_campaign_run"});
	}
}

static VciPersonKey
key_arguments(FunctionCallInfo fcinfo)
{
	VciPersonKey key = {.reference = vci_arg_text(fcinfo, 0),
						.subject_model = vci_arg_text(fcinfo, 1),
						.subject_id = vci_arg_text(fcinfo, 2)};

	if (key.reference == NULL && key.subject_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("neither reference nor subject_id is given: which person is meant?"),
				 errhint("reference => 'A-17', or subject_model => 'res.partner', subject_id => "
						 "'7'.")));
	vci_check_text(key.reference, "reference", TEXT_MAX_BYTES);
	vci_check_text(key.subject_model, "subject_model", TEXT_MAX_BYTES);
	vci_check_text(key.subject_id, "subject_id", TEXT_MAX_BYTES);
	return key;
}

PG_FUNCTION_INFO_V1(vci_person);

/* openid4vci.vci_person(reference text, subject_model text, subject_id text, issuer text)
 * returns setof record */
Datum
vci_person(PG_FUNCTION_ARGS)
{
	Desk desk = {.key = key_arguments(fcinfo)};
	Datum offers;

	InitMaterializedSRF(fcinfo, 0);
	desk.result = (ReturnSetInfo *) fcinfo->resultinfo;
	desk.store = vci_store_open();
	desk.issuer = vci_cache_issuer(desk.store, vci_arg_text(fcinfo, 3));
	desk.key.issuer_id = desk.issuer->rules.id;
	if (!vci_may_read(desk.store, desk.key.issuer_id))
		vci_require_duty(desk.store, VCI_DUTY_REPORTER, desk.key.issuer_id);
	tell_recipients(&desk);
	offers = tell_offers(&desk);
	tell_deferrals(&desk, offers);
	tell_credentials(&desk, offers);
	vci_store_close(desk.store);
	return (Datum) 0;
}
