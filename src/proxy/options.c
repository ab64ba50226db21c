#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"
#include "report.h"

#ifndef OPENID4VCI_VERSION
#error "OPENID4VCI_VERSION must be defined: it is default_version of openid4vci.control"
#endif

#define POOL_PER_CORE 4
#define LEAST_POOL	  8
#define MOST_POOL	  32

#define REFRESH_COMMAND "refresh-jwks"
#define PURGE_COMMAND	"purge"
#define HINT			"try 'openid4vci-proxy --help'"

typedef enum Key
{
	KEY_LISTEN = 256,
	KEY_PORT,
	KEY_CONNINFO,
	KEY_ACCESS_LOG,
	KEY_POOL,
	KEY_QUEUE,
	KEY_NO_PREPARE,
	KEY_QUEUE_TIMEOUT,
	KEY_CONNECT_TIMEOUT,
	KEY_DATABASE_TIMEOUT,
	KEY_REQUEST_TIMEOUT,
	KEY_STOP_TIMEOUT,
	KEY_MAX_BODY,
	KEY_MAX_HEADER,
	KEY_MAX_CONNECTIONS,
	KEY_VERBOSE,
	KEY_ISSUER,
	KEY_CACERT,
	KEY_FETCH_TIMEOUT,
	KEY_MAX_ROWS,
	KEY_ONCE,
	KEY_VERSION,
	KEY_HELP
} Key;

static const struct option serve_options[] = {
	{"listen", required_argument, NULL, KEY_LISTEN},
	{"port", required_argument, NULL, KEY_PORT},
	{"conninfo", required_argument, NULL, KEY_CONNINFO},
	{"access-log", required_argument, NULL, KEY_ACCESS_LOG},
	{"pool", required_argument, NULL, KEY_POOL},
	{"queue", required_argument, NULL, KEY_QUEUE},
	{"no-prepare", no_argument, NULL, KEY_NO_PREPARE},
	{"queue-timeout", required_argument, NULL, KEY_QUEUE_TIMEOUT},
	{"connect-timeout", required_argument, NULL, KEY_CONNECT_TIMEOUT},
	{"database-timeout", required_argument, NULL, KEY_DATABASE_TIMEOUT},
	{"request-timeout", required_argument, NULL, KEY_REQUEST_TIMEOUT},
	{"stop-timeout", required_argument, NULL, KEY_STOP_TIMEOUT},
	{"max-body", required_argument, NULL, KEY_MAX_BODY},
	{"max-header", required_argument, NULL, KEY_MAX_HEADER},
	{"max-connections", required_argument, NULL, KEY_MAX_CONNECTIONS},
	{"verbose", no_argument, NULL, KEY_VERBOSE},
	{"version", no_argument, NULL, KEY_VERSION},
	{"help", no_argument, NULL, KEY_HELP},
	{NULL, 0, NULL, 0},
};

static const struct option refresh_options[] = {
	{"conninfo", required_argument, NULL, KEY_CONNINFO},
	{"issuer", required_argument, NULL, KEY_ISSUER},
	{"cacert", required_argument, NULL, KEY_CACERT},
	{"connect-timeout", required_argument, NULL, KEY_CONNECT_TIMEOUT},
	{"fetch-timeout", required_argument, NULL, KEY_FETCH_TIMEOUT},
	{"version", no_argument, NULL, KEY_VERSION},
	{"help", no_argument, NULL, KEY_HELP},
	{NULL, 0, NULL, 0},
};

static const struct option purge_options[] = {
	{"conninfo", required_argument, NULL, KEY_CONNINFO},
	{"max-rows", required_argument, NULL, KEY_MAX_ROWS},
	{"once", no_argument, NULL, KEY_ONCE},
	{"connect-timeout", required_argument, NULL, KEY_CONNECT_TIMEOUT},
	{"version", no_argument, NULL, KEY_VERSION},
	{"help", no_argument, NULL, KEY_HELP},
	{NULL, 0, NULL, 0},
};

typedef struct Number
{
	Key key;
	const char *name;
	int least;
	int most;
	const char *unit;
	size_t offset; /* of the member in Options */
} Number;

static const Number numbers[] = {
	{KEY_PORT, "--port", 0, 65535, "0: a free one", offsetof(Options, port)},
	{KEY_POOL, "--pool", 1, 1000, "connections", offsetof(Options, pool)},
	{KEY_QUEUE, "--queue", 0, 1000000, "requests", offsetof(Options, queue)},
	{KEY_QUEUE_TIMEOUT, "--queue-timeout", 1, 3600, "seconds", offsetof(Options, queue_timeout)},
	/* libpq would wait for two seconds when told to wait for one. */
	{KEY_CONNECT_TIMEOUT, "--connect-timeout", 2, 3600, "seconds",
	 offsetof(Options, connect_timeout)},
	{KEY_DATABASE_TIMEOUT, "--database-timeout", 1, 3600, "seconds",
	 offsetof(Options, database_timeout)},
	{KEY_REQUEST_TIMEOUT, "--request-timeout", 1, 3600, "seconds",
	 offsetof(Options, request_timeout)},
	{KEY_STOP_TIMEOUT, "--stop-timeout", 0, 3600, "seconds", offsetof(Options, stop_timeout)},
	{KEY_MAX_BODY, "--max-body", 0, 1 << 30, "bytes", offsetof(Options, max_body)},
	{KEY_MAX_HEADER, "--max-header", 1024, 1 << 20, "bytes", offsetof(Options, max_header)},
	{KEY_MAX_CONNECTIONS, "--max-connections", 1, 1000000, "connections",
	 offsetof(Options, max_connections)},
	{KEY_FETCH_TIMEOUT, "--fetch-timeout", 1, 3600, "seconds", offsetof(Options, fetch_timeout)},
	{KEY_MAX_ROWS, "--max-rows", 1, 1000000, "rows", offsetof(Options, max_rows)},
};

static bool
read_number(Options *options, const Number *number, const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < number->least || value > number->most)
	{
		report("%s takes a whole number from %d to %d (%s), not \"%s\"; " HINT, number->name,
			   number->least, number->most, number->unit, text);
		return false;
	}
	*(int *) ((char *) options + number->offset) = (int) value;
	return true;
}

static bool
keep_text(char **kept, const char *text)
{
	free(*kept);
	*kept = strdup(text);
	if (*kept == NULL)
		report("out of memory");
	return *kept != NULL;
}

/*
 * libpq's own words about a malformed string could quote a password from it, so it is
 * tried here, and a plainer error given. A password is wiped from what ps shows.
 */
static bool
read_conninfo(Options *options, char *text)
{
	PQconninfoOption *parts = PQconninfoParse(text, NULL);
	bool has_password = false;

	if (parts == NULL)
	{
		report("--conninfo is no connection string; write it like 'host=/run/postgresql "
			   "dbname=registry user=wallet_endpoint' or "
			   "'postgresql://wallet_endpoint@db.example/registry'");
		return false;
	}
	for (PQconninfoOption *part = parts; part->keyword != NULL; part++)
	{
		if (part->val != NULL && strstr(part->keyword, "password") != NULL)
			has_password = true;
	}
	PQconninfoFree(parts);
	if (!keep_text(&options->conninfo, text))
		return false;
	if (has_password)
	{
		memset(text, 'x', strlen(text));
		report("warning: a password on the command line can be seen by other users; put it "
			   "into the file that PGPASSFILE names");
	}
	return true;
}

static bool
read_option(Options *options, int key, char *text)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		if ((int) numbers[i].key == key)
			return read_number(options, &numbers[i], text);
	}
	switch (key)
	{
		case KEY_LISTEN:
			return keep_text(&options->listen, text);
		case KEY_ACCESS_LOG:
			return keep_text(&options->access_log, text);
		case KEY_CONNINFO:
			return read_conninfo(options, text);
		case KEY_ISSUER:
			return keep_text(&options->issuer, text);
		case KEY_CACERT:
			return keep_text(&options->ca_file, text);
		case KEY_NO_PREPARE:
			options->prepare = false;
			return true;
		case KEY_VERBOSE:
			options->verbose = true;
			return true;
		case KEY_ONCE:
			options->once = true;
			return true;
		default:
			return false;
	}
}

/*
 * Four a core, because a commit waits for the disk and not for the core; no more than fits
 * three times into PostgreSQL's own default of a hundred connections.
 */
static int
default_pool(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < LEAST_POOL / POOL_PER_CORE)
		return LEAST_POOL;
	return cores > MOST_POOL / POOL_PER_CORE ? MOST_POOL : (int) cores * POOL_PER_CORE;
}

static bool
set_defaults(Options *options)
{
	memset(options, 0, sizeof(*options));
	options->port = 8080;
	options->pool = default_pool();
	options->queue = 4000;
	options->prepare = true;
	options->queue_timeout = 5;
	options->connect_timeout = 3;
	options->database_timeout = 30;
	options->request_timeout = 30;
	options->stop_timeout = 30;
	options->max_body = 1024 * 1024;
	options->max_header = 16 * 1024;
	options->max_connections = 4000;
	options->fetch_timeout = 10;
	options->max_rows = 10000;
	return keep_text(&options->listen, "127.0.0.1");
}

static void
print_version(void)
{
	int libpq = PQlibVersion();

	printf("openid4vci-proxy " OPENID4VCI_VERSION "\nlibmicrohttpd %s, libpq %d.%d, libcurl %s\n",
		   MHD_get_version(), libpq / 10000, libpq % 10000, fetch_library_version());
}

/* Says what getopt_long found wrong. A value is not repeated: it may be a password. */
static void
report_wrong(int problem, char **argv)
{
	const char *word = argv[optind - 1];
	int name = (int) strcspn(word, "=");

	if (problem == ':')
		report("%s needs a value; " HINT, word);
	else if (optopt == 0)
		report("unknown option %.*s; " HINT, name, word);
	else if (optopt < KEY_LISTEN)
		report("unknown option -%c; " HINT, optopt);
	else
		report("%.*s takes no value; " HINT, name, word);
}

/* Reads what follows argv[0]. *done: it told all by itself. */
static bool
read_words(Options *options, const struct option *known, int argc, char **argv, bool *done)
{
	int key;

	*done = false;
	while ((key = getopt_long(argc, argv, ":h", known, NULL)) != -1)
	{
		*done = key == KEY_HELP || key == 'h' || key == KEY_VERSION;
		if (key == KEY_VERSION)
			print_version();
		else if (*done)
			options_print_help();
		if (*done)
			return true;
		if (key == '?' || key == ':')
		{
			report_wrong(key, argv);
			return false;
		}
		if (!read_option(options, key, optarg))
			return false;
	}
	if (optind == argc)
		return true;
	/* Not quoted: it may be a connection string with a password. */
	report("there is a word that belongs to no option; give the database by --conninfo; " HINT);
	return false;
}

typedef struct Command
{
	const char *name;
	const struct option *options;
	OptionsResult result;
} Command;

/* What the first word says: a command, or, when it is none of them, to serve. */
static const Command *
command_of(int argc, char **argv)
{
	static const Command commands[] = {{REFRESH_COMMAND, refresh_options, OPTIONS_REFRESH},
									   {PURGE_COMMAND, purge_options, OPTIONS_PURGE},
									   {NULL, serve_options, OPTIONS_RUN}};
	const Command *command = commands;

	while (command->name != NULL && (argc < 2 || strcmp(argv[1], command->name) != 0))
		command++;
	return command;
}

OptionsResult
options_read(Options *options, int argc, char **argv)
{
	const Command *command = command_of(argc, argv);
	int words = command->name != NULL ? 1 : 0;
	bool done;

	if (!set_defaults(options) ||
		!read_words(options, command->options, argc - words, argv + words, &done))
		return OPTIONS_WRONG;
	return done ? OPTIONS_DONE : command->result;
}

void
options_free(Options *options)
{
	free(options->listen);
	free(options->conninfo);
	free(options->access_log);
	free(options->issuer);
	free(options->ca_file);
}
