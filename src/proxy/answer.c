#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "pg_array.h"
#include "text.h"

#define LONGEST_RETRY_AFTER_S 8

void
answer_clear(Answer *answer)
{
	free(answer->headers);
	free(answer->header_text);
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
	answer->stated_length = -1;
}

void
answer_say(Answer *answer, int status, const char *text, int retry_after)
{
	answer_clear(answer);
	answer->status = status;
	answer->text = text;
	answer->retry_after = retry_after;
}

int
answer_retry_after(void)
{
	return 1 + (int) clock_jitter(LONGEST_RETRY_AFTER_S);
}

/* Fields that belong to one connection (RFC 9110 section 7.6.1) and are ours to set. */
static bool
is_hop_by_hop(const char *name)
{
	static const char *const names[] = {"Connection", "Keep-Alive",		   "Proxy-Connection", "TE",
										"Trailer",	  "Transfer-Encoding", "Upgrade"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool
read_length(const char *text, int64_t *length)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits] != '\0')
		return false;
	*length = strtoll(text, NULL, 10);
	return true;
}

/* Copies one element behind what header_text holds, with a NUL. */
static const char *
keep_text(char **end, const char *text, size_t len)
{
	char *kept = *end;

	memcpy(kept, text, len);
	kept[len] = '\0';
	*end += len + 1;
	return kept;
}

static bool
take_header(Answer *answer, const char *name, const char *value, const char **problem)
{
	if (is_hop_by_hop(name))
		return true;
	if (strcasecmp(name, "Content-Length") == 0)
	{
		*problem = "a Content-Length that is no number";
		return read_length(value, &answer->stated_length);
	}
	answer->headers[answer->header_count].name = name;
	answer->headers[answer->header_count].value = value;
	answer->header_count++;
	return true;
}

static bool
take_headers(Answer *answer, PgArrayReader *pairs, const char **problem)
{
	char *end = answer->header_text;

	while (pairs->left > 0)
	{
		const char *name;
		const char *value;
		size_t name_len;
		size_t value_len;

		*problem = "headers that are no name, value, name, value, ... without NULL";
		if (!pg_array_next(pairs, &name, &name_len) || !pg_array_next(pairs, &value, &value_len))
			return false;
		*problem = "a header name that is no token, or a control character (CR, LF) in a value";
		if (!text_is_token(name, name_len) || !text_is_field_value(value, value_len))
			return false;
		name = keep_text(&end, name, name_len);
		value = keep_text(&end, value, value_len);
		if (!take_header(answer, name, value, problem))
			return false;
	}
	return true;
}

static bool
take(Answer *answer, const char *headers, size_t headers_len, const char *body, size_t body_len,
	 const char **problem)
{
	PgArrayReader pairs;

	*problem = "headers that are no one-dimensional text[]";
	if (!pg_array_open(&pairs, headers, headers_len))
		return false;
	*problem = "too many headers, or more than 8 KiB of them";
	if (pairs.left > 2 * ANSWER_MAX_HEADERS || headers_len > ANSWER_MAX_HEADER_BYTES)
		return false;

	*problem = "more than memory holds";
	answer->headers = calloc(pairs.left / 2 + 1, sizeof(*answer->headers));
	/* A length word of four bytes stood before each text, so the NULs have room. */
	answer->header_text = malloc(headers_len);
	answer->body = malloc(body_len > 0 ? body_len : 1);
	if (answer->headers == NULL || answer->header_text == NULL || answer->body == NULL)
		return false;
	if (!take_headers(answer, &pairs, problem))
		return false;
	if (body_len > 0)
		memcpy(answer->body, body, body_len);
	answer->body_len = body_len;
	return true;
}

bool
answer_take(Answer *answer, int32_t status, const char *headers, size_t headers_len,
			const char *body, size_t body_len, const char **problem)
{
	answer_clear(answer);
	if (status < 200 || status > 599)
	{
		*problem = "a status that is not from 200 to 599";
		return false;
	}
	if (!take(answer, headers, headers_len, body, body_len, problem))
	{
		answer_clear(answer);
		return false;
	}
	answer->status = status;
	return true;
}
