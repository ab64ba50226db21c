/*
 * One document from a server outside, for refresh-jwks: size and time are bounded,
 * certificates checked, no redirect is followed.
 */
#ifndef PROXY_FETCH_H
#define PROXY_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#define FETCH_MAX_BYTES	   (256 * 1024)
#define FETCH_PROBLEM_SIZE 512

typedef struct FetchSettings
{
	const char *ca_file; /* PEM certificates to trust instead of the system's; NULL: those */
	int timeout;		 /* seconds, from the connection to the last byte */
} FetchSettings;

/* False when libcurl does not start. */
extern bool fetch_start(void);
extern void fetch_stop(void);

/*
 * The text behind an https URL (http for loopback hosts only) that answers 200: valid
 * UTF-8 without NUL bytes, malloc'd. NULL when there is none; then problem says why,
 * as in "the server answers 404".
 */
extern char *fetch_text(const FetchSettings *settings, const char *url,
						char problem[FETCH_PROBLEM_SIZE]);

/* libcurl's, static. */
extern const char *fetch_library_version(void);

#endif
