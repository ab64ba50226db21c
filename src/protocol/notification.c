#include "notification.h"

#include <stdbool.h>
#include <string.h>

static bool
is_event(const char *event)
{
	return strcmp(event, "credential_accepted") == 0 || strcmp(event, "credential_failure") == 0 ||
		   strcmp(event, "credential_deleted") == 0;
}

/* Section 11.1: %x20-21 / %x23-5B / %x5D-7E. */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\')
			return false;
	return true;
}

static VciStatus
read_description(VciNotification *notification, VciError *error)
{
	if (vci_json_get(notification->body, "event_description") == NULL)
		return VCI_OK;
	notification->description = vci_json_get_string(notification->body, "event_description");
	if (notification->description == NULL || !is_plain(notification->description) ||
		strlen(notification->description) > VCI_NOTIFICATION_MAX_DESCRIPTION)
		return vci_error(error, VCI_ERR_NOTIFICATION,
						 "event_description must be at most %d printable ASCII characters, without "
						 "quotation mark and backslash",
						 VCI_NOTIFICATION_MAX_DESCRIPTION);
	return VCI_OK;
}

static VciStatus
read_notification(VciNotification *notification, VciError *error)
{
	notification->id = vci_json_get_string(notification->body, "notification_id");
	notification->event = vci_json_get_string(notification->body, "event");
	if (notification->id == NULL)
		return vci_error(error, VCI_ERR_NOTIFICATION, "notification_id must be there, a string");
	if (notification->event == NULL || !is_event(notification->event))
		return vci_error(error, VCI_ERR_NOTIFICATION,
						 "event must be credential_accepted, credential_failure or "
						 "credential_deleted");
	return read_description(notification, error);
}

VciStatus
vci_notification_parse(const char *body, size_t len, VciNotification *notification, VciError *error)
{
	VciStatus status;

	memset(notification, 0, sizeof(*notification));
	status = vci_json_parse_object(body, len, &notification->body, error);
	if (status == VCI_OK)
		status = read_notification(notification, error);
	if (status != VCI_OK)
		vci_notification_free(notification);
	return status;
}

void
vci_notification_free(VciNotification *notification)
{
	vci_json_free(notification->body);
	memset(notification, 0, sizeof(*notification));
}
