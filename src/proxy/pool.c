#include "pool.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"

#define BUSY	  "The service is busy. Nothing was changed; please try again.\n"
#define STOPPING  "The service is being stopped. Nothing was changed; please try again.\n"
#define NO_THREAD "no thread to connect in"
#define NO_WATCH  "no memory to wait for it"

/* An attempt to connect lasts no longer once the proxy stops: one that works takes milliseconds. */
#define LAST_ATTEMPT_MS 1000

typedef enum SlotState
{
	SLOT_IDLE,
	SLOT_CONNECTING, /* its thread has the database */
	SLOT_GIVEN_UP,	 /* the same, but nobody waits for it */
	SLOT_WAITING,	 /* for the server */
	SLOT_PAUSING
} SlotState;

/* One connection to the database, or the room for one. */
typedef struct Slot
{
	struct Pool *pool;
	Database *database;
	Watch watch;
	SlotState state;
	Exchange exchange;
	Job *job;		   /* NULL: idle */
	int64_t resume_at; /* clock_ms(), of a pause */
	bool sending;	   /* the loop watches for room to send */
	struct Slot *next; /* in the idle list */

	pthread_t thread; /* of a connection attempt */
	int64_t connecting_since;
	const char *problem;
	atomic_bool connected;
} Slot;

struct Pool
{
	PoolSettings settings;
	Outage outage;
	Slot *slots;
	unsigned started;
	unsigned pausing;
	unsigned given_up;
	Slot *idle; /* the one that was busy last stands first */
	Job *first;
	Job *last;
	unsigned queued;
	bool hurrying;
	bool stopping;
	bool left_behind; /* a thread goes on using the pool */
	int connects;	  /* readable when an attempt has ended; -1: none */
	Watch connects_watch;
};

static void
refuse(Pool *pool, Job *job, const char *text)
{
	answer_say(&job->answer, 503, text, answer_retry_after());
	pool->settings.done(job);
}

static void
enqueue(Pool *pool, Job *job)
{
	job->queued_at = clock_ms();
	job->next = NULL;
	if (pool->last != NULL)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	pool->queued++;
}

static Job *
take_queued(Pool *pool)
{
	Job *job = pool->first;

	if (job == NULL)
		return NULL;
	pool->first = job->next;
	if (pool->first == NULL)
		pool->last = NULL;
	pool->queued--;
	job->next = NULL;
	return job;
}

/*
 * The idle slot that was busy last among those with a connection, so that no more
 * connections are opened than are needed at once.
 */
static Slot *
take_idle(Pool *pool)
{
	Slot **link = &pool->idle;
	Slot *slot;

	while (*link != NULL && database_socket((*link)->database) < 0)
		link = &(*link)->next;
	if (*link == NULL)
		link = &pool->idle;
	slot = *link;
	if (slot != NULL)
		*link = slot->next;
	return slot;
}

static void
put_idle(Slot *slot)
{
	slot->state = SLOT_IDLE;
	slot->next = slot->pool->idle;
	slot->pool->idle = slot;
}

static void
wake_loop(const Pool *pool)
{
	uint64_t signal = 1;

	/* It fails only when the counter is full, and then the loop is awake. */
	if (write(pool->connects, &signal, sizeof(signal)) < 0)
		return;
}

static void *
connect_slot(void *argument)
{
	Slot *slot = argument;

	slot->problem = NULL;
	if (!database_open(slot->database, &slot->problem) && slot->problem == NULL)
		slot->problem = "out of memory";
	atomic_store(&slot->connected, true);
	wake_loop(slot->pool);
	return NULL;
}

static ExchangeStep
begin_connecting(Slot *slot)
{
	atomic_store(&slot->connected, false);
	slot->connecting_since = clock_ms();
	if (pthread_create(&slot->thread, NULL, connect_slot, slot) != 0)
		return exchange_connected(&slot->exchange, NO_THREAD);
	slot->state = SLOT_CONNECTING;
	return EXCHANGE_CONNECT;
}

static ExchangeStep
end_connecting(Slot *slot)
{
	pthread_join(slot->thread, NULL);
	slot->sending = false;
	if (slot->problem == NULL &&
		!loop_watch(slot->pool->settings.loop, database_socket(slot->database), EPOLLIN,
					&slot->watch))
		slot->problem = NO_WATCH;
	return exchange_connected(&slot->exchange, slot->problem);
}

static void
wait_for_server(Slot *slot)
{
	bool sending = database_is_sending(slot->database);

	slot->state = SLOT_WAITING;
	if (sending == slot->sending)
		return;
	slot->sending = sending;
	loop_change(slot->pool->settings.loop, database_socket(slot->database),
				sending ? EPOLLIN | EPOLLOUT : EPOLLIN, &slot->watch);
}

static void
pause_slot(Slot *slot)
{
	slot->state = SLOT_PAUSING;
	slot->resume_at = clock_ms() + exchange_pause_ms(&slot->exchange);
	slot->pool->pausing++;
}

/* Goes on with a slot's job, and then with what is queued, until something must be waited for. */
static void
run(Slot *slot, ExchangeStep step)
{
	Pool *pool = slot->pool;

	for (;;)
	{
		if (step == EXCHANGE_CONNECT)
			step = begin_connecting(slot);
		if (step == EXCHANGE_WAIT)
			wait_for_server(slot);
		else if (step == EXCHANGE_PAUSE)
			pause_slot(slot);
		if (step != EXCHANGE_DONE)
			return;
		pool->settings.done(slot->job);
		slot->job = take_queued(pool);
		if (slot->job == NULL)
			break;
		step = exchange_begin(&slot->exchange, &slot->job->call, &slot->job->answer);
	}
	put_idle(slot);
}

/* The database's socket is ready. */
static void
on_database(void *argument, uint32_t events)
{
	Slot *slot = argument;

	(void) events;
	if (slot->state == SLOT_WAITING)
		run(slot, exchange_go_on(&slot->exchange));
	/* A server that speaks while nothing was asked says goodbye. While a job pauses, the
	   next attempt finds out. */
	else if (slot->state == SLOT_IDLE)
		database_close(slot->database);
	else if (slot->state == SLOT_PAUSING)
		loop_forget(slot->pool->settings.loop, database_socket(slot->database));
}

static void
on_connects(void *argument, uint32_t events)
{
	Pool *pool = argument;
	uint64_t count;

	(void) events;
	if (read(pool->connects, &count, sizeof(count)) < 0)
		return;
	for (unsigned i = 0; i < pool->started; i++)
	{
		Slot *slot = &pool->slots[i];

		if (slot->state == SLOT_CONNECTING && atomic_load(&slot->connected))
			run(slot, end_connecting(slot));
	}
}

void
pool_submit(Pool *pool, Job *job)
{
	Slot *slot;

	if (pool->stopping || pool->given_up == pool->started)
	{
		refuse(pool, job, STOPPING);
		return;
	}
	slot = take_idle(pool);
	if (slot != NULL)
	{
		slot->job = job;
		run(slot, exchange_begin(&slot->exchange, &job->call, &job->answer));
	}
	else if (pool->queued >= pool->settings.queue_limit)
		refuse(pool, job, BUSY);
	else
		enqueue(pool, job);
}

int
pool_patience(const Pool *pool, int limit)
{
	int64_t now;

	if (pool->pausing == 0)
		return limit;
	now = clock_ms();
	for (unsigned i = 0; i < pool->started; i++)
	{
		const Slot *slot = &pool->slots[i];

		if (slot->state == SLOT_PAUSING && slot->resume_at < now + limit)
			limit = slot->resume_at > now ? (int) (slot->resume_at - now) : 0;
	}
	return limit;
}

void
pool_resume(Pool *pool)
{
	int64_t now;

	if (pool->pausing == 0)
		return;
	now = clock_ms();
	for (unsigned i = 0; i < pool->started; i++)
	{
		Slot *slot = &pool->slots[i];

		if (slot->state != SLOT_PAUSING || slot->resume_at > now)
			continue;
		pool->pausing--;
		run(slot, exchange_retry(&slot->exchange));
	}
}

void
pool_hurry(Pool *pool)
{
	pool->hurrying = true;
}

static void
refuse_queued(Pool *pool)
{
	Job *job;

	while ((job = take_queued(pool)) != NULL)
		refuse(pool, job, STOPPING);
}

/* Nothing of a job was sent whose connection is not there. */
static void
give_up_attempts(Pool *pool, int64_t latest)
{
	for (unsigned i = 0; i < pool->started; i++)
	{
		Slot *slot = &pool->slots[i];

		if (slot->state != SLOT_CONNECTING || slot->connecting_since > latest)
			continue;
		slot->state = SLOT_GIVEN_UP;
		pool->given_up++;
		refuse(pool, slot->job, STOPPING);
		slot->job = NULL;
	}
	if (pool->given_up == pool->started)
		refuse_queued(pool);
}

void
pool_tick(Pool *pool)
{
	int64_t now = clock_ms();
	int64_t latest = now - (int64_t) pool->settings.queue_timeout * 1000;

	for (unsigned i = 0; i < pool->started; i++)
	{
		Slot *slot = &pool->slots[i];

		if (slot->state != SLOT_WAITING || slot->exchange.deadline > now)
			continue;
		exchange_abandon(&slot->exchange);
		run(slot, EXCHANGE_DONE);
	}
	while (pool->first != NULL && pool->first->queued_at <= latest)
		refuse(pool, take_queued(pool), BUSY);
	if (pool->hurrying)
		give_up_attempts(pool, now - LAST_ATTEMPT_MS);
}

/* Waits as only a start may. */
static void
await_database(Exchange *exchange)
{
	int64_t left = exchange->deadline - clock_ms();
	struct pollfd server = {.fd = database_socket(exchange->database), .events = POLLIN};

	if (database_is_sending(exchange->database))
		server.events |= POLLOUT;
	poll(&server, 1, left > 0 ? (int) left : 0);
}

/*
 * What is wrong with the database or the role shows at the start, not with the first wallet.
 * Nobody is served meanwhile, so no more time is given to it than to connecting.
 */
static void
try_database(Pool *pool, Database *database)
{
	ExchangeSettings settings = pool->settings.exchange;
	Exchange exchange = {.database = database, .outage = &pool->outage, .settings = &settings};
	DatabaseCall check = {.check = true};
	Answer answer = {0};
	const char *problem = NULL;
	ExchangeStep step;

	settings.timeout = settings.database.connect_timeout;
	step = exchange_begin(&exchange, &check, &answer);
	while (step != EXCHANGE_DONE)
	{
		if (step == EXCHANGE_CONNECT)
			step =
				exchange_connected(&exchange, database_open(database, &problem) ? NULL : problem);
		else if (clock_ms() >= exchange.deadline)
		{
			exchange_abandon(&exchange);
			step = EXCHANGE_DONE;
		}
		else
		{
			await_database(&exchange);
			step = exchange_go_on(&exchange);
		}
	}
	/* A connection that failed was reported with its reason. */
	if (answer.status != 200 && pool->outage.failures == 0)
		report("warning: %s", answer.text);
	answer_clear(&answer);
}

static bool
start_slot(Pool *pool, Slot *slot)
{
	slot->pool = pool;
	slot->watch = (Watch){.ready = on_database, .owner = slot};
	slot->database = database_new(&pool->settings.exchange.database);
	if (slot->database == NULL)
		return false;
	slot->exchange.database = slot->database;
	slot->exchange.outage = &pool->outage;
	slot->exchange.settings = &pool->settings.exchange;
	put_idle(slot);
	return true;
}

/* The connection that was tried is kept when it can be. */
static void
try_slot(Pool *pool, Slot *slot)
{
	int socket;

	try_database(pool, slot->database);
	socket = database_socket(slot->database);
	if (socket >= 0 && !loop_watch(pool->settings.loop, socket, EPOLLIN, &slot->watch))
		database_close(slot->database);
}

Pool *
pool_start(const PoolSettings *settings)
{
	Pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->settings = *settings;
	outage_init(&pool->outage);
	pool->connects = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->connects_watch = (Watch){.ready = on_connects, .owner = pool};
	pool->slots = calloc(settings->connections, sizeof(*pool->slots));
	if (pool->slots != NULL && pool->connects >= 0 &&
		loop_watch(settings->loop, pool->connects, EPOLLIN, &pool->connects_watch))
	{
		while (pool->started < settings->connections &&
			   start_slot(pool, &pool->slots[pool->started]))
			pool->started++;
	}
	if (pool->started < settings->connections)
	{
		pool_stop(pool);
		pool_free(pool);
		return NULL;
	}
	try_slot(pool, &pool->slots[pool->started - 1]);
	return pool;
}

/* An attempt that has not ended keeps what it uses. */
static void
end_attempt(Slot *slot)
{
	if (atomic_load(&slot->connected))
	{
		pthread_join(slot->thread, NULL);
		database_free(slot->database);
		return;
	}
	pthread_detach(slot->thread);
	slot->pool->left_behind = true;
}

/* Its job, if it has one, gets a 503. */
static void
stop_slot(Slot *slot)
{
	Job *job = slot->job;

	slot->job = NULL;
	if (job != NULL && slot->state == SLOT_WAITING)
	{
		exchange_abandon(&slot->exchange);
		slot->pool->settings.done(job);
	}
	else if (job != NULL)
		refuse(slot->pool, job, STOPPING);
	if (slot->state == SLOT_CONNECTING || slot->state == SLOT_GIVEN_UP)
		end_attempt(slot);
	else
		database_free(slot->database);
	slot->state = SLOT_IDLE;
}

void
pool_stop(Pool *pool)
{
	pool->stopping = true;
	refuse_queued(pool);
	for (unsigned i = 0; i < pool->started; i++)
		stop_slot(&pool->slots[i]);
	pool->started = 0;
	pool->idle = NULL;
}

bool
pool_free(Pool *pool)
{
	if (pool->left_behind)
		return false;
	if (pool->connects >= 0)
		close(pool->connects);
	free(pool->slots);
	free(pool);
	return true;
}
