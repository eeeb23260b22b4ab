/* Threads that nobody joins: they are counted. */
#include "hands.h"

#define STACK_SIZE ((size_t)2 << 20) /* requests to the ledger take 160 kB of it */

struct given {
	struct hands *hands;
	void (*work)(void *context);
	void *context;
};

void hands_init(struct hands *hands, unsigned most)
{
	*hands = (struct hands){.most = most};
	pthread_mutex_init(&hands->mutex, NULL);
	pthread_cond_init(&hands->idle, NULL);
}

static void let_go(struct hands *hands)
{
	pthread_mutex_lock(&hands->mutex);
	hands->busy--;
	pthread_cond_broadcast(&hands->idle); /* with the mutex: who waits may end us */
	pthread_mutex_unlock(&hands->mutex);
}

static void *run(void *context)
{
	struct given given = *(struct given *)context;
	rs_free(context);
	given.work(given.context);
	let_go(given.hands);
	return NULL;
}

static bool start(struct given *given)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int failed = pthread_create(&thread, &attributes, run, given);
	pthread_attr_destroy(&attributes);
	return failed == 0;
}

bool hands_give(struct hands *hands, void (*work)(void *context), void *context)
{
	struct given *given = rs_allocate(sizeof *given);
	pthread_mutex_lock(&hands->mutex);
	bool free_hand = given && hands->busy < hands->most;
	hands->busy += free_hand;
	pthread_mutex_unlock(&hands->mutex);
	if (free_hand) {
		*given = (struct given){hands, work, context};
		if (start(given))
			return true;
		let_go(hands);
	}
	rs_free(given);
	return false;
}

void hands_wait(struct hands *hands)
{
	pthread_mutex_lock(&hands->mutex);
	while (hands->busy > 0)
		pthread_cond_wait(&hands->idle, &hands->mutex);
	pthread_mutex_unlock(&hands->mutex);
}

void hands_finish(struct hands *hands)
{
	pthread_cond_destroy(&hands->idle);
	pthread_mutex_destroy(&hands->mutex);
}
