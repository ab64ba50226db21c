#include "door.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "clock.h"

#define MAX_IN_A_ROW 64	  /* then those who are inside get a turn */
#define GRACE_MS	 2000 /* before the first is turned away */
#define PATIENCE_MS	 2000 /* for a visitor's request, and for its reading of the answer */
#define BODY		 "The service is busy. Nothing was changed; please try again.\n"

typedef struct Visitor
{
	Door *door;
	Watch watch;
	int socket; /* -1: none */
	bool told;
	int64_t deadline; /* clock_ms() */
	struct Visitor *next;
	char address[CLIENT_ADDRESS_SIZE];
} Visitor;

static void
log_visitor(const Visitor *visitor)
{
	AccessLogEntry entry = {.address = visitor->address, .status = 503, .bytes = sizeof(BODY) - 1};

	access_log_add(visitor->door->log, &entry);
}

/* Who knocks waits in the listener's queue. */
static void
stop_listening(Door *door)
{
	if (door->deaf)
		return;
	loop_change(door->loop, door->listener, 0, &door->watch);
	door->deaf = true;
}

static void
listen_again(Door *door)
{
	if (!door->open || !door->deaf)
		return;
	loop_change(door->loop, door->listener, EPOLLIN, &door->watch);
	door->deaf = false;
}

static void
part(Visitor *visitor)
{
	Door *door = visitor->door;

	if (visitor->told)
		log_visitor(visitor);
	close(visitor->socket);
	visitor->socket = -1;
	visitor->next = door->free;
	door->free = visitor;
	/* There is room for one more to be turned away. */
	if (visitor->next == NULL)
		listen_again(door);
}

static void
tell(Visitor *visitor)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
					   "HTTP/1.1 503 Service Unavailable\r\n"
					   "Content-Type: text/plain; charset=utf-8\r\n"
					   "Cache-Control: no-store\r\n"
					   "Retry-After: %d\r\n"
					   "Connection: close\r\n"
					   "Content-Length: %zu\r\n\r\n" BODY,
					   answer_retry_after(), sizeof(BODY) - 1);

	/* A new connection has room for so little. */
	visitor->told = send(visitor->socket, text, (size_t) len, MSG_NOSIGNAL) == len;
	/* Not closed yet: a client that still sends would be reset, and lose the answer. */
	shutdown(visitor->socket, SHUT_WR);
}

/* The visitor has sent something, or is gone. */
static void
on_visitor(void *argument, uint32_t events)
{
	Visitor *visitor = argument;
	char thrown_away[4096];
	ssize_t len;

	(void) events;
	if (visitor->socket < 0)
		return;
	len = recv(visitor->socket, thrown_away, sizeof(thrown_away), MSG_DONTWAIT);
	/* Not before a request: an answer to nothing could be taken for a mistake. */
	if (len > 0 && !visitor->told)
		tell(visitor);
	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
		part(visitor);
}

static void
turn_away(Door *door, int socket, const struct sockaddr *address)
{
	Visitor *visitor = door->free;

	door->free = visitor->next;
	visitor->socket = socket;
	visitor->told = false;
	visitor->deadline = clock_ms() + PATIENCE_MS;
	client_print_address(address, visitor->address);
	if (!loop_watch(door->loop, socket, EPOLLIN, &visitor->watch))
		part(visitor);
	/* Most have sent their request by now. */
	else
		on_visitor(visitor, EPOLLIN);
}

static bool
is_full(const Door *door)
{
	return door->clients->count >= door->room;
}

/* It is full: may somebody still leave in time for who waits? */
static bool
is_patient(Door *door)
{
	int64_t now = clock_ms();

	if (door->full_since == 0)
		door->full_since = now;
	return now - door->full_since < GRACE_MS;
}

static int
accept_client(Door *door, struct sockaddr_storage *address, socklen_t *len)
{
	int socket;

	*len = sizeof(*address);
	socket =
		accept4(door->listener, (struct sockaddr *) address, len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (socket < 0 && errno == EAGAIN)
		door->full_since = 0;
	/* No file, no memory: until the next tick. */
	else if (socket < 0 && errno != EINTR && errno != ECONNABORTED)
		stop_listening(door);
	return socket;
}

/* Lets one in, or turns one away; false when nobody else can be. */
static bool
admit(Door *door)
{
	struct sockaddr_storage address;
	socklen_t len;
	int socket;

	if (is_full(door) && (door->free == NULL || is_patient(door)))
	{
		stop_listening(door);
		return false;
	}
	socket = accept_client(door, &address, &len);
	if (socket < 0)
		return false;
	if (is_full(door))
		turn_away(door, socket, (struct sockaddr *) &address);
	/* On failure the library has closed the socket. */
	else
		MHD_add_connection(door->daemon, socket, (struct sockaddr *) &address, len);
	return true;
}

static void
admit_some(Door *door)
{
	for (unsigned i = 0; i < MAX_IN_A_ROW && admit(door); i++)
		;
}

/* Somebody knocks. */
static void
on_knock(void *argument, uint32_t events)
{
	(void) events;
	admit_some(argument);
}

void
door_look(Door *door)
{
	if (door->deaf && door->open && !is_full(door))
		admit_some(door);
}

bool
door_open(Door *door)
{
	door->watch = (Watch){.ready = on_knock, .owner = door};
	door->visitors = calloc(door->files + 1, sizeof(*door->visitors));
	if (door->visitors == NULL)
		return false;
	for (unsigned i = 0; i < door->files; i++)
	{
		Visitor *visitor = &door->visitors[i];

		visitor->door = door;
		visitor->watch = (Watch){.ready = on_visitor, .owner = visitor};
		visitor->socket = -1;
		visitor->next = door->free;
		door->free = visitor;
	}
	door->open = loop_watch(door->loop, door->listener, EPOLLIN, &door->watch);
	return door->open;
}

void
door_shut(Door *door)
{
	if (!door->open)
		return;
	door->open = false;
	loop_forget(door->loop, door->listener);
	shutdown(door->listener, SHUT_RDWR);
}

void
door_tick(Door *door)
{
	int64_t now = clock_ms();

	if (!is_full(door) || (door->free != NULL && !is_patient(door)))
		listen_again(door);
	for (unsigned i = 0; i < door->files; i++)
	{
		Visitor *visitor = &door->visitors[i];

		if (visitor->socket >= 0 && visitor->deadline <= now)
			part(visitor);
	}
}

void
door_free(Door *door)
{
	for (unsigned i = 0; door->visitors != NULL && i < door->files; i++)
	{
		if (door->visitors[i].socket >= 0)
			part(&door->visitors[i]);
	}
	free(door->visitors);
}
