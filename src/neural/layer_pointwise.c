/* Layers that treat each value by itself: activations, dropout, sums and unions of two layers. */
#include <math.h>
#include <string.h>

#include "base/base_random.h"
#include "pass.h"

#define SQRT_HALF 0.70710678118654752440
#define INVERSE_SQRT_2PI 0.39894228040143267794

static enum rs_code same_shape(const struct rs_layer *layer, const struct rs_shape *in,
                               const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	(void)layer;
	(void)also;
	(void)err;
	*out = *in;
	return RS_OK;
}

static size_t planes_of(const struct stage *stage) { return stage->pass->batch * stage->out->channels; }

/* ---- activation ---- */

static void activate_plane(const struct stage *stage, size_t plane, float *scratch)
{
	const size_t count = rs_shape_positions(stage->in);
	const float *x = stage->x + plane * count, slope = (float)stage->layer->rate;
	float *y = stage->y + plane * count;
	(void)scratch;
	switch (stage->layer->activation) {
	case RS_RELU:
		for (size_t i = 0; i < count; i++)
			y[i] = x[i] > 0 ? x[i] : 0;
		break;
	case RS_LEAKY_RELU:
		for (size_t i = 0; i < count; i++)
			y[i] = x[i] > 0 ? x[i] : x[i] * slope;
		break;
	case RS_GELU:
		for (size_t i = 0; i < count; i++)
			y[i] = (float)(0.5 * (double)x[i] * (1 + erf((double)x[i] * SQRT_HALF)));
		break;
	}
}

static void activate_back(const struct stage *stage, size_t plane, float *scratch)
{
	const size_t count = rs_shape_positions(stage->in);
	const float *x = stage->x + plane * count, *dy = stage->dy + plane * count,
		    slope = (float)stage->layer->rate;
	float *dx = stage->dx + plane * count;
	(void)scratch;
	switch (stage->layer->activation) {
	case RS_RELU:
		for (size_t i = 0; i < count; i++)
			dx[i] += x[i] > 0 ? dy[i] : 0;
		break;
	case RS_LEAKY_RELU:
		for (size_t i = 0; i < count; i++)
			dx[i] += x[i] > 0 ? dy[i] : dy[i] * slope;
		break;
	case RS_GELU:
		for (size_t i = 0; i < count; i++) {
			const double v = (double)x[i];
			dx[i] += (float)(0.5 * (1 + erf(v * SQRT_HALF)) +
			                 v * exp(-0.5 * v * v) * INVERSE_SQRT_2PI) *
			         dy[i];
		}
		break;
	}
}

static enum rs_code activation_forward(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, planes_of(stage), activate_plane, err);
}

static enum rs_code activation_backward(const struct stage *stage, struct rs_error *err)
{
	return stage->dx ? stage_for(stage, planes_of(stage), activate_back, err) : RS_OK;
}

/* ---- dropout: what stays grows by as much as is left out ---- */

static void drop(const struct stage *stage, size_t sample, float *scratch)
{
	const size_t count = rs_shape_values(stage->in);
	const float *x = stage->x + sample * count, kept = (float)(1 / (1 - stage->layer->rate));
	struct rs_stream stream = rs_stream_of(stage->pass->seed,
	                                       stage->index * ((uint64_t)1 << 32) + sample);
	float *y = stage->y + sample * count, *mask = stage->notes + sample * count;
	(void)scratch;
	for (size_t i = 0; i < count; i++) {
		mask[i] = rs_stream_unit(&stream) < stage->layer->rate ? 0 : kept;
		y[i] = x[i] * mask[i];
	}
}

static void drop_back(const struct stage *stage, size_t sample, float *scratch)
{
	const size_t count = rs_shape_values(stage->in);
	const float *dy = stage->dy + sample * count, *mask = stage->notes + sample * count;
	float *dx = stage->dx + sample * count;
	(void)scratch;
	for (size_t i = 0; i < count; i++)
		dx[i] += dy[i] * mask[i];
}

static enum rs_code dropout_forward(const struct stage *stage, struct rs_error *err)
{
	if (stage->pass->training)
		return stage_for(stage, stage->pass->batch, drop, err);
	memcpy(stage->y, stage->x, stage->pass->batch * rs_shape_values(stage->in) * sizeof *stage->y);
	return RS_OK;
}

static enum rs_code dropout_backward(const struct stage *stage, struct rs_error *err)
{
	return stage->dx ? stage_for(stage, stage->pass->batch, drop_back, err) : RS_OK;
}

static void dropout_sizes(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out,
                          bool training, struct layer_sizes *sizes)
{
	(void)layer;
	(void)out;
	sizes->notes_of_sample = training ? rs_shape_values(in) : 0;
}

/* ---- two layers in one ---- */

static enum rs_code add_shape(const struct rs_layer *layer, const struct rs_shape *in,
                              const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	(void)layer;
	if (memcmp(in, also, sizeof *in) != 0)
		return rs_error_set(err, RS_USAGE, "the two layers that are added differ in shape");
	*out = *in;
	return RS_OK;
}

static enum rs_code join_shape(const struct rs_layer *layer, const struct rs_shape *in,
                               const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	(void)layer;
	if (memcmp(in->size, also->size, sizeof in->size) != 0)
		return rs_error_set(err, RS_USAGE, "the two layers that are joined differ in size");
	*out = *in;
	out->channels += also->channels;
	return RS_OK;
}

/* How many values of a sample each of the two has in the output; added, they have the same. */
static void parts_of(const struct stage *stage, size_t out[2])
{
	const size_t own = rs_shape_values(stage->in), all = rs_shape_values(stage->out);
	out[0] = own;
	out[1] = stage->layer->kind == RS_LAYER_ADD ? own : all - own;
}

static void two_forward(const struct stage *stage, size_t sample, float *scratch)
{
	size_t parts[2];
	(void)scratch;
	parts_of(stage, parts);
	float *y = stage->y + sample * rs_shape_values(stage->out);
	const float *also = stage->also + sample * parts[1];
	memcpy(y, stage->x + sample * parts[0], parts[0] * sizeof *y);
	if (stage->layer->kind == RS_LAYER_JOIN)
		memcpy(y + parts[0], also, parts[1] * sizeof *y);
	else
		for (size_t i = 0; i < parts[1]; i++)
			y[i] += also[i];
}

static void two_backward(const struct stage *stage, size_t sample, float *scratch)
{
	size_t parts[2];
	(void)scratch;
	parts_of(stage, parts);
	const float *dy = stage->dy + sample * rs_shape_values(stage->out);
	for (size_t i = 0; stage->dx && i < parts[0]; i++)
		stage->dx[sample * parts[0] + i] += dy[i];
	dy += stage->layer->kind == RS_LAYER_JOIN ? parts[0] : 0;
	for (size_t i = 0; stage->dalso && i < parts[1]; i++)
		stage->dalso[sample * parts[1] + i] += dy[i];
}

static enum rs_code both_forward(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, stage->pass->batch, two_forward, err);
}

static enum rs_code both_backward(const struct stage *stage, struct rs_error *err)
{
	return stage_for(stage, stage->pass->batch, two_backward, err);
}

const struct layer_kind layer_activation = {"activation", same_shape, NULL, activation_forward,
                                            activation_backward};
const struct layer_kind layer_dropout = {"dropout", same_shape, dropout_sizes, dropout_forward,
                                         dropout_backward};
const struct layer_kind layer_add = {"sum", add_shape, NULL, both_forward, both_backward};
const struct layer_kind layer_join = {"union", join_shape, NULL, both_forward, both_backward};
