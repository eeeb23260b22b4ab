/* Whether of those with p the share p has the outcome. */
#include <math.h>
#include <stdlib.h>

#include "assess/assess.h"
#include "assess/assess_isotonic.h"
#include "assess/assess_logistic.h"
#include "numeric/numeric_distribution.h"
#include "numeric/numeric_smooth.h"

#define CLIP 1e-15
#define GROUPS 10

static double logit(double p)
{
	double clipped = fmin(fmax(p, CLIP), 1 - CLIP);
	return log(clipped / (1 - clipped));
}

/* Logistic regression of the outcome on logit p, its slope held at 1 when `fixed`. */
static enum rs_code recalibrate(const double *p, const uint8_t *outcome, size_t count, bool fixed,
                                struct rs_logistic *out, struct rs_error *err)
{
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *x);
	if (!x)
		return rs_error_memory(err, count * sizeof *x, "calibration");
	for (size_t i = 0; i < count; i++)
		x[i] = logit(p[i]);
	const struct rs_logistic_data data = {count, !fixed, fixed ? NULL : x, fixed ? x : NULL, outcome};
	return rs_logistic_fit(&data, out, err);
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

static struct rs_interval around(const struct rs_logistic *model, size_t j, double z)
{
	double value = model->coefficients[j], error = sqrt(model->variance[j * (model->columns + 1) + j]);
	return (struct rs_interval){value, value - z * error, value + z * error};
}

static enum rs_code lines(const double *p, const uint8_t *outcome, size_t count, double level,
                          struct rs_calibration *out, struct rs_error *err)
{
	struct rs_logistic moved RS_CLEANUP(rs_logistic_finish) = {0};
	struct rs_logistic turned RS_CLEANUP(rs_logistic_finish) = {0};
	double z = rs_normal_quantile(0.5 + 0.5 * level);
	RS_TRY(recalibrate(p, outcome, count, true, &moved, err));
	RS_TRY(recalibrate(p, outcome, count, false, &turned, err));
	out->in_the_large = moved.converged ? moved.coefficients[0] : NAN;
	out->intercept = out->slope = (struct rs_interval){NAN, NAN, NAN};
	if (!turned.converged || turned.df == 0)
		return RS_OK;
	double excess = fmax(0, 2 * (double)count * out->log_loss - turned.deviance);
	out->unreliability = (excess - 2) / (double)count;
	out->unreliability_p = rs_chi_square_upper(excess, 2);
	out->quality = out->discrimination - out->unreliability;
	out->intercept = around(&turned, 0, z);
	out->slope = around(&turned, 1, z);
	return RS_OK;
}

/* How much of the Brier score a monotone recalibration takes away, and what it then gains on telling all the share.
 * source  Dimitriadis, Gneiting & Jordan, PNAS 118 (2021) e2016191118 */
static enum rs_code decompose(const double *p, const uint8_t *outcome, size_t count,
                              struct rs_calibration *out, struct rs_error *err)
{
	struct rs_isotonic curve RS_CLEANUP(rs_isotonic_finish) = {0};
	double recalibrated = 0, share = 0;
	RS_TRY(rs_isotonic_fit(p, outcome, count, &curve, err));
	for (size_t i = 0; i < count; i++) {
		double miss = (outcome[i] != 0) - rs_isotonic_at(&curve, p[i]);
		recalibrated += miss * miss / (double)count;
		share += (outcome[i] != 0) / (double)count;
	}
	out->brier_uncertainty = share * (1 - share);
	out->brier_miscalibration = fmax(0, out->brier - recalibrated);
	out->brier_discrimination = fmax(0, out->brier_uncertainty - recalibrated);
	return RS_OK;
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
	RS_TRY(lines(p, outcome, count, level, &made, err));
	RS_TRY(decompose(p, outcome, count, &made, err));
	RS_TRY(smooth_errors(pairs, count, &made, err));
	hosmer_lemeshow(pairs, count, &made);
	*out = made;
	return RS_OK;
}
