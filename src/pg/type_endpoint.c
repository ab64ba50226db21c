#include "compat.h"

#include "../protocol/type_metadata.h"
#include "document.h"
#include "type_endpoint.h"

#define WELL_KNOWN "/.well-known/vct" /* inserted before the path, as drafts up to 10 have it */

static const char *
without_well_known(const char *path)
{
	size_t len = strlen(WELL_KNOWN);

	return strncmp(path, WELL_KNOWN "/", len + 1) == 0 ? path + len : path;
}

static bool
has_authority(const char *vct, const char *host)
{
	const char *authority = strstr(vct, "://") + 3;
	size_t len = strcspn(authority, "/");

	return len == strlen(host) && pg_strncasecmp(authority, host, len) == 0;
}

/* The first configuration of a vct there, -1: there is none. */
static int
find_type(const VciIssuerEntry *issuer, const char *path, const char *host)
{
	for (int i = 0; i < issuer->configuration_count; i++)
	{
		const char *vct = issuer->configurations[i].vct;
		const char *place = vci_type_path(&issuer->rules, vct);

		if (place != NULL && strcmp(place, path) == 0 && (host == NULL || has_authority(vct, host)))
			return i;
	}
	return -1;
}

VciIssuerEntry **
vci_type_issuers(VciStore *store, const char *path, const char *host, int *count)
{
	int id_count;
	int64 *ids;
	VciIssuerEntry **found;

	path = without_well_known(path);
	ids = vci_store_issuers_of_type(store, path, &id_count);
	found = palloc(sizeof(VciIssuerEntry *) * Max(id_count, 1));
	*count = 0;
	for (int i = 0; i < id_count; i++)
	{
		VciIssuerEntry *issuer = vci_cache_issuer_by_id(store, ids[i]);

		if (issuer != NULL && find_type(issuer, path, host) >= 0)
			found[(*count)++] = issuer;
	}
	return found;
}

VciAnswer *
vci_type_endpoint(VciStore *store pg_attribute_unused(), const VciIssuerEntry *issuer,
				  const VciHttpRequest *http)
{
	const char *path = without_well_known(http->path);
	bool repeated;
	const char *host = vci_http_header(http, "Host", &repeated);
	int found = host == NULL ? -1 : find_type(issuer, path, host);

	/* behind a proxy the Host header may be any name */
	if (found < 0)
		found = find_type(issuer, path, NULL);
	return vci_answer_document(vci_type_document(issuer, found), http);
}
