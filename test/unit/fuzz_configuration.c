/*
 * A credential configuration as an operator gives it: id, vct and scope in the first lines, then
 * claims descriptions, its display, the issuer's display. What was accepted is published as
 * metadata that is JSON.
 */
#include "fuzz.h"
#include "protocol/display.h"
#include "protocol/locale.h"
#include "protocol/metadata.h"
#include "protocol/type_metadata.h"

static void
is_document(VciJson *document)
{
	char *text = vci_json_print(document);
	VciJson *again = NULL;

	must(text != NULL && vci_json_parse_object(text, strlen(text), &again, NULL) == VCI_OK);
	must(vci_json_equal(document, again));
	vci_json_free(again);
	free(text);
	vci_json_free(document);
}

static void
publish(const VciConfiguration *configuration, VciJson *display)
{
	VciDeviation deviations[VCI_MAX_DEVIATIONS];
	VciIssuer issuer = {.url = "https://registry.example", .base_path = "", .display = display};

	must(vci_endpoints_resolve(&issuer, NULL, issuer.endpoints, NULL) == VCI_OK);
	is_document(vci_metadata_credential_issuer(&issuer, configuration, 1));
	is_document(vci_metadata_authorization_server(&issuer, configuration, 1));
	is_document(vci_type_metadata(configuration));
	(void) vci_type_path(&issuer, configuration->vct);
	must(vci_deviations(&issuer, configuration, deviations, VCI_MAX_DEVIATIONS) <=
		 VCI_MAX_DEVIATIONS);
	if (display != NULL)
		must(vci_locale_display(display, "pt-BR") != NULL);
	vci_endpoints_free(issuer.endpoints);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError errors[2] = {VCI_ERROR_INIT, VCI_ERROR_INIT};
	char *text = text_of(data, size);
	char *rest = text;
	VciConfiguration configuration = {
		.format = size % 2 == 0 ? "dc+sd-jwt" : "vc+sd-jwt",
		.older = (unsigned) size % 128,
		.validity = 86400,
		.decoys = (int) (size % 70),
		.signing_alg = VCI_ALG_ES256,
	};
	VciJson *display;

	configuration.id = next_line(&rest);
	configuration.vct = next_line(&rest);
	configuration.scope = next_line(&rest);
	configuration.claims = json_line(next_line(&rest));
	configuration.display = json_line(next_line(&rest));
	display = json_line(next_line(&rest));
	if (succeeded(vci_configuration_check(&configuration, &errors[0]), &errors[0]) &&
		(display == NULL || succeeded(vci_issuer_display_check(display, &errors[1]), &errors[1])))
		publish(&configuration, display);
	vci_json_free(display);
	vci_json_free(configuration.display);
	vci_json_free(configuration.claims);
	free(text);
	return 0;
}
