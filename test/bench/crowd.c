#include "crowd.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define WALLETS_PER_LANE 64
#define EVENTS_AT_ONCE	 256

typedef struct Lane
{
	CURLM *multi;
	Crowd *crowd;
	double timer; /* when libcurl wants to be called; INFINITY: not by time */
	bool touched; /* something was done, so that exchanges may have ended */
} Lane;

struct Crowd
{
	int epoll;
	size_t lane_count;
	Lane *lanes;
	Exchange *first_ended;
	Exchange *last_ended;
};

double
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *of_lane, void *watched)
{
	Lane *lane = of_lane;
	struct epoll_event event = {0};

	(void) easy;
	if (what == CURL_POLL_REMOVE)
	{
		epoll_ctl(lane->crowd->epoll, EPOLL_CTL_DEL, fd, NULL);
		curl_multi_assign(lane->multi, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	event.data.u64 = (uint64_t) (lane - lane->crowd->lanes) << 32 | (uint32_t) fd;
	if (epoll_ctl(lane->crowd->epoll, watched == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd,
				  &event) != 0)
		return -1;
	curl_multi_assign(lane->multi, fd, lane);
	return 0;
}

static int
set_timer(CURLM *multi, long timeout_ms, void *of_lane)
{
	Lane *lane = of_lane;

	(void) multi;
	lane->timer = timeout_ms < 0 ? INFINITY : clock_ms() + (double) timeout_ms;
	return 0;
}

static bool
open_lane(Crowd *crowd, Lane *lane)
{
	lane->crowd = crowd;
	lane->timer = INFINITY;
	lane->multi = curl_multi_init();
	return lane->multi != NULL &&
		   curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
		   curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane) == CURLM_OK &&
		   curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
		   curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane) == CURLM_OK;
}

Crowd *
crowd_new(size_t wallets)
{
	Crowd *crowd = calloc(1, sizeof(Crowd));
	bool ok;

	if (crowd == NULL)
		return NULL;
	crowd->lane_count = (wallets + WALLETS_PER_LANE - 1) / WALLETS_PER_LANE;
	crowd->lanes = calloc(crowd->lane_count, sizeof(Lane));
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	ok = crowd->lanes != NULL && crowd->epoll >= 0;
	for (size_t i = 0; ok && i < crowd->lane_count; i++)
		ok = open_lane(crowd, &crowd->lanes[i]);
	if (ok)
		return crowd;
	crowd_free(crowd);
	return NULL;
}

void
crowd_free(Crowd *crowd)
{
	for (size_t i = 0; crowd->lanes != NULL && i < crowd->lane_count; i++)
		curl_multi_cleanup(crowd->lanes[i].multi);
	if (crowd->epoll >= 0)
		close(crowd->epoll);
	free(crowd->lanes);
	free(crowd);
}

static size_t
take_body(char *data, size_t size, size_t count, void *of_exchange)
{
	Exchange *exchange = of_exchange;
	size_t len = size * count;

	if (exchange->body_len + len >= exchange->body_capacity)
	{
		size_t capacity = 2 * (exchange->body_len + len) + 1024;
		char *body = realloc(exchange->body, capacity);

		if (body == NULL)
			return 0;
		exchange->body = body;
		exchange->body_capacity = capacity;
	}
	memcpy(exchange->body + exchange->body_len, data, len);
	exchange->body_len += len;
	exchange->body[exchange->body_len] = '\0';
	return len;
}

bool
crowd_join(Crowd *crowd, size_t n, Exchange *exchange)
{
	CURL *easy = curl_easy_init();

	exchange->easy = easy;
	exchange->lane = &crowd->lanes[n / WALLETS_PER_LANE % crowd->lane_count];
	return easy != NULL && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 8192L) == CURLE_OK;
}

void
crowd_leave(Exchange *exchange)
{
	if (exchange->easy != NULL)
	{
		curl_multi_remove_handle(exchange->lane->multi, exchange->easy);
		curl_easy_cleanup(exchange->easy);
	}
	free(exchange->body);
	memset(exchange, 0, sizeof(*exchange));
}

bool
crowd_send(Exchange *exchange)
{
	exchange->body_len = 0;
	if (exchange->body != NULL)
		exchange->body[0] = '\0';
	return curl_multi_add_handle(exchange->lane->multi, exchange->easy) == CURLM_OK;
}

static void
act(Lane *lane, curl_socket_t fd, int mask)
{
	int running;

	lane->touched = true;
	curl_multi_socket_action(lane->multi, fd, mask, &running);
}

static void
wait_for_events(Crowd *crowd, double until)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	double wait;
	int count;

	for (size_t i = 0; i < crowd->lane_count; i++)
		until = fmin(until, crowd->lanes[i].timer);
	wait = fmax(0, ceil(until - clock_ms()));
	count = epoll_wait(crowd->epoll, events, EVENTS_AT_ONCE,
					   isinf(until) ? -1 : (int) fmin(wait, 60000));
	for (int i = 0; i < count; i++)
		act(&crowd->lanes[events[i].data.u64 >> 32], (curl_socket_t) (uint32_t) events[i].data.u64,
			(events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
				(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
				(events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

static void
serve_timers(Crowd *crowd)
{
	double now = clock_ms();

	for (size_t i = 0; i < crowd->lane_count; i++)
	{
		if (crowd->lanes[i].timer > now)
			continue;
		crowd->lanes[i].timer = INFINITY;
		act(&crowd->lanes[i], CURL_SOCKET_TIMEOUT, 0);
	}
}

static void
collect(Crowd *crowd, Lane *lane)
{
	CURLMsg *message;
	int left;

	lane->touched = false;
	while ((message = curl_multi_info_read(lane->multi, &left)) != NULL)
	{
		Exchange *exchange;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &exchange);
		exchange->result = message->data.result;
		exchange->next_ended = NULL;
		curl_multi_remove_handle(lane->multi, exchange->easy);
		if (crowd->first_ended == NULL)
			crowd->first_ended = exchange;
		else
			crowd->last_ended->next_ended = exchange;
		crowd->last_ended = exchange;
	}
}

Exchange *
crowd_next(Crowd *crowd, double until)
{
	Exchange *exchange;

	if (crowd->first_ended == NULL)
	{
		wait_for_events(crowd, until);
		serve_timers(crowd);
		for (size_t i = 0; i < crowd->lane_count; i++)
		{
			if (crowd->lanes[i].touched)
				collect(crowd, &crowd->lanes[i]);
		}
	}
	exchange = crowd->first_ended;
	if (exchange != NULL)
		crowd->first_ended = exchange->next_ended;
	return exchange;
}
