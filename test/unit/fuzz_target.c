/*
 * Request targets from strangers: a path that was let through is valid UTF-8 without
 * control characters, "." and ".." segments, and the query is what stands behind '?'.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/http.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_path(const char *path)
{
	if (path[0] != '/' || !vci_utf8_valid(path, strlen(path)))
		abort();
	if (strstr(path, "//") != NULL || strstr(path, "/../") != NULL || strstr(path, "/./") != NULL)
		abort();
	for (const unsigned char *p = (const unsigned char *) path; *p != '\0'; p++)
	{
		if (*p < 0x20 || *p == 0x7f)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *target = malloc(size + 1);
	VciHttpRequest request = {0};
	VciHeader header = {"Content-Type", target};
	VciAuthScheme scheme;
	const char *token;
	size_t token_len;

	if (target == NULL)
		return 0;
	memcpy(target, data, size);
	target[size] = '\0';
	if (vci_http_target_parse(target, size, &request, NULL) == VCI_OK)
	{
		check_path(request.path);
		if (request.query != NULL && request.query != strchr(target, '?') + 1)
			abort();
		free(request.path);
	}

	/* the same bytes as a header's value */
	request.headers = &header;
	request.header_count = 1;
	(void) vci_http_content_type_check(&request, "application/json", NULL);
	header.name = "Authorization";
	if (vci_http_authorization(&request, &scheme, &token, &token_len, NULL) == VCI_OK &&
		token_len == 0)
		abort();
	(void) vci_http_etag_matches(target, "\"a\"");
	free(target);
	return 0;
}
