#include "http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"

#define TARGET_MAX 8192

/* -1 for a character that is no hexadecimal digit. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
vci_percent_byte(const char *text, size_t left)
{
	int high;
	int low;

	if (left < 3)
		return -1;
	high = hex_value(text[1]);
	low = hex_value(text[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool
is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* Decodes the path of a target into out, which holds len + 1 bytes. */
static VciStatus
decode_path(const char *text, size_t len, char *out, VciError *error)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
	{
		int c = (unsigned char) text[i];

		if (c == '%')
		{
			c = vci_percent_byte(text + i, len - i);
			if (c < 0)
				return vci_error(error, VCI_ERR_HTTP,
								 "the request path has a malformed percent escape");
			if (c == '/')
				return vci_error(error, VCI_ERR_HTTP, "the request path has an encoded slash");
			if (is_control((unsigned char) c))
				return vci_error(error, VCI_ERR_HTTP,
								 "the request path has an encoded control character");
			i += 2;
		}
		out[used++] = (char) c;
	}
	out[used] = '\0';
	if (!vci_utf8_valid(out, used))
		return vci_error(error, VCI_ERR_HTTP, "the request path is not valid UTF-8");
	return VCI_OK;
}

/* Only the last segment may be empty (a trailing slash); none is "." or "..". */
static VciStatus
check_segments(const char *path, VciError *error)
{
	const char *segment = path + 1;

	for (;;)
	{
		size_t len = strcspn(segment, "/");
		bool last = segment[len] == '\0';

		if (len == 0 && !last)
			return vci_error(error, VCI_ERR_HTTP, "the request path has an empty segment");
		if ((len == 1 && segment[0] == '.') || (len == 2 && segment[0] == '.' && segment[1] == '.'))
			return vci_error(error, VCI_ERR_HTTP, "the request path has a . or .. segment");
		if (last)
			return VCI_OK;
		segment += len + 1;
	}
}

VciStatus
vci_http_target_parse(const char *target, size_t target_len, VciHttpRequest *request,
					  VciError *error)
{
	const char *question;
	size_t path_len;
	VciStatus status;

	request->path = NULL;
	request->query = NULL;
	if (target_len > TARGET_MAX)
		return vci_error(error, VCI_ERR_HTTP, "the request target is longer than %d bytes",
						 TARGET_MAX);
	if (target == NULL || target_len == 0 || target[0] != '/')
		return vci_error(error, VCI_ERR_HTTP, "the request target must start with a slash");
	for (size_t i = 0; i < target_len; i++)
	{
		if (is_control((unsigned char) target[i]) || target[i] == ' ' || target[i] == '#')
			return vci_error(error, VCI_ERR_HTTP,
							 "the request target has a control character, space or fragment");
	}

	question = memchr(target, '?', target_len);
	path_len = question == NULL ? target_len : (size_t) (question - target);
	request->path = malloc(path_len + 1);
	if (request->path == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = decode_path(target, path_len, request->path, error);
	if (status == VCI_OK)
		status = check_segments(request->path, error);
	if (status != VCI_OK)
	{
		free(request->path);
		request->path = NULL;
		return status;
	}
	if (question != NULL)
		request->query = question + 1;
	return VCI_OK;
}

const char *
vci_http_header(const VciHttpRequest *request, const char *name, bool *repeated)
{
	const char *value = NULL;

	if (repeated != NULL)
		*repeated = false;
	for (size_t i = 0; i < request->header_count; i++)
	{
		if (!vci_ascii_equal(request->headers[i].name, name))
			continue;
		if (value == NULL)
			value = request->headers[i].value;
		else if (repeated != NULL)
			*repeated = true;
	}
	return value;
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* tchar of RFC 9110 section 5.6.2. */
static bool
is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		   (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t
token_length(const char *text)
{
	size_t len = 0;

	while (is_token_char(text[len]))
		len++;
	return len;
}

/*
 * One "; name=value" of a media type (RFC 9110 section 5.6.6) at *cursor, moving it on.
 * False when it is malformed, or a charset other than utf-8.
 */
static bool
accept_parameter(const char **cursor)
{
	const char *name = skip_blanks(*cursor + 1);
	size_t name_len = token_length(name);
	const char *value = name + name_len + 1;
	size_t value_len;

	if (name_len == 0)
	{
		*cursor = name; /* "application/json;" is sloppy but harmless */
		return true;
	}
	if (name[name_len] != '=')
		return false;
	if (*value == '"')
	{
		value++;
		value_len = strcspn(value, "\"\\");
		if (value[value_len] != '"')
			return false;
		*cursor = skip_blanks(value + value_len + 1);
	}
	else
	{
		value_len = token_length(value);
		if (value_len == 0)
			return false;
		*cursor = skip_blanks(value + value_len);
	}
	if (name_len == 7 && vci_ascii_starts_with(name, "charset"))
		return value_len == 5 && vci_ascii_starts_with(value, "utf-8");
	return true;
}

static bool
media_type_matches(const char *value, const char *media_type)
{
	size_t len = strlen(media_type);
	const char *cursor = skip_blanks(value);

	if (!vci_ascii_starts_with(cursor, media_type))
		return false;
	cursor = skip_blanks(cursor + len);
	while (*cursor == ';')
	{
		if (!accept_parameter(&cursor))
			return false;
	}
	return *cursor == '\0';
}

VciStatus
vci_http_content_type_check(const VciHttpRequest *request, const char *media_type, VciError *error)
{
	bool repeated;
	const char *value = vci_http_header(request, "Content-Type", &repeated);

	if (value == NULL || repeated || !media_type_matches(value, media_type))
		return vci_error(error, VCI_ERR_MEDIA_TYPE,
						 "this endpoint expects one Content-Type header, %s in UTF-8", media_type);
	return VCI_OK;
}

/* b64token of RFC 6750 section 2.1: 1*( ALPHA / DIGIT / "-._~+/" ) *"=" */
static size_t
b64token_length(const char *text)
{
	size_t len = 0;

	while ((text[len] >= '0' && text[len] <= '9') || (text[len] >= 'a' && text[len] <= 'z') ||
		   (text[len] >= 'A' && text[len] <= 'Z') ||
		   (text[len] != '\0' && strchr("-._~+/", text[len]) != NULL))
		len++;
	if (len > 0)
		len += strspn(text + len, "=");
	return len;
}

/* What follows the scheme's name, which ends at a blank or with the text; NULL: another scheme. */
static const char *
behind_scheme(const char *value, const char *scheme)
{
	size_t len = strlen(scheme);

	if (value == NULL || !vci_ascii_starts_with(value, scheme) ||
		(value[len] != ' ' && value[len] != '\0'))
		return NULL;
	return value + len + strspn(value + len, " ");
}

VciStatus
vci_http_authorization(const VciHttpRequest *request, VciAuthScheme *scheme, const char **token,
					   size_t *token_len, VciError *error)
{
	bool repeated;
	const char *value = vci_http_header(request, "Authorization", &repeated);
	const char *text = behind_scheme(value, "Bearer");
	size_t len;

	*scheme = VCI_AUTH_BEARER;
	*token = NULL;
	*token_len = 0;
	if (repeated)
		return vci_error(error, VCI_ERR_REQUEST, "the Authorization header must not be repeated");
	if (text == NULL)
	{
		text = behind_scheme(value, "DPoP");
		*scheme = VCI_AUTH_DPOP;
	}
	if (text == NULL)
		return vci_error(error, VCI_ERR_TOKEN_MISSING,
						 "this endpoint needs the header Authorization: Bearer (or DPoP) and an "
						 "access token");
	len = b64token_length(text);
	if (len == 0 || len > VCI_ACCESS_TOKEN_MAX || *skip_blanks(text + len) != '\0')
		return vci_error(error, VCI_ERR_TOKEN,
						 "the access token is malformed or longer than %d characters",
						 VCI_ACCESS_TOKEN_MAX);
	*token = text;
	*token_len = len;
	return VCI_OK;
}

/* The opaque part of an entity tag, quotes included; 0 when there is none at text. */
static size_t
opaque_tag_length(const char *text)
{
	size_t len;

	if (text[0] != '"')
		return 0;
	len = strcspn(text + 1, "\"");
	return text[1 + len] == '"' ? len + 2 : 0;
}

bool
vci_http_etag_matches(const char *if_none_match, const char *etag)
{
	const char *cursor;
	size_t etag_len;

	if (if_none_match == NULL || etag == NULL)
		return false;
	if (strncmp(etag, "W/", 2) == 0)
		etag += 2;
	etag_len = strlen(etag);
	cursor = skip_blanks(if_none_match);
	if (*cursor == '*')
		return *skip_blanks(cursor + 1) == '\0';
	while (*cursor != '\0')
	{
		size_t len;

		if (strncmp(cursor, "W/", 2) == 0)
			cursor += 2;
		len = opaque_tag_length(cursor);
		if (len == 0)
			return false;
		if (len == etag_len && memcmp(cursor, etag, len) == 0)
			return true;
		cursor += len;
		cursor += strspn(cursor, " \t,");
	}
	return false;
}

char *
vci_percent_encode(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = strlen(text);
	char *encoded;
	char *out;

	if (len > (SIZE_MAX - 1) / 3)
		return NULL;
	encoded = malloc(3 * len + 1);
	if (encoded == NULL)
		return NULL;
	out = encoded;
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			c == '-' || c == '.' || c == '_' || c == '~')
		{
			*out++ = (char) c;
			continue;
		}
		*out++ = '%';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15];
	}
	*out = '\0';
	return encoded;
}
