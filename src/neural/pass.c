/* A batch on its way through a network and back. */
#include <string.h>

#include "pass.h"

#define SHARE_MOST 32                  /* samples judged at once */
#define SHARE_VALUES ((size_t)1 << 25) /* that their layers have together, where one alone has not more */

static enum rs_code rows_allocate(const struct rs_network *network, size_t capacity, float ***out,
                                  struct rs_error *err)
{
	float **rows = *out = rs_allocate_array(network->layer_count, sizeof *rows);
	for (size_t i = 0; rows && i < network->layer_count; i++) {
		size_t size;
		if (!rs_mul_size(rs_shape_values(&network->shapes[i]) * sizeof **rows, capacity, &size) ||
		    !(rows[i] = rs_allocate_aligned(size)))
			return rs_error_memory(err, 0, "values of a network's layers; take smaller batches");
	}
	return rows ? RS_OK : rs_error_memory(err, network->layer_count * sizeof *rows, "a network's layers");
}

static enum rs_code notes_allocate(struct pass *pass, struct rs_error *err)
{
	const struct rs_network *network = pass->network;
	pass->notes = rs_allocate_array(network->layer_count, sizeof *pass->notes);
	for (size_t i = 1; pass->notes && i < network->layer_count; i++) {
		struct layer_sizes sizes;
		size_t count;
		layer_sizes_of(network, i, pass->training, &sizes);
		pass->scratch_size = sizes.scratch > pass->scratch_size ? sizes.scratch : pass->scratch_size;
		if (!rs_mul_size(sizes.notes_of_sample, pass->capacity, &count) ||
		    !rs_add_size(count, sizes.notes, &count) ||
		    !(pass->notes[i] = rs_allocate_array(count, sizeof **pass->notes)))
			return rs_error_memory(err, 0, "notes of a network's layers; take smaller batches");
	}
	pass->scratch_size = (pass->scratch_size + 15) / 16 * 16; /* each thread's begins aligned */
	pass->scratch = rs_allocate_array(rs_pool_threads(pass->pool),
	                                  (pass->scratch_size + 16) * sizeof *pass->scratch);
	return pass->notes && pass->scratch ? RS_OK
	                                    : rs_error_memory(err, pass->scratch_size * sizeof *pass->scratch,
	                                                      "a network's threads");
}

static enum rs_code pass_allocate(struct pass *pass, struct rs_error *err)
{
	const struct rs_network *network = pass->network;
	const size_t state = network->state_at[network->layer_count];
	RS_TRY(rows_allocate(network, pass->capacity, &pass->values, err));
	RS_TRY(notes_allocate(pass, err));
	pass->state = rs_allocate_array(state, sizeof *pass->state);
	if (!pass->state)
		return rs_error_memory(err, state * sizeof *pass->state, "a network's state");
	memcpy(pass->state, network->state, state * sizeof *pass->state);
	if (!pass->training)
		return RS_OK;
	RS_TRY(rows_allocate(network, pass->capacity, &pass->slopes, err));
	pass->gradient = rs_allocate_array(rs_network_weights(network), sizeof *pass->gradient);
	return pass->gradient ? RS_OK
	                      : rs_error_memory(err, rs_network_weights(network) * sizeof *pass->gradient,
	                                        "a gradient");
}

enum rs_code pass_init(struct pass *pass, const struct rs_network *network, size_t capacity, bool training,
                       struct rs_pool *pool, struct rs_error *err)
{
	struct pass fresh = {.network = network, .pool = pool, .capacity = capacity, .training = training};
	enum rs_code code = pass_allocate(&fresh, err);
	if (code != RS_OK)
		pass_finish(&fresh);
	else
		*pass = fresh;
	return code;
}

size_t pass_share(const struct rs_network *network, size_t count)
{
	size_t values = 0;
	for (size_t i = 0; i < network->layer_count; i++)
		values += rs_shape_values(&network->shapes[i]);
	size_t share = SHARE_VALUES / values;
	share = share > SHARE_MOST ? SHARE_MOST : share ? share : 1;
	return share < count ? share : count;
}

static void rows_free(const struct pass *pass, float **rows)
{
	for (size_t i = 0; rows && i < pass->network->layer_count; i++)
		rs_free(rows[i]);
	rs_free(rows);
}

void pass_finish(struct pass *pass)
{
	rows_free(pass, pass->values);
	rows_free(pass, pass->slopes);
	rows_free(pass, pass->notes);
	rs_free(pass->gradient);
	rs_free(pass->state);
	rs_free(pass->scratch);
	*pass = (struct pass){0};
}

struct sharing {
	const struct stage *stage;
	stage_work *work;
	size_t items, threads;
};

/* Each thread has its own scratch, and every so many-th item. */
static enum rs_code share(void *context, size_t index, struct rs_error *err)
{
	const struct sharing *sharing = context;
	const struct pass *pass = sharing->stage->pass;
	(void)err;
	for (size_t i = index; i < sharing->items; i += sharing->threads)
		sharing->work(sharing->stage, i, pass->scratch + index * (pass->scratch_size + 16));
	return RS_OK;
}

enum rs_code stage_for(const struct stage *stage, size_t items, stage_work *work, struct rs_error *err)
{
	const size_t threads = rs_pool_threads(stage->pass->pool);
	struct sharing sharing = {stage, work, items, threads < items ? threads : items};
	return rs_pool_for(stage->pass->pool, sharing.threads, share, &sharing, err);
}

static struct stage stage_of(struct pass *pass, size_t index)
{
	const struct rs_network *network = pass->network;
	const struct rs_layer *layer = &network->layers[index];
	struct stage stage = {
		.pass = pass,
		.layer = layer,
		.in = &network->shapes[layer->from],
		.out = &network->shapes[index],
		.weights = network->weights + network->weights_at[index],
		.state = pass->state + network->state_at[index],
		.x = pass->values[layer->from],
		.y = pass->values[index],
		.also = pass->values[layer->also],
		.notes = pass->notes[index],
		.index = index,
	};
	if (pass->training) {
		stage.gradient = pass->gradient + network->weights_at[index];
		stage.dx = layer->from ? pass->slopes[layer->from] : NULL;
		stage.dalso = layer->also ? pass->slopes[layer->also] : NULL;
		stage.dy = pass->slopes[index];
	}
	return stage;
}

enum rs_code pass_forward(struct pass *pass, struct rs_error *err)
{
	for (size_t i = 1; i < pass->network->layer_count; i++) {
		const struct stage stage = stage_of(pass, i);
		RS_TRY(layer_kind(stage.layer->kind)->forward(&stage, err));
	}
	return RS_OK;
}

enum rs_code pass_backward(struct pass *pass, struct rs_error *err)
{
	const struct rs_network *network = pass->network;
	memset(pass->gradient, 0, rs_network_weights(network) * sizeof *pass->gradient);
	for (size_t i = 1; i + 1 < network->layer_count; i++)
		memset(pass->slopes[i], 0,
		       pass->batch * rs_shape_values(&network->shapes[i]) * sizeof *pass->slopes[i]);
	for (size_t i = network->layer_count; i-- > 1;) {
		const struct stage stage = stage_of(pass, i);
		RS_TRY(layer_kind(stage.layer->kind)->backward(&stage, err));
	}
	return RS_OK;
}

static enum rs_code apply(struct pass *pass, const float *inputs, size_t count, float *out,
                          struct rs_error *err)
{
	const struct rs_network *network = pass->network;
	const size_t in = rs_shape_values(&network->shapes[0]),
		     values = rs_shape_values(rs_network_output(network));
	for (size_t at = 0; at < count; at += pass->batch) {
		pass->batch = count - at < pass->capacity ? count - at : pass->capacity;
		memcpy(pass->values[0], inputs + at * in, pass->batch * in * sizeof *inputs);
		RS_TRY(pass_forward(pass, err));
		memcpy(out + at * values, pass->values[network->layer_count - 1],
		       pass->batch * values * sizeof *out);
	}
	return RS_OK;
}

enum rs_code rs_network_apply(const struct rs_network *network, const float *inputs, size_t count,
                              struct rs_pool *pool, float *out, struct rs_error *err)
{
	struct pass pass RS_CLEANUP(pass_finish) = {0};
	RS_TRY(pass_init(&pass, network, pass_share(network, count), false, pool, err));
	return apply(&pass, inputs, count, out, err);
}
