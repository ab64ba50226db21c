#include "redirect.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "http.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

/* RFC 3986 without "#", and without "'", "," and ";", which end a value in a header or a page */
#define URI_CHARACTERS LETTERS DIGITS "-._~:/?[]@!$&()*+=%"

typedef struct Span
{
	const char *start;
	size_t len;
} Span;

/* What stands before the first ":"; len 0 when that is no scheme (RFC 3986 section 3.1). */
static Span
scheme_of(const char *uri)
{
	size_t len = strspn(uri, LETTERS DIGITS "+-.");

	if (uri[len] != ':' || strchr(LETTERS, uri[0]) == NULL)
		len = 0;
	return (Span){uri, len};
}

/* What stands between "//" and the path, the query or the end; len 0 when there is none. */
static Span
authority_of(const char *uri)
{
	const char *rest = uri + scheme_of(uri).len;

	if (strncmp(rest, "://", 3) != 0)
		return (Span){rest, 0};
	return (Span){rest + 3, strcspn(rest + 3, "/?")};
}

/* The authority without its port. */
static Span
host_of(Span authority)
{
	const char *end = memchr(authority.start, authority.start[0] == '[' ? ']' : ':', authority.len);

	if (end == NULL)
		return authority;
	return (Span){authority.start, (size_t) (end - authority.start) + (*end == ']' ? 1 : 0)};
}

static bool
span_is(Span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.start, text, span.len) == 0;
}

/* The same without case. */
static bool
is_scheme(Span scheme, const char *name)
{
	return scheme.len == strlen(name) && vci_ascii_starts_with(scheme.start, name);
}

static bool
is_web(Span scheme)
{
	return is_scheme(scheme, "https") || is_scheme(scheme, "http");
}

/* ":" and a port number, or nothing. */
static bool
is_port(const char *text, size_t len)
{
	long port = 0;

	if (len == 0)
		return true;
	if (text[0] != ':' || len < 2 || len > 6)
		return false;
	for (size_t i = 1; i < len; i++)
	{
		if (strchr(DIGITS, text[i]) == NULL)
			return false;
		port = port * 10 + (text[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

static bool
is_loopback_literal(Span host)
{
	return span_is(host, "127.0.0.1") || span_is(host, "[::1]");
}

static bool
is_host(Span host)
{
	if (host.len == 0 || host.len > 255)
		return false;
	if (host.start[0] == '[')
		return host.len > 2 && host.start[host.len - 1] == ']' &&
			   strspn(host.start + 1, DIGITS "abcdefABCDEF:.") == host.len - 2;
	return strspn(host.start, LETTERS DIGITS "-.") >= host.len && host.start[0] != '.' &&
		   host.start[0] != '-';
}

static VciStatus
check_web(const char *uri, Span scheme, VciError *error)
{
	Span authority = authority_of(uri);
	Span host = host_of(authority);

	if (!is_host(host) || !is_port(host.start + host.len, authority.len - host.len))
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri must be https://host, with or without a port, and a path; "
						 "no user name");
	if (is_scheme(scheme, "http") && !is_loopback_literal(host) && !span_is(host, "localhost"))
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri may be http for 127.0.0.1, [::1] and localhost only; use "
						 "https");
	return VCI_OK;
}

/* Schemes that a browser or a device acts upon itself, instead of an app of the person's. */
static bool
is_taken(Span scheme)
{
	static const char *const taken[] = {
		"javascript", "data", "file", "vbscript", "about",	"blob", "filesystem", "view-source",
		"intent",	  "ftp",  "ws",	  "wss",	  "mailto", "tel",	"sms",
	};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
	{
		if (is_scheme(scheme, taken[i]))
			return true;
	}
	return false;
}

static VciStatus
check_app(const char *uri, Span scheme, VciError *error)
{
	const char *rest = uri + scheme.len + 1;

	if (is_taken(scheme))
		return vci_error(error, VCI_ERR_REDIRECT_URI, "redirect_uri must not use the scheme %.*s",
						 (int) scheme.len, scheme.start);
	if (rest[0] == '\0')
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri must have something behind its scheme");
	if (strchr(DIGITS, rest[0]) != NULL)
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri must begin with a scheme: write https:// before the host");
	return VCI_OK;
}

static VciStatus
check_characters(const char *uri, VciError *error)
{
	size_t len = strlen(uri);
	size_t good = strspn(uri, URI_CHARACTERS);

	if (len > VCI_REDIRECT_URI_MAX)
		return vci_error(error, VCI_ERR_REDIRECT_URI, "redirect_uri must have at most %d bytes",
						 VCI_REDIRECT_URI_MAX);
	if (uri[good] == '#')
		return vci_error(error, VCI_ERR_REDIRECT_URI, "redirect_uri must not have a fragment");
	if (good < len)
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri must hold URI characters only: letters, digits, %%XX and "
						 "-._~:/?[]@!$&()*+=");
	for (const char *p = strchr(uri, '%'); p != NULL; p = strchr(p + 1, '%'))
	{
		if (vci_percent_byte(p, len - (size_t) (p - uri)) <= 0)
			return vci_error(error, VCI_ERR_REDIRECT_URI,
							 "redirect_uri has a malformed percent escape, or one of NUL");
	}
	return VCI_OK;
}

VciStatus
vci_redirect_uri_check(const char *uri, VciError *error)
{
	VciStatus status = check_characters(uri, error);
	Span scheme;

	if (status != VCI_OK)
		return status;
	scheme = scheme_of(uri);
	if (scheme.len == 0)
		return vci_error(error, VCI_ERR_REDIRECT_URI,
						 "redirect_uri must be an absolute URI such as https://wallet.example/cb");
	return is_web(scheme) ? check_web(uri, scheme, error) : check_app(uri, scheme, error);
}

/* Behind the port of http://127.0.0.1 or http://[::1]; NULL for any other URI. */
static const char *
behind_loopback_port(const char *uri, size_t *prefix_len)
{
	Span authority = authority_of(uri);
	Span host = host_of(authority);

	if (!span_is(scheme_of(uri), "http") || !is_loopback_literal(host) ||
		!is_port(host.start + host.len, authority.len - host.len))
		return NULL;
	*prefix_len = (size_t) (host.start + host.len - uri);
	return authority.start + authority.len;
}

/* A native app listens on whichever port is free (RFC 8252 section 7.3). */
static bool
differs_in_port(const char *registered, const char *uri)
{
	size_t registered_len = 0;
	size_t uri_len = 0;
	const char *registered_rest = behind_loopback_port(registered, &registered_len);
	const char *uri_rest = behind_loopback_port(uri, &uri_len);

	return registered_rest != NULL && uri_rest != NULL && registered_len == uri_len &&
		   memcmp(registered, uri, uri_len) == 0 && strcmp(registered_rest, uri_rest) == 0;
}

bool
vci_redirect_uri_registered(const char *const *registered, size_t count, const char *uri)
{
	for (size_t i = 0; i < count; i++)
	{
		if (strcmp(registered[i], uri) == 0 || differs_in_port(registered[i], uri))
			return true;
	}
	return false;
}

/* Appends text behind *end and moves it. */
static void
append(char **end, const char *text)
{
	size_t len = strlen(text);

	memcpy(*end, text, len + 1);
	*end += len;
}

static const char *
separator(const char *uri)
{
	const char *query = strchr(uri, '?');
	size_t len = strlen(uri);

	if (query == NULL)
		return "?";
	return uri[len - 1] == '?' || uri[len - 1] == '&' ? "" : "&";
}

char *
vci_redirect_build(const char *uri, const VciRedirectParameter *parameters, size_t count)
{
	size_t size = strlen(uri) + 1;
	const char *before = separator(uri);
	char *built;
	char *end;

	for (size_t i = 0; i < count; i++)
	{
		if (parameters[i].value != NULL) /* each byte becomes three at most */
			size += 3 * strlen(parameters[i].value) + strlen(parameters[i].name) + 2;
	}
	built = malloc(size);
	if (built == NULL)
		return NULL;
	end = built;
	append(&end, uri);
	for (size_t i = 0; i < count; i++)
	{
		char *encoded;

		if (parameters[i].value == NULL)
			continue;
		encoded = vci_percent_encode(parameters[i].value);
		if (encoded == NULL)
		{
			free(built);
			return NULL;
		}
		append(&end, before);
		append(&end, parameters[i].name);
		append(&end, "=");
		append(&end, encoded);
		free(encoded);
		before = "&";
	}
	return built;
}

/* The first bytes of text, in lower case. */
static char *
lower_copy(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char) (text[i] - 'A' + 'a') : text[i];
	copy[len] = '\0';
	return copy;
}

char *
vci_redirect_form_action(const char *uri)
{
	Span scheme = scheme_of(uri);
	Span authority = authority_of(uri);

	/* a source of CSP can't be an IPv6 address (CSP 3 section 2.3.1) */
	if (!is_web(scheme) || authority.start[0] == '[')
		return lower_copy(uri, scheme.len + 1);
	return lower_copy(uri, (size_t) (authority.start + authority.len - uri));
}

char *
vci_redirect_place(const char *uri)
{
	Span scheme = scheme_of(uri);
	Span authority = authority_of(uri);

	if (!is_web(scheme))
		return lower_copy(uri, scheme.len + 1);
	return lower_copy(authority.start, authority.len);
}
