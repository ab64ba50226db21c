/*
 * SQL functions that make the events evidence.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "../jose/base64url.h"
#include "duty.h"
#include "event_seal.h"
#include "event_verify.h"
#include "report.h"
#include "values.h"

/* Bytes of base64url over a mac. */
#define MAC_TEXT_BYTES	43
#define SEAL_ID_MAX_LEN 18

PG_FUNCTION_INFO_V1(vci_seal_events);

/* openid4vci.vci_seal_events(max_events integer) returns bigint */
Datum
vci_seal_events(PG_FUNCTION_ARGS)
{
	int32 max_events = PG_GETARG_INT32(0);
	VciStore *store = vci_store_open();
	int64 sealed;

	if (!vci_has_duty(store, VCI_DUTY_ISSUER_ADMIN, VCI_ALL_ISSUERS) &&
		!vci_has_duty(store, VCI_DUTY_OFFERER, VCI_ALL_ISSUERS))
		vci_require_duty(store, VCI_DUTY_AUDITOR, VCI_ALL_ISSUERS);
	if (max_events < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("max_events must be positive, it is %d", max_events)));
	sealed = vci_seal_settled_events(store, max_events);
	vci_store_close(store);
	PG_RETURN_INT64(sealed);
}

PG_FUNCTION_INFO_V1(vci_event_head);

/* openid4vci.vci_event_head() returns text */
Datum
vci_event_head(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char encoded[MAC_TEXT_BYTES + 1];
	VciSealRow *last;
	Datum head = (Datum) 0;

	vci_require_duty(store, VCI_DUTY_AUDITOR, VCI_ALL_ISSUERS);
	last = vci_store_last_seal(store);
	if (last != NULL)
	{
		if (VARSIZE_ANY_EXHDR(last->mac) != VCI_DIGEST_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("seal %lld is not what the extension wrote", (long long) last->id),
					 errhint("SELECT * FROM openid4vci.vci_verify_events();")));
		vci_base64url_encode(VARDATA_ANY(last->mac), VCI_DIGEST_BYTES, encoded);
		head = CStringGetTextDatum(psprintf("%lld.%s", (long long) last->id, encoded));
	}
	vci_store_close(store);
	if (last == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(head);
}

static bool
parse_head(const char *text, VciEventHead *head)
{
	size_t digits = strspn(text, "0123456789");
	VciError error = VCI_ERROR_INIT;
	size_t len;

	if (digits == 0 || digits > SEAL_ID_MAX_LEN || text[0] == '0' || text[digits] != '.' ||
		strlen(text + digits + 1) != MAC_TEXT_BYTES)
		return false;
	head->id = strtoll(text, NULL, 10);
	return vci_base64url_decode(text + digits + 1, MAC_TEXT_BYTES, head->mac, &len, &error) ==
		   VCI_OK;
}

static void
read_head(const char *text, VciEventHead *head)
{
	if (!parse_head(text, head))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("head is malformed"),
						errdetail("Expected the id of a seal, a dot and %d characters of "
								  "base64url, got %zu characters.",
								  MAC_TEXT_BYTES, strlen(text)),
						errhint("It is what this gave: SELECT openid4vci.vci_event_head();")));
}

PG_FUNCTION_INFO_V1(vci_verify_events);

/*
 * openid4vci.vci_verify_events(head text, OUT segments bigint, OUT events bigint,
 * OUT broken_segment bigint, OUT problem text)
 */
Datum
vci_verify_events(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *head_text = vci_arg_text(fcinfo, 0);
	VciEventHead head;
	VciEventVerdict verdict;
	Datum values[4];
	bool nulls[4] = {false};

	vci_require_duty(store, VCI_DUTY_AUDITOR, VCI_ALL_ISSUERS);
	if (head_text != NULL)
		read_head(head_text, &head);
	verdict = vci_verify_seals(store, head_text ? &head : NULL);
	if (verdict.broken > 1)
		verdict.problem = psprintf("%s; it is the first of %lld breaks", verdict.problem,
								   (long long) verdict.broken);
	values[0] = Int64GetDatum(verdict.segments);
	values[1] = Int64GetDatum(verdict.events);
	values[2] = Int64GetDatum(verdict.broken_segment);
	nulls[2] = nulls[3] = verdict.problem == NULL;
	values[3] = verdict.problem ? CStringGetTextDatum(verdict.problem) : (Datum) 0;
	vci_store_close(store);
	PG_RETURN_DATUM(vci_row_datum(fcinfo, values, nulls));
}
