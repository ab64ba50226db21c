/*
 * Authorization requests and redirect URIs from strangers: a URI that was let through can't
 * break out of a header or a page, nothing can be added to a redirect but its parameters, and
 * everything is freed.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/authorization.h"
#include "protocol/redirect.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
check_request(const char *text, size_t len)
{
	VciIssuer issuer = {.url = "https://registry.example"};
	VciConfiguration configuration = {.id = "A", .scope = "a"};
	VciAuthorizationRequest request;
	VciJson *selected = NULL;

	if (vci_authorization_request_parse(text, len, &request, NULL) != VCI_OK)
		return;
	must(request.client_id != NULL);
	must(request.redirect_uri != NULL || request.request_uri != NULL);
	must(request.state == NULL || strlen(request.state) <= VCI_STATE_MAX);
	if (vci_authorization_request_check(&request, &issuer, true, NULL) == VCI_OK)
	{
		must(strlen(request.code_challenge) == VCI_CODE_CHALLENGE_LEN);
		if (vci_authorization_select(&request, &configuration, 1, NULL, 0, &selected, NULL) ==
			VCI_OK)
			must(vci_json_array_length(selected) == 1);
		vci_json_free(selected);
	}
	vci_authorization_request_free(&request);
}

static void
check_uri(const char *uri)
{
	VciRedirectParameter parameter = {"state", uri};
	char *built;
	char *source;

	if (vci_redirect_uri_check(uri, NULL) != VCI_OK)
		return;
	must(strpbrk(uri, " \r\n\t\"'<>\\#;,") == NULL);
	must(vci_redirect_uri_registered(&uri, 1, uri));
	built = vci_redirect_build(uri, &parameter, 1);
	must(built == NULL || (strncmp(built, uri, strlen(uri)) == 0 && strchr(built, '?') != NULL));
	source = vci_redirect_form_action(uri);
	must(source == NULL || strpbrk(source, " \r\n\"'<>;,/") == NULL || strstr(source, "://"));
	free(source);
	source = vci_redirect_place(uri);
	must(source == NULL || strlen(source) > 0);
	free(source);
	free(built);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char registered[] = "http://127.0.0.1/cb";
	const char *one = registered;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_request(text, size);
	check_uri(text);
	/* the loopback rule lets nothing through but a port */
	if (vci_redirect_uri_registered(&one, 1, text))
		must(strncmp(text, "http://127.0.0.1", 16) == 0 && strcmp(strrchr(text, '/'), "/cb") == 0 &&
			 strpbrk(text, "@?#") == NULL);
	free(text);
	return 0;
}
