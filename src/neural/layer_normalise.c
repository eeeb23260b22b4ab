/* Normalisation to mean 0 and deviation 1, of each channel over the batch (Ioffe & Szegedy 2015) or of each group of a
 * sample's channels (Wu & He 2018; as many groups as channels: of each instance), then a scale and an offset by channel. */
#include <math.h>

#include "kernel.h"
#include "pass.h"

#define TINY 1e-5     /* added to variances */
#define MOMENTUM 0.1f /* of running statistics */

/* Planes: (sample, channel), with two sums each; then two statistics (mean, 1 / deviation) for each set of planes. */
struct sets {
	size_t channels, positions, groups, count,
		size; /* groups: sets of one sample; size: planes of a set */
	bool of_batch;
};

static struct sets sets_of(const struct stage *stage)
{
	const size_t channels = stage->in->channels, groups = stage->layer->channels,
		     batch = stage->pass->batch;
	struct sets sets = {channels, rs_shape_positions(stage->in), groups, groups * batch, 0, groups == 0};
	sets.size = sets.of_batch ? batch : channels / groups;
	sets.count = sets.of_batch ? channels : sets.count;
	return sets;
}

static size_t set_of_plane(const struct sets *sets, size_t plane)
{
	const size_t channel = plane % sets->channels;
	return sets->of_batch ? channel : plane / sets->channels * sets->groups + channel / sets->size;
}

static size_t plane_of_set(const struct sets *sets, size_t set, size_t member)
{
	return sets->of_batch ? member * sets->channels + set : set * sets->size + member;
}

static float *statistics(const struct stage *stage)
{
	return stage->notes + stage->pass->capacity * stage->in->channels * 2;
}

static void sum_plane(const struct stage *stage, size_t plane, float *scratch)
{
	const struct sets sets = sets_of(stage);
	(void)scratch;
	stage->notes[2 * plane] = sum_of(stage->x + plane * sets.positions, sets.positions);
}

static void square_plane(const struct stage *stage, size_t plane, float *scratch)
{
	const struct sets sets = sets_of(stage);
	const float mean = statistics(stage)[2 * set_of_plane(&sets, plane)];
	(void)scratch;
	stage->notes[2 * plane + 1] = sum_of_squares(stage->x + plane * sets.positions, mean, sets.positions);
}

static double gather_set(const struct stage *stage, const struct sets *sets, size_t set, size_t which)
{
	double sum = 0;
	for (size_t m = 0; m < sets->size; m++)
		sum += (double)stage->notes[2 * plane_of_set(sets, set, m) + which];
	return sum;
}

static enum rs_code measure(const struct stage *stage, const struct sets *sets, struct rs_error *err)
{
	const size_t planes = stage->pass->batch * sets->channels;
	const double count = (double)(sets->size * sets->positions);
	float *found = statistics(stage);
	RS_TRY(stage_for(stage, planes, sum_plane, err));
	for (size_t s = 0; s < sets->count; s++)
		found[2 * s] = (float)(gather_set(stage, sets, s, 0) / count);
	RS_TRY(stage_for(stage, planes, square_plane, err));
	for (size_t s = 0; s < sets->count; s++) {
		const double variance = gather_set(stage, sets, s, 1) / count;
		found[2 * s + 1] = (float)(1 / sqrt(variance + TINY));
		if (!sets->of_batch || !stage->pass->training)
			continue;
		float *mean = &stage->state[s], *running = &stage->state[sets->channels + s];
		*mean += MOMENTUM * (found[2 * s] - *mean);
		*running += MOMENTUM * ((float)(variance * count / (count > 1 ? count - 1 : 1)) - *running);
	}
	return RS_OK;
}

static void recall(const struct stage *stage, const struct sets *sets)
{
	float *found = statistics(stage);
	for (size_t s = 0; s < sets->count; s++) {
		found[2 * s] = stage->state[s];
		found[2 * s + 1] = (float)(1 / sqrt((double)stage->state[sets->channels + s] + TINY));
	}
}

static void forward_plane(const struct stage *stage, size_t plane, float *scratch)
{
	const struct sets sets = sets_of(stage);
	const float *found = statistics(stage) + 2 * set_of_plane(&sets, plane),
		    *x = stage->x + plane * sets.positions;
	const size_t channel = plane % sets.channels;
	const float scale = stage->weights[channel] * found[1],
		    offset = stage->weights[sets.channels + channel];
	float *y = stage->y + plane * sets.positions;
	(void)scratch;
	for (size_t i = 0; i < sets.positions; i++)
		y[i] = (x[i] - found[0]) * scale + offset;
}

static enum rs_code forward(const struct stage *stage, struct rs_error *err)
{
	const struct sets sets = sets_of(stage);
	if (sets.of_batch && !stage->pass->training)
		recall(stage, &sets);
	else
		RS_TRY(measure(stage, &sets, err));
	return stage_for(stage, stage->pass->batch * sets.channels, forward_plane, err);
}

/* Sums of the slopes, and of the slopes times the normalised values. */
static void sum_slopes(const struct stage *stage, size_t plane, float *scratch)
{
	const struct sets sets = sets_of(stage);
	const float *found = statistics(stage) + 2 * set_of_plane(&sets, plane);
	const float *x = stage->x + plane * sets.positions, *dy = stage->dy + plane * sets.positions;
	const float sum = sum_of(dy, sets.positions), product = sum_of_products(dy, x, sets.positions);
	(void)scratch;
	stage->notes[2 * plane] = sum;
	stage->notes[2 * plane + 1] = (product - found[0] * sum) * found[1];
}

/* dx = (g - mean(g) - n mean(g n)) / deviation, where g = slope x scale and n the normalised value. */
static void backward_plane(const struct stage *stage, size_t plane, float *scratch)
{
	const struct sets sets = sets_of(stage);
	const size_t set = set_of_plane(&sets, plane);
	const float *found = statistics(stage) + 2 * set, *x = stage->x + plane * sets.positions;
	const float *dy = stage->dy + plane * sets.positions, scale = stage->weights[plane % sets.channels];
	const double count = (double)(sets.size * sets.positions);
	double mean = 0, product = 0;
	float *dx = stage->dx + plane * sets.positions;
	(void)scratch;
	for (size_t m = 0; m < sets.size; m++) {
		const size_t other = plane_of_set(&sets, set, m);
		const double by = (double)stage->weights[other % sets.channels];
		mean += by * (double)stage->notes[2 * other];
		product += by * (double)stage->notes[2 * other + 1];
	}
	const float g = (float)(mean / count), gn = (float)(product / count);
	for (size_t i = 0; i < sets.positions; i++)
		dx[i] += (dy[i] * scale - g - (x[i] - found[0]) * found[1] * gn) * found[1];
}

static enum rs_code backward(const struct stage *stage, struct rs_error *err)
{
	const struct sets sets = sets_of(stage);
	const size_t planes = stage->pass->batch * sets.channels;
	RS_TRY(stage_for(stage, planes, sum_slopes, err));
	for (size_t p = 0; p < planes; p++) {
		stage->gradient[p % sets.channels] += stage->notes[2 * p + 1];
		stage->gradient[sets.channels + p % sets.channels] += stage->notes[2 * p];
	}
	return stage->dx ? stage_for(stage, planes, backward_plane, err) : RS_OK;
}

static enum rs_code shape(const struct rs_layer *layer, const struct rs_shape *in,
                          const struct rs_shape *also, struct rs_shape *out, struct rs_error *err)
{
	(void)also;
	if (layer->channels && in->channels % layer->channels)
		return rs_error_set(err, RS_USAGE, "%u channels do not fall into %u groups", in->channels,
		                    layer->channels);
	*out = *in;
	return RS_OK;
}

static void sizes(const struct rs_layer *layer, const struct rs_shape *in, const struct rs_shape *out,
                  bool training, struct layer_sizes *sizes)
{
	(void)out;
	(void)training;
	sizes->scales = sizes->offsets = in->channels;
	sizes->state = layer->channels ? 0 : 2 * (size_t)in->channels;
	sizes->notes = 2 * (size_t)in->channels;
	sizes->notes_of_sample = 2 * ((size_t)in->channels + layer->channels);
}

const struct layer_kind layer_normalise = {"normalisation", shape, sizes, forward, backward};
