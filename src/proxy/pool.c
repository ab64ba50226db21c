#include "pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"

#define RETRY_AFTER_S 1
#define BUSY		  "The service is busy. Nothing was changed; please try again.\n"
#define STOPPING	  "The service is being stopped. Nothing was changed; please try again.\n"

typedef struct Worker
{
	Pool *pool;
	Database *database;
	pthread_t thread;
	pthread_cond_t wake;
	Job *job;			 /* handed over, not yet taken */
	bool connected;		 /* had a connection when it went idle */
	struct Worker *next; /* in the idle list */
} Worker;

struct Pool
{
	PoolSettings settings;
	Outage outage;
	pthread_mutex_t mutex;
	Worker *workers;
	unsigned started;
	Worker *idle; /* the one that was busy last stands first */
	Job *first;
	Job *last;
	unsigned queued;
	bool stopping;
};

static void
refuse(Pool *pool, Job *job, const char *text)
{
	answer_say(&job->answer, 503, text, RETRY_AFTER_S);
	pool->settings.done(job);
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
 * The idle worker that was busy last among those with a connection, so that no more
 * connections are opened than are needed at once.
 */
static Worker *
take_idle(Pool *pool)
{
	Worker **link = &pool->idle;
	Worker *worker;

	while (*link != NULL && !(*link)->connected)
		link = &(*link)->next;
	if (*link == NULL)
		link = &pool->idle;
	worker = *link;
	if (worker != NULL)
		*link = worker->next;
	return worker;
}

/* Waits for a job; NULL when the pool ends. */
static Job *
next_job(Worker *worker)
{
	Pool *pool = worker->pool;
	bool connected = database_is_fresh(worker->database);
	Job *job;

	pthread_mutex_lock(&pool->mutex);
	job = pool->stopping ? NULL : take_queued(pool);
	if (job == NULL && !pool->stopping)
	{
		worker->connected = connected;
		worker->next = pool->idle;
		pool->idle = worker;
		while (worker->job == NULL && !pool->stopping)
			pthread_cond_wait(&worker->wake, &pool->mutex);
		job = worker->job;
		worker->job = NULL;
	}
	pthread_mutex_unlock(&pool->mutex);
	return job;
}

static void *
work(void *argument)
{
	Worker *worker = argument;
	Pool *pool = worker->pool;
	const ExchangeSettings *settings = &pool->settings.exchange;
	Job *job;

	while ((job = next_job(worker)) != NULL)
	{
		if (job->check)
			exchange_check(worker->database, &pool->outage, settings, &job->answer);
		else
			exchange_call(worker->database, &pool->outage, settings, &job->call, &job->answer);
		pool->settings.done(job);
	}
	database_close(worker->database);
	return NULL;
}

/*
 * What is wrong with the database or the role shows at the start, not with the first wallet.
 * Nobody is served meanwhile, so no more time is given to it than to connecting.
 */
static void
try_database(Pool *pool, Database *database)
{
	ExchangeSettings settings = pool->settings.exchange;
	Answer answer = {0};

	settings.timeout = settings.database.connect_timeout;
	exchange_check(database, &pool->outage, &settings, &answer);
	/* A connection that failed was reported with its reason. */
	if (answer.status != 200 && pool->outage.failures == 0)
		report("warning: %s", answer.text);
	answer_clear(&answer);
}

static bool
start_worker(Pool *pool, Worker *worker)
{
	worker->pool = pool;
	worker->database = database_new(&pool->settings.exchange.database);
	if (worker->database == NULL)
		return false;
	if (worker == pool->workers)
		try_database(pool, worker->database);
	pthread_cond_init(&worker->wake, NULL);
	if (pthread_create(&worker->thread, NULL, work, worker) == 0)
		return true;
	pthread_cond_destroy(&worker->wake);
	database_free(worker->database);
	return false;
}

Pool *
pool_start(const PoolSettings *settings)
{
	Pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->settings = *settings;
	pthread_mutex_init(&pool->mutex, NULL);
	outage_init(&pool->outage);
	pool->settings.exchange.database.abort_fd = eventfd(0, EFD_CLOEXEC);
	pool->workers = calloc(settings->workers, sizeof(*pool->workers));
	if (pool->workers != NULL && pool->settings.exchange.database.abort_fd >= 0)
	{
		while (pool->started < settings->workers &&
			   start_worker(pool, &pool->workers[pool->started]))
			pool->started++;
	}
	if (pool->started < settings->workers)
	{
		pool_stop(pool);
		pool_free(pool);
		return NULL;
	}
	return pool;
}

/* The mutex is held. */
static void
enqueue(Pool *pool, Job *job)
{
	job->next = NULL;
	if (pool->last != NULL)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	pool->queued++;
}

void
pool_submit(Pool *pool, Job *job)
{
	const char *refusal = NULL;
	Worker *worker = NULL;

	pthread_mutex_lock(&pool->mutex);
	job->queued_at = clock_ms();
	if (pool->stopping)
		refusal = STOPPING;
	else if ((worker = take_idle(pool)) != NULL)
	{
		worker->job = job;
		pthread_cond_signal(&worker->wake);
	}
	else if (pool->queued >= pool->settings.queue_limit)
		refusal = BUSY;
	else
		enqueue(pool, job);
	pthread_mutex_unlock(&pool->mutex);
	if (refusal != NULL)
		refuse(pool, job, refusal);
}

void
pool_expire(Pool *pool)
{
	int64_t latest = clock_ms() - (int64_t) pool->settings.queue_timeout * 1000;

	for (;;)
	{
		Job *job = NULL;

		pthread_mutex_lock(&pool->mutex);
		if (pool->first != NULL && pool->first->queued_at <= latest)
			job = take_queued(pool);
		pthread_mutex_unlock(&pool->mutex);
		if (job == NULL)
			return;
		refuse(pool, job, BUSY);
	}
}

/* Everybody who waits is told; what was handed over and not yet taken waits, too. */
static void
end_waiting(Pool *pool)
{
	uint64_t signal = 1;

	pthread_mutex_lock(&pool->mutex);
	pool->stopping = true;
	for (unsigned i = 0; i < pool->started; i++)
	{
		if (pool->workers[i].job != NULL)
			enqueue(pool, pool->workers[i].job);
		pool->workers[i].job = NULL;
		pthread_cond_signal(&pool->workers[i].wake);
	}
	pthread_mutex_unlock(&pool->mutex);
	/* Never read again: every wait for the database ends at once from now on. */
	if (write(pool->settings.exchange.database.abort_fd, &signal, sizeof(signal)) < 0)
		report("cannot interrupt the workers: the stop may take as long as their calls");
}

void
pool_stop(Pool *pool)
{
	Job *job;

	end_waiting(pool);
	for (unsigned i = 0; i < pool->started; i++)
		pthread_join(pool->workers[i].thread, NULL);
	while ((job = take_queued(pool)) != NULL)
		refuse(pool, job, STOPPING);
	for (unsigned i = 0; i < pool->started; i++)
	{
		pthread_cond_destroy(&pool->workers[i].wake);
		database_free(pool->workers[i].database);
	}
	pool->started = 0;
}

void
pool_free(Pool *pool)
{
	if (pool->settings.exchange.database.abort_fd >= 0)
		close(pool->settings.exchange.database.abort_fd);
	outage_destroy(&pool->outage);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->workers);
	free(pool);
}
