/* A pool of threads. One loop runs at a time; its indices are handed out one by one, so that
 * unequal items (files of different size) keep every thread busy. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "base/base_threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "base/base_memory.h"

#define THREADS_MAX 1024

struct rs_pool {
	unsigned threads; /* workers and the caller */
	pthread_t *workers;
	unsigned started;
	pthread_mutex_t mutex;
	pthread_cond_t work_there, work_done;
	bool ending;
	/* the running loop */
	uint64_t generation;
	rs_pool_work *work;
	void *context;
	size_t count, next, running;
	size_t failed_index; /* lowest index that failed; count when none did */
	enum rs_code failed_code;
	struct rs_error failed_error;
};

/* Takes indices until there are none; called with the mutex held. */
static void take_part(struct rs_pool *pool)
{
	while (pool->next < pool->count && pool->failed_code == RS_OK) {
		size_t index = pool->next++;
		struct rs_error err = {0};
		pool->running++;
		pthread_mutex_unlock(&pool->mutex);
		enum rs_code code = pool->work(pool->context, index, &err);
		pthread_mutex_lock(&pool->mutex);
		pool->running--;
		if (code != RS_OK && index < pool->failed_index) {
			pool->failed_index = index;
			pool->failed_code = code;
			pool->failed_error = err;
		}
	}
}

static void *worker(void *argument)
{
	struct rs_pool *pool = argument;
	uint64_t seen = 0;
	pthread_mutex_lock(&pool->mutex);
	while (!pool->ending) {
		if (pool->generation == seen) {
			pthread_cond_wait(&pool->work_there, &pool->mutex);
			continue;
		}
		seen = pool->generation;
		take_part(pool);
		if (pool->running == 0)
			pthread_cond_signal(&pool->work_done);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

unsigned rs_processors(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	int count = CPU_COUNT(&set);
	return count < 1 ? 1 : (unsigned)count;
}

void rs_pool_destroy(struct rs_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->ending = true;
	pthread_cond_broadcast(&pool->work_there);
	pthread_mutex_unlock(&pool->mutex);
	for (unsigned i = 0; i < pool->started; i++)
		pthread_join(pool->workers[i], NULL);
	pthread_cond_destroy(&pool->work_there);
	pthread_cond_destroy(&pool->work_done);
	pthread_mutex_destroy(&pool->mutex);
	rs_free(pool->workers);
	rs_free(pool);
}

enum rs_code rs_pool_create(unsigned threads, struct rs_pool **out, struct rs_error *err)
{
	if (threads > THREADS_MAX)
		return rs_error_set(err, RS_USAGE, "%u threads are more than the %d allowed", threads,
		                    THREADS_MAX);
	if (threads == 0)
		threads = rs_processors();
	struct rs_pool *pool = rs_allocate(sizeof *pool);
	if (!pool)
		return rs_error_memory(err, sizeof *pool, "a pool of threads");
	pool->threads = threads;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->work_there, NULL);
	pthread_cond_init(&pool->work_done, NULL);
	pool->workers = rs_allocate_array(threads, sizeof *pool->workers);
	if (!pool->workers) {
		rs_pool_destroy(pool);
		return rs_error_memory(err, threads * sizeof *pool->workers, "threads");
	}
	/* The caller works too. */
	for (unsigned i = 0; i + 1 < threads; i++) {
		int reason = pthread_create(&pool->workers[i], NULL, worker, pool);
		if (reason != 0) {
			rs_pool_destroy(pool);
			return rs_error_errno(err, reason, "a thread cannot be started");
		}
		pool->started++;
	}
	*out = pool;
	return RS_OK;
}

unsigned rs_pool_threads(const struct rs_pool *pool) { return pool ? pool->threads : 1; }

enum rs_code rs_pool_for(struct rs_pool *pool, size_t count, rs_pool_work *work, void *context,
                         struct rs_error *err)
{
	if (!pool || pool->threads == 1 ||
	    count == 1) { /* waking others would cost more than they take over */
		for (size_t index = 0; index < count; index++)
			RS_TRY(work(context, index, err));
		return RS_OK;
	}
	pthread_mutex_lock(&pool->mutex);
	pool->work = work;
	pool->context = context;
	pool->count = pool->failed_index = count;
	pool->next = pool->running = 0;
	pool->failed_code = RS_OK;
	pool->generation++;
	pthread_cond_broadcast(&pool->work_there);
	take_part(pool);
	while (pool->running)
		pthread_cond_wait(&pool->work_done, &pool->mutex);
	pool->count = 0; /* a worker that wakes late finds nothing */
	enum rs_code code = pool->failed_code;
	if (code != RS_OK && err)
		*err = pool->failed_error;
	pthread_mutex_unlock(&pool->mutex);
	return code;
}
