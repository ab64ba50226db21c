/*
 * Credential requests from strangers: a request that was let through names its credential
 * in one way, and its answer can be built.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/credential.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const VciConfiguration configurations[] = {
	{.id = "EntitlementCredential",
	 .format = "dc+sd-jwt",
	 .vct = "urn:example:entitlement",
	 .scope = "entitlement",
	 .older = VCI_OLDER_FORMAT_REQUEST | VCI_OLDER_SINGULAR_PROOF | VCI_OLDER_VC_SD_JWT},
	{.id = "a", .format = "vc+sd-jwt", .vct = "a"},
};

static void
check_answer(const VciCredentialRequest *request, const VciConfiguration *configuration)
{
	static const char *const credentials[] = {"e30.e30.AA~"};
	const char *format = vci_credential_format(request, configuration);
	VciJson *response = vci_credential_response(vci_credential_response_shape(request), format,
												credentials, 1, "n");

	if (response == NULL)
		abort();
	vci_json_free(response);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	VciCredentialRequest request;
	const VciConfiguration *match;
	VciJson *covered;
	int dataset;

	if (vci_credential_request_parse((const char *) data, size, &request, NULL) != VCI_OK)
		return 0;
	if ((request.configuration_id != NULL) + (request.identifier != NULL) +
			(request.format != NULL) !=
		1)
		abort();
	covered = vci_json_new_array();
	(void) vci_json_append_string(covered, "EntitlementCredential");
	(void) vci_json_append_string(covered, "a");
	for (int identifiers = 0; identifiers < 2; identifiers++)
	{
		if (vci_credential_request_match(&request, configurations, 2, covered, identifiers != 0,
										 NULL, &match, &dataset, NULL) == VCI_OK)
			check_answer(&request, match);
		else if (match != NULL)
			abort();
	}
	vci_json_free(covered);
	vci_credential_request_free(&request);
	return 0;
}
