/*
 * openid4vci-proxy: HTTP in, openid4vci.vci_http out. Start, signals, stop; and the
 * commands refresh-jwks and purge.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "door.h"
#include "listener.h"
#include "options.h"
#include "purge.h"
#include "refresh.h"
#include "report.h"
#include "server.h"

#define EXIT_OPTIONS 2
#define STOP_TICK_MS 20
#define OTHER_FILES	 64 /* logs, epoll, libraries */

/*
 * SIGHUP waits for its turn. The others end a proxy that does not serve yet, whatever it
 * waits for.
 */
static void
hold_signals(sigset_t *signals)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(signals);
	sigaddset(signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* From now on only serve() and await_signal() take them. */
static void
take_signals(sigset_t *signals)
{
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* 0 when none has come within the time. */
static int
await_signal(const sigset_t *signals, int milliseconds)
{
	struct timespec wait = {.tv_nsec = (long) milliseconds * 1000000};
	int signal = sigtimedwait(signals, NULL, &wait);

	return signal > 0 ? signal : 0;
}

/* What the door may use has to leave enough for those who are inside, and for the database. */
static bool
raise_file_limit(const Options *options, unsigned *door_files)
{
	rlim_t needed = (rlim_t) options->max_connections + (rlim_t) options->pool + OTHER_FILES;
	rlim_t wanted = needed + DOOR_FILES;
	struct rlimit limit;

	*door_files = DOOR_FILES;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return true;
	if (limit.rlim_max < needed)
	{
		report("--max-connections %d and --pool %d need %llu open files, and the limit is %llu; "
			   "raise it (ulimit -Hn, LimitNOFILE= of systemd) or lower --max-connections",
			   options->max_connections, options->pool, (unsigned long long) needed,
			   (unsigned long long) limit.rlim_max);
		return false;
	}
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	*door_files = (unsigned) (limit.rlim_cur - needed);
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static Server *
start_server(const Options *options, int listener, unsigned door_files, AccessLog *log)
{
	ServerSettings server = {
		.listener = listener,
		.max_connections = (unsigned) options->max_connections,
		.door_files = door_files,
		.max_header = (size_t) options->max_header,
		.max_body = (size_t) options->max_body,
		.request_timeout = options->request_timeout,
		.verbose = options->verbose,
		.log = log,
	};
	PoolSettings pool = {
		.exchange = {.database = {.conninfo = options->conninfo,
								  .connect_timeout = options->connect_timeout,
								  .prepare = options->prepare,
								  .verbose = options->verbose},
					 .timeout = options->database_timeout},
		.connections = (unsigned) options->pool,
		.queue_limit = (unsigned) options->queue,
		.queue_timeout = options->queue_timeout,
	};

	return server_start(&server, &pool);
}

/* Until SIGTERM or SIGINT. */
static void
serve(const sigset_t *signals, AccessLog *log)
{
	int signal = 0;

	while (signal != SIGTERM && signal != SIGINT)
	{
		signal = sigwaitinfo(signals, NULL);
		if (signal == SIGHUP && !access_log_reopen(log))
			report("cannot reopen the access log %s: %s", log->path, strerror(errno));
	}
}

/*
 * Lets the running requests end; a second signal or the time limit ends the wait. False as
 * server_stop.
 */
static bool
wind_down(Server *server, const sigset_t *signals, int timeout)
{
	int64_t deadline = clock_ms() + (int64_t) timeout * 1000;
	unsigned left;
	int signal = 0;

	server_stop_accepting(server);
	while ((left = server_active(server)) > 0 && clock_ms() < deadline && signal != SIGTERM &&
		   signal != SIGINT)
		signal = await_signal(signals, STOP_TICK_MS);
	if (left > 0)
		report("stopping with %u requests unfinished", left);
	return server_stop(server);
}

static int
run(const Options *options)
{
	const char *problem;
	AccessLog log;
	Server *server;
	sigset_t signals;
	char url[128];
	unsigned door_files;
	int listener;
	bool all_ended;

	if (!raise_file_limit(options, &door_files))
		return EXIT_FAILURE;
	listener = listener_open(options->listen, options->port, &problem);
	if (listener < 0)
	{
		report("cannot listen on %s port %d: %s", options->listen, options->port, problem);
		return EXIT_FAILURE;
	}
	if (!access_log_open(&log, options->access_log))
	{
		report("cannot open the access log %s: %s", options->access_log, strerror(errno));
		return EXIT_FAILURE;
	}
	hold_signals(&signals);
	server = start_server(options, listener, door_files, &log);
	if (server == NULL || !listener_url(listener, url, sizeof(url)))
	{
		report("cannot start: out of memory, threads or file descriptors");
		return EXIT_FAILURE;
	}
	take_signals(&signals);
	printf("openid4vci-proxy: listening on %s\n", url);
	fflush(stdout);
	serve(&signals, &log);
	all_ended = wind_down(server, &signals, options->stop_timeout);
	access_log_close(&log);
	/* Libraries' exit handlers would take away what a thread uses that is left behind. */
	if (!all_ended)
		_exit(EXIT_SUCCESS);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	Options options;
	OptionsResult result = options_read(&options, argc, argv);
	int status = result == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_OPTIONS;

	if (result == OPTIONS_RUN)
		status = run(&options);
	else if (result == OPTIONS_REFRESH)
		status = refresh_jwks(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
	else if (result == OPTIONS_PURGE)
		status = purge(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
	options_free(&options);
	return status;
}
