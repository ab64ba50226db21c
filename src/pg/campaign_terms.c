#include "compat.h"

#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"

#include "../protocol/offer.h"
#include "campaign_terms.h"
#include "report.h"
#include "values.h"

#define MAX_CONFIGURATIONS	   32
#define NAME_MAX_BYTES		   255
#define CHANNEL_MAX_BYTES	   63
#define RECIPIENTS_MAX_BYTES   (64 * 1024)
#define DESCRIPTION_MAX		   300
#define LIFETIME_MAX		   INT64CONST(315576000) /* 10 years, as of a single offer */
#define PACE_MAX			   100000000
#define TX_CODE_DEFAULT_LENGTH 6

/* The member's text, NULL when it is absent or null. */
static char *
text_member(const VciJson *object, const char *name)
{
	const VciJson *value = vci_json_get(object, name);

	if (value != NULL && vci_json_kind(value) != VCI_JSON_STRING)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a string", name)));
	return value == NULL ? NULL : pstrdup(vci_json_string(value));
}

/* The member's whole number, fallback when it is absent or null. */
static int32
number_member(const VciJson *object, const char *name, int32 min, int32 max, int32 fallback)
{
	const VciJson *value = vci_json_get(object, name);
	int64_t number;

	if (value == NULL)
		return fallback;
	if (!vci_json_int64(value, &number) || number < min || number > max)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a whole number from %d to %d", name, min, max)));
	return (int32) number;
}

static void
require_object(const VciJson *value, const char *name, const char *example)
{
	if (value != NULL && vci_json_kind(value) != VCI_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a JSON object", name),
				 errhint("For example '{\"%s\": %s}'.", name, example)));
}

static void
read_tx_code(const VciJson *tx_code, VciCampaignRow *row)
{
	static const char *const known[] = {"length", "mode", "description", NULL};
	VciError error = VCI_ERROR_INIT;
	VciTxCodeMode mode;

	row->tx_code_length = 0;
	row->tx_code_mode = NULL;
	row->tx_code_description = NULL;
	if (tx_code == NULL)
		return;
	require_object(tx_code, "tx_code", "{\"length\": 6}");
	vci_check_members(tx_code, "tx_code", known);
	row->tx_code_length = number_member(tx_code, "length", VCI_TX_CODE_MIN_LENGTH,
										VCI_TX_CODE_MAX_LENGTH, TX_CODE_DEFAULT_LENGTH);
	row->tx_code_mode = text_member(tx_code, "mode");
	if (row->tx_code_mode == NULL)
		row->tx_code_mode = "numeric";
	vci_require(vci_tx_code_mode_by_name(row->tx_code_mode, &mode, &error), &error);
	row->tx_code_description = text_member(tx_code, "description");
	if (row->tx_code_description != NULL && pg_mbstrlen(row->tx_code_description) > DESCRIPTION_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("description of tx_code must have at most %d characters",
							   DESCRIPTION_MAX)));
}

/* Read here, where the error names the member, and not inside the statement. */
static char *
read_lifetime(const VciJson *terms)
{
	char *text = text_member(terms, "expires_in");
	Datum span;
	int64 seconds;

	if (text == NULL)
		return NULL;
	span = DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
	seconds = vci_interval_seconds(DatumGetIntervalP(span));
	if (seconds < 1 || seconds > LIFETIME_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("expires_in must be from 1 second to 10 years; it is %s", text),
						errhint("Write the unit, as in '60 days'; a bare number counts seconds.")));
	return text;
}

static void
read_common(const VciJson *terms, VciCampaignRow *row)
{
	const VciJson *labels = vci_json_get(terms, "labels");

	if (vci_json_has(terms, "tx_code"))
		read_tx_code(vci_json_get(terms, "tx_code"), row);
	if (vci_json_has(terms, "expires_in"))
		row->expires_in = read_lifetime(terms);
	if (vci_json_has(terms, "pace"))
		row->pace = number_member(terms, "pace", 1, PACE_MAX, 0);
	if (vci_json_has(terms, "channel"))
		row->channel = text_member(terms, "channel");
	if (vci_json_has(terms, "labels"))
	{
		require_object(labels, "labels", "{\"program\": \"cash\"}");
		row->labels = labels == NULL ? (Datum) 0 : vci_jsonb_datum(labels);
	}
}

void
vci_read_campaign_options(const VciJson *options, VciCampaignRow *row)
{
	static const char *const known[] = {"tx_code", "expires_in", "pace", "labels", "channel", NULL};

	require_object(options, "options", "...");
	vci_check_members(options, "options", known);
	read_common(options, row);
}

static void
read_configuration_ids(const VciJson *ids, VciCampaignRow *row)
{
	if (vci_json_kind(ids) != VCI_JSON_ARRAY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("configuration_ids must be an array of strings")));
	for (size_t i = 0; i < vci_json_array_length(ids); i++)
		if (vci_json_string(vci_json_array_at(ids, i)) == NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("configuration_ids must be an array of strings")));
	row->configuration_ids = vci_strings_of_json(ids, &row->configuration_count);
}

void
vci_read_campaign_changes(const VciJson *changes, VciCampaignRow *row)
{
	static const char *const known[] = {"name",	   "configuration_ids", "recipients",
										"tx_code", "expires_in",		"pace",
										"labels",  "channel",			NULL};

	if (vci_json_kind(changes) != VCI_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("changes must be a JSON object"),
				 errhint("For example '{\"pace\": 6000}'.")));
	vci_check_members(changes, "changes", known);
	if (vci_json_has(changes, "name"))
		row->name = text_member(changes, "name");
	if (vci_json_has(changes, "recipients"))
		row->recipients = text_member(changes, "recipients");
	if (vci_json_has(changes, "configuration_ids"))
		read_configuration_ids(vci_json_get(changes, "configuration_ids"), row);
	read_common(changes, row);
}

static void
require_text(const char *text, const char *name, size_t max)
{
	if (text == NULL || text[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a campaign needs a text as its %s", name)));
	if (strlen(text) > max)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must have at most %zu bytes", name, max)));
}

void
vci_check_campaign_row(const VciCampaignRow *row)
{
	require_text(row->name, "name", NAME_MAX_BYTES);
	vci_check_text(row->name, "name", NAME_MAX_BYTES);
	require_text(row->recipients, "recipients", RECIPIENTS_MAX_BYTES);
	vci_check_text(row->channel, "channel", CHANNEL_MAX_BYTES);
	if (row->configuration_count < 1 || row->configuration_count > MAX_CONFIGURATIONS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a campaign names 1 to %d configurations", MAX_CONFIGURATIONS)));
	for (int i = 0; i < row->configuration_count; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(row->configuration_ids[i], row->configuration_ids[j]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("configuration \"%s\" is named twice", row->configuration_ids[i])));
}
