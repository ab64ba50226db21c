/*
 * What a request is answered with: a row of vci_http, or the proxy's own words.
 */
#ifndef PROXY_ANSWER_H
#define PROXY_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More would not fit beside a full request header in a connection's memory. */
#define ANSWER_MAX_HEADERS		64
#define ANSWER_MAX_HEADER_BYTES 8192

typedef struct AnswerHeader
{
	const char *name; /* lent from header_text */
	const char *value;
} AnswerHeader;

typedef struct Answer
{
	int status;		  /* 0: no answer yet */
	const char *text; /* the proxy's own words, static; NULL: a row of vci_http */
	int retry_after;  /* seconds; 0: no Retry-After */
	bool last;		  /* the connection closes behind it */

	AnswerHeader *headers;
	size_t header_count;
	char *header_text;
	char *body; /* malloc'd */
	size_t body_len;
	int64_t stated_length; /* the Content-Length that vci_http gave; -1: none */
} Answer;

/* The proxy's own plain-text answer. What answer held is freed. */
extern void answer_say(Answer *answer, int status, const char *text, int retry_after);

/*
 * Seconds for Retry-After, from 1 to 8: another each time, so that those who are turned
 * away together do not come back together.
 */
extern int answer_retry_after(void);

/*
 * Takes over a row: status, header pairs (text[] in binary format) and body, each of
 * them copied. False when it is no answer that HTTP can carry; *problem says why, and
 * the answer is empty.
 */
extern bool answer_take(Answer *answer, int32_t status, const char *headers, size_t headers_len,
						const char *body, size_t body_len, const char **problem);

extern void answer_clear(Answer *answer);

#endif
