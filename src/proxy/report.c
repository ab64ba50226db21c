#include "report.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MAX 1024

void
report(const char *format, ...)
{
	static const char prefix[] = "openid4vci-proxy: ";
	struct pollfd stderr_file = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[REPORT_MAX];
	size_t len = sizeof(prefix) - 1;
	int written;
	va_list arguments;

	memcpy(line, prefix, len);
	va_start(arguments, format);
	written = vsnprintf(line + len, sizeof(line) - len - 1, format, arguments);
	va_end(arguments);
	if (written < 0)
		return;
	len = strlen(line);
	for (char *at = line; *at != '\0'; at++)
	{
		/* libpq's messages have several lines; a log wants one. */
		if ((unsigned char) *at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	while (len > 0 && line[len - 1] == ' ')
		len--;
	line[len++] = '\n';
	/* Who does not read it must not stop the service. */
	if (poll(&stderr_file, 1, 0) <= 0)
		return;
	/* One write a line, so that threads do not mix theirs. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
