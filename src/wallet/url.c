#include "url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../jose/json.h"
#include "text.h"

typedef struct UrlParts
{
	char *scheme;
	char *host;
	char *port; /* with the scheme's default filled in */
	char *path;
	bool has_user;
	bool has_query;
	bool has_fragment;
} UrlParts;

static void
parts_free(UrlParts *parts)
{
	curl_free(parts->scheme);
	curl_free(parts->host);
	curl_free(parts->port);
	curl_free(parts->path);
}

static bool
url_has(CURLU *handle, CURLUPart part)
{
	char *value = NULL;
	bool has = curl_url_get(handle, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return has;
}

static bool
parts_parse(const char *url, UrlParts *parts)
{
	CURLU *handle = curl_url();
	bool ok;

	memset(parts, 0, sizeof(*parts));
	if (handle == NULL)
		return false;
	ok = curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK &&
		 curl_url_get(handle, CURLUPART_SCHEME, &parts->scheme, 0) == CURLUE_OK &&
		 curl_url_get(handle, CURLUPART_HOST, &parts->host, 0) == CURLUE_OK &&
		 curl_url_get(handle, CURLUPART_PORT, &parts->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		 curl_url_get(handle, CURLUPART_PATH, &parts->path, 0) == CURLUE_OK;
	parts->has_user = url_has(handle, CURLUPART_USER) || url_has(handle, CURLUPART_PASSWORD);
	parts->has_query = url_has(handle, CURLUPART_QUERY);
	parts->has_fragment = url_has(handle, CURLUPART_FRAGMENT);
	curl_url_cleanup(handle);
	return ok;
}

static bool
host_is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool
parts_check(const UrlParts *parts, const char *url, bool insecure, const char *what,
			WalletFailure *failure)
{
	if (strcmp(parts->scheme, "https") != 0 && strcmp(parts->scheme, "http") != 0)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "%s has the scheme %s; expected https: %s", what, parts->scheme, url);
	if (parts->has_user)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "%s carries a user name or password, which no specification allows",
						   what);
	if (strcmp(parts->scheme, "http") == 0 && !insecure && !host_is_loopback(parts->host))
	{
		wallet_fail(failure, WALLET_EXIT_USAGE, "%s is plain http: %s", what, url);
		return wallet_advise(failure, "Anyone on the way could read the code and the credential. "
									  "Use https, or give --insecure on a test network.");
	}
	return true;
}

bool
wallet_url_check(const char *url, bool insecure, const char *what, WalletFailure *failure)
{
	UrlParts parts;
	bool ok = parts_parse(url, &parts);

	if (!ok)
		wallet_fail(failure, WALLET_EXIT_UNVERIFIED, "%s is no absolute URL: %s", what, url);
	else
		ok = parts_check(&parts, url, insecure, what, failure);
	parts_free(&parts);
	return ok;
}

bool
wallet_url_check_identifier(const char *url, bool insecure, const char *what,
							WalletFailure *failure)
{
	if (!wallet_url_check(url, insecure, what, failure))
		return false;
	if (strpbrk(url, "?#") != NULL)
		return wallet_fail(failure, WALLET_EXIT_UNVERIFIED,
						   "%s must have no query and no fragment "
						   "(OpenID4VCI 1.0 section 12.2.1): %s",
						   what, url);
	return true;
}

bool
wallet_url_is_loopback(const char *url)
{
	UrlParts parts;
	bool loopback = parts_parse(url, &parts) && host_is_loopback(parts.host);

	parts_free(&parts);
	return loopback;
}

bool
wallet_url_same_origin(const char *a, const char *b)
{
	UrlParts left;
	UrlParts right;
	bool parsed_left = parts_parse(a, &left);
	bool parsed_right = parts_parse(b, &right);
	bool same = parsed_left && parsed_right && strcmp(left.scheme, right.scheme) == 0 &&
				strcasecmp(left.host, right.host) == 0 && strcmp(left.port, right.port) == 0;

	parts_free(&left);
	parts_free(&right);
	return same;
}

/* Where the path of an absolute URL without query starts; its end when there is none. */
static const char *
path_start(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *start = authority == NULL ? url : authority + 3;

	return start + strcspn(start, "/");
}

char *
wallet_url_well_known(const char *identifier, const char *name)
{
	const char *path = path_start(identifier);
	size_t path_len = strlen(path);

	if (path_len > 0 && path[path_len - 1] == '/')
		path_len--;
	return wallet_format("%.*s/.well-known/%s%.*s", (int) (path - identifier), identifier, name,
						 (int) path_len, path);
}

char *
wallet_url_did_document(const char *identifier)
{
	const char *path = path_start(identifier);

	if (*path == '\0' || strcmp(path, "/") == 0)
		return wallet_url_well_known(identifier, "did.json");
	return wallet_format("%s/did.json", identifier);
}

char *
wallet_url_did_key(const char *did, const char *fragment)
{
	char *encoded = curl_easy_escape(NULL, fragment, 0);
	char *url = encoded == NULL ? NULL : wallet_format("%s#%s", did, encoded);

	curl_free(encoded);
	return url;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undoes form encoding; false for a bad escape, NUL, or bytes that are no UTF-8. */
static bool
decode(const char *text, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
	{
		char c = text[i] == '+' ? ' ' : text[i];

		if (c == '%')
		{
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char) (high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return false;
		out[used++] = c;
	}
	out[used] = '\0';
	return vci_utf8_valid(out, used);
}

static WalletParameter
take_value(const char *text, size_t len, char **value)
{
	if (*value != NULL)
		return WALLET_PARAMETER_REPEATED;
	*value = malloc(len + 1);
	if (*value == NULL)
		return WALLET_PARAMETER_NO_MEMORY;
	return decode(text, len, *value) ? WALLET_PARAMETER_FOUND : WALLET_PARAMETER_MALFORMED;
}

WalletParameter
wallet_url_parameter(const char *uri, const char *name, char **value)
{
	WalletParameter result = WALLET_PARAMETER_ABSENT;
	const char *query = strchr(uri, '?');
	const char *end = query == NULL ? NULL : query + strcspn(query, "#");
	size_t name_len = strlen(name);

	*value = NULL;
	for (const char *at = query; at != NULL && at < end;)
	{
		const char *pair = at + 1;
		size_t len = strcspn(pair, "&#");

		if (len > name_len && pair[name_len] == '=' && strncmp(pair, name, name_len) == 0)
			result = take_value(pair + name_len + 1, len - name_len - 1, value);
		if (result != WALLET_PARAMETER_FOUND && result != WALLET_PARAMETER_ABSENT)
			break;
		at = pair + len;
	}
	if (result != WALLET_PARAMETER_FOUND)
	{
		free(*value);
		*value = NULL;
	}
	return result;
}

bool
wallet_form_add(char **form, const char *name, const char *value)
{
	char *encoded_name = curl_easy_escape(NULL, name, 0);
	char *encoded_value = curl_easy_escape(NULL, value, 0);
	char *longer = NULL;

	if (encoded_name != NULL && encoded_value != NULL)
		longer = wallet_format("%s%s%s=%s", *form == NULL ? "" : *form, *form == NULL ? "" : "&",
							   encoded_name, encoded_value);
	curl_free(encoded_name);
	curl_free(encoded_value);
	if (longer == NULL)
		return false;
	free(*form);
	*form = longer;
	return true;
}
