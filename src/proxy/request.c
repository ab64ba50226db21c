#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define FIRST_BODY_CAPACITY 1024

Request *
request_new(struct MHD_Connection *connection, Client *client, const char *target)
{
	Request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->connection = connection;
	request->client = client;
	request->started = clock_ms();
	request->job.owner = request;
	answer_clear(&request->job.answer);
	request->target = strdup(target);
	if (request->target == NULL)
	{
		free(request);
		return NULL;
	}
	return request;
}

void
request_free(Request *request)
{
	answer_clear(&request->job.answer);
	free(request->method);
	free(request->target);
	free(request->headers.data);
	free(request->body);
	free(request);
}

bool
request_append(Request *request, const char *data, size_t len)
{
	size_t capacity = request->body_capacity;
	char *body;

	while (capacity - request->body_len < len)
		capacity = capacity == 0 ? FIRST_BODY_CAPACITY : capacity * 2;
	if (capacity > request->body_capacity)
	{
		body = realloc(request->body, capacity);
		if (body == NULL)
			return false;
		request->body = body;
		request->body_capacity = capacity;
	}
	memcpy(request->body + request->body_len, data, len);
	request->body_len += len;
	return true;
}

void
request_drop_body(Request *request)
{
	free(request->body);
	request->body = NULL;
	request->body_len = request->body_capacity = 0;
}

bool
request_path_is(const Request *request, const char *path)
{
	size_t len = strcspn(request->target, "?");

	return strlen(path) == len && memcmp(request->target, path, len) == 0;
}

void
request_prepare(Request *request)
{
	DatabaseCall *call = &request->job.call;

	call->method = request->method;
	call->target = request->target;
	call->headers = request->headers.data;
	call->headers_len = request->headers.len;
	call->body = request->body;
	call->body_len = request->body_len;
}
