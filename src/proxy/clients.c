#include "clients.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

void
clients_init(Clients *clients, int timeout)
{
	memset(clients, 0, sizeof(*clients));
	pthread_mutex_init(&clients->mutex, NULL);
	clients->timeout = timeout;
}

void
clients_destroy(Clients *clients)
{
	pthread_mutex_destroy(&clients->mutex);
}

static void
print_address(Client *client, const struct sockaddr *address)
{
	socklen_t len =
		address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (getnameinfo(address, len, client->address, sizeof(client->address), NULL, 0,
					NI_NUMERICHOST) != 0)
		snprintf(client->address, sizeof(client->address), "-");
}

Client *
clients_add(Clients *clients, int socket, const struct sockaddr *address)
{
	Client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->socket = socket;
	print_address(client, address);
	client->deadline = clock_ms() + (int64_t) clients->timeout * 1000;
	pthread_mutex_lock(&clients->mutex);
	client->next = clients->first;
	if (client->next != NULL)
		client->next->previous = client;
	clients->first = client;
	pthread_mutex_unlock(&clients->mutex);
	return client;
}

void
clients_remove(Clients *clients, Client *client)
{
	pthread_mutex_lock(&clients->mutex);
	if (client->previous != NULL)
		client->previous->next = client->next;
	else
		clients->first = client->next;
	if (client->next != NULL)
		client->next->previous = client->previous;
	pthread_mutex_unlock(&clients->mutex);
	free(client);
}

static void
set_deadline(Clients *clients, Client *client, int64_t deadline)
{
	pthread_mutex_lock(&clients->mutex);
	client->deadline = deadline;
	pthread_mutex_unlock(&clients->mutex);
}

void
clients_start_turn(Clients *clients, Client *client)
{
	set_deadline(clients, client, clock_ms() + (int64_t) clients->timeout * 1000);
}

void
clients_end_turn(Clients *clients, Client *client)
{
	set_deadline(clients, client, 0);
}

/* Only shut down: the HTTP library notices, and closes what it owns. */
void
clients_hang_up(Clients *clients, Client *client)
{
	pthread_mutex_lock(&clients->mutex);
	shutdown(client->socket, SHUT_RDWR);
	pthread_mutex_unlock(&clients->mutex);
}

bool
clients_expired(Clients *clients, const Client *client)
{
	bool expired;

	pthread_mutex_lock(&clients->mutex);
	expired = client->expired;
	pthread_mutex_unlock(&clients->mutex);
	return expired;
}

void
clients_expire(Clients *clients)
{
	int64_t now = clock_ms();

	pthread_mutex_lock(&clients->mutex);
	for (Client *client = clients->first; client != NULL; client = client->next)
	{
		if (client->deadline == 0 || client->deadline > now || client->expired)
			continue;
		shutdown(client->socket, SHUT_RDWR);
		client->expired = true;
	}
	pthread_mutex_unlock(&clients->mutex);
}
