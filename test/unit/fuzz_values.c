/*
 * Small values: the input as authorization_details, as a scope, as a percent-encoded text, and,
 * where it is JSON, as a number, as a claims source's "not yet", and as a claims path pointer.
 */
#include "fuzz.h"
#include "jose/sd_jwt.h"
#include "protocol/deferred.h"
#include "protocol/http.h"
#include "protocol/number.h"
#include "protocol/token.h"

static void
check_details(const char *text)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *details;

	if (!succeeded(
			vci_authorization_details_parse(text, "https://registry.example", &details, &error),
			&error))
		return;
	must(vci_json_array_length(details) >= 1 &&
		 vci_json_array_length(details) <= VCI_MAX_AUTHORIZATION_DETAILS);
	for (size_t i = 0; i < vci_json_array_length(details); i++)
		must(vci_json_get_string(vci_json_array_at(details, i), "credential_configuration_id") !=
			 NULL);
	vci_json_free(details);
}

static void
check_scope(const char *scope)
{
	VciError error = VCI_ERROR_INIT;
	VciConfiguration configuration = {.id = "A", .scope = "card"};
	VciJson *selected;
	bool names = vci_scope_names(scope, "card");

	if (succeeded(vci_scope_select(scope, &configuration, 1, &selected, &error), &error))
		must(names && vci_json_array_length(selected) == 1);
	else
		must(!names);
	vci_json_free(selected);
}

/* What is encoded comes back as a form's value. */
static void
check_percent(const char *text)
{
	char *encoded = vci_percent_encode(text);
	char *form_text;
	VciForm form;

	must(encoded != NULL);
	form_text = malloc(strlen(encoded) + 3);
	must(form_text != NULL);
	strcat(strcpy(form_text, "a="), encoded);
	if (text[0] != '\0' && vci_utf8_valid(text, strlen(text)))
	{
		must(vci_form_parse(form_text, strlen(form_text), &form, NULL) == VCI_OK);
		must(strcmp(vci_form_get(&form, "a"), text) == 0);
		vci_form_free(&form);
	}
	free(form_text);
	free(encoded);
}

static void
check_json(const char *text)
{
	VciError error = VCI_ERROR_INIT;
	VciJson *json = json_line(text);
	int64_t whole;
	int32_t wait;

	if (vci_number_floor(json, &whole))
		must(whole >= 0 && whole < 1000000000000000000);
	wait = vci_deferred_wait(json);
	must(wait >= 0 && wait <= VCI_MAX_WAIT);
	(void) succeeded(vci_claims_path_check(json, &error), &error);
	vci_json_free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	check_details(text);
	check_scope(text);
	check_percent(text);
	check_json(text);
	free(text);
	return 0;
}
