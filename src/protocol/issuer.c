#include "issuer.h"

#include <stdlib.h>
#include <string.h>

#include "../jose/did.h"

#define ISSUER_URL_MAX	1024
#define PATH_MAX_LENGTH 256
#define PAGE_URL_MAX	2048

unsigned
vci_older_by_name(const char *name)
{
	static const struct
	{
		const char *name;
		unsigned bit;
	} switches[] = {
		{"format_request", VCI_OLDER_FORMAT_REQUEST},
		{"singular_proof", VCI_OLDER_SINGULAR_PROOF},
		{"untyped_proof", VCI_OLDER_UNTYPED_PROOF},
		{"vc_sd_jwt", VCI_OLDER_VC_SD_JWT},
		{"metadata", VCI_OLDER_METADATA},
		{"holder_without_proof", VCI_OLDER_HOLDER_WITHOUT_PROOF},
		{"credential_definition", VCI_OLDER_CREDENTIAL_DEFINITION},
	};

	if (name == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
	{
		if (strcmp(name, switches[i].name) == 0)
			return switches[i].bit;
	}
	return 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Labels of lower-case letters, digits and inner hyphens, each at most 63 long. */
static bool
is_dns_name(const char *host, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (host[i] == '.')
		{
			if (label == 0 || host[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_lower_alnum(host[i]) && !(host[i] == '-' && label > 0))
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0 && host[len - 1] != '-';
}

/* The characters of an IPv6 literal; whoever dials it judges the rest. */
static bool
is_ipv6_literal(const char *host, size_t len)
{
	if (len < 4 || host[0] != '[' || host[len - 1] != ']')
		return false;
	for (size_t i = 1; i < len - 1; i++)
	{
		bool hex = is_digit(host[i]) || (host[i] >= 'a' && host[i] <= 'f');

		if (!hex && host[i] != ':' && host[i] != '.')
			return false;
	}
	return memchr(host, ':', len) != NULL;
}

static bool
span_is(const char *text, size_t len, const char *expected)
{
	return len == strlen(expected) && memcmp(text, expected, len) == 0;
}

/* 127.0.0.0/8 as four decimal numbers; "127.example.org" is a name like any other. */
static bool
is_ipv4_loopback(const char *host, size_t len)
{
	size_t dots = 0;
	size_t digits = 0;

	if (len < 9 || len > 15 || memcmp(host, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (host[i] == '.')
		{
			if (digits == 0)
				return false;
			dots++;
			digits = 0;
		}
		else if (!is_digit(host[i]) || ++digits > 3)
			return false;
	}
	return dots == 3 && digits > 0;
}

static bool
is_loopback(const char *host, size_t len)
{
	return span_is(host, len, "localhost") || span_is(host, len, "[::1]") ||
		   is_ipv4_loopback(host, len);
}

static bool
is_port(const char *text, size_t len)
{
	long port = 0;

	if (len == 0 || len > 5 || text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (!is_digit(text[i]))
			return false;
		port = port * 10 + (text[i] - '0');
	}
	return port <= 65535;
}

/* pchar of RFC 3986 without percent escapes: two spellings of one path would not compare equal. */
static bool
is_path_char(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') ||
		   (c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

/* "/a/b": no empty, "." or ".." segment, no slash at the end. */
static VciStatus
check_segments(const char *path, const char *what, VciError *error)
{
	const char *segment = path;

	while (*segment != '\0')
	{
		size_t len;

		segment++;
		len = strcspn(segment, "/");
		if (len == 0)
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "%s must not end with a slash or hold an empty path segment", what);
		if (span_is(segment, len, ".") || span_is(segment, len, ".."))
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "%s must not hold a . or .. path segment", what);
		for (size_t i = 0; i < len; i++)
		{
			if (!is_path_char(segment[i]))
				return vci_error(error, VCI_ERR_CONFIGURATION,
								 "%s may hold only letters, digits and -._~!$&'()*+,;=:@ between "
								 "the slashes of its path",
								 what);
		}
		segment += len;
	}
	return VCI_OK;
}

/* host[:port] of an issuer URL. */
static bool
is_default_port(const char *port, size_t len, bool http)
{
	const char *expected = http ? "80" : "443";

	return len == strlen(expected) && memcmp(port, expected, len) == 0;
}

static VciStatus
check_authority(const char *authority, size_t len, const char *what, bool loopback_only,
				VciError *error)
{
	const char *end = authority + len;
	const char *host_end = end;

	for (const char *p = end; p > authority && p[-1] != ']'; p--)
	{
		if (p[-1] == ':')
		{
			host_end = p - 1;
			if (!is_port(p, (size_t) (end - p)))
				return vci_error(error, VCI_ERR_CONFIGURATION,
								 "the port of %s must be a number from 1 to 65535", what);
			/* one spelling: with and without it the same host would have two issuers */
			if (is_default_port(p, (size_t) (end - p), loopback_only))
				return vci_error(error, VCI_ERR_CONFIGURATION, "leave the default port out of %s",
								 what);
			break;
		}
	}
	if (!is_dns_name(authority, (size_t) (host_end - authority)) &&
		!is_ipv6_literal(authority, (size_t) (host_end - authority)))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "%s needs a host name in lower case, or an IP address, and no user name: "
						 "https://host[:port][/path]",
						 what);
	if (loopback_only && !is_loopback(authority, (size_t) (host_end - authority)))
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "%s must use https; http is for localhost, 127.0.0.1 and [::1] alone",
						 what);
	return VCI_OK;
}

/* OpenID4VCI 1.0 section 12.2.1: scheme, host, port and path, compared without normalization. */
VciStatus
vci_issuer_url_check(const char *url, VciError *error)
{
	const char *authority;
	size_t authority_len;
	VciStatus status;
	bool http;

	if (url == NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION, "the issuer URL is missing");
	if (strlen(url) > ISSUER_URL_MAX)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "an issuer URL may have %d characters at most", ISSUER_URL_MAX);
	http = strncmp(url, "http://", 7) == 0;
	if (!http && strncmp(url, "https://", 8) != 0)
		return vci_error(error, VCI_ERR_CONFIGURATION, "an issuer URL must start with https://");
	if (strpbrk(url, "?#") != NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "an issuer URL must have no query and no fragment");
	authority = url + (http ? 7 : 8);
	authority_len = strcspn(authority, "/");
	status = check_authority(authority, authority_len, "an issuer URL", http, error);
	if (status != VCI_OK)
		return status;
	if (strstr(authority, "/.well-known") != NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "an issuer URL must not hold the path segment .well-known");
	return check_segments(authority + authority_len, "an issuer URL", error);
}

VciStatus
vci_path_check(const char *path, const char *what, VciError *error)
{
	if (strlen(path) > PATH_MAX_LENGTH)
		return vci_error(error, VCI_ERR_CONFIGURATION, "%s may have %d characters at most", what,
						 PATH_MAX_LENGTH);
	if (path[0] != '\0' && path[0] != '/')
		return vci_error(error, VCI_ERR_CONFIGURATION,
						 "%s must be empty or start with a slash, as in /api/v1/openid4vci", what);
	return check_segments(path, what, error);
}

VciStatus
vci_issuer_base_path_check(const char *base_path, VciError *error)
{
	if (base_path == NULL)
		return vci_error(error, VCI_ERR_CONFIGURATION, "the base path is missing");
	return vci_path_check(base_path, "a base path", error);
}

VciStatus
vci_page_url_check(const char *url, const char *what, VciError *error)
{
	bool http = strncmp(url, "http://", 7) == 0;
	const char *authority;

	if (strlen(url) > PAGE_URL_MAX)
		return vci_error(error, VCI_ERR_CONFIGURATION, "%s may have %d characters at most", what,
						 PAGE_URL_MAX);
	if (!http && strncmp(url, "https://", 8) != 0)
		return vci_error(error, VCI_ERR_CONFIGURATION, "%s must start with https://", what);
	for (const char *p = url; *p != '\0'; p++)
	{
		if (*p <= 0x20 || *p >= 0x7f || strchr("#\"<>\\^`{|}", *p) != NULL)
			return vci_error(error, VCI_ERR_CONFIGURATION,
							 "%s must be of plain URL characters and have no fragment", what);
	}
	authority = url + (http ? 7 : 8);
	return check_authority(authority, strcspn(authority, "/?"), what, http, error);
}

/* Behind "scheme://"; the whole text when there is no scheme. */
static const char *
authority_of(const char *url)
{
	const char *separator = strstr(url, "://");

	return separator == NULL ? url : separator + 3;
}

const char *
vci_issuer_url_path(const char *url)
{
	const char *authority = authority_of(url);

	return authority + strcspn(authority, "/");
}

char *
vci_issuer_url_authority(const char *url)
{
	const char *authority = authority_of(url);
	const char *default_port = strncmp(url, "http://", 7) == 0 ? ":80" : ":443";
	size_t port_len = strlen(default_port);
	size_t len = strcspn(authority, "/");

	/* clients leave the scheme's default port out of Host (RFC 9110 section 4.2.3) */
	if (len > port_len && memcmp(authority + len - port_len, default_port, port_len) == 0)
		len -= port_len;
	return strndup(authority, len);
}

char *
vci_issuer_iss(const VciIssuer *issuer)
{
	if (issuer->iss_did_web)
		return vci_did_web_from_url(issuer->url);
	return strdup(issuer->url);
}
