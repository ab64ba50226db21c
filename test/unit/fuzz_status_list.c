/*
 * What strangers send to the status list endpoint: paths, and lists of what they accept. Each
 * line is taken as both.
 */
#include "protocol/http_accept.h"
#include "protocol/status_list.h"
#include "fuzz.h"

#define URL "https://registry.example/status-lists"

static void
check_path(const char *rest)
{
	VciIssuer issuer = {.endpoints = {[VCI_ENDPOINT_STATUS_LIST] = {true, (char *) URL}}};
	VciStatusListTarget target;
	char *uri;

	if (!vci_status_list_target_parse(rest, &target) || target.kind == VCI_STATUS_LIST_AGGREGATION)
		return;
	must(strlen(target.name) == VCI_STATUS_LIST_NAME_SIZE - 1);
	uri = vci_status_list_uri(&issuer, target.name);
	must(uri != NULL && strncmp(uri + strlen(URL), rest, VCI_STATUS_LIST_NAME_SIZE) == 0);
	must(vci_status_list_uri_parse(&issuer, uri, &target));
	free(uri);
}

static void
check_accept(const char *value)
{
	VciHeader headers[] = {{"Accept", value}, {"Accept-Encoding", value}};
	VciHttpRequest request = {.headers = headers, .header_count = 2};

	/* nobody is turned away who does not say what to send instead */
	if (!vci_http_accepts(&request, "application/statuslist+jwt"))
		must(strchr(value, '/') != NULL);
	if (vci_http_accepts_coding(&request, "gzip"))
		must(strchr(value, 'z') != NULL || strchr(value, 'Z') != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	char *rest = text;
	char *line;

	while ((line = next_line(&rest)) != NULL)
	{
		check_path(line);
		check_accept(line);
	}
	free(text);
	return 0;
}
