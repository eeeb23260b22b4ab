/* Receiving is one thread's work, encrypting and committing another's. */
#include "server.h"

static void *work(void *context)
{
	struct admitters *admitters = context;
	pthread_mutex_lock(&admitters->mutex);
	for (;;) {
		while (admitters->count == 0 && !admitters->ends)
			pthread_cond_wait(&admitters->filled, &admitters->mutex);
		if (admitters->count == 0)
			break;
		struct admission one = admitters->queue[admitters->first];
		admitters->first = (admitters->first + 1) % ADMITTING_MAX;
		admitters->count--;
		pthread_cond_signal(&admitters->emptied);
		pthread_mutex_unlock(&admitters->mutex);
		rs_arrival_admit(one.arrival, one.done, one.context);
		pthread_mutex_lock(&admitters->mutex);
	}
	pthread_mutex_unlock(&admitters->mutex);
	return NULL;
}

enum rs_code admitters_start(struct admitters *admitters, struct rs_error *err)
{
	pthread_mutex_init(&admitters->mutex, NULL);
	pthread_cond_init(&admitters->filled, NULL);
	pthread_cond_init(&admitters->emptied, NULL);
	for (size_t i = 0; i < ADMITTERS; i++) {
		int failed = pthread_create(&admitters->threads[i], NULL, work, admitters);
		if (failed)
			return rs_error_errno(err, failed, "a thread cannot be started");
		admitters->thread_count++;
	}
	return RS_OK;
}

void admitters_end(struct admitters *admitters)
{
	if (admitters->thread_count == 0)
		return;
	pthread_mutex_lock(&admitters->mutex);
	admitters->ends = true;
	pthread_cond_broadcast(&admitters->filled);
	pthread_mutex_unlock(&admitters->mutex);
	for (size_t i = 0; i < admitters->thread_count; i++)
		pthread_join(admitters->threads[i], NULL);
	pthread_cond_destroy(&admitters->filled);
	pthread_cond_destroy(&admitters->emptied);
	pthread_mutex_destroy(&admitters->mutex);
}

void web_admit(struct rs_web *web, struct rs_arrival *arrival, rs_arrival_done *done, void *context)
{
	struct admitters *admitters = &web->admitters;
	pthread_mutex_lock(&admitters->mutex);
	while (admitters->count == ADMITTING_MAX)
		pthread_cond_wait(&admitters->emptied, &admitters->mutex);
	admitters->queue[(admitters->first + admitters->count) % ADMITTING_MAX] = (struct admission){
		arrival, done, context};
	admitters->count++;
	pthread_cond_signal(&admitters->filled);
	pthread_mutex_unlock(&admitters->mutex);
}
