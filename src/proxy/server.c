#include "server.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients.h"
#include "clock.h"
#include "framing.h"
#include "reply.h"
#include "report.h"
#include "request.h"

/* An unwanted body is read on, up to this many times the limit, so that the client gets
   to read our 413: a reset would take it away. */
#define PATIENCE	   8
#define MAX_PARAMETERS 100

struct Server
{
	ServerSettings settings;
	struct MHD_Daemon *daemon;
	Pool *pool;
	Clients clients;
	atomic_uint active;
	atomic_bool stopping;
};

static void
on_connection(void *argument, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	Server *server = argument;
	const union MHD_ConnectionInfo *info;
	int socket;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
	{
		if (*context != NULL)
			clients_remove(&server->clients, *context);
		return;
	}
	/* The next question may overwrite the answer. */
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	socket = info->connect_fd;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*context = clients_add(&server->clients, socket, info->client_addr);
}

/*
 * The library parses the query, though nobody asked, into the connection's memory; when
 * that is full, version 0.9.75 forgets the request and waits for ever. So a query of more
 * parameters than any wallet sends ends the connection.
 */
static bool
has_too_many_parameters(const char *target)
{
	unsigned count = 0;

	for (const char *at = strchr(target, '?'); at != NULL; at = strchr(at + 1, '&'))
		count++;
	return count > MAX_PARAMETERS;
}

/* The first the library tells of a request, and the only sight of its raw target. */
static void *
on_target(void *argument, const char *target, struct MHD_Connection *connection)
{
	Server *server = argument;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	Request *request;

	if (info == NULL || info->socket_context == NULL || target == NULL)
		return NULL;
	request = request_new(connection, info->socket_context, target);
	if (request == NULL)
		return NULL;
	atomic_fetch_add(&server->active, 1);
	if (has_too_many_parameters(target))
	{
		request->refused = true;
		answer_say(&request->job.answer, 414, "", 0);
		clients_hang_up(&server->clients, request->client);
	}
	return request;
}

static enum MHD_Result
send_answer(Server *server, Request *request)
{
	Answer *answer = &request->job.answer;
	bool head = request->method != NULL && strcmp(request->method, "HEAD") == 0;
	struct MHD_Response *response;
	enum MHD_Result result;

	/* The library reads chunks leniently: nothing may follow them on this connection. */
	if (request->chunked || atomic_load(&server->stopping))
		answer->last = true;
	if (!head)
		request->sent = answer->text != NULL ? strlen(answer->text) : answer->body_len;
	response = reply_new(answer, head);
	if (response == NULL)
		return MHD_NO;
	clients_start_turn(&server->clients, request->client);
	result = MHD_queue_response(request->connection, (unsigned) answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/* An answer before the body is read: the library closes the connection behind it. */
static enum MHD_Result
refuse(Server *server, Request *request, int status, const char *text)
{
	answer_say(&request->job.answer, status, text, status == 503 ? 1 : 0);
	request->job.answer.last = true;
	return send_answer(server, request);
}

static enum MHD_Result
begin(Server *server, Request *request, const char *url, const char *method, const char *version)
{
	FramingRequest raw = {.connection = request->connection,
						  .method = method,
						  .url = url,
						  .version = version,
						  .target = request->target,
						  .max_header = server->settings.max_header};
	uint64_t max_body = server->settings.max_body;
	Framing framing;

	request->method = strdup(method);
	if (request->method == NULL || !pg_array_start(&request->headers))
		return MHD_NO;
	framing = framing_check(&raw, &request->headers);
	if (framing.status != 0)
		return refuse(server, request, framing.status, framing.text);
	request->chunked = framing.chunked;
	if (framing.length <= max_body)
		return MHD_YES;
	if (framing.expects_continue || framing.length / PATIENCE > max_body)
		return refuse(server, request, 413, "The request body is too large.\n");
	answer_say(&request->job.answer, 413, "The request body is too large.\n", 0);
	return MHD_YES;
}

static enum MHD_Result
read_body(Server *server, Request *request, const char *data, size_t *len)
{
	Answer *answer = &request->job.answer;

	if (answer->status == 0 && *len > server->settings.max_body - request->body_len)
		answer_say(answer, 413, "The request body is too large.\n", 0);
	if (answer->status == 0 && !request_append(request, data, *len))
		answer_say(answer, 503, "The service is out of memory. Please try again.\n", 1);
	if (answer->status != 0)
	{
		free(request->body);
		request->body = NULL;
		request->body_len = request->body_capacity = 0;
		request->thrown_away += *len;
		answer->last = true;
		if (request->thrown_away / PATIENCE > server->settings.max_body)
			return MHD_NO;
	}
	*len = 0;
	return MHD_YES;
}

/* The proxy's own two pages; true when the request asks for another. */
static bool
needs_database(Request *request)
{
	bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;

	if (reads && request_path_is(request, "/healthz"))
	{
		answer_say(&request->job.answer, 200, "ok\n", 0);
		return false;
	}
	request->job.check = reads && request_path_is(request, "/readyz");
	return true;
}

/* The whole request is there, or its answer has come back from the pool. */
static enum MHD_Result
finish(Server *server, Request *request)
{
	if (request->job.answer.status != 0 || !needs_database(request))
		return send_answer(server, request);
	request_prepare(request);
	clients_end_turn(&server->clients, request->client);
	/* First suspended, then handed over: the answer may come before pool_submit returns. */
	MHD_suspend_connection(request->connection);
	pool_submit(server->pool, &request->job);
	return MHD_YES;
}

static void
on_answer(Job *job)
{
	Request *request = job->owner;

	MHD_resume_connection(request->connection);
}

static enum MHD_Result
on_request(void *argument, struct MHD_Connection *connection, const char *url, const char *method,
		   const char *version, const char *data, size_t *data_len, void **context)
{
	Server *server = argument;
	Request *request = *context;

	(void) connection;
	if (request == NULL)
		return MHD_NO;
	if (request->method == NULL)
		return begin(server, request, url, method, version);
	if (*data_len > 0)
		return read_body(server, request, data, data_len);
	return finish(server, request);
}

/* What became of the request, in the access log's words. */
static void
describe_end(Server *server, const Request *request, enum MHD_RequestTerminationCode code,
			 AccessLogEntry *entry)
{
	const union MHD_ConnectionInfo *own =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_HTTP_STATUS);

	entry->status = request->job.answer.status;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		return;
	entry->bytes = 0;
	if (request->refused)
		entry->remark = "refused";
	else if (entry->status == 0 && own != NULL)
	{
		/* The library found fault with the request, and has said so. */
		entry->status = (int) own->http_status;
	}
	else if (clients_expired(&server->clients, request->client))
	{
		entry->remark = "timeout";
		if (entry->status == 0)
			entry->status = 408;
	}
	else
		entry->remark = code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN ? "stopped" : "hangup";
}

static void
on_end(void *argument, struct MHD_Connection *connection, void **context,
	   enum MHD_RequestTerminationCode code)
{
	Server *server = argument;
	Request *request = *context;
	AccessLogEntry entry = {0};

	(void) connection;
	if (request == NULL)
		return;
	entry.address = request->client->address;
	entry.method = request->method;
	entry.target = request->target;
	entry.bytes = request->sent;
	entry.milliseconds = clock_ms() - request->started;
	describe_end(server, request, code, &entry);
	/* Before the log line, so that who has read the line finds the request ended. */
	atomic_fetch_sub(&server->active, 1);
	access_log_write(server->settings.log, &entry);
	clients_start_turn(&server->clients, request->client);
	request_free(request);
	*context = NULL;
}

__attribute__((format(printf, 2, 0))) static void
on_library_message(void *argument, const char *format, va_list arguments)
{
	char text[256];

	(void) argument;
	vsnprintf(text, sizeof(text), format, arguments);
	report("http: %s", text);
}

static struct MHD_Daemon *
start_daemon(Server *server)
{
	const ServerSettings *settings = &server->settings;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	/* A whole header, its fields' records, and the answer's header. */
	size_t memory = settings->max_header * 2 < 32768 ? 32768 : settings->max_header * 2;
	/* Before 1.0, strictness closes connections without a word; framing.c says more. */
	int strict = strncmp(MHD_get_version(), "0.", 2) == 0 ? 0 : 1;

	if (settings->verbose)
		flags |= MHD_USE_ERROR_LOG;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_message,
		NULL, MHD_OPTION_LISTEN_SOCKET, settings->listener, MHD_OPTION_CONNECTION_LIMIT,
		settings->max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
		MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_STRICT_FOR_CLIENT, strict,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		server, MHD_OPTION_NOTIFY_COMPLETED, on_end, server, MHD_OPTION_END);
}

Server *
server_start(const ServerSettings *settings, const PoolSettings *pool_settings)
{
	Server *server = calloc(1, sizeof(*server));
	PoolSettings pool = *pool_settings;

	if (server == NULL)
		return NULL;
	server->settings = *settings;
	clients_init(&server->clients, settings->request_timeout);
	pool.done = on_answer;
	server->pool = pool_start(&pool);
	if (server->pool != NULL)
		server->daemon = start_daemon(server);
	if (server->daemon != NULL)
		return server;
	if (server->pool != NULL)
	{
		pool_stop(server->pool);
		pool_free(server->pool);
	}
	clients_destroy(&server->clients);
	free(server);
	return NULL;
}

void
server_tick(Server *server)
{
	clients_expire(&server->clients);
	pool_expire(server->pool);
}

void
server_stop_accepting(Server *server)
{
	atomic_store(&server->stopping, true);
	MHD_quiesce_daemon(server->daemon);
	/* Who knocks now is refused at once, instead of waiting for nobody. */
	shutdown(server->settings.listener, SHUT_RDWR);
}

unsigned
server_active(Server *server)
{
	return atomic_load(&server->active);
}

void
server_stop(Server *server)
{
	/* The pool first: the library must not stop while connections are suspended. */
	pool_stop(server->pool);
	MHD_stop_daemon(server->daemon);
	close(server->settings.listener);
	pool_free(server->pool);
	clients_destroy(&server->clients);
	free(server);
}
