/*
 * The open connections, each with the time by which it must have done its part: sent a
 * whole request, or taken a whole answer. The HTTP library only knows of silence, and
 * a client that sends one byte a second is never silent.
 */
#ifndef PROXY_CLIENTS_H
#define PROXY_CLIENTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CLIENT_ADDRESS_SIZE 64

typedef struct Client
{
	int socket;
	char address[CLIENT_ADDRESS_SIZE]; /* for the access log */
	int64_t deadline;				   /* clock_ms(); 0: none, the database has the request */
	bool expired;					   /* it was late, and we hung up */
	struct Client *previous;
	struct Client *next;
} Client;

typedef struct Clients
{
	pthread_mutex_t mutex;
	Client *first;
	int timeout; /* seconds */
} Clients;

extern void clients_init(Clients *clients, int timeout);
extern void clients_destroy(Clients *clients);

/* NULL when memory is out. */
extern Client *clients_add(Clients *clients, int socket, const struct sockaddr *address);

/* To be called before the socket is closed. */
extern void clients_remove(Clients *clients, Client *client);

/* It is the client's turn from now on; or ours. */
extern void clients_start_turn(Clients *clients, Client *client);
extern void clients_end_turn(Clients *clients, Client *client);

/* The connection ends without a word. */
extern void clients_hang_up(Clients *clients, Client *client);

extern bool clients_expired(Clients *clients, const Client *client);

/* Hangs up on those who are late. To be called a few times a second. */
extern void clients_expire(Clients *clients);

#endif
