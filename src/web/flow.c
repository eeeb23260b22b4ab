/* Two threads and one piece: while one sends it, the other makes the next. Before anything of it may be sent, too. */
#include <string.h>

#include "objects.h"

struct flow {
	struct stream stream; /* first: it is one */
	flow_produce *produce;
	void *context;
	void (*free_context)(void *context);
	pthread_t thread;
	bool is_started;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	struct rs_bytes piece; /* the producer's; it puts no other while this is not empty */
	bool is_over, is_abandoned;
	enum rs_code code;
	struct rs_error err;
};

/* With the mutex. */
static void wait_for_taker(struct flow *flow)
{
	while (flow->piece.size > 0 && !flow->is_abandoned)
		pthread_cond_wait(&flow->changed, &flow->mutex);
}

enum rs_code flow_lend(struct flow *flow, struct rs_bytes bytes, struct rs_error *err)
{
	pthread_mutex_lock(&flow->mutex);
	wait_for_taker(flow);
	flow->piece = bytes;
	pthread_cond_signal(&flow->changed);
	bool gone = flow->is_abandoned;
	pthread_mutex_unlock(&flow->mutex);
	return gone ? rs_error_set(err, RS_CANCELLED, "the client went away") : RS_OK;
}

void flow_settle(struct flow *flow)
{
	pthread_mutex_lock(&flow->mutex);
	wait_for_taker(flow);
	pthread_mutex_unlock(&flow->mutex);
}

enum rs_code flow_put(struct flow *flow, struct rs_bytes bytes, struct rs_error *err)
{
	enum rs_code code = flow_lend(flow, bytes, err);
	flow_settle(flow);
	return code;
}

static void *produce(void *context)
{
	struct flow *flow = context;
	struct rs_error err = {0};
	enum rs_code code = flow->produce(flow->context, flow, &err);
	pthread_mutex_lock(&flow->mutex);
	flow->code = code;
	flow->err = err;
	flow->is_over = true;
	pthread_cond_signal(&flow->changed);
	pthread_mutex_unlock(&flow->mutex);
	return NULL;
}

static int start(struct flow *flow)
{
	int failed = flow->is_started ? 0 : pthread_create(&flow->thread, NULL, produce, flow);
	flow->is_started = failed == 0;
	return failed;
}

/* Should there be no thread just now, there may be one when the body is wanted. */
void flow_begin(struct stream *stream) { (void)start((struct flow *)stream); }

static enum rs_code flow_read(struct stream *stream, void *out, size_t size, size_t *out_read,
                              struct rs_error *err)
{
	struct flow *flow = (struct flow *)stream;
	int failed = start(flow);
	if (failed)
		return rs_error_errno(err, failed, "a thread cannot be started");
	pthread_mutex_lock(&flow->mutex);
	while (flow->piece.size == 0 && !flow->is_over)
		pthread_cond_wait(&flow->changed, &flow->mutex);
	size_t some = flow->piece.size < size ? flow->piece.size : size;
	enum rs_code code = RS_OK;
	if (some > 0) {
		memcpy(out, flow->piece.data, some);
		flow->piece = rs_bytes_of(flow->piece.data + some, flow->piece.size - some);
		if (flow->piece.size == 0)
			pthread_cond_signal(&flow->changed);
	} else {
		code = flow->code;
		if (err)
			*err = flow->err;
	}
	pthread_mutex_unlock(&flow->mutex);
	*out_read = some;
	return code;
}

static void flow_close(struct stream *stream)
{
	struct flow *flow = (struct flow *)stream;
	if (flow->is_started) {
		pthread_mutex_lock(&flow->mutex);
		flow->is_abandoned = true;
		pthread_cond_signal(&flow->changed);
		pthread_mutex_unlock(&flow->mutex);
		pthread_join(flow->thread, NULL);
	}
	flow->free_context(flow->context);
	pthread_cond_destroy(&flow->changed);
	pthread_mutex_destroy(&flow->mutex);
	rs_free(flow);
}

enum rs_code flow_create(uint64_t size, flow_produce *make, void *context,
                         void (*free_context)(void *context), struct stream **out, struct rs_error *err)
{
	struct flow *flow = rs_allocate(sizeof *flow);
	if (!flow)
		return rs_error_memory(err, sizeof *flow, "an answer");
	flow->stream = (struct stream){size, flow_read, flow_close};
	flow->produce = make;
	flow->context = context;
	flow->free_context = free_context;
	pthread_mutex_init(&flow->mutex, NULL);
	pthread_cond_init(&flow->changed, NULL);
	*out = &flow->stream;
	return RS_OK;
}
