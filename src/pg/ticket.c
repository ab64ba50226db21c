#include "compat.h"

#include "report.h"
#include "ticket.h"

char *
vci_issuer_ticket(const VciIssuerEntry *issuer, VciTicketKind kind, int64 id, int32 generation)
{
	VciError error = VCI_ERROR_INIT;
	char *text = palloc(VCI_TICKET_SIZE);

	vci_require(vci_ticket_make(&issuer->ticket_keys, kind, id, generation, text, &error), &error);
	return text;
}

char *
vci_issuer_offer_ticket(const VciIssuerEntry *issuer, VciTicketKind kind, int64 id, int64 offer_id,
						int32 generation)
{
	VciError error = VCI_ERROR_INIT;
	char *text = palloc(VCI_OFFER_TICKET_SIZE);

	vci_require(
		vci_offer_ticket_make(&issuer->ticket_keys, kind, id, offer_id, generation, text, &error),
		&error);
	return text;
}
