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
	log->second_text[0] = '\0';
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

/* Text that ends where its room does. */
typedef struct Field
{
	char *text;
	size_t size;
	size_t len;
} Field;

static void
put_text(Field *field, const char *text)
{
	size_t len = strlen(text);

	if (len > field->size - field->len)
		len = field->size - field->len;
	memcpy(field->text + field->len, text, len);
	field->len += len;
}

static void
put_number(Field *field, uint64_t number)
{
	char digits[21];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
	{
		*--first = (char) ('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put_text(field, first);
}

/* Adds one byte, escaped where it could break the line or a terminal. */
static void
put_byte(Field *field, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	bool plain = byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\';
	const char escaped[] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};

	if (field->size - field->len < (plain ? 1 : sizeof(escaped)))
		return;
	if (plain)
		field->text[field->len++] = (char) byte;
	else
	{
		memcpy(field->text + field->len, escaped, sizeof(escaped));
		field->len += sizeof(escaped);
	}
}

static void
put_bytes(Field *field, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_byte(field, (unsigned char) bytes[i]);
}

/* Offers by reference and landing pages, where they lie unless an issuer's settings say otherwise. */
static bool
leads_to_code(const char *segment, size_t len)
{
	return (len == 5 && strncasecmp(segment, "offer", len) == 0) ||
		   (len == 1 && (segment[0] == 'o' || segment[0] == 'O'));
}

/* The path, its secrets masked: all that follows "offer" or "o", and tickets anywhere. */
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
		if (leads_to_code(target + at - segment, segment) && at + 1 < len)
		{
			put_bytes(field, "/*", 2);
			return;
		}
	}
}

/* The mutex is held. Most lines share their second with the one before. */
static void
put_time(AccessLog *log, Field *line)
{
	struct timespec now;
	struct tm parts;
	unsigned milliseconds;
	char fraction[] = ".000Z ";

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != log->second || log->second_text[0] == '\0')
	{
		gmtime_r(&now.tv_sec, &parts);
		strftime(log->second_text, sizeof(log->second_text), "%Y-%m-%dT%H:%M:%S", &parts);
		log->second = now.tv_sec;
	}
	milliseconds = (unsigned) (now.tv_nsec / 1000000);
	fraction[1] = (char) ('0' + milliseconds / 100);
	fraction[2] = (char) ('0' + milliseconds / 10 % 10);
	fraction[3] = (char) ('0' + milliseconds % 10);
	put_text(line, log->second_text);
	put_text(line, fraction);
}

/* What a client chose, in a part of the line, so that there is room behind it. */
static void
put_request(Field *line, const AccessLogEntry *entry)
{
	Field method = {line->text + line->len, METHOD_SIZE, 0};
	Field path;

	if (entry->method != NULL && entry->method[0] != '\0')
		put_bytes(&method, entry->method, strlen(entry->method));
	else
		put_text(&method, "-");
	line->len += method.len;
	put_text(line, " ");
	path = (Field){line->text + line->len, PATH_SIZE, 0};
	if (entry->target != NULL && entry->target[0] != '\0')
		put_path(&path, entry->target);
	else
		put_text(&path, "-");
	line->len += path.len;
}

void
access_log_add(AccessLog *log, const AccessLogEntry *entry)
{
	char text[LINE_SIZE];
	Field line = {text, sizeof(text) - 1, 0};

	pthread_mutex_lock(&log->mutex);
	put_time(log, &line);
	put_text(&line, entry->address);
	put_text(&line, " ");
	put_request(&line, entry);
	put_text(&line, " ");
	put_number(&line, (uint64_t) entry->status);
	put_text(&line, " ");
	put_number(&line, entry->bytes);
	put_text(&line, " ");
	put_number(&line, (uint64_t) entry->milliseconds);
	if (entry->remark != NULL)
	{
		put_text(&line, " ");
		put_text(&line, entry->remark);
	}
	text[line.len++] = '\n';
	if (log->len + line.len > sizeof(log->lines))
		write_lines(log);
	add_line(log, text, line.len);
	pthread_mutex_unlock(&log->mutex);
}
