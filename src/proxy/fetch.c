#include "fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define STATUS_OK 200

typedef struct Document
{
	char *text;
	size_t len;
	bool too_large;
} Document;

const char *
fetch_library_version(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}

bool
fetch_start(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void
fetch_stop(void)
{
	curl_global_cleanup();
}

static bool fail(char *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool
fail(char *problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, FETCH_PROBLEM_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* Plain http only within this machine. *loopback tells whether the URL stays there. */
static bool
check_url(const char *url, bool *loopback, char *problem)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	bool ok = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
			  curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
			  curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;

	if (!ok)
		fail(problem, "that is no absolute URL");
	else
	{
		*loopback = is_loopback(host);
		ok = strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && *loopback);
		if (!ok)
			fail(problem, "keys are fetched by https, and by http from loopback addresses only");
	}
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return ok;
}

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
	Document *document = context;
	size_t len = size * count;

	document->too_large = len > FETCH_MAX_BYTES - document->len;
	if (document->too_large)
		return 0;
	memcpy(document->text + document->len, data, len);
	document->len += len;
	return len;
}

static void
configure(CURL *curl, const FetchSettings *settings, const char *url, bool loopback,
		  struct curl_slist *headers)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) settings->timeout);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "openid4vci-proxy");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (settings->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
	/* A proxy from the environment is never meant for this machine itself. */
	if (loopback)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

/* What came is the document, unless the transfer or the answer says otherwise. */
static bool
judge(CURL *curl, CURLcode code, const char *error, const Document *document,
	  const FetchSettings *settings, char *problem)
{
	long status = 0;

	if (document->too_large)
		return fail(problem, "the server sends more than %d bytes", FETCH_MAX_BYTES);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail(problem, "there is no whole answer within %d s", settings->timeout);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return fail(problem,
					"the server's certificate does not verify (%s); for a private certificate "
					"authority give --cacert FILE",
					error);
	if (code == CURLE_SSL_CACERT_BADFILE && settings->ca_file != NULL)
		return fail(problem, "--cacert %s cannot be read as PEM certificates", settings->ca_file);
	if (code != CURLE_OK)
		return fail(problem, "%s", error[0] != '\0' ? error : curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 300 && status < 400)
		return fail(problem,
					"the server answers %ld, and redirects are not followed; make jwks_uri the "
					"URL at which the keys are",
					status);
	if (status != STATUS_OK)
		return fail(problem, "the server answers %ld", status);
	if (memchr(document->text, '\0', document->len) != NULL ||
		!text_is_utf8(document->text, document->len))
		return fail(problem, "the server sends no JSON in UTF-8");
	return true;
}

static bool
perform(CURL *curl, const FetchSettings *settings, const char *url, bool loopback,
		Document *document, char *problem)
{
	/* RFC 7517 section 8.5.2, and what servers send in its place. */
	struct curl_slist *headers =
		curl_slist_append(NULL, "Accept: application/jwk-set+json, application/json");
	char error[CURL_ERROR_SIZE] = "";
	bool ok;

	if (headers == NULL)
		return fail(problem, "memory is out");
	configure(curl, settings, url, loopback, headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, document);
	ok = judge(curl, curl_easy_perform(curl), error, document, settings, problem);
	curl_slist_free_all(headers);
	return ok;
}

char *
fetch_text(const FetchSettings *settings, const char *url, char problem[FETCH_PROBLEM_SIZE])
{
	Document document = {0};
	bool loopback;
	bool ok;
	CURL *curl;

	if (!check_url(url, &loopback, problem))
		return NULL;
	curl = curl_easy_init();
	document.text = malloc(FETCH_MAX_BYTES + 1);
	ok = (curl != NULL && document.text != NULL) || fail(problem, "memory is out");
	ok = ok && perform(curl, settings, url, loopback, &document, problem);
	if (ok)
		document.text[document.len] = '\0';
	else
	{
		free(document.text);
		document.text = NULL;
	}
	curl_easy_cleanup(curl);
	return document.text;
}
