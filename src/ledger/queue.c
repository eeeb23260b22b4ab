/* A queue in front of a ledger: the first of those who wait writes for all of them. */
#include <pthread.h>

#include "ledger/ledger_queue.h"

#define GROUP_MAX 1024

struct request {
	struct request *next;
	const struct rs_transaction *transaction;
	struct rs_append_result result;
	struct rs_error err;
	enum rs_code code;
	bool is_done;
};

struct rs_ledger_queue {
	struct rs_ledger *ledger;
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a group is done, and its writer with it */
	struct request *first, **last;
	bool is_writing;
	/* The writer's own, between taking a group and answering it. */
	struct request *group[GROUP_MAX];
	struct rs_transaction transactions[GROUP_MAX];
	struct rs_append_result results[GROUP_MAX];
};

enum rs_code rs_ledger_queue_create(struct rs_ledger *ledger, struct rs_ledger_queue **out,
                                    struct rs_error *err)
{
	struct rs_ledger_queue *queue = rs_allocate(sizeof *queue);
	if (!queue)
		return rs_error_memory(err, sizeof *queue, "a queue of writers");
	queue->ledger = ledger;
	queue->last = &queue->first;
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->changed, NULL);
	*out = queue;
	return RS_OK;
}

void rs_ledger_queue_destroy(struct rs_ledger_queue *queue)
{
	if (!queue)
		return;
	pthread_mutex_destroy(&queue->mutex);
	pthread_cond_destroy(&queue->changed);
	rs_free(queue);
}

static size_t take_group(struct rs_ledger_queue *queue)
{
	size_t count = 0;
	for (; queue->first && count < GROUP_MAX; queue->first = queue->first->next) {
		queue->group[count] = queue->first;
		queue->transactions[count] = *queue->first->transaction; /* borrowed */
		queue->transactions[count].checked = true;
		count++;
	}
	if (!queue->first)
		queue->last = &queue->first;
	return count;
}

/* With the mutex, which is given back while the disk works. */
static void write_group(struct rs_ledger_queue *queue)
{
	struct rs_error err = {0};
	size_t count = take_group(queue);
	queue->is_writing = true;
	pthread_mutex_unlock(&queue->mutex);
	enum rs_code code = rs_ledger_append(queue->ledger, queue->transactions, count, queue->results, &err);
	pthread_mutex_lock(&queue->mutex);
	queue->is_writing = false;
	for (size_t i = 0; i < count; i++) {
		queue->group[i]->code = code;
		queue->group[i]->result = queue->results[i];
		queue->group[i]->err = err;
		queue->group[i]->is_done = true;
	}
	pthread_cond_broadcast(&queue->changed);
}

enum rs_code rs_ledger_queue_append(struct rs_ledger_queue *queue, const struct rs_transaction *transaction,
                                    struct rs_append_result *result, struct rs_error *err)
{
	struct request request = {.transaction = transaction};
	struct rs_act act;
	/* What is no transaction is found out before it could take a group of others down with it. */
	if (transaction->checked)
		RS_TRY(rs_transaction_parse(rs_buffer_bytes(&transaction->entry), &act, err));
	else
		RS_TRY(rs_transaction_verify(rs_buffer_bytes(&transaction->entry), &act, err));
	pthread_mutex_lock(&queue->mutex);
	*queue->last = &request;
	queue->last = &request.next;
	while (!request.is_done) {
		if (queue->is_writing)
			pthread_cond_wait(&queue->changed, &queue->mutex);
		else
			write_group(queue);
	}
	pthread_mutex_unlock(&queue->mutex);
	*result = request.result;
	if (request.code != RS_OK && err)
		*err = request.err;
	return request.code;
}
