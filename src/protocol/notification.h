/*
 * The notification endpoint (OpenID4VCI 1.0 section 11).
 */
#ifndef VCI_NOTIFICATION_H
#define VCI_NOTIFICATION_H

#include <stddef.h>

#include "../jose/json.h"

#define VCI_NOTIFICATION_MAX_DESCRIPTION 1024

typedef struct VciNotification
{
	VciJson *body;
	const char *id;			 /* lent, as the others */
	const char *event;		 /* credential_accepted, credential_failure or credential_deleted */
	const char *description; /* NULL: none */
} VciNotification;

/*
 * Reads a notification request. VCI_ERR_JSON*; VCI_ERR_NOTIFICATION: a member missing or no
 * string, an unknown event, a description over VCI_NOTIFICATION_MAX_DESCRIPTION bytes or with
 * other characters than section 11.1 allows.
 */
extern VciStatus vci_notification_parse(const char *body, size_t len, VciNotification *notification,
										VciError *error);
extern void vci_notification_free(VciNotification *notification);

#endif
