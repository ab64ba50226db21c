/*
 * Lets clients in, as many as there is room for. Others wait for a moment in the listener's
 * queue; when there still is no room, they are told to come back, which costs far less than
 * serving them: their requests are not read but for being thrown away.
 */
#ifndef PROXY_DOOR_H
#define PROXY_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "access_log.h"
#include "clients.h"
#include "loop.h"

struct MHD_Daemon;
struct Visitor;

typedef struct Door
{
	Loop *loop;
	int listener;
	struct MHD_Daemon *daemon; /* takes those who are let in */
	const Clients *clients;
	unsigned room;	/* clients at once */
	unsigned files; /* who are turned away at once, at most DOOR_FILES; 0: all wait */
	AccessLog *log;

	/* The door's. */
	Watch watch;
	bool open;
	bool deaf;				  /* does not watch the listener for now */
	int64_t full_since;		  /* clock_ms(); 0: there was room for all */
	struct Visitor *visitors; /* who are being turned away */
	struct Visitor *free;
} Door;

/* The files that a door uses at most beside those of the clients it lets in. */
#define DOOR_FILES 2048

/* What is not the door's is set. False when memory or files are out. */
extern bool door_open(Door *door);

/* Nobody new gets in, and who knocks is refused by the system. */
extern void door_shut(Door *door);

/* Lets in who waits, when there is room again. To be called whenever clients may have gone. */
extern void door_look(Door *door);

/* Parts with visitors that stay too long. To be called a few times a second. */
extern void door_tick(Door *door);

extern void door_free(Door *door);

#endif
