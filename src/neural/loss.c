/* Losses of classes, of overlap and of survival, with their slopes. */
#include <math.h>
#include <stdlib.h>

#include "loss.h"

#define SMOOTH 1.0 /* added to both sides of a soft Dice's fraction */

/* Values of a sample lie channel by channel; a view of one position of it. */
struct spot {
	const float *values;
	float *slopes;
	size_t channels, pitch;
};

static void softmax(const struct spot *spot, double *p)
{
	double top = (double)spot->values[0], sum = 0;
	for (size_t c = 1; c < spot->channels; c++)
		top = fmax(top, (double)spot->values[c * spot->pitch]);
	for (size_t c = 0; c < spot->channels; c++)
		sum += p[c] = exp((double)spot->values[c * spot->pitch] - top);
	for (size_t c = 0; c < spot->channels; c++)
		p[c] /= sum;
}

/* Cross-entropy of one position, its slopes times `weight`. */
static double cross_entropy(const struct spot *spot, uint32_t label, double smoothing, double weight)
{
	if (spot->channels == 1) {
		const double z = (double)*spot->values, target = label * (1 - smoothing) + smoothing / 2;
		const double p = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
		if (spot->slopes)
			*spot->slopes += (float)(weight * (p - target));
		return fmax(z, 0) - target * z + log1p(exp(-fabs(z)));
	}
	double top = (double)spot->values[0], sum = 0, loss = 0;
	for (size_t c = 1; c < spot->channels; c++)
		top = fmax(top, (double)spot->values[c * spot->pitch]);
	for (size_t c = 0; c < spot->channels; c++)
		sum += exp((double)spot->values[c * spot->pitch] - top);
	for (size_t c = 0; c < spot->channels; c++) {
		const double z = (double)spot->values[c * spot->pitch] - top;
		const double target = (c == label) * (1 - smoothing) + smoothing / (double)spot->channels;
		loss -= target * (z - log(sum));
		if (spot->slopes)
			spot->slopes[c * spot->pitch] += (float)(weight * (exp(z) / sum - target));
	}
	return loss;
}

static struct spot spot_at(const struct rs_shape *shape, const float *values, float *slopes, size_t sample,
                           size_t position)
{
	const size_t positions = rs_shape_positions(shape),
		     at = sample * shape->channels * positions + position;
	return (struct spot){values + at, slopes ? slopes + at : NULL, shape->channels, positions};
}

static double loss_of_classes(const struct rs_network_training *training, const struct rs_shape *shape,
                              const float *values, size_t batch, const struct truth *truth, float *slopes)
{
	const size_t positions = rs_shape_positions(shape), count = batch * positions;
	double loss = 0, weights = 0;
	for (size_t i = 0; i < count; i++)
		weights += training->class_weights ? training->class_weights[truth->labels[i]] : 1;
	for (size_t i = 0; i < count; i++) {
		const double weight = training->class_weights ? training->class_weights[truth->labels[i]] : 1;
		const struct spot spot = spot_at(shape, values, slopes, i / positions, i % positions);
		loss += weight *
		        cross_entropy(&spot, truth->labels[i], training->smoothing, weight / weights);
	}
	return loss / weights;
}

/* ---- 1 - soft Dice (Milletari et al. 2016): the mean over the classes but the first, the background, that are there ---- */

struct overlap {
	double both[LOSS_CHANNELS_MAX], said[LOSS_CHANNELS_MAX], is[LOSS_CHANNELS_MAX]; /* sums, by class */
	double classes;                                                                 /* that count */
};

static bool counts(const struct overlap *overlap, size_t channel)
{
	return channel > 0 && overlap->is[channel] > 0;
}

static struct overlap overlap_of(const struct rs_shape *shape, const float *values, size_t batch,
                                 const uint32_t *labels)
{
	const size_t positions = rs_shape_positions(shape), count = batch * positions;
	struct overlap overlap = {{0}, {0}, {0}, 0};
	double p[LOSS_CHANNELS_MAX];
	for (size_t i = 0; i < count; i++) {
		const struct spot spot = spot_at(shape, values, NULL, i / positions, i % positions);
		softmax(&spot, p);
		for (size_t c = 0; c < shape->channels; c++)
			overlap.said[c] += p[c];
		overlap.both[labels[i]] += p[labels[i]];
		overlap.is[labels[i]]++;
	}
	for (size_t c = 0; c < shape->channels; c++)
		overlap.classes += counts(&overlap, c);
	return overlap;
}

static double loss_of_overlap(const struct rs_shape *shape, const float *values, size_t batch,
                              const struct truth *truth, float *slopes)
{
	const size_t positions = rs_shape_positions(shape), count = batch * positions;
	const struct overlap overlap = overlap_of(shape, values, batch, truth->labels);
	double of_both[LOSS_CHANNELS_MAX] = {0}, of_said[LOSS_CHANNELS_MAX] = {0}, loss = 0;
	for (size_t c = 0; c < shape->channels; c++) {
		if (!counts(&overlap, c))
			continue;
		const double over = 2 * overlap.both[c] + SMOOTH,
			     under = overlap.said[c] + overlap.is[c] + SMOOTH;
		loss += (1 - over / under) / overlap.classes;
		of_said[c] = over / (under * under) / overlap.classes;
		of_both[c] = -2 / under / overlap.classes;
	}
	for (size_t i = 0; slopes && i < count; i++) {
		const struct spot spot = spot_at(shape, values, slopes, i / positions, i % positions);
		double p[LOSS_CHANNELS_MAX], mean = 0;
		softmax(&spot, p);
		for (size_t c = 0; c < shape->channels; c++)
			mean += p[c] * (of_said[c] + (c == truth->labels[i] ? of_both[c] : 0));
		for (size_t c = 0; c < shape->channels; c++)
			spot.slopes[c * spot.pitch] +=
				(float)(p[c] *
			                (of_said[c] + (c == truth->labels[i] ? of_both[c] : 0) - mean));
	}
	return loss;
}

/* ---- Cox's partial likelihood (Cox 1972; ties after Efron 1977 or Breslow 1974) ---- */

static int latest_first(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;
	return x->time != y->time ? (x->time < y->time) - (x->time > y->time)
	                          : (x->at > y->at) - (x->at < y->at);
}

/* Events at one time, order[first … end): their loss. Adds to `falling` what those at risk get of the slope, returns in
 * out_tied what the tied get less than that. */
static double loss_of_ties(enum rs_loss ties, const struct truth *truth, const struct moment *order,
                           size_t first, size_t end, double at_risk, double *falling, double *out_tied)
{
	double events = 0, tied = 0, loss = 0;
	*out_tied = 0;
	for (size_t i = first; i < end; i++)
		if (truth->event[order[i].at]) {
			events++;
			tied += exp(order[i].risk);
			loss -= order[i].risk;
		}
	for (double k = 0; k < events; k++) {
		const double share = ties == RS_LOSS_EFRON ? k / events : 0, sum = at_risk - share * tied;
		loss += log(sum);
		*falling += 1 / sum;
		*out_tied += share / sum;
	}
	return loss;
}

/* Risks are taken less the largest, so that none overflows. Slopes go from the earliest time on: who is at risk later, was
 * at risk before. */
static double loss_of_survival(enum rs_loss ties, const float *values, size_t batch,
                               const struct truth *truth, struct moment *order, float *slopes)
{
	double top = (double)values[0], at_risk = 0, events = 0, loss = 0, all = 0, before = 0;
	for (size_t i = 0; i < batch; i++) {
		order[i] = (struct moment){truth->time[i], (double)values[i], i};
		top = fmax(top, (double)values[i]);
		events += truth->event[i];
	}
	qsort(order, batch, sizeof *order, latest_first);
	for (size_t i = 0; i < batch; i++)
		order[i].risk -= top;
	/* Twice over the times: sums of slopes over earlier times are those over all less those over later ones. */
	for (int round = 0; round < (slopes ? 2 : 1) && events > 0; round++) {
		double falling = 0, tied;
		at_risk = loss = 0;
		for (size_t first = 0, end; first < batch; first = end) {
			for (end = first; end < batch && order[end].time == order[first].time; end++)
				at_risk += exp(order[end].risk);
			before = falling;
			loss += loss_of_ties(ties, truth, order, first, end, at_risk, &falling, &tied);
			for (size_t i = first; round == 1 && i < end; i++) {
				const size_t at = order[i].at;
				const double sum = all - before - (truth->event[at] ? tied : 0);
				slopes[at] += (float)((exp(order[i].risk) * sum - truth->event[at]) / events);
			}
		}
		all = falling;
	}
	return events > 0 ? loss / events : 0;
}

double loss_of(const struct rs_network_training *training, const struct rs_shape *shape, const float *values,
               size_t batch, const struct truth *truth, struct moment *order, float *slopes)
{
	for (size_t i = 0; slopes && i < batch * rs_shape_values(shape); i++)
		slopes[i] = 0;
	switch (training->loss) {
	case RS_LOSS_CLASSES: return loss_of_classes(training, shape, values, batch, truth, slopes);
	case RS_LOSS_OVERLAP:
		return loss_of_classes(training, shape, values, batch, truth, slopes) +
		       loss_of_overlap(shape, values, batch, truth, slopes);
	case RS_LOSS_EFRON:
	case RS_LOSS_BRESLOW: break;
	}
	return loss_of_survival(training->loss, values, batch, truth, order, slopes);
}
