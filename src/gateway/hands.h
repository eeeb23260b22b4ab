/* Threads for work that takes long and waits for others: one for each piece of work, so many at most. */
#ifndef RS_GATEWAY_HANDS_H
#define RS_GATEWAY_HANDS_H

#include <pthread.h>

#include "base/base.h"

struct hands {
	pthread_mutex_t mutex;
	pthread_cond_t idle;
	unsigned busy, most;
};
void hands_init(struct hands *hands, unsigned most);
/* False, and nothing is done, when all are busy. */
bool hands_give(struct hands *hands, void (*work)(void *context), void *context);
void hands_wait(struct hands *hands); /* until nobody works any more */
void hands_finish(struct hands *hands);

#endif
