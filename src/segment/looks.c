/* Logistic regression on values, their squares and their products. */
#include "segment/looks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/numeric_linear.h"

#define RIDGE 1.0 /* on all but the constant; values are scaled, and samples count 100 or more together */
#define CONSTANT_RIDGE 1e-6
#define STEPS_MAX 8
#define SETTLED 1e-3
#define STEEPEST 15.0 /* log odds, beyond which nothing changes */
#define IQR_OF_NORMAL 1.3489795003921634

static int by_value(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

bool looks_scale(struct looks *looks, size_t image, float *inside, size_t inside_count, float *around,
                 size_t around_count)
{
	qsort(inside, inside_count, sizeof *inside, by_value);
	qsort(around, around_count, sizeof *around, by_value);
	double width = (double)around[around_count * 3 / 4] - (double)around[around_count / 4];
	if (!(width > 0))
		width = (double)around[around_count - 1] - (double)around[0];
	looks->middle[image] = (double)inside[inside_count / 2];
	looks->scale[image] = width > 0 ? width / IQR_OF_NORMAL : 1;
	return width > 0;
}

static void find_terms(const struct looks *looks, const float *values, double terms[LOOKS_TERMS_MAX])
{
	size_t n = 0;
	terms[n++] = 1;
	for (size_t i = 0; i < looks->images; i++)
		terms[n++] = (double)values[i];
	for (size_t i = 0; i < looks->images; i++)
		for (size_t k = i; k < looks->images; k++)
			terms[n++] = (double)values[i] * (double)values[k];
}

static double clamped(double odds) { return fmax(-STEEPEST, fmin(odds, STEEPEST)); }

static double odds_of(const struct looks *looks, const double terms[LOOKS_TERMS_MAX])
{
	double sum = 0;
	for (size_t i = 0; i < looks->terms; i++)
		sum += looks->weight[i] * terms[i];
	return clamped(sum);
}

double looks_odds(const struct looks *looks, const float *values)
{
	double terms[LOOKS_TERMS_MAX];
	find_terms(looks, values, terms);
	return odds_of(looks, terms);
}

/* The lower triangle of the curvature, and the slope, of the log likelihood with its ridge. */
static void gather(const struct looks *looks, const struct looks_samples *samples, double *curvature,
                   double *slope)
{
	const size_t n = looks->terms;
	double terms[LOOKS_TERMS_MAX];
	memset(curvature, 0, n * n * sizeof *curvature);
	for (size_t i = 0; i < n; i++) {
		const double ridge = i ? RIDGE : CONSTANT_RIDGE;
		curvature[i * n + i] = ridge;
		slope[i] = -ridge * looks->weight[i];
	}
	for (size_t s = 0; s < samples->count; s++) {
		const double counts = (double)samples->counts[s];
		if (counts == 0)
			continue;
		find_terms(looks, samples->values + s * looks->images, terms);
		const double p = 1 / (1 + exp(-odds_of(looks, terms)));
		const double up = counts * ((double)samples->inside[s] - p), bend = counts * p * (1 - p);
		for (size_t i = 0; i < n; i++) {
			double *row = curvature + i * n;
			const double by = bend * terms[i];
			slope[i] += up * terms[i];
			for (size_t k = 0; k <= i; k++)
				row[k] += by * terms[k];
		}
	}
}

enum rs_code looks_learn(struct looks *looks, const struct looks_samples *samples, struct rs_error *err)
{
	const size_t n = looks->terms = 1 + looks->images + looks->images * (looks->images + 1) / 2;
	double *curvature RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n * n, sizeof *curvature);
	double slope[LOOKS_TERMS_MAX];
	if (!curvature)
		return rs_error_memory(err, n * n * sizeof *curvature, "a region's looks");
	memset(looks->weight, 0, sizeof looks->weight);
	for (int step = 0; step < STEPS_MAX; step++) {
		double longest = 0;
		gather(looks, samples, curvature, slope);
		(void)rs_ldl(curvature, n, 1e-14);
		rs_ldl_solve(curvature, n, slope);
		for (size_t i = 0; i < n; i++) {
			looks->weight[i] += slope[i];
			longest = fmax(longest, fabs(slope[i]));
		}
		if (longest < SETTLED)
			break;
	}
	return RS_OK;
}
