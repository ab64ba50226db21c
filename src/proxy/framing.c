#include "framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define HTTP_VERSION_LENGTH 8 /* HTTP/1.1 */
#define CRLF_LENGTH			2

typedef struct Scan
{
	PgArrayWriter *headers;
	Framing *framing;
	const char *line; /* where the next line starts in the buffer; NULL: not to be checked */
	unsigned hosts;
	unsigned lengths;
	unsigned codings;
	unsigned authorizations;
	unsigned dpops;
} Scan;

static void
fault(Framing *framing, int status, const char *text)
{
	if (framing->status != 0)
		return;
	framing->status = status;
	framing->text = text;
}

/*
 * Before version 1.0 the library neither sees NUL bytes nor handles folded lines (it
 * appends them to the field's name). It keeps the lines where they were read, though,
 * and puts two NULs for each CRLF: where a line does not start right behind those of the
 * line before, a NUL, a fold or a bare LF was there. (A NUL right before a bare LF looks
 * like a CRLF, and is taken for one.) Version 1.0 refuses these itself.
 */
static bool
keeps_lines_in_place(void)
{
	return strncmp(MHD_get_version(), "0.", 2) == 0;
}

/* The line behind the one that ends at end; NULL when no CRLF was there. */
static const char *
next_line(const char *end)
{
	return end[0] == '\0' && end[1] == '\0' ? end + CRLF_LENGTH : NULL;
}

static void
check_place(Scan *scan, const char *name, size_t name_len, const char *value, size_t value_len)
{
	const char *gap = name + name_len + 1;

	if (scan->line == NULL)
		return;
	if (name != scan->line || value < gap || strspn(gap, " \t") < (size_t) (value - gap))
		scan->line = NULL;
	else
		scan->line = next_line(value + value_len);
	if (scan->line == NULL)
		fault(scan->framing, 400, "A header line has a NUL, a fold, or no CRLF at its end.\n");
}

static bool
equals(const char *text, size_t len, const char *other)
{
	return strlen(other) == len && strncasecmp(text, other, len) == 0;
}

/* The value as it stands on the line, without the white space around it. */
static void
check_meaning(Scan *scan, const char *name, size_t name_len, const char *value, size_t value_len)
{
	Framing *framing = scan->framing;

	if (equals(name, name_len, "Host"))
		scan->hosts++;
	else if (equals(name, name_len, "Content-Length"))
	{
		scan->lengths++;
		/* The library has refused what is no number. */
		framing->length = strtoull(value, NULL, 10);
	}
	else if (equals(name, name_len, "Transfer-Encoding"))
	{
		scan->codings++;
		framing->chunked = true;
		if (!equals(value, value_len, "chunked"))
			fault(framing, 400, "The only Transfer-Encoding that this server reads is chunked.\n");
	}
	else if (equals(name, name_len, "Authorization"))
		scan->authorizations++;
	else if (equals(name, name_len, "DPoP"))
		scan->dpops++;
	else if (equals(name, name_len, "Expect"))
		framing->expects_continue = true;
}

static enum MHD_Result
scan_header(void *argument, enum MHD_ValueKind kind, const char *name, size_t name_len,
			const char *value, size_t value_len)
{
	Scan *scan = argument;
	Framing *framing = scan->framing;

	(void) kind;
	if (value == NULL)
		value = "";
	check_place(scan, name, name_len, value, value_len);
	if (!text_is_token(name, name_len))
		fault(framing, 400, "A header name is no token.\n");
	if (!text_is_field_value(value, value_len))
		fault(framing, 400, "A header value has a control character or is no UTF-8.\n");
	check_meaning(scan, name, name_len, value, value_len);
	while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
		value_len--;
	if (scan->headers->count >= 2 * FRAMING_MAX_HEADERS)
		fault(framing, 431, "The request has more than 100 header fields.\n");
	if (framing->status != 0)
		return MHD_NO;
	if (!pg_array_add(scan->headers, name, name_len) ||
		!pg_array_add(scan->headers, value, value_len))
		fault(framing, 503, "The service is out of memory. Please try again.\n");
	return MHD_YES;
}

/* RFC 9112 section 3: one space between method, target and version, and nothing hidden. */
static const char *
check_request_line(const FramingRequest *request, Framing *framing)
{
	size_t target_len = strlen(request->target);

	if (!text_is_token(request->method, strlen(request->method)))
		fault(framing, 400, "The request method is no token.\n");
	if (!text_is_target(request->target, target_len))
		fault(framing, 400,
			  "The request target has white space, a control character or bad UTF-8.\n");
	if (!keeps_lines_in_place())
		return NULL;
	if (request->url != request->method + strlen(request->method) + 1 ||
		request->version != request->url + target_len + 1)
		fault(framing, 400, "The request line has a NUL or needless white space.\n");
	return next_line(request->version + HTTP_VERSION_LENGTH);
}

/* The header fields must end where the library found their end: no NUL cut them short. */
static void
check_end(const FramingRequest *request, const Scan *scan, Framing *framing)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	if (size == NULL)
		return;
	if (keeps_lines_in_place() &&
		(scan->line == NULL || scan->line + CRLF_LENGTH != request->method + size->header_size))
		fault(framing, 400, "A header line has a NUL, a fold, or no CRLF at its end.\n");
	if (size->header_size > request->max_header)
		fault(framing, 431, "The request header is too large.\n");
}

static void
check_counts(const FramingRequest *request, const Scan *scan, Framing *framing)
{
	bool old = strcmp(request->version, MHD_HTTP_VERSION_1_0) == 0;

	if (scan->lengths > 1)
		fault(framing, 400, "The request has more than one Content-Length header.\n");
	if (scan->codings > 1)
		fault(framing, 400, "The request has more than one Transfer-Encoding header.\n");
	if (scan->lengths > 0 && scan->codings > 0)
		fault(framing, 400, "The request has both Content-Length and Transfer-Encoding.\n");
	if (scan->codings > 0 && old)
		fault(framing, 400, "Transfer-Encoding needs HTTP/1.1.\n");
	if (scan->authorizations > 1)
		fault(framing, 400, "The request has more than one Authorization header.\n");
	if (scan->dpops > 1)
		fault(framing, 400, "The request has more than one DPoP header.\n");
	/* RFC 9112 section 3.2. */
	if (scan->hosts > 1 || (scan->hosts == 0 && !old))
		fault(framing, 400, "The request must have one Host header.\n");
}

Framing
framing_check(const FramingRequest *request, PgArrayWriter *headers)
{
	Framing framing = {0};
	Scan scan = {.headers = headers, .framing = &framing};

	scan.line = check_request_line(request, &framing);
	if (framing.status == 0)
		MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, scan_header, &scan);
	if (framing.status == 0)
		check_end(request, &scan, &framing);
	if (framing.status == 0)
		check_counts(request, &scan, &framing);
	pg_array_finish(headers);
	return framing;
}
