#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../protocol/offer.h"
#include "offer_form.h"
#include "offer_functions.h"
#include "ticket.h"
#include "values.h"

#define TICKET_LENGTH (VCI_TICKET_SIZE - 1)
#define MAX_CODES	  2 /* pre-authorized code and issuer_state */

/* base64url is percent-encoded as it stands, so a code is as long in a link. */
typedef struct CodePlace
{
	VciTicketKind kind;
	Size in_offer;
	Size in_link;
} CodePlace;

typedef struct OfferForm
{
	MemoryContext context;
	StringInfoData key; /* all that the texts are made of, but codes */
	struct varlena *offer;
	struct varlena *by_value;
	struct varlena *by_reference;
	Size reference_place;
	int code_count;
	CodePlace codes[MAX_CODES];
} OfferForm;

static void
append_number(StringInfo key, size_t number)
{
	appendBinaryStringInfo(key, (const char *) &number, sizeof(number));
}

/* With its length, so that no two lists of texts make the same key. */
static void
append_text(StringInfo key, const char *text)
{
	size_t len = text == NULL ? SIZE_MAX : strlen(text);

	append_number(key, len);
	if (text != NULL)
		appendBinaryStringInfo(key, text, (int) len);
}

static void
append_texts(StringInfo key, char **texts, int count)
{
	append_number(key, (size_t) count);
	for (int i = 0; i < count; i++)
		append_text(key, texts[i]);
}

static StringInfoData
form_key(const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	StringInfoData key;

	initStringInfo(&key);
	append_text(&key, issuer->rules.url);
	append_text(&key, issuer->rules.endpoints[VCI_ENDPOINT_OFFER].url);
	append_number(&key, issuer->rules.authorization_server_count);
	append_texts(&key, offer->configuration_ids, offer->configuration_count);
	append_texts(&key, offer->grants, offer->grant_count);
	append_text(&key, offer->tx_code_mode);
	append_number(&key, (size_t) offer->tx_code_length);
	append_text(&key, offer->tx_code_description);
	append_text(&key, offer->authorization_server);
	return key;
}

/* Where the ticket stands in a value, which holds it once. */
static Size
place_of(const struct varlena *value, const char *ticket)
{
	for (Size place = VARHDRSZ; place + TICKET_LENGTH <= VARSIZE(value); place++)
		if (memcmp((const char *) value + place, ticket, TICKET_LENGTH) == 0)
			return place;
	elog(ERROR, "an offer lacks its code");
}

static void
note_code(OfferForm *form, const VciIssuerEntry *issuer, const VciOfferRow *offer,
		  const char *grant, VciTicketKind kind)
{
	CodePlace *code = &form->codes[form->code_count];
	char *ticket;

	if (!vci_offer_has_grant(offer, grant))
		return;
	ticket = vci_issuer_ticket(issuer, kind, offer->id, offer->generation);
	code->kind = kind;
	code->in_offer = place_of(form->offer, ticket);
	code->in_link = place_of(form->by_value, ticket);
	form->code_count++;
}

/* Made of the first offer of its kind, whose codes show the places. */
static OfferForm *
new_form(MemoryContext parent, const VciIssuerEntry *issuer, const VciOfferRow *offer,
		 const StringInfoData *key)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "openid4vci offer form", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	OfferForm *form = palloc0(sizeof(OfferForm));

	form->context = context;
	initStringInfo(&form->key);
	appendBinaryStringInfo(&form->key, key->data, key->len);
	form->offer =
		(struct varlena *) DatumGetPointer(vci_jsonb_datum(vci_offer_json(issuer, offer)));
	form->by_value =
		(struct varlena *) cstring_to_text(vci_offer_link(issuer, offer, VCI_LINK_BY_VALUE));
	form->by_reference =
		(struct varlena *) cstring_to_text(vci_offer_link(issuer, offer, VCI_LINK_BY_REFERENCE));
	note_code(form, issuer, offer, VCI_GRANT_PRE_AUTHORIZED, VCI_TICKET_CODE);
	note_code(form, issuer, offer, VCI_GRANT_AUTHORIZATION_CODE, VCI_TICKET_ISSUER_STATE);
	form->reference_place =
		place_of(form->by_reference,
				 vci_issuer_ticket(issuer, VCI_TICKET_OFFER, offer->id, offer->generation));
	MemoryContextSwitchTo(caller);
	return form;
}

static const OfferForm *
form_of(FmgrInfo *function, const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	OfferForm *form = function->fn_extra;
	StringInfoData key = form_key(issuer, offer);

	if (form != NULL && form->key.len == key.len &&
		memcmp(form->key.data, key.data, (size_t) key.len) == 0)
		return form;
	function->fn_extra = NULL;
	if (form != NULL)
		MemoryContextDelete(form->context);
	function->fn_extra = form = new_form(function->fn_mcxt, issuer, offer, &key);
	return form;
}

static char *
copy_of(const struct varlena *value)
{
	return memcpy(palloc(VARSIZE(value)), value, VARSIZE(value));
}

VciOfferTexts
vci_offer_texts(FunctionCallInfo fcinfo, const VciIssuerEntry *issuer, const VciOfferRow *offer)
{
	const OfferForm *form = form_of(fcinfo->flinfo, issuer, offer);
	char *object = copy_of(form->offer);
	char *by_value = copy_of(form->by_value);
	char *by_reference = copy_of(form->by_reference);

	for (int i = 0; i < form->code_count; i++)
	{
		const CodePlace *code = &form->codes[i];
		char *ticket = vci_issuer_ticket(issuer, code->kind, offer->id, offer->generation);

		memcpy(object + code->in_offer, ticket, TICKET_LENGTH);
		memcpy(by_value + code->in_link, ticket, TICKET_LENGTH);
	}
	memcpy(by_reference + form->reference_place,
		   vci_issuer_ticket(issuer, VCI_TICKET_OFFER, offer->id, offer->generation),
		   TICKET_LENGTH);
	return (VciOfferTexts){PointerGetDatum(object), PointerGetDatum(by_value),
						   PointerGetDatum(by_reference)};
}
