#include "reply.h"

#include <stdio.h>
#include <string.h>

#define BLOCK_SIZE 1024

/* Never called: the answers that it belongs to have a length, but no content. */
static ssize_t
no_content(void *argument, uint64_t position, char *buffer, size_t size)
{
	(void) argument;
	(void) position;
	(void) buffer;
	(void) size;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/*
 * HEAD and 304 may carry the length of the content that they leave out, and must not
 * carry another one (RFC 9110 section 8.6), least of all the 0 that the library would
 * write. An unknown length costs the connection: the library would chunk nothing, badly.
 */
static struct MHD_Response *
without_content(const Answer *answer)
{
	struct MHD_Response *response;

	if (answer->stated_length >= 0)
		return MHD_create_response_from_callback((uint64_t) answer->stated_length, BLOCK_SIZE,
												 no_content, NULL, NULL);
	response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, no_content, NULL, NULL);
	if (response != NULL && MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
													 MHD_RO_END) != MHD_YES)
	{
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

static struct MHD_Response *
with_content(Answer *answer)
{
	struct MHD_Response *response;

	if (answer->text != NULL)
		return MHD_create_response_from_buffer(strlen(answer->text), (void *) answer->text,
											   MHD_RESPMEM_PERSISTENT);
	response =
		MHD_create_response_from_buffer(answer->body_len, answer->body, MHD_RESPMEM_MUST_FREE);
	if (response != NULL)
		answer->body = NULL;
	return response;
}

static bool
add_own_headers(struct MHD_Response *response, const Answer *answer)
{
	char seconds[16];

	if (answer->last && MHD_add_response_header(response, "Connection", "close") != MHD_YES)
		return false;
	if (answer->text == NULL)
		return true;
	snprintf(seconds, sizeof(seconds), "%d", answer->retry_after);
	return MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8") ==
			   MHD_YES &&
		   MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES &&
		   (answer->retry_after == 0 ||
			MHD_add_response_header(response, "Retry-After", seconds) == MHD_YES);
}

static bool
add_headers(struct MHD_Response *response, const Answer *answer)
{
	for (size_t i = 0; i < answer->header_count; i++)
	{
		const AnswerHeader *header = &answer->headers[i];

		/* The library refuses empty values; an empty field says nothing. */
		if (header->value[0] != '\0' &&
			MHD_add_response_header(response, header->name, header->value) != MHD_YES)
			return false;
	}
	return add_own_headers(response, answer);
}

struct MHD_Response *
reply_new(Answer *answer, bool head)
{
	bool bare = answer->text == NULL && answer->body_len == 0 && (head || answer->status == 304);
	struct MHD_Response *response = bare ? without_content(answer) : with_content(answer);

	if (response != NULL && !add_headers(response, answer))
	{
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}
