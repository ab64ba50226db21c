/*
 * The open connections, each with the time by which it must have done its part: sent a
 * whole request, or taken a whole answer. The HTTP library only knows of silence, and
 * a client that sends one byte a second is never silent.
 */
#ifndef PROXY_CLIENTS_H
#define PROXY_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CLIENT_ADDRESS_SIZE 64

struct MHD_Connection;
struct Request;

typedef struct Client
{
	struct MHD_Connection *connection;
	struct Request *request; /* NULL: none is under way */
	int socket;
	char address[CLIENT_ADDRESS_SIZE]; /* for the access log */
	int64_t deadline;				   /* clock_ms(); 0: none, the database has the request */
	bool expired;					   /* it was late, and we hung up */
	bool chunking;					   /* sends a body in chunks */
	bool suspect;					   /* see clients_cut_stuck */
	bool cut;						   /* its body could not be read on, and we hung up */
	struct Client *previous;
	struct Client *next;
} Client;

typedef struct Clients
{
	Client *first;
	unsigned count;
	int timeout; /* seconds */
} Clients;

extern void clients_init(Clients *clients, int timeout);

/* As the access log shows it. */
extern void client_print_address(const struct sockaddr *address, char text[CLIENT_ADDRESS_SIZE]);

/* NULL when memory is out. */
extern Client *clients_add(Clients *clients, struct MHD_Connection *connection, int socket,
						   const struct sockaddr *address);

/* To be called before the socket is closed. */
extern void clients_remove(Clients *clients, Client *client);

/* It is the client's turn from now on; or ours. */
extern void clients_start_turn(const Clients *clients, Client *client);
extern void clients_end_turn(Client *client);

/* The connection ends without a word. */
extern void clients_hang_up(Client *client);

/*
 * A body whose chunk has a line that is longer than the library's buffer is never read on:
 * before version 1.0 the library calls that work which is always due, when it does not run
 * in a thread of its own. To be called when the library had work and did none of it for long
 * (sure: and once more): those who have sent more that is not read get a 400, and no more.
 */
extern void clients_cut_stuck(Clients *clients, bool sure);

/* Hangs up on those who are late. To be called a few times a second. */
extern void clients_expire(Clients *clients);

#endif
