/*
 * SQL functions that change and tell the status of credentials.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "cache.h"
#include "duty.h"
#include "event.h"
#include "release.h"
#include "report.h"
#include "store_status.h"
#include "values.h"

#define REASON_MAX_BYTES  1024
#define SUBJECT_MAX_BYTES 255
#define ROWS_MAX		  1000000

/* Arguments, in the order of the three functions that change a status. */
enum
{
	CREDENTIAL,
	REASON,
	OFFER,
	SUBJECT_MODEL,
	SUBJECT_ID,
	CAMPAIGN,
	LABELS,
	ISSUER,
	MAX_ROWS
};

/* Labels and a campaign may go together; else what is meant is said in one way. */
static void
check_ways(FunctionCallInfo fcinfo)
{
	int ways = !PG_ARGISNULL(CREDENTIAL) + !PG_ARGISNULL(OFFER) + !PG_ARGISNULL(SUBJECT_ID) +
			   (!PG_ARGISNULL(CAMPAIGN) || !PG_ARGISNULL(LABELS));

	if (ways == 1 && (PG_ARGISNULL(SUBJECT_MODEL) || !PG_ARGISNULL(SUBJECT_ID)))
		return;
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 ways == 0 ? errmsg("nothing says which credentials are meant")
				   : errmsg("which credentials are meant must be said in one way"),
		 errhint("Give credential => id, offer => id, subject_model and subject_id, campaign => "
				 "name, labels => '{...}', or campaign and labels.")));
}

/* whether a stranger's record exists is not told */
static int64
issuer_of_record(VciStore *store, int64 issuer_id, const char *what, int64 id)
{
	if (issuer_id == 0 || !vci_has_duty(store, VCI_DUTY_OFFERER, issuer_id))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no %s %lld of an issuer that you make offers for", what,
							   (long long) id)));
	return issuer_id;
}

/*
 * Of a record its own issuer, retired ones too; else the one that is named, or the only one.
 * *notify: events of this issuer are NOTIFYed.
 */
static int64
find_issuer(FunctionCallInfo fcinfo, VciStore *store, const VciStatusTarget *target, bool *notify)
{
	char *url = vci_arg_text(fcinfo, ISSUER);
	VciIssuerEntry *named = NULL;
	int64 id = 0;

	if (target->credential_id != 0)
		id = issuer_of_record(store, vci_store_issuer_of_credential(store, target->credential_id),
							  "credential", target->credential_id);
	else if (target->offer_id != 0)
		id = issuer_of_record(store, vci_store_issuer_of_offered(store, target->offer_id), "offer",
							  target->offer_id);
	if (url != NULL || id == 0)
		named = vci_issuer_with_duty(store, url, VCI_DUTY_OFFERER);
	if (named != NULL && id != 0 && named->rules.id != id)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("what is meant is not of issuer %s", url)));
	if (named == NULL)
		named = vci_cache_issuer_by_id(store, id);
	*notify = named != NULL && named->notify_events;
	return named != NULL ? named->rules.id : id;
}

/* Labels that every offer has would mean all of them. */
static Datum
arg_labels(FunctionCallInfo fcinfo)
{
	const VciJson *labels = vci_arg_json(fcinfo, LABELS, "labels");

	if (PG_ARGISNULL(LABELS))
		return (Datum) 0;
	if (vci_json_kind(labels) != VCI_JSON_OBJECT || vci_is_empty_object(PG_GETARG_DATUM(LABELS)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("labels must be an object with at least one member"),
						errhint("For example '{\"region\": \"north\"}'.")));
	return PG_GETARG_DATUM(LABELS);
}

static int64
campaign_of_name(VciStore *store, int64 issuer_id, const char *name)
{
	int64 id = vci_store_campaign_of_name(store, issuer_id, name);

	if (id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no campaign \"%s\"", name),
				 errhint("SELECT name FROM openid4vci.vci_campaign_info; lists them.")));
	return id;
}

/* The ids of records are positive, so none is taken for "not named". */
static int64
arg_id(FunctionCallInfo fcinfo, int argument, const char *name)
{
	int64 id = PG_ARGISNULL(argument) ? 0 : PG_GETARG_INT64(argument);

	if (!PG_ARGISNULL(argument) && id <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no %s %lld of an issuer that you make offers for", name,
							   (long long) id)));
	return id;
}

static int32
arg_max_rows(FunctionCallInfo fcinfo)
{
	int32 rows = PG_ARGISNULL(MAX_ROWS) ? 0 : PG_GETARG_INT32(MAX_ROWS);

	if (rows < 1 || rows > ROWS_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_rows must be from 1 to %d, it is %d", ROWS_MAX, rows)));
	return rows;
}

static Datum
change_status(FunctionCallInfo fcinfo, int32 value, const char *event)
{
	VciStore *store = vci_store_open();
	VciStatusTarget target = {.credential_id = arg_id(fcinfo, CREDENTIAL, "credential"),
							  .offer_id = arg_id(fcinfo, OFFER, "offer"),
							  .subject_model = vci_arg_text(fcinfo, SUBJECT_MODEL),
							  .subject_id = vci_arg_text(fcinfo, SUBJECT_ID),
							  .labels = arg_labels(fcinfo)};
	VciStatusChange change = {.value = value,
							  .reason = vci_arg_text(fcinfo, REASON),
							  .event = event,
							  .max_rows = arg_max_rows(fcinfo)};
	int64 changed;

	check_ways(fcinfo);
	vci_check_text(change.reason, "reason", REASON_MAX_BYTES);
	vci_check_text(target.subject_model, "subject_model", SUBJECT_MAX_BYTES);
	vci_check_text(target.subject_id, "subject_id", SUBJECT_MAX_BYTES);
	target.issuer_id = find_issuer(fcinfo, store, &target, &change.notify);
	if (!PG_ARGISNULL(CAMPAIGN))
		target.campaign_id =
			campaign_of_name(store, target.issuer_id, vci_arg_text(fcinfo, CAMPAIGN));
	changed = vci_store_change_status(store, &target, &change);
	vci_store_close(store);
	PG_RETURN_INT64(changed);
}

PG_FUNCTION_INFO_V1(vci_revoke_credentials);

/* openid4vci.vci_revoke(credential bigint, reason text, offer bigint, subject_model text,
 * subject_id text, campaign text, labels jsonb, issuer text, max_rows integer) returns bigint;
 * vci_revoke(role, duty, issuer) has that symbol */
Datum
vci_revoke_credentials(PG_FUNCTION_ARGS)
{
	return change_status(fcinfo, VCI_STATUS_INVALID, VCI_EVENT_CREDENTIAL_REVOKED);
}

PG_FUNCTION_INFO_V1(vci_suspend);

/* openid4vci.vci_suspend(credential bigint, reason text, ...) returns bigint, as above */
Datum
vci_suspend(PG_FUNCTION_ARGS)
{
	return change_status(fcinfo, VCI_STATUS_SUSPENDED, VCI_EVENT_CREDENTIAL_SUSPENDED);
}

PG_FUNCTION_INFO_V1(vci_reinstate);

/* openid4vci.vci_reinstate(credential bigint, reason text, ...) returns bigint, as above */
Datum
vci_reinstate(PG_FUNCTION_ARGS)
{
	return change_status(fcinfo, VCI_STATUS_VALID, VCI_EVENT_CREDENTIAL_REINSTATED);
}

/* In the words of vci_credential_info. */
static const char *
word_of_status(const VciCredentialStatusRow *row)
{
	if (row->list_name == NULL)
		return "none";
	if (row->value == VCI_STATUS_INVALID)
		return "revoked";
	if (row->expired)
		return "expired";
	return row->value == VCI_STATUS_SUSPENDED ? "suspended" : "valid";
}

/* The list's URI; NULL where there is none, or its issuer is retired and publishes none. */
static char *
list_uri(VciStore *store, const VciCredentialStatusRow *row)
{
	VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, row->issuer_id);
	char **uri = vci_own_text();

	if (row->list_name == NULL || issuer == NULL)
		return NULL;
	vci_require_memory(*uri = vci_status_list_uri(&issuer->rules, row->list_name));
	return *uri;
}

PG_FUNCTION_INFO_V1(vci_credential_status);

/* openid4vci.vci_credential_status(credential bigint, OUT status text, OUT value integer,
 * OUT reason text, OUT changed_at timestamptz, OUT changed_by name, OUT uri text,
 * OUT idx integer) */
Datum
vci_credential_status(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	int64 id = PG_GETARG_INT64(0);
	VciCredentialStatusRow *row = vci_store_credential_status(store, id);
	Datum values[7] = {0};
	bool nulls[7] = {false};
	bool listed;
	char *uri;

	/* whether a stranger's record exists is not told */
	if (row == NULL || !vci_may_read(store, row->issuer_id))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no credential %lld of an issuer that you may read",
							   (long long) id)));
	listed = row->list_name != NULL;
	uri = list_uri(store, row);
	values[0] = CStringGetTextDatum(word_of_status(row));
	values[1] = Int32GetDatum(row->value);
	values[3] = TimestampTzGetDatum(row->changed_at);
	values[6] = Int32GetDatum(row->index);
	nulls[1] = nulls[6] = !listed;
	nulls[2] = row->reason == NULL;
	nulls[3] = nulls[4] = row->changed_by == NULL;
	nulls[5] = uri == NULL;
	if (!nulls[2])
		values[2] = CStringGetTextDatum(row->reason);
	if (!nulls[4])
		values[4] = DirectFunctionCall1(namein, CStringGetDatum(row->changed_by));
	if (!nulls[5])
		values[5] = CStringGetTextDatum(uri);
	vci_store_close(store);
	PG_RETURN_DATUM(vci_row_datum(fcinfo, values, nulls));
}
