/*
 * Notifications and requests for deferred credentials from strangers: a notification that was
 * let through has one of three events and a description that fits into any log.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/deferred.h"
#include "protocol/notification.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_notification(const VciNotification *notification)
{
	const char *description = notification->description;

	if (notification->id == NULL || strncmp(notification->event, "credential_", 11) != 0)
		abort();
	if (description == NULL)
		return;
	if (strlen(description) > VCI_NOTIFICATION_MAX_DESCRIPTION)
		abort();
	for (; *description != '\0'; description++)
		if ((unsigned char) *description < 0x20 || (unsigned char) *description > 0x7e)
			abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	VciNotification notification;
	VciDeferredRequest deferred;

	if (vci_notification_parse((const char *) data, size, &notification, NULL) == VCI_OK)
		check_notification(&notification);
	vci_notification_free(&notification);
	if (vci_deferred_request_parse((const char *) data, size, &deferred, NULL) == VCI_OK &&
		deferred.transaction_id == NULL)
		abort();
	vci_deferred_request_free(&deferred);
	return 0;
}
