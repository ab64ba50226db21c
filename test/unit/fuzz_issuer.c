/*
 * What an operator says of an issuer: its URL in the first line, its base path in the second,
 * settings of its endpoints in the third, a login page in the fourth. What was accepted gives
 * URLs that can't leave a header or a document, and a did:web that is a DID.
 */
#include "fuzz.h"
#include "jose/did.h"
#include "protocol/issuer.h"

static void
is_url(const char *url)
{
	must(strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
	for (const unsigned char *c = (const unsigned char *) url; *c != '\0'; c++)
		must(*c > 0x20 && *c < 0x7f && *c != '"' && *c != '<' && *c != '>' && *c != '\\');
	must(strchr(url, '#') == NULL && strchr(url, '?') == NULL);
}

static void
check_endpoints(const VciIssuer *issuer, const VciJson *settings)
{
	VciError error = VCI_ERROR_INIT;
	VciEndpointRule endpoints[VCI_ENDPOINT_COUNT] = {{0}};

	if (succeeded(vci_endpoints_resolve(issuer, settings, endpoints, &error), &error))
	{
		for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
		{
			must(vci_endpoint_name((VciEndpoint) i) != NULL);
			is_url(endpoints[i].url);
			for (int j = 0; j < i; j++)
				must(strcmp(endpoints[i].url, endpoints[j].url) != 0);
		}
		vci_endpoints_free(endpoints);
	}
}

static void
check_issuer(VciIssuer *issuer, const VciJson *settings)
{
	VciError errors[2] = {VCI_ERROR_INIT, VCI_ERROR_INIT};
	char *authority;
	char *did;

	if (issuer->url == NULL ||
		!succeeded(vci_issuer_url_check(issuer->url, &errors[0]), &errors[0]))
		return;
	is_url(issuer->url);
	must(issuer->url[strlen(issuer->url) - 1] != '/');
	authority = vci_issuer_url_authority(issuer->url);
	must(authority != NULL && authority[0] != '\0' && strchr(authority, '/') == NULL);
	free(authority);
	did = vci_did_web_from_url(issuer->url);
	must(did != NULL && vci_did_method(did) == VCI_DID_WEB);
	free(did);
	if (issuer->base_path != NULL &&
		succeeded(vci_issuer_base_path_check(issuer->base_path, &errors[1]), &errors[1]))
		check_endpoints(issuer, settings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VciError errors[2] = {VCI_ERROR_INIT, VCI_ERROR_INIT};
	char *text = text_of(data, size);
	char *rest = text;
	VciIssuer issuer = {.profile = size % 2 == 0 ? VCI_PROFILE_OPENSPP : VCI_PROFILE_FINAL};
	VciJson *settings;
	const char *page;

	issuer.url = next_line(&rest);
	issuer.base_path = next_line(&rest);
	settings = json_line(next_line(&rest));
	page = next_line(&rest);
	check_issuer(&issuer, settings);
	if (page != NULL)
		(void) succeeded(vci_page_url_check(page, "a page", &errors[0]), &errors[0]);
	if (issuer.base_path != NULL)
		(void) succeeded(vci_path_check(issuer.base_path, "path", &errors[1]), &errors[1]);
	vci_json_free(settings);
	free(text);
	return 0;
}
