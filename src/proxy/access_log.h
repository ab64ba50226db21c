/*
 * One line a request: time, remote address, method, path, status, bytes, milliseconds.
 * Never a header, a body, a query, or a path segment that could be a secret.
 */
#ifndef PROXY_ACCESS_LOG_H
#define PROXY_ACCESS_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ACCESS_LOG_BUFFER 16384

typedef struct AccessLog
{
	pthread_mutex_t mutex;
	const char *path; /* NULL: stdout */
	int file;
	bool may_wait; /* a pipe, a socket or a terminal, which somebody must read */
	size_t len;	   /* of the lines that are not written yet */
	size_t lost;   /* lines, since nobody reads the others */
	time_t second; /* that second_text tells */
	char second_text[24];
	char lines[ACCESS_LOG_BUFFER];
} AccessLog;

typedef struct AccessLogEntry
{
	const char *address;
	const char *method; /* NULL: not known */
	const char *target; /* NULL: not known */
	int status;			/* 0: the connection closed without an answer */
	size_t bytes;		/* of the body */
	int64_t milliseconds;
	const char *remark; /* NULL: the answer was sent */
} AccessLogEntry;

/* Opens path for appending (NULL: stdout); false with errno set when that fails. */
extern bool access_log_open(AccessLog *log, const char *path);
extern void access_log_close(AccessLog *log);

/* After a rotation; keeps the old file, and returns false with errno, when that fails. */
extern bool access_log_reopen(AccessLog *log);

extern void access_log_add(AccessLog *log, const AccessLogEntry *entry);

/*
 * Writes the lines that were added, as far as the file takes them without waiting. To be called
 * a few times a second, and before a long wait.
 */
extern void access_log_flush(AccessLog *log);

#endif
