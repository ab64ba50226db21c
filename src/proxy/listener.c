#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Cut by the system to net.core.somaxconn. */
#define BACKLOG 65535

static int
try_address(const struct addrinfo *address)
{
	int on = 1;
	int listener = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (listener < 0)
		return -1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, address->ai_addr, address->ai_addrlen) == 0 &&
		listen(listener, BACKLOG) == 0)
		return listener;
	on = errno;
	close(listener);
	errno = on;
	return -1;
}

int
listener_open(const char *address, int port, const char **problem)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
							 .ai_socktype = SOCK_STREAM,
							 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char service[16];
	int listener;

	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(address, service, &hints, &found) != 0)
	{
		*problem = "--listen takes an IPv4 or IPv6 address, like 127.0.0.1 or ::1";
		return -1;
	}
	listener = try_address(found);
	if (listener < 0)
		*problem = strerror(errno);
	freeaddrinfo(found);
	return listener;
}

bool
listener_url(int listener, char *url, size_t size)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[64];
	char port[16];

	if (getsockname(listener, (struct sockaddr *) &address, &len) != 0 ||
		getnameinfo((struct sockaddr *) &address, len, host, sizeof(host), port, sizeof(port),
					NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	snprintf(url, size, address.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host,
			 port);
	return true;
}
