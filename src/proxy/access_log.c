#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define LINE_SIZE	1024
#define PATH_SIZE	512 /* of a line; what is longer is cut */
#define METHOD_SIZE 32
#define TIME_SIZE	32

/* Tickets have 40 characters or more; no segment of a route is that long. */
#define TICKET_LENGTH 40

static void
use_file(AccessLog *log, int file)
{
	struct stat kind;

	log->file = file;
	log->may_wait = fstat(file, &kind) != 0 || !S_ISREG(kind.st_mode);
}

bool
access_log_open(AccessLog *log, const char *path)
{
	int file = STDOUT_FILENO;

	log->path = path;
	log->len = log->lost = 0;
	if (path != NULL)
		file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (file < 0)
		return false;
	use_file(log, file);
	pthread_mutex_init(&log->mutex, NULL);
	return true;
}

/* How many bytes can be written now without waiting? Whole lines; 0: none. */
static size_t
writable(const AccessLog *log)
{
	struct pollfd file = {.fd = log->file, .events = POLLOUT};
	size_t len = log->len;

	if (!log->may_wait)
		return len;
	if (poll(&file, 1, 0) <= 0)
		return 0;
	/* So much goes into a pipe that takes anything. */
	if (len <= PIPE_BUF)
		return len;
	for (len = PIPE_BUF; log->lines[len - 1] != '\n'; len--)
		;
	return len;
}

/*
 * The mutex is held. A full disk must not stop the service: what cannot be written is lost. Nor
 * must a reader that has stopped: what it does not take is kept, as long as there is room.
 */
static void
write_lines(AccessLog *log)
{
	size_t len;
	ssize_t written;

	while (log->len > 0 && (len = writable(log)) > 0)
	{
		written = write(log->file, log->lines, len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			written = (ssize_t) log->len;
		log->len -= (size_t) written;
		memmove(log->lines, log->lines + written, log->len);
	}
}

/* The mutex is held. */
static void
add_line(AccessLog *log, const char *line, size_t len)
{
	if (log->len + len > sizeof(log->lines))
	{
		if (log->lost++ == 0)
			report("nobody reads the access log; its lines are lost until somebody does");
		return;
	}
	if (log->lost > 0)
		report("the access log is read again; %zu lines are lost", log->lost);
	log->lost = 0;
	memcpy(log->lines + log->len, line, len);
	log->len += len;
}

void
access_log_flush(AccessLog *log)
{
	pthread_mutex_lock(&log->mutex);
	write_lines(log);
	pthread_mutex_unlock(&log->mutex);
}

void
access_log_close(AccessLog *log)
{
	write_lines(log);
	if (log->path != NULL)
		close(log->file);
	pthread_mutex_destroy(&log->mutex);
}

bool
access_log_reopen(AccessLog *log)
{
	int file;

	if (log->path == NULL)
		return true;
	file = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (file < 0)
		return false;
	pthread_mutex_lock(&log->mutex);
	write_lines(log);
	close(log->file);
	use_file(log, file);
	pthread_mutex_unlock(&log->mutex);
	return true;
}

typedef struct Field
{
	char *text;
	size_t size;
	size_t len;
} Field;

/* Adds one byte, escaped where it could break the line or a terminal. */
static void
put_byte(Field *field, unsigned char byte)
{
	char escaped[5];
	size_t len = 1;

	escaped[0] = (char) byte;
	if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '\\')
		len = (size_t) snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
	if (field->len + len >= field->size)
		return;
	memcpy(field->text + field->len, escaped, len);
	field->len += len;
	field->text[field->len] = '\0';
}

static void
put_bytes(Field *field, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_byte(field, (unsigned char) bytes[i]);
}

/* The path, its secrets masked: all that follows a segment "offer", and tickets anywhere. */
static void
put_path(Field *field, const char *target)
{
	size_t len = strcspn(target, "?#");
	size_t at = 0;

	/* An absolute URI could hold a password; its path is refused anyway. */
	if (target[0] != '/')
	{
		put_bytes(field, strcmp(target, "*") == 0 ? "*" : "-", 1);
		return;
	}
	while (at < len)
	{
		size_t segment = strcspn(target + at + 1, "/?#");

		put_byte(field, '/');
		if (segment >= TICKET_LENGTH)
			put_byte(field, '*');
		else
			put_bytes(field, target + at + 1, segment);
		at += segment + 1;
		if (segment == 5 && strncasecmp(target + at - segment, "offer", segment) == 0 &&
			at + 1 < len)
		{
			put_bytes(field, "/*", 2);
			return;
		}
	}
}

static void
put_time(char text[TIME_SIZE])
{
	struct timespec now;
	struct tm parts;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	len = strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + len, TIME_SIZE - len, ".%03dZ", (int) (now.tv_nsec / 1000000));
}

void
access_log_add(AccessLog *log, const AccessLogEntry *entry)
{
	char line[LINE_SIZE];
	char path_text[PATH_SIZE] = "-";
	char method_text[METHOD_SIZE] = "-";
	char time_text[TIME_SIZE];
	Field path = {path_text, sizeof(path_text), 0};
	Field method = {method_text, sizeof(method_text), 0};
	int len;

	if (entry->target != NULL && entry->target[0] != '\0')
		put_path(&path, entry->target);
	if (entry->method != NULL && entry->method[0] != '\0')
		put_bytes(&method, entry->method, strlen(entry->method));
	put_time(time_text);
	len = snprintf(line, sizeof(line), "%s %s %s %s %d %zu %lld%s%s\n", time_text, entry->address,
				   method_text, path_text, entry->status, entry->bytes,
				   (long long) entry->milliseconds, entry->remark != NULL ? " " : "",
				   entry->remark != NULL ? entry->remark : "");
	pthread_mutex_lock(&log->mutex);
	if (log->len + (size_t) len > sizeof(log->lines))
		write_lines(log);
	add_line(log, line, (size_t) len);
	pthread_mutex_unlock(&log->mutex);
}
