/*
 * Waiting for many files at once: who watches one is called when it is ready.
 */
#ifndef PROXY_LOOP_H
#define PROXY_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Must outlive the file that it watches; closing the file ends the watch. */
typedef struct Watch
{
	void (*ready)(void *owner, uint32_t events);
	void *owner;
} Watch;

typedef struct Loop
{
	int epoll;
} Loop;

/* False with errno set when files are out. */
extern bool loop_open(Loop *loop);
extern void loop_close(Loop *loop);

/* events: EPOLLIN, EPOLLOUT; reported as long as they last. False with errno set. */
extern bool loop_watch(Loop *loop, int file, uint32_t events, Watch *watch);
extern bool loop_change(Loop *loop, int file, uint32_t events, Watch *watch);
extern void loop_forget(Loop *loop, int file);

/* Waits up to timeout milliseconds for the first file, and calls the watches of all ready. */
extern void loop_turn(Loop *loop, int timeout);

#endif
