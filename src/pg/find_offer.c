/*
 * The offer that a code belongs to, or a link with one in it.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "duty.h"
#include "report.h"
#include "ticket.h"
#include "values.h"

#define TEXT_MAX_BYTES	 65536
#define TICKET_LENGTH	 (VCI_TICKET_SIZE - 1)
#define BASE64URL_LETTER "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* Links are replaced less often. A row that was given the id anew has a generation far off. */
#define REPLACED_MAX 10000

static bool
opens(const VciIssuerEntry *issuer, VciTicketKind kind, const char *ticket, int64_t *id,
	  int32_t *generation)
{
	VciError error = VCI_ERROR_INIT;
	VciStatus status =
		vci_ticket_open(&issuer->ticket_keys, kind, ticket, TICKET_LENGTH, id, generation, &error);

	if (vci_is_server_fault(status))
		vci_raise(&error);
	return status == VCI_OK;
}

/* Its offer, if the issuer made it; 0 if not, or if the offer is gone. */
static int64
offer_of_ticket(VciStore *store, const VciIssuerEntry *issuer, const char *ticket)
{
	const VciOfferRow *offer;
	int64_t id;
	int32_t generation;

	if (!opens(issuer, VCI_TICKET_CODE, ticket, &id, &generation) &&
		!opens(issuer, VCI_TICKET_OFFER, ticket, &id, &generation) &&
		!opens(issuer, VCI_TICKET_LANDING, ticket, &id, &generation) &&
		!opens(issuer, VCI_TICKET_ISSUER_STATE, ticket, &id, &generation))
		return 0;
	offer = vci_store_offer(store, id, false);
	if (offer == NULL || offer->issuer_id != issuer->rules.id || offer->generation < generation ||
		offer->generation - generation > REPLACED_MAX)
		return 0;
	return id;
}

/*
 * The next text in *rest that may be one, which moves on behind it. What stands before it in a link,
 * "%22" or "%2F", ends with letters of base64url, too; what follows it begins with none.
 */
static const char *
next_ticket(const char **rest)
{
	while (**rest != '\0')
	{
		size_t len = strspn(*rest, BASE64URL_LETTER);
		const char *end = *rest + len;

		*rest = *end == '\0' ? end : end + 1;
		if (len >= TICKET_LENGTH)
			return end - TICKET_LENGTH;
	}
	return NULL;
}

static int64
find_offer(VciStore *store, const VciIssuerEntry *issuer, const char *text)
{
	const char *ticket;
	int64 id = 0;

	while (id == 0 && (ticket = next_ticket(&text)) != NULL)
		id = offer_of_ticket(store, issuer, ticket);
	return id;
}

PG_FUNCTION_INFO_V1(vci_find_offer);

/* openid4vci.vci_find_offer(code text) returns bigint */
Datum
vci_find_offer(PG_FUNCTION_ARGS)
{
	VciStore *store = vci_store_open();
	char *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int count;
	VciIssuerEntry *issuers = vci_cache_issuers(store, &count);
	int64 id = 0;

	if (strlen(code) > TEXT_MAX_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("code must have at most %d bytes", TEXT_MAX_BYTES)));
	for (int i = 0; i < count && id == 0; i++)
	{
		VciIssuerEntry *issuer;

		CHECK_FOR_INTERRUPTS();
		if (!vci_has_duty(store, VCI_DUTY_OFFERER, issuers[i].rules.id))
			continue;
		issuer = vci_cache_load(store, &issuers[i]);
		vci_cache_unseal(issuer);
		id = find_offer(store, issuer, code);
	}
	vci_store_close(store);
	if (id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(id);
}
