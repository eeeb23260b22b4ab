/* Whether of those with p the share p has the outcome. */
#include <math.h>
#include <stdlib.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"
#include "numeric/numeric_smooth.h"

#define CLIP 1e-15
#define GROUPS 10

static double logit(double p)
{
	double clipped = fmin(fmax(p, CLIP), 1 - CLIP);
	return log(clipped / (1 - clipped));
}

/* Logistic regression of the outcome on logit p, and its log likelihood; slope held at 1 when `fixed`. False when there is no
 * finite fit. */
static bool recalibrate(const double *p, const uint8_t *outcome, size_t count, bool fixed, double beta[2],
                        double variance[2], double *out_likelihood)
{
	double before = -INFINITY, move[2] = {0};
	beta[0] = 0;
	beta[1] = 1;
	for (unsigned step = 0; step < 200; step++) {
		double u[2] = {0}, i[3] = {0}, value = 0;
		for (size_t k = 0; k < count; k++) {
			double x = logit(p[k]), eta = beta[0] + beta[1] * x, q = 1 / (1 + exp(-eta)),
			       w = q * (1 - q);
			double miss = outcome[k] - q;
			value -= log1p(exp(outcome[k] ? -eta : eta));
			u[0] += miss;
			u[1] += miss * x;
			i[0] += w;
			i[1] += w * x;
			i[2] += w * x * x;
		}
		if (value < before - 1e-13 * (1 + fabs(before))) { /* too far: half the way back */
			for (unsigned k = 0; k < 2; k++)
				beta[k] -= move[k] *= 0.5;
			continue;
		}
		double determinant = i[0] * i[2] - i[1] * i[1];
		if (!(fixed ? i[0] > 0 : determinant > 1e-12 * i[0] * i[2]))
			return false;
		variance[0] = fixed ? 1 / i[0] : i[2] / determinant;
		variance[1] = fixed ? 0 : i[0] / determinant;
		move[0] = fixed ? u[0] / i[0] : (i[2] * u[0] - i[1] * u[1]) / determinant;
		move[1] = fixed ? 0 : (i[0] * u[1] - i[1] * u[0]) / determinant;
		if (fabs(value - before) <= 1e-13 * (1 + fabs(value)) &&
		    fabs(move[0]) + fabs(move[1]) < 1e-8) {
			*out_likelihood = value;
			return true;
		}
		before = value;
		beta[0] += move[0];
		beta[1] += move[1];
		if (!(fabs(beta[0]) < 1e4 && fabs(beta[1]) < 1e4))
			return false;
	}
	return false;
}

struct pair {
	double p;
	uint8_t outcome;
	size_t row;
};

static int by_probability(const void *a, const void *b)
{
	const struct pair *first = a, *second = b;
	if (first->p != second->p)
		return first->p < second->p ? -1 : 1;
	return (first->row > second->row) - (first->row < second->row);
}

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return (first > second) - (first < second);
}

static enum rs_code smooth_errors(const struct pair *pairs, size_t count, struct rs_calibration *out,
                                  struct rs_error *err)
{
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, 3 * sizeof *work);
	if (!work)
		return rs_error_memory(err, 3 * count * sizeof *work, "calibration");
	double *x = work, *y = work + count, *line = y + count;
	for (size_t i = 0; i < count; i++) {
		x[i] = pairs[i].p;
		y[i] = pairs[i].outcome;
	}
	RS_TRY(rs_lowess(x, y, count, line, err));
	out->ici = 0;
	for (size_t i = 0; i < count; i++) {
		y[i] = fabs(x[i] - line[i]);
		out->ici += y[i] / (double)count;
	}
	qsort(y, count, sizeof *y, ascending);
	out->e90 = rs_quantile_of(y, count, 0.9);
	out->e_max = y[count - 1];
	return RS_OK;
}

/* Groups by deciles of p, as cut() at its quantiles makes them: p belongs to the first decile that is not below it. */
static void hosmer_lemeshow(const struct pair *pairs, size_t count, struct rs_calibration *out)
{
	double observed[GROUPS] = {0}, expected[GROUPS] = {0}, size[GROUPS] = {0}, sum = 0, groups = 0;
	double edge[GROUPS];
	for (size_t g = 0; g < GROUPS; g++) {
		double place = (double)(g + 1) / GROUPS * (double)(count - 1);
		size_t below = (size_t)place;
		size_t above = below + 1 < count ? below + 1 : below;
		edge[g] = pairs[below].p + (place - (double)below) * (pairs[above].p - pairs[below].p);
	}
	for (size_t i = 0, g = 0; i < count; i++) {
		while (g + 1 < GROUPS && pairs[i].p > edge[g])
			g++;
		observed[g] += pairs[i].outcome;
		expected[g] += pairs[i].p;
		size[g]++;
	}
	for (size_t g = 0; g < GROUPS; g++) {
		double miss = observed[g] - expected[g], mean = size[g] > 0 ? expected[g] / size[g] : 0;
		groups += size[g] > 0;
		if (miss != 0)
			sum += miss * miss / (size[g] * mean * (1 - mean));
	}
	out->hosmer_lemeshow = sum;
	out->hosmer_lemeshow_df = fmax(0, groups - 2);
	out->hosmer_lemeshow_p = groups > 2 ? rs_chi_square_upper(sum, groups - 2) : NAN;
}

static void simple_scores(const double *p, const uint8_t *outcome, size_t count, struct rs_calibration *out)
{
	double brier = 0, loss = 0, above = 0, below = 0;
	for (size_t i = 0; i < count; i++) {
		double q = fmin(fmax(p[i], CLIP), 1 - CLIP), y = outcome[i];
		brier += (p[i] - y) * (p[i] - y);
		loss -= outcome[i] ? log(q) : log(1 - q);
		above += (y - p[i]) * (1 - 2 * p[i]);
		below += (1 - 2 * p[i]) * (1 - 2 * p[i]) * p[i] * (1 - p[i]);
	}
	out->brier = brier / (double)count;
	out->log_loss = loss / (double)count;
	out->spiegelhalter_z = below > 0 ? above / sqrt(below) : NAN;
	out->spiegelhalter_p = rs_normal_two_sided(out->spiegelhalter_z);
}

/* Against what is said without a prediction: the share of all (Nagelkerke 1991, Harrell 2015). */
static void likelihoods(const uint8_t *outcome, size_t count, struct rs_calibration *out)
{
	double n = (double)count, positives = 0;
	for (size_t i = 0; i < count; i++)
		positives += outcome[i] != 0;
	double share = positives / n;
	double none = share > 0 && share < 1 ? -2 * n * (share * log(share) + (1 - share) * log(1 - share))
	                                     : NAN;
	double gained = none - 2 * n * out->log_loss;
	out->r2 = (1 - exp(-gained / n)) / (1 - exp(-none / n));
	out->discrimination = (gained - 1) / n;
	out->unreliability = out->unreliability_p = out->quality = NAN;
}

static void lines(const double *p, const uint8_t *outcome, size_t count, double level,
                  struct rs_calibration *out)
{
	double beta[2], variance[2], likelihood, z = rs_normal_quantile(0.5 + 0.5 * level);
	out->in_the_large = recalibrate(p, outcome, count, true, beta, variance, &likelihood) ? beta[0] : NAN;
	out->intercept = out->slope = (struct rs_interval){NAN, NAN, NAN};
	if (!recalibrate(p, outcome, count, false, beta, variance, &likelihood))
		return;
	double excess = fmax(0, 2 * likelihood + 2 * (double)count * out->log_loss);
	out->unreliability = (excess - 2) / (double)count;
	out->unreliability_p = rs_chi_square_upper(excess, 2);
	out->quality = out->discrimination - out->unreliability;
	out->intercept = (struct rs_interval){beta[0], beta[0] - z * sqrt(variance[0]),
	                                      beta[0] + z * sqrt(variance[0])};
	out->slope = (struct rs_interval){beta[1], beta[1] - z * sqrt(variance[1]),
	                                  beta[1] + z * sqrt(variance[1])};
}

enum rs_code rs_calibration_of(const double *p, const uint8_t *outcome, size_t count, double level,
                               struct rs_calibration *out, struct rs_error *err)
{
	struct rs_calibration made = {0};
	if (count == 0)
		return rs_error_set(err, RS_USAGE, "there is no subject");
	struct pair *pairs RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *pairs);
	if (!pairs)
		return rs_error_memory(err, count * sizeof *pairs, "calibration");
	for (size_t i = 0; i < count; i++) {
		if (!(p[i] >= 0 && p[i] <= 1))
			return rs_error_set(err, RS_MALFORMED, "row %zu: %g is no probability", i + 1, p[i]);
		pairs[i] = (struct pair){p[i], outcome[i] != 0, i};
	}
	qsort(pairs, count, sizeof *pairs, by_probability);
	simple_scores(p, outcome, count, &made);
	likelihoods(outcome, count, &made);
	lines(p, outcome, count, level, &made);
	RS_TRY(smooth_errors(pairs, count, &made, err));
	hosmer_lemeshow(pairs, count, &made);
	*out = made;
	return RS_OK;
}
