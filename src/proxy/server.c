#include "server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clients.h"
#include "clock.h"
#include "door.h"
#include "framing.h"
#include "loop.h"
#include "reply.h"
#include "report.h"
#include "request.h"

/* An unwanted body is read on, up to this many times the limit, so that the client gets
   to read our 413: a reset would take it away. */
#define PATIENCE	   8
#define MAX_PARAMETERS 100
#define LEAST_BODY	   4096 /* a smaller limit counts as this one */
/* All bodies together, so many times the limit of one: memory is bounded whoever comes. */
#define MAX_BODIES 128

/* Since it knows threads that it does not run itself, the library lets nobody in at once, and
   so counts its clients late, unless it is told that there is one thread only. */
#if MHD_VERSION >= 0x00097707
#define ONE_THREAD MHD_USE_NO_THREAD_SAFETY
#else
#define ONE_THREAD 0
#endif

#define TICK_MS 200
/* Runs of the library in a row that did nothing, though it said that it had work. */
#define IDLE_RUNS	   64
#define MANY_IDLE_RUNS 128
#define REST_MS		   20
/* The library sends an answer in one run, and ends the request in the next. */
#define RUNS_A_TURN 2
/* Turns of the library, at most, in which the last answers go out. */
#define LAST_TURNS 100

struct Server
{
	ServerSettings settings;
	Loop loop;
	struct MHD_Daemon *daemon;
	Watch daemon_watch;
	bool daemon_is_due;
	unsigned idle_runs; /* since it called us */
	Door door;
	Pool *pool;
	Clients clients;
	size_t bodies; /* bytes that requests hold */
	pthread_t thread;
	int wake; /* other threads write to it */
	Watch wake_watch;
	atomic_uint active; /* requests */
	atomic_bool stopping;
	atomic_bool ended;
};

static void
drop_body(Server *server, Request *request)
{
	server->bodies -= request->body_capacity;
	request_drop_body(request);
}

/* What became of the request, in the access log's words. */
static void
describe_end(const Request *request, enum MHD_RequestTerminationCode code, AccessLogEntry *entry)
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
	else if (request->client->cut)
	{
		entry->status = 400;
		entry->remark = "refused";
	}
	else if (request->client->expired)
	{
		entry->remark = "timeout";
		if (entry->status == 0)
			entry->status = 408;
	}
	else
		entry->remark = code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN ? "stopped" : "hangup";
}

static void
end_request(Server *server, Request *request, enum MHD_RequestTerminationCode code)
{
	AccessLogEntry entry = {.address = request->client->address,
							.method = request->method,
							.target = request->target,
							.bytes = request->sent,
							.milliseconds = clock_ms() - request->started};

	describe_end(request, code, &entry);
	/* Before the log line, so that who has read the line finds the request ended. */
	atomic_fetch_sub(&server->active, 1);
	access_log_add(server->settings.log, &entry);
	clients_start_turn(&server->clients, request->client);
	request->client->request = NULL;
	drop_body(server, request);
	request_free(request);
}

/* The library may have closed without a word on the request: of memory, or of its epoll. */
static void
forget_client(Server *server, Client *client)
{
	if (client->request != NULL)
		end_request(server, client->request, MHD_REQUEST_TERMINATED_WITH_ERROR);
	clients_remove(&server->clients, client);
}

static void
on_connection(void *argument, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	Server *server = argument;
	const union MHD_ConnectionInfo *info;
	int socket;

	server->idle_runs = 0;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
	{
		if (*context != NULL)
			forget_client(server, *context);
		return;
	}
	/* The next question may overwrite the answer. */
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	socket = info->connect_fd;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*context = clients_add(&server->clients, connection, socket, info->client_addr);
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
	request->server = server;
	/* One that the library forgot. */
	if (request->client->request != NULL)
		end_request(server, request->client->request, MHD_REQUEST_TERMINATED_WITH_ERROR);
	request->client->request = request;
	atomic_fetch_add(&server->active, 1);
	if (has_too_many_parameters(target))
	{
		request->refused = true;
		answer_say(&request->job.answer, 414, "", 0);
		clients_hang_up(request->client);
	}
	return request;
}

/* Before the last places are taken, each answer makes room: idle clients shut nobody out. */
static bool
is_crowded(const Server *server)
{
	return server->clients.count > server->settings.max_connections / 4 * 3 + 3;
}

static enum MHD_Result
send_answer(Server *server, Request *request)
{
	Answer *answer = &request->job.answer;
	bool head = request->method != NULL && strcmp(request->method, "HEAD") == 0;
	struct MHD_Response *response;
	enum MHD_Result result;

	/* The library reads chunks leniently: nothing may follow them on this connection. */
	if (request->chunked || is_crowded(server) || atomic_load(&server->stopping))
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
	answer_say(&request->job.answer, status, text, status == 503 ? answer_retry_after() : 0);
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
	request->chunked = request->client->chunking = framing.chunked;
	if (framing.length <= max_body)
		return MHD_YES;
	if (framing.expects_continue || framing.length / PATIENCE > max_body)
		return refuse(server, request, 413, "The request body is too large.\n");
	answer_say(&request->job.answer, 413, "The request body is too large.\n", 0);
	return MHD_YES;
}

/* Why a body is not read on is said in the request's answer. */
static void
keep_body(Server *server, Request *request, const char *data, size_t len)
{
	Answer *answer = &request->job.answer;
	size_t before = request->body_capacity;

	if (len > server->settings.max_body - request->body_len)
		answer_say(answer, 413, "The request body is too large.\n", 0);
	else if (server->bodies / MAX_BODIES > server->settings.max_body + LEAST_BODY ||
			 !request_append(request, data, len))
		answer_say(answer, 503, "The service is out of memory. Please try again.\n",
				   answer_retry_after());
	server->bodies += request->body_capacity - before;
}

static enum MHD_Result
read_body(Server *server, Request *request, const char *data, size_t *len)
{
	Answer *answer = &request->job.answer;

	if (answer->status == 0)
		keep_body(server, request, data, *len);
	if (answer->status != 0)
	{
		drop_body(server, request);
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
	request->job.call.check = reads && request_path_is(request, "/readyz");
	return true;
}

/* The whole request is there, or its answer has come back from the pool. */
static enum MHD_Result
finish(Server *server, Request *request)
{
	request->client->chunking = false;
	if (request->job.answer.status != 0 || !needs_database(request))
		return send_answer(server, request);
	request_prepare(request);
	clients_end_turn(request->client);
	/* First suspended, then handed over: the answer may come before pool_submit returns. */
	MHD_suspend_connection(request->connection);
	pool_submit(server->pool, &request->job);
	return MHD_YES;
}

static void
on_answer(Job *job)
{
	Request *request = job->owner;

	drop_body(request->server, request);
	MHD_resume_connection(request->connection);
	request->server->daemon_is_due = true;
}

static enum MHD_Result
on_request(void *argument, struct MHD_Connection *connection, const char *url, const char *method,
		   const char *version, const char *data, size_t *data_len, void **context)
{
	Server *server = argument;
	Request *request = *context;

	(void) connection;
	server->idle_runs = 0;
	if (request == NULL)
		return MHD_NO;
	if (request->method == NULL)
		return begin(server, request, url, method, version);
	if (*data_len > 0)
		return read_body(server, request, data, data_len);
	return finish(server, request);
}

static void
on_end(void *argument, struct MHD_Connection *connection, void **context,
	   enum MHD_RequestTerminationCode code)
{
	(void) connection;
	if (*context != NULL)
		end_request(argument, *context, code);
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

static void
on_daemon(void *argument, uint32_t events)
{
	Server *server = argument;

	(void) events;
	server->daemon_is_due = true;
}

static void
on_wake(void *argument, uint32_t events)
{
	Server *server = argument;
	uint64_t count;

	(void) events;
	if (read(server->wake, &count, sizeof(count)) < 0 || !atomic_load(&server->stopping))
		return;
	door_shut(&server->door);
	pool_hurry(server->pool);
}

static void
wake(Server *server)
{
	uint64_t signal = 1;

	if (write(server->wake, &signal, sizeof(signal)) < 0)
		report("cannot wake the server");
}

static bool
start_daemon(Server *server)
{
	const ServerSettings *settings = &server->settings;
	/* Turbo: a new connection is read at once, without asking first whether it can be. */
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
					 MHD_USE_TURBO | ONE_THREAD;
	/* A whole header, its fields' records, and the answer's header. */
	size_t memory = settings->max_header * 2 < 32768 ? 32768 : settings->max_header * 2;
	/* Before 1.0, strictness closes connections without a word; framing.c says more. */
	int strict = strncmp(MHD_get_version(), "0.", 2) == 0 ? 0 : 1;
	const union MHD_DaemonInfo *info;

	if (settings->verbose)
		flags |= MHD_USE_ERROR_LOG;
	server->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_message,
		NULL, MHD_OPTION_CONNECTION_LIMIT, settings->max_connections,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
		MHD_OPTION_STRICT_FOR_CLIENT, strict, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_end,
		server, MHD_OPTION_END);
	if (server->daemon == NULL)
		return false;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->daemon_watch = (Watch){.ready = on_daemon, .owner = server};
	return info != NULL &&
		   loop_watch(&server->loop, info->epoll_fd, EPOLLIN, &server->daemon_watch);
}

/* Has the library something to do that no file tells of? */
static bool
daemon_is_due(const Server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	return server->daemon_is_due ||
		   (MHD_get_timeout(server->daemon, &timeout) == MHD_YES && timeout == 0);
}

/* Lets the library do what it can without waiting. */
static void
run_daemon(Server *server)
{
	bool asked = server->daemon_is_due;

	server->daemon_is_due = false;
	server->idle_runs++;
	MHD_run(server->daemon);
	if (asked || server->idle_runs < IDLE_RUNS)
		return;
	if (server->idle_runs == IDLE_RUNS || server->idle_runs == MANY_IDLE_RUNS)
		clients_cut_stuck(&server->clients, server->idle_runs == MANY_IDLE_RUNS);
}

/* Milliseconds to wait for the next file. */
static int
patience(const Server *server)
{
	if (!daemon_is_due(server))
		return pool_patience(server->pool, TICK_MS);
	return server->idle_runs > MANY_IDLE_RUNS ? REST_MS : 0;
}

static void
tick(Server *server)
{
	door_tick(&server->door);
	clients_expire(&server->clients);
	pool_tick(server->pool);
	access_log_flush(server->settings.log);
}

/* What runs and waits is answered, as far as the clients take it at once. */
static void
end(Server *server)
{
	door_shut(&server->door);
	pool_stop(server->pool);
	for (int i = 0; i < LAST_TURNS && atomic_load(&server->active) > 0; i++)
		run_daemon(server);
	MHD_stop_daemon(server->daemon);
	door_free(&server->door);
	access_log_flush(server->settings.log);
}

static void *
serve(void *argument)
{
	Server *server = argument;
	int64_t next_tick = clock_ms() + TICK_MS;

	while (!atomic_load(&server->ended))
	{
		loop_turn(&server->loop, patience(server));
		for (int i = 0; i < RUNS_A_TURN && daemon_is_due(server); i++)
			run_daemon(server);
		door_look(&server->door);
		pool_resume(server->pool);
		if (clock_ms() >= next_tick)
		{
			tick(server);
			next_tick = clock_ms() + TICK_MS;
		}
		/* While requests are under way, lines gather until the next tick. */
		if (atomic_load(&server->active) == 0)
			access_log_flush(server->settings.log);
	}
	end(server);
	return NULL;
}

/* Signals are for the main thread alone. */
static bool
start_thread(Server *server)
{
	sigset_t all;
	sigset_t before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&server->thread, NULL, serve, server) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static bool
start_parts(Server *server, const PoolSettings *pool_settings)
{
	PoolSettings pool = *pool_settings;

	server->wake_watch = (Watch){.ready = on_wake, .owner = server};
	if (!loop_open(&server->loop) ||
		!loop_watch(&server->loop, server->wake, EPOLLIN, &server->wake_watch))
		return false;
	pool.loop = &server->loop;
	pool.done = on_answer;
	server->pool = pool_start(&pool);
	if (server->pool == NULL || !start_daemon(server))
		return false;
	server->door = (Door){.loop = &server->loop,
						  .listener = server->settings.listener,
						  .daemon = server->daemon,
						  .clients = &server->clients,
						  .room = server->settings.max_connections,
						  .files = server->settings.door_files,
						  .log = server->settings.log};
	return door_open(&server->door) && start_thread(server);
}

static bool
free_server(Server *server)
{
	bool all_ended = server->pool == NULL || pool_free(server->pool);

	loop_close(&server->loop);
	if (server->wake >= 0)
		close(server->wake);
	free(server);
	return all_ended;
}

Server *
server_start(const ServerSettings *settings, const PoolSettings *pool_settings)
{
	Server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	server->settings = *settings;
	server->loop.epoll = -1;
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	clients_init(&server->clients, settings->request_timeout);
	if (start_parts(server, pool_settings))
		return server;
	if (server->pool != NULL)
		pool_stop(server->pool);
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon);
	door_free(&server->door);
	free_server(server);
	return NULL;
}

void
server_stop_accepting(Server *server)
{
	atomic_store(&server->stopping, true);
	wake(server);
}

unsigned
server_active(Server *server)
{
	return atomic_load(&server->active);
}

bool
server_stop(Server *server)
{
	atomic_store(&server->ended, true);
	wake(server);
	pthread_join(server->thread, NULL);
	close(server->settings.listener);
	return free_server(server);
}
