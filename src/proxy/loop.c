#include "loop.h"

#include <unistd.h>

#define MAX_EVENTS 128

bool
loop_open(Loop *loop)
{
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll >= 0;
}

void
loop_close(Loop *loop)
{
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = -1;
}

static bool
control(Loop *loop, int operation, int file, uint32_t events, Watch *watch)
{
	struct epoll_event event = {.events = events, .data = {.ptr = watch}};

	return epoll_ctl(loop->epoll, operation, file, &event) == 0;
}

bool
loop_watch(Loop *loop, int file, uint32_t events, Watch *watch)
{
	return control(loop, EPOLL_CTL_ADD, file, events, watch);
}

bool
loop_change(Loop *loop, int file, uint32_t events, Watch *watch)
{
	return control(loop, EPOLL_CTL_MOD, file, events, watch);
}

void
loop_forget(Loop *loop, int file)
{
	control(loop, EPOLL_CTL_DEL, file, 0, NULL);
}

void
loop_turn(Loop *loop, int timeout)
{
	struct epoll_event events[MAX_EVENTS];
	int count = epoll_wait(loop->epoll, events, MAX_EVENTS, timeout);

	for (int i = 0; i < count; i++)
	{
		Watch *watch = events[i].data.ptr;

		watch->ready(watch->owner, events[i].events);
	}
}
