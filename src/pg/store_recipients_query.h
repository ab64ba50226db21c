/*
 * The query of a campaign that lists its recipients: somebody else's SQL. It is parsed, planned
 * and run with the rights of the role that gave it, under SECURITY_RESTRICTED_OPERATION, and
 * whatever it sets is undone; nothing of ours and of whoever runs the campaign is lent to it.
 */
#ifndef VCI_STORE_RECIPIENTS_QUERY_H
#define VCI_STORE_RECIPIENTS_QUERY_H

#include "store_recipient.h"

/* text: a relation or one SELECT. Raises unless it gives the columns of recipients. */
extern void vci_store_check_recipients(VciStore *store, const char *text, Oid role);

typedef struct VciRecipientsReader VciRecipientsReader;

/* It is read in one go, under one snapshot, while others of the store's statements run. */
extern VciRecipientsReader *vci_store_open_recipients(VciStore *store, const char *text, Oid role);

/* The next rows, at most max, in the store's context; 0: it is over. Their ids are 0. */
extern int vci_store_next_recipients(VciRecipientsReader *reader, int max, VciRecipient *rows);
extern void vci_store_close_recipients(VciRecipientsReader *reader);

#endif
