/*
 * The command line.
 */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Options
{
	char *listen;
	int port;
	char *conninfo;	  /* NULL: libpq's environment variables */
	char *access_log; /* NULL: stdout */
	int pool;
	int queue;
	bool prepare;
	int queue_timeout; /* seconds, as all that follow */
	int connect_timeout;
	int database_timeout;
	int request_timeout;
	int stop_timeout;
	int max_body;	/* bytes */
	int max_header; /* bytes */
	int max_connections;
	bool verbose;
	char *issuer;	   /* these three of refresh-jwks; NULL: all issuers */
	char *ca_file;	   /* NULL: the system's certificates */
	int fetch_timeout; /* seconds */
	int max_rows;	   /* these two of purge */
	bool once;
} Options;

typedef enum OptionsResult
{
	OPTIONS_RUN,
	OPTIONS_REFRESH, /* the command refresh-jwks */
	OPTIONS_PURGE,	 /* the command purge */
	OPTIONS_DONE,	 /* --help or --version was printed */
	OPTIONS_WRONG	 /* the error was printed */
} OptionsResult;

extern OptionsResult options_read(Options *options, int argc, char **argv);
extern void options_free(Options *options);

/* The manual page, on stdout. */
extern void options_print_help(void);

#endif
