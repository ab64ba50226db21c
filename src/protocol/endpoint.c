/* Where the endpoints of an issuer lie: defaults of the profile, and what an operator changed. */
#include "issuer.h"
#include "status_list.h"

#include <stdlib.h>
#include <string.h>

static const char *const endpoint_names[VCI_ENDPOINT_COUNT] = {
	[VCI_ENDPOINT_TOKEN] = "token",
	[VCI_ENDPOINT_NONCE] = "nonce",
	[VCI_ENDPOINT_CREDENTIAL] = "credential",
	[VCI_ENDPOINT_BATCH_CREDENTIAL] = "batch_credential",
	[VCI_ENDPOINT_DEFERRED_CREDENTIAL] = "deferred_credential",
	[VCI_ENDPOINT_NOTIFICATION] = "notification",
	[VCI_ENDPOINT_AUTHORIZE] = "authorize",
	[VCI_ENDPOINT_PAR] = "par",
	[VCI_ENDPOINT_CONSENT] = "consent",
	[VCI_ENDPOINT_OFFER] = "offer",
	[VCI_ENDPOINT_JWKS] = "jwks",
	[VCI_ENDPOINT_LANDING] = "landing",
	[VCI_ENDPOINT_STATUS_LIST] = "status_list",
};

const char *
vci_endpoint_name(VciEndpoint endpoint)
{
	return endpoint_names[endpoint];
}

static bool
is_endpoint_name(const char *name)
{
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
	{
		if (strcmp(name, endpoint_names[i]) == 0)
			return true;
	}
	return false;
}

static VciStatus
check_members(const char *name, const VciJson *setting, VciError *error)
{
	VciJsonIter iter = vci_json_iter(setting);

	if (setting != NULL && vci_json_kind(setting) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "endpoint %s must be an object of enabled, path and base_url", name);
	while (vci_json_next(&iter))
	{
		bool is_switch = strcmp(iter.name, "enabled") == 0;
		VciJsonKind expected = is_switch ? VCI_JSON_BOOLEAN : VCI_JSON_STRING;

		if (!is_switch && strcmp(iter.name, "path") != 0 && strcmp(iter.name, "base_url") != 0)
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "endpoint %s has no setting %.64s, only enabled, path and base_url",
							 name, iter.name);
		if (iter.value != NULL && vci_json_kind(iter.value) != expected)
			return vci_error(error, VCI_ERR_CONFIGURATION, "%s of endpoint %s must be %s",
							 iter.name, name, is_switch ? "true or false" : "a string");
	}
	return VCI_OK;
}

static VciStatus
check_settings(const VciJson *settings, VciError *error)
{
	VciJsonIter iter = vci_json_iter(settings);

	if (settings != NULL && vci_json_kind(settings) != VCI_JSON_OBJECT)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "endpoints must be an object by endpoint name, as in {'token': {'path': "
						 "'/token'}}");
	while (vci_json_next(&iter))
	{
		VciStatus status;

		if (!is_endpoint_name(iter.name))
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "there is no endpoint %.64s; endpoints are token, nonce, credential, "
							 "batch_credential, deferred_credential, notification, authorize, par, "
							 "consent, offer, jwks, landing, status_list",
							 iter.name);
		status = check_members(iter.name, iter.value, error);
		if (status != VCI_OK)
			return status;
	}
	return VCI_OK;
}

/* Documents at fixed paths must not be hidden by an endpoint, nor hide one. */
static VciStatus
check_path(const char *path, VciError *error)
{
	const char *last = strrchr(path, '/');
	VciStatus status = vci_path_check(path, "the path of an endpoint", error);

	if (status != VCI_OK)
		return status;
	if (last == NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "the path of an endpoint must not be empty; write null for the default");
	if (strstr(path, "/.well-known") != NULL || strcmp(last, "/did.json") == 0)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "the path of an endpoint must not hold the segment .well-known nor end in "
						 "did.json");
	return VCI_OK;
}

/* base + middle + separator + leaf; malloc'd. */
static char *
join(const char *base, const char *middle, const char *separator, const char *leaf)
{
	size_t size = strlen(base) + strlen(middle) + strlen(separator) + strlen(leaf) + 1;
	char *url = malloc(size);

	if (url != NULL)
	{
		strcpy(url, base);
		strcat(url, middle);
		strcat(url, separator);
		strcat(url, leaf);
	}
	return url;
}

/* Drafts 11 to 13 alone know the batch endpoint; 1.0 has several proofs in one request. */
static bool
enabled_by_default(const VciIssuer *issuer, VciEndpoint endpoint)
{
	return endpoint != VCI_ENDPOINT_BATCH_CREDENTIAL || issuer->profile != VCI_PROFILE_FINAL;
}

/* malloc'd; the landing page's is short, because it goes into messages. */
static char *
default_url(const VciIssuer *issuer, const char *base_url, VciEndpoint endpoint)
{
	if (endpoint == VCI_ENDPOINT_LANDING)
		return join(base_url, "/o", "", "");
	if (endpoint == VCI_ENDPOINT_STATUS_LIST)
		return join(base_url, issuer->base_path, "/", "status-lists");
	return join(base_url, issuer->base_path, "/", endpoint_names[endpoint]);
}

static VciStatus
resolve_endpoint(const VciIssuer *issuer, VciEndpoint endpoint, const VciJson *setting,
				 VciEndpointRule *rule, VciError *error)
{
	const char *path = vci_json_get_string(setting, "path");
	const char *base_url = vci_json_get_string(setting, "base_url");
	VciStatus status = VCI_OK;

	rule->enabled = enabled_by_default(issuer, endpoint);
	(void) vci_json_get_boolean(setting, "enabled", &rule->enabled);
	if (base_url != NULL)
		status = vci_issuer_url_check(base_url, error);
	if (status == VCI_OK && path != NULL)
		status = check_path(path, error);
	if (status != VCI_OK)
		return status;
	if (base_url == NULL)
		base_url = issuer->url;
	rule->url =
		path != NULL ? join(base_url, path, "", "") : default_url(issuer, base_url, endpoint);
	if (rule->url == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	return VCI_OK;
}

/* "/" and one more segment */
static bool
is_one_segment(const char *rest)
{
	return rest[0] == '/' && rest[1] != '\0' && strchr(rest + 1, '/') == NULL;
}

bool
vci_endpoint_takes(VciEndpoint endpoint, const char *rest)
{
	VciStatusListTarget target;

	if (endpoint == VCI_ENDPOINT_OFFER)
		return is_one_segment(rest);
	if (endpoint == VCI_ENDPOINT_STATUS_LIST)
		return vci_status_list_target_parse(rest, &target);
	return rest[0] == '\0';
}

/* Would a request for b's URL also be one for a's? */
static bool
covers(const VciEndpointRule endpoints[VCI_ENDPOINT_COUNT], VciEndpoint a, VciEndpoint b)
{
	const char *url = endpoints[a].url;
	size_t len = strlen(url);
	const char *rest = strncmp(endpoints[b].url, url, len) == 0 ? endpoints[b].url + len : NULL;

	return rest != NULL &&
		   (rest[0] == '\0' || (vci_endpoint_takes(b, "") && vci_endpoint_takes(a, rest)));
}

static VciStatus
check_distinct(const VciEndpointRule endpoints[VCI_ENDPOINT_COUNT], VciError *error)
{
	for (int a = 0; a < VCI_ENDPOINT_COUNT; a++)
	{
		for (int b = 0; b < VCI_ENDPOINT_COUNT; b++)
		{
			if (a != b && covers(endpoints, (VciEndpoint) a, (VciEndpoint) b))
				return vci_error(error, VCI_ERR_CONFIGURATION,
								 "endpoints %s and %s must not share the URL %.150s",
								 endpoint_names[a], endpoint_names[b], endpoints[b].url);
		}
	}
	return VCI_OK;
}

VciStatus
vci_endpoints_resolve(const VciIssuer *issuer, const VciJson *settings,
					  VciEndpointRule endpoints[VCI_ENDPOINT_COUNT], VciError *error)
{
	VciStatus status = check_settings(settings, error);

	memset(endpoints, 0, sizeof(VciEndpointRule) * VCI_ENDPOINT_COUNT);
	for (int i = 0; status == VCI_OK && i < VCI_ENDPOINT_COUNT; i++)
		status = resolve_endpoint(issuer, (VciEndpoint) i,
								  vci_json_get(settings, endpoint_names[i]), &endpoints[i], error);
	if (status == VCI_OK)
		status = check_distinct(endpoints, error);
	if (status != VCI_OK)
		vci_endpoints_free(endpoints);
	return status;
}

void
vci_endpoints_free(VciEndpointRule endpoints[VCI_ENDPOINT_COUNT])
{
	for (int i = 0; i < VCI_ENDPOINT_COUNT; i++)
	{
		free(endpoints[i].url);
		endpoints[i].url = NULL;
	}
}
