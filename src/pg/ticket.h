/*
 * Codes, tokens and ids that an issuer gives out, made for good.
 */
#ifndef VCI_PG_TICKET_H
#define VCI_PG_TICKET_H

#include "../protocol/ticket.h"
#include "cache.h"

/* The text of a ticket of this kind (palloc'd). The issuer must be unsealed; raises. */
extern char *vci_issuer_ticket(const VciIssuerEntry *issuer, VciTicketKind kind, int64 id,
							   int32 generation);

/* The same of a row that belongs to an offer. */
extern char *vci_issuer_offer_ticket(const VciIssuerEntry *issuer, VciTicketKind kind, int64 id,
									 int64 offer_id, int32 generation);

#endif
