#include "clients.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "clock.h"

void
clients_init(Clients *clients, int timeout)
{
	memset(clients, 0, sizeof(*clients));
	clients->timeout = timeout;
}

void
client_print_address(const struct sockaddr *address, char text[CLIENT_ADDRESS_SIZE])
{
	socklen_t len =
		address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (getnameinfo(address, len, text, CLIENT_ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(text, CLIENT_ADDRESS_SIZE, "-");
}

Client *
clients_add(Clients *clients, struct MHD_Connection *connection, int socket,
			const struct sockaddr *address)
{
	Client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->connection = connection;
	client->socket = socket;
	client_print_address(address, client->address);
	client->deadline = clock_ms() + (int64_t) clients->timeout * 1000;
	client->next = clients->first;
	if (client->next != NULL)
		client->next->previous = client;
	clients->first = client;
	clients->count++;
	return client;
}

void
clients_remove(Clients *clients, Client *client)
{
	if (client->previous != NULL)
		client->previous->next = client->next;
	else
		clients->first = client->next;
	if (client->next != NULL)
		client->next->previous = client->previous;
	clients->count--;
	free(client);
}

void
clients_start_turn(const Clients *clients, Client *client)
{
	client->deadline = clock_ms() + (int64_t) clients->timeout * 1000;
}

void
clients_end_turn(Client *client)
{
	client->deadline = 0;
}

/*
 * Only shut down: the HTTP library notices, and closes what it owns; after a second also
 * what it does not read or write any longer.
 */
void
clients_hang_up(Client *client)
{
	MHD_set_connection_option(client->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
	shutdown(client->socket, SHUT_RDWR);
}

static void
cut(Client *client)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
								 "Content-Type: text/plain; charset=utf-8\r\n"
								 "Cache-Control: no-store\r\n"
								 "Connection: close\r\n"
								 "Content-Length: 42\r\n\r\n"
								 "A chunk of the body has too long a line.\r\n";

	/* The library has sent nothing of an answer yet. */
	send(client->socket, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
	client->cut = true;
	clients_hang_up(client);
}

void
clients_cut_stuck(Clients *clients, bool sure)
{
	for (Client *client = clients->first; client != NULL; client = client->next)
	{
		int unread = 0;
		bool stuck = client->chunking && !client->cut &&
					 ioctl(client->socket, FIONREAD, &unread) == 0 && unread > 0;

		if (stuck && sure && client->suspect)
			cut(client);
		client->suspect = stuck && !sure;
	}
}

void
clients_expire(Clients *clients)
{
	int64_t now = clock_ms();

	for (Client *client = clients->first; client != NULL; client = client->next)
	{
		if (client->deadline == 0 || client->deadline > now || client->expired)
			continue;
		clients_hang_up(client);
		client->expired = true;
	}
}
