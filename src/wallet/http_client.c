#include "http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "url.h"

#define MAX_REDIRECTS	5
#define CONNECT_SECONDS 10L

typedef struct Transfer
{
	WalletResponse *response;
	size_t capacity;
	bool too_large;
	bool no_memory;
} Transfer;

bool
wallet_http_open(WalletContext *context)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return wallet_fail(&context->failure, WALLET_EXIT_INTERNAL, "libcurl does not start");
	context->curl = curl_easy_init();
	if (context->curl == NULL)
		return wallet_fail_memory(&context->failure);
	return true;
}

void
wallet_http_close(WalletContext *context)
{
	curl_easy_cleanup(context->curl);
	context->curl = NULL;
	curl_global_cleanup();
}

static bool
reserve(Transfer *transfer, size_t len)
{
	size_t capacity = transfer->capacity == 0 ? 4096 : transfer->capacity;
	char *grown;

	while (capacity < len + 1)
		capacity *= 2;
	if (capacity == transfer->capacity)
		return true;
	grown = realloc(transfer->response->body, capacity);
	if (grown == NULL)
		return false;
	transfer->response->body = grown;
	transfer->capacity = capacity;
	return true;
}

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
	Transfer *transfer = context;
	WalletResponse *response = transfer->response;
	size_t len = size * count;

	transfer->too_large = len > WALLET_RESPONSE_MAX_SIZE - response->body_len;
	transfer->no_memory = !transfer->too_large && !reserve(transfer, response->body_len + len);
	if (transfer->too_large || transfer->no_memory)
		return 0;
	memcpy(response->body + response->body_len, data, len);
	response->body_len += len;
	response->body[response->body_len] = '\0';
	return len;
}

static void
forget_headers(WalletResponse *response)
{
	free(response->content_type);
	free(response->cache_control);
	free(response->www_authenticate);
	free(response->location);
	response->content_type = response->cache_control = NULL;
	response->www_authenticate = response->location = NULL;
}

/* The trimmed value when line is the header of that name; NULL otherwise. */
static char *
header_value(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return NULL;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && strchr(" \t", line[0]) != NULL)
	{
		line++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	return vci_utf8_valid(line, len) ? strndup(line, len) : NULL;
}

static void
keep_header(char **slot, const char *line, size_t len, const char *name)
{
	char *value = header_value(line, len, name);

	if (value == NULL)
		return;
	free(*slot);
	*slot = value;
}

static size_t
take_header(char *data, size_t size, size_t count, void *context)
{
	WalletResponse *response = ((Transfer *) context)->response;
	size_t len = size * count;

	/* an interim 1xx answer comes with headers of its own */
	if (len >= 5 && strncmp(data, "HTTP/", 5) == 0)
		forget_headers(response);
	keep_header(&response->content_type, data, len, "Content-Type");
	keep_header(&response->cache_control, data, len, "Cache-Control");
	keep_header(&response->www_authenticate, data, len, "WWW-Authenticate");
	keep_header(&response->location, data, len, "Location");
	return len;
}

void
wallet_response_free(WalletResponse *response)
{
	forget_headers(response);
	free(response->body);
	memset(response, 0, sizeof(*response));
}

/* A NULL value takes the header away that libcurl would send of its own. */
static bool
add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char *line =
		wallet_format("%s:%s%s", name, value == NULL ? "" : " ", value == NULL ? "" : value);
	struct curl_slist *longer = line == NULL ? NULL : curl_slist_append(*headers, line);

	free(line);
	if (longer == NULL)
		return false;
	*headers = longer;
	return true;
}

static bool
request_headers(WalletContext *context, const WalletRequest *request, struct curl_slist **headers)
{
	char *authorization = NULL;
	bool ok = add_header(headers, "Accept", "application/json");

	if (ok && context->options->locale != NULL)
		ok = add_header(headers, "Accept-Language", context->options->locale);
	if (ok && request->content_type != NULL)
		ok = add_header(headers, "Content-Type", request->content_type);
	else if (ok && request->body != NULL)
		ok = add_header(headers, "Content-Type", NULL);
	if (ok && request->bearer != NULL)
	{
		authorization = wallet_format("Bearer %s", request->bearer);
		ok = authorization != NULL && add_header(headers, "Authorization", authorization);
		free(authorization);
	}
	return ok;
}

static void
configure(WalletContext *context, const WalletRequest *request, const char *url,
		  struct curl_slist *headers, Transfer *transfer, char *error)
{
	CURL *curl = context->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, context->options->timeout);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "openid4vci-wallet");
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	if (context->options->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, context->options->ca_file);
	/* a proxy from the environment is never meant for this machine itself */
	if (wallet_url_is_loopback(url))
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (request->body != NULL)
	{
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) strlen(request->body));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	}
}

/* A query, and the last segment of a secret URL, stay out of the trace. */
static void
trace_request(WalletContext *context, const WalletRequest *request, const char *url)
{
	size_t len = strcspn(url, "?#");
	bool query = url[len] != '\0';
	char *shown;

	if (!context->options->trace)
		return;
	while (request->secret_url && len > 0 && url[len - 1] != '/')
		len--;
	shown = strndup(url, len);
	fputs(request->body == NULL ? "> GET " : "> POST ", stderr);
	wallet_put_text(stderr, shown == NULL ? "" : shown);
	fprintf(stderr, "%s%s", request->secret_url ? "***" : "", query ? "?***" : "");
	if (request->parameters != NULL)
		fprintf(stderr, " (%s)", request->parameters);
	if (request->bearer != NULL)
		fputs(" Authorization: Bearer ***", stderr);
	fputc('\n', stderr);
	free(shown);
}

static void
trace_response(WalletContext *context, const WalletResponse *response)
{
	curl_off_t microseconds = 0;

	if (!context->options->trace)
		return;
	curl_easy_getinfo(context->curl, CURLINFO_TOTAL_TIME_T, &microseconds);
	fprintf(stderr, "< %ld ", response->status);
	wallet_put_text(stderr,
					response->content_type == NULL ? "(no content type)" : response->content_type);
	fprintf(stderr, ", %zu bytes, %ld ms\n", response->body_len, (long) (microseconds / 1000));
}

static bool
fail_transfer(WalletContext *context, const WalletRequest *request, const Transfer *transfer,
			  CURLcode code, const char *error)
{
	if (transfer->no_memory || code == CURLE_OUT_OF_MEMORY)
		return wallet_fail_memory(&context->failure);
	if (transfer->too_large)
		return wallet_fail(&context->failure, WALLET_EXIT_NETWORK,
						   "the %s sends more than %d bytes; the answer was dropped", request->what,
						   WALLET_RESPONSE_MAX_SIZE);
	if (code == CURLE_SSL_CACERT_BADFILE && context->options->ca_file != NULL)
		return wallet_fail(&context->failure, WALLET_EXIT_USAGE,
						   "--cacert %s cannot be read as PEM certificates",
						   context->options->ca_file);
	wallet_fail(&context->failure, WALLET_EXIT_NETWORK, "the %s cannot be reached: %s",
				request->what, error[0] != '\0' ? error : curl_easy_strerror(code));
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return wallet_advise(&context->failure,
							 "The server's certificate does not verify. For a private "
							 "certificate authority give --cacert FILE.");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return wallet_advise(&context->failure,
							 "No answer within %ld s; --timeout SECONDS waits longer.",
							 context->options->timeout);
	return wallet_advise(&context->failure,
						 "Check that the issuer runs and that this machine reaches it.");
}

static bool
send_once(WalletContext *context, const WalletRequest *request, const char *url,
		  WalletResponse *response)
{
	Transfer transfer = {.response = response};
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	CURLcode code;
	bool ok;

	wallet_response_free(response);
	ok = request_headers(context, request, &headers) && reserve(&transfer, 0);
	if (!ok)
		wallet_fail_memory(&context->failure);
	else
	{
		response->body[0] = '\0';
		configure(context, request, url, headers, &transfer, error);
		trace_request(context, request, url);
		code = curl_easy_perform(context->curl);
		curl_easy_getinfo(context->curl, CURLINFO_RESPONSE_CODE, &response->status);
		ok = code == CURLE_OK;
		if (ok)
			trace_response(context, response);
		else
			fail_transfer(context, request, &transfer, code, error);
	}
	curl_slist_free_all(headers);
	return ok;
}

static bool
may_follow(const WalletRequest *request, const char *from, const char *to, int hops,
		   WalletFailure *failure)
{
	if (request->body != NULL)
		return wallet_fail(failure, WALLET_EXIT_NETWORK,
						   "the %s redirects a POST, which would hand its secrets on: %s",
						   request->what, to);
	if (!wallet_url_same_origin(from, to))
		return wallet_fail(failure, WALLET_EXIT_NETWORK,
						   "the %s redirects to another origin, which is not followed: %s",
						   request->what, to);
	if (hops >= MAX_REDIRECTS)
		return wallet_fail(failure, WALLET_EXIT_NETWORK, "the %s redirects more than %d times",
						   request->what, MAX_REDIRECTS);
	return true;
}

bool
wallet_http_send(WalletContext *context, const WalletRequest *request, WalletResponse *response)
{
	char *url = strdup(request->url);
	bool ok = url != NULL || wallet_fail_memory(&context->failure);

	ok = ok && wallet_url_check(url, context->options->insecure, request->what, &context->failure);
	for (int hops = 0; ok; hops++)
	{
		char *next = NULL;

		ok = send_once(context, request, url, response);
		if (ok && !request->keep_redirect)
			curl_easy_getinfo(context->curl, CURLINFO_REDIRECT_URL, &next);
		if (next == NULL)
			break;
		ok = may_follow(request, url, next, hops, &context->failure);
		next = ok ? strdup(next) : NULL;
		if (ok && next == NULL)
			ok = wallet_fail_memory(&context->failure);
		free(url);
		url = next;
	}
	free(url);
	return ok;
}

static bool
is_json(const char *content_type)
{
	size_t len = content_type == NULL ? 0 : strcspn(content_type, "; \t");

	return len == strlen("application/json") &&
		   strncasecmp(content_type, "application/json", len) == 0;
}

bool
wallet_response_object(WalletContext *context, const WalletResponse *response, const char *what,
					   VciJson **object)
{
	VciError error = VCI_ERROR_INIT;

	if (vci_json_parse_object(response->body, response->body_len, object, &error) != VCI_OK)
	{
		char doing[128];

		snprintf(doing, sizeof(doing), "the answer of the %s is no JSON object", what);
		return wallet_fail_core(&context->failure, WALLET_EXIT_UNVERIFIED, &error, doing);
	}
	if (!is_json(response->content_type))
		wallet_note(context->notes,
					"the %s answers with content type %s instead of application/json", what,
					response->content_type == NULL ? "(none)" : response->content_type);
	return true;
}

void
wallet_response_check_no_store(WalletContext *context, const WalletResponse *response,
							   const char *what)
{
	if (response->cache_control == NULL || strcasestr(response->cache_control, "no-store") == NULL)
		wallet_note(context->notes, "the answer of the %s lacks Cache-Control: no-store", what);
}
