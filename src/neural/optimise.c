/* AdamW (Loshchilov & Hutter 2019) with clipped gradients, a cosine schedule and averaged weights. */
#include <math.h>
#include <string.h>

#include "optimise.h"
#include "pass.h"

#define FIRST 0.9
#define SECOND 0.999
#define TINY 1e-8
#define PI 3.14159265358979323846

enum rs_code optimiser_init(struct optimiser *optimiser, const struct rs_network *network,
                            const struct rs_network_training *training, uint64_t steps, struct rs_error *err)
{
	const size_t count = rs_network_weights(network);
	struct optimiser fresh = {network, training, 0, steps, NULL, NULL, NULL, NULL};
	fresh.first = rs_allocate_array(count, sizeof(float));
	fresh.second = rs_allocate_array(count, sizeof(float));
	fresh.decays = rs_allocate(count);
	fresh.average = training->average > 0 ? rs_allocate_array(count, sizeof(float)) : NULL;
	if (!fresh.first || !fresh.second || !fresh.decays || (training->average > 0 && !fresh.average)) {
		optimiser_finish(&fresh);
		return rs_error_memory(err, count * sizeof(float), "moments of the gradient");
	}
	for (size_t i = 1; i < network->layer_count; i++) {
		struct layer_sizes sizes;
		layer_sizes_of(network, i, false, &sizes);
		memset(fresh.decays + network->weights_at[i], 1, sizes.weights);
	}
	if (fresh.average)
		memcpy(fresh.average, network->weights, count * sizeof(float));
	*optimiser = fresh;
	return RS_OK;
}

void optimiser_finish(struct optimiser *optimiser)
{
	rs_free(optimiser->first);
	rs_free(optimiser->second);
	rs_free(optimiser->decays);
	rs_free(optimiser->average);
	*optimiser = (struct optimiser){0};
}

static double rate_of(const struct optimiser *optimiser)
{
	const double warm = optimiser->training->warm_up * (double)optimiser->steps,
		     at = (double)optimiser->step;
	if (at < warm)
		return optimiser->training->rate * (at + 1) / (warm + 1);
	return optimiser->training->rate * 0.5 *
	       (1 + cos(PI * (at - warm) / ((double)optimiser->steps - warm)));
}

static void clip(float *gradient, size_t count, double norm)
{
	double squares = 0;
	for (size_t i = 0; i < count; i++)
		squares += (double)gradient[i] * (double)gradient[i];
	if (norm > 0 && squares > norm * norm) {
		const float by = (float)(norm / sqrt(squares));
		for (size_t i = 0; i < count; i++)
			gradient[i] *= by;
	}
}

/* The mean follows quickly at first, so that the start does not linger in it. */
static void average(struct optimiser *optimiser, size_t count)
{
	const double young = (1 + (double)optimiser->step) / (10 + (double)optimiser->step);
	const float by = (float)(1 - fmin(optimiser->training->average, young)),
		    *w = optimiser->network->weights;
	for (size_t i = 0; optimiser->average && i < count; i++)
		optimiser->average[i] += by * (w[i] - optimiser->average[i]);
}

void optimiser_step(struct optimiser *optimiser, float *gradient)
{
	const size_t count = rs_network_weights(optimiser->network);
	const double rate = rate_of(optimiser), t = (double)++optimiser->step;
	const float size = (float)(rate / (1 - pow(FIRST, t))), tiny = (float)TINY;
	const float grown = (float)(1 / sqrt(1 - pow(SECOND, t))),
		    fade = (float)(rate * optimiser->training->decay);
	float *w = optimiser->network->weights, *m = optimiser->first, *v = optimiser->second;
	clip(gradient, count, optimiser->training->clip);
	for (size_t i = 0; i < count; i++) {
		const float g = gradient[i];
		m[i] += (float)(1 - FIRST) * (g - m[i]);
		v[i] += (float)(1 - SECOND) * (g * g - v[i]);
		w[i] -= optimiser->decays[i] ? fade * w[i] : 0;
		w[i] -= size * m[i] / (sqrtf(v[i]) * grown + tiny);
	}
	average(optimiser, count);
}
