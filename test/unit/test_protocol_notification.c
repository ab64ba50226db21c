/* Notification requests (section 11.1): what they must hold, and which characters. */
#include "protocol/notification.h"

#include "protocol_fixture.h"

static VciNotification notification;

static void
parse(const char *body, VciStatus expected, const char *what)
{
	VciError error = VCI_ERROR_INIT;
	VciStatus status = vci_notification_parse(body, strlen(body), &notification, &error);

	is_status(status, expected, &error, what);
	if (status != VCI_OK)
		ok(notification.body == NULL && notification.id == NULL, "%s: nothing is left", what);
}

static void
test_accepted(void)
{
	parse("{\"notification_id\":\"n\",\"event\":\"credential_accepted\",\"more\":[]}", VCI_OK,
		  "an event, and an unknown member");
	is_text(notification.id, "n", "its id");
	is_text(notification.event, "credential_accepted", "its event");
	is_text(notification.description, NULL, "no description");
	vci_notification_free(&notification);
	parse("{\"notification_id\":\"n\",\"event\":\"credential_failure\",\"event_description\":"
		  "\" !#[]~ Out of storage.\"}",
		  VCI_OK, "all kinds of characters that it may hold");
	is_text(notification.description, " !#[]~ Out of storage.", "its description");
	vci_notification_free(&notification);
	parse("{\"notification_id\":\"n\",\"event\":\"credential_deleted\",\"event_description\":null}",
		  VCI_OK, "the third event; null is as if absent");
	vci_notification_free(&notification);
}

static void
test_refused(void)
{
#define ACCEPTED "{\"notification_id\":\"n\",\"event\":\"credential_accepted\""
	parse("{\"event\":\"credential_accepted\"}", VCI_ERR_NOTIFICATION, "no id");
	parse("{\"notification_id\":7,\"event\":\"credential_accepted\"}", VCI_ERR_NOTIFICATION,
		  "a number as id");
	parse("{\"notification_id\":\"n\"}", VCI_ERR_NOTIFICATION, "no event");
	parse("{\"notification_id\":\"n\",\"event\":\"Credential_accepted\"}", VCI_ERR_NOTIFICATION,
		  "events are case-sensitive");
	parse("{\"notification_id\":\"n\",\"event\":\"credential_lost\"}", VCI_ERR_NOTIFICATION,
		  "an unknown event");
	parse(ACCEPTED ",\"event_description\":7}", VCI_ERR_NOTIFICATION, "a number as description");
	parse(ACCEPTED ",\"event_description\":\"\\\"\"}", VCI_ERR_NOTIFICATION, "a quotation mark");
	parse(ACCEPTED ",\"event_description\":\"\\\\\"}", VCI_ERR_NOTIFICATION, "a backslash");
	parse(ACCEPTED ",\"event_description\":\"\\n\"}", VCI_ERR_NOTIFICATION, "a line feed");
	parse(ACCEPTED ",\"event_description\":\"\\u007f\"}", VCI_ERR_NOTIFICATION, "a delete");
	parse(ACCEPTED ",\"event_description\":\"\xc3\xa9\"}", VCI_ERR_NOTIFICATION, "no ASCII");
	parse(ACCEPTED ",\"event\":\"credential_deleted\"}", VCI_ERR_JSON_DUPLICATE, "an event twice");
	parse("[]", VCI_ERR_JSON, "an array");
}

static void
test_length(void)
{
	char body[1200];
	int at = sprintf(body, "%s,\"event_description\":\"", ACCEPTED);

	memset(body + at, 'x', 1024);
	strcpy(body + at + 1024, "\"}");
	parse(body, VCI_OK, "1024 characters");
	vci_notification_free(&notification);
	strcpy(body + at + 1024, "x\"}");
	parse(body, VCI_ERR_NOTIFICATION, "1025");
}

int
main(void)
{
	test_accepted();
	test_refused();
	test_length();
	return done_testing();
}
