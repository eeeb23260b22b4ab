/* Empirical Bayes: what is known of a batch's effect on one column, from its effect on all. */
#include "combat.h"

#include <math.h>

/* Rule of sva: the largest relative change of any column; of means it has the sign of the old one, so that negative
 * ones never count. */
#define SETTLED 1e-4
#define STEPS_MAX 100000

struct moments {
	double mean, variance;
};
static struct moments moments_of(const double *values, size_t count)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	for (size_t i = 0; i < count; i++)
		squares += (values[i] - sum / (double)count) * (values[i] - sum / (double)count);
	return (struct moments){sum / (double)count, squares / ((double)count - 1)};
}

/* Cells that are there; their sum and sum of squares. */
struct sums {
	double count, sum, squares;
};
static struct sums sums_of(const struct batch_effect *e, size_t column)
{
	struct sums s = {0, 0, 0};
	for (size_t i = 0; i < e->rows; i++) {
		double cell = e->cells[column * e->rows + i];
		if (isnan(cell))
			continue;
		s.count++;
		s.sum += cell;
		s.squares += cell * cell;
	}
	return s;
}
static double squares_around(const struct sums *s, double centre)
{
	return fmax(0, s->squares - 2 * centre * s->sum + s->count * centre * centre);
}

/* ---- parametric ---- */

struct prior {
	double mean, spread, shape, rate; /* normal of the shifts, inverse gamma of the variances */
};

static double posterior_mean(const struct prior *prior, double hat, double count, double variance)
{
	return (prior->spread * count * hat + variance * prior->mean) / (prior->spread * count + variance);
}

static double change(double now, double before)
{
	double difference = fabs(now - before);
	return difference > 0 ? difference / before : 0;
}

/* One step of all columns; returns the largest change. hat: means as measured. */
static double step(struct batch_effect *e, const struct prior *prior, const struct sums *sums)
{
	double largest = 0;
	for (size_t c = 0; c < e->columns; c++) {
		const struct sums *s = &sums[c];
		double shift = posterior_mean(prior, s->sum / s->count, s->count, e->variance[c]);
		double variance = (squares_around(s, shift) / 2 + prior->rate) /
		                  (s->count / 2 + prior->shape - 1);
		largest = fmax(largest, change(shift, e->shift[c]));
		largest = fmax(largest, change(variance, e->variance[c]));
		e->shift[c] = shift;
		e->variance[c] = variance;
	}
	return largest;
}

static enum rs_code shrink_parametric(struct batch_effect *e, const struct sums *sums, struct rs_error *err)
{
	struct moments shifts = moments_of(e->shift, e->columns);
	struct moments variances = moments_of(e->variance, e->columns);
	double m = variances.mean, v = variances.variance;
	struct prior prior = {shifts.mean, shifts.variance, (2 * v + m * m) / v, (m * v + m * m * m) / v};
	if (e->mean_only) {
		for (size_t c = 0; c < e->columns; c++)
			e->shift[c] = posterior_mean(&prior, e->shift[c], 1, 1);
		return RS_OK;
	}
	if (!isfinite(prior.shape) || !isfinite(prior.rate))
		return RS_OK;
	for (int i = 0; i < STEPS_MAX; i++)
		if (step(e, &prior, sums) <= SETTLED)
			return RS_OK;
	return rs_error_set(err, RS_NOT_FOUND,
	                    "ComBat's estimates for batch %u have not settled after %d steps", e->batch,
	                    STEPS_MAX);
}

/* ---- non-parametric ---- */

/* Estimates of the other columns as candidates for column c, weighted by their likelihood, of which the largest is
 * made 1 lest all underflow. weights: of all columns. */
static void weigh(const struct batch_effect *e, const double *shift, const double *variance,
                  const struct sums *of, size_t c, double *weights)
{
	const double two_pi = 6.283185307179586;
	double largest = -INFINITY;
	for (size_t k = 0; k < e->columns; k++) {
		weights[k] = -of->count / 2 * log(two_pi * variance[k]) -
		             squares_around(of, shift[k]) / (2 * variance[k]);
		if (k != c)
			largest = fmax(largest, weights[k]);
	}
	for (size_t k = 0; k < e->columns; k++)
		weights[k] = k == c ? 0 : exp(weights[k] - largest);
}

static enum rs_code shrink_non_parametric(struct batch_effect *e, const struct sums *sums,
                                          struct rs_error *err)
{
	size_t room = e->columns * 3;
	double *hats RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *hats);
	if (!hats)
		return rs_error_memory(err, room * sizeof *hats, "ComBat");
	double *shift = hats, *variance = hats + e->columns, *weights = hats + 2 * e->columns;
	for (size_t c = 0; c < e->columns; c++) {
		shift[c] = e->shift[c];
		variance[c] = e->variance[c];
	}
	for (size_t c = 0; c < e->columns; c++) {
		double all = 0, at = 0, spread = 0;
		weigh(e, shift, variance, &sums[c], c, weights);
		for (size_t k = 0; k < e->columns; k++) {
			all += weights[k];
			at += shift[k] * weights[k];
			spread += variance[k] * weights[k];
		}
		e->shift[c] = at / all;
		e->variance[c] = e->mean_only ? 1 : spread / all;
	}
	return RS_OK;
}

enum rs_code batch_shrink(struct batch_effect *e, enum rs_combat_prior prior, struct rs_error *err)
{
	struct sums *sums RS_CLEANUP(rs_free_pointer) = rs_allocate_array(e->columns, sizeof *sums);
	if (!sums)
		return rs_error_memory(err, e->columns * sizeof *sums, "ComBat");
	for (size_t c = 0; c < e->columns; c++)
		sums[c] = sums_of(e, c);
	for (size_t c = 0; c < e->columns; c++) {
		e->shift[c] = sums[c].sum / sums[c].count;
		e->variance[c] = e->mean_only ? 1
		                              : squares_around(&sums[c], e->shift[c]) / (sums[c].count - 1);
	}
	if (prior == RS_COMBAT_NONE || e->columns < 2)
		return RS_OK;
	if (prior == RS_COMBAT_PARAMETRIC)
		return shrink_parametric(e, sums, err);
	return shrink_non_parametric(e, sums, err);
}
