/* Intensity histogram (IBSI reference manual, ZVCW): of grey levels, empty ones between them counted as well. */
#include <math.h>
#include <string.h>

#include "radiomics/ibsi_moments.h"

enum { MODE = IBSI_MAXIMUM + 1, AFTER = IBSI_MOMENTS + 1 };

/* The level of the highest count; of several the one closest to the mean, of two as close the lower one. */
static double mode(const struct levels *levels, double mean)
{
	uint32_t best = 1;
	for (uint32_t i = 1; i <= levels->level_count; i++) {
		uint64_t n = levels->histogram[i], most = levels->histogram[best];
		if (n > most || (n == most && fabs(i - mean) < fabs(best - mean)))
			best = i;
	}
	return best;
}

/* The slope at level i: of the counts beside it, at the ends of the count itself and the one beside it. */
static double gradient(const struct levels *levels, uint32_t i)
{
	const uint64_t *n = levels->histogram;
	if (i == 1)
		return (double)n[2] - (double)n[1];
	if (i == levels->level_count)
		return (double)n[i] - (double)n[i - 1];
	return ((double)n[i + 1] - (double)n[i - 1]) / 2;
}

/* Maximum, its level, minimum, its level; the first level of several. One level has no slope. */
static void gradients(const struct levels *levels, double out[4])
{
	if (levels->level_count < 2) {
		for (int k = 0; k < 4; k++)
			out[k] = NAN;
		return;
	}
	out[0] = out[2] = gradient(levels, 1);
	out[1] = out[3] = 1;
	for (uint32_t i = 2; i <= levels->level_count; i++) {
		double slope = gradient(levels, i);
		if (slope > out[0]) {
			out[0] = slope;
			out[1] = i;
		}
		if (slope < out[2]) {
			out[2] = slope;
			out[3] = i;
		}
	}
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	const struct levels *levels = &work->levels;
	size_t count = work->chain.intensity.count;
	double moments[IBSI_MOMENTS], energy, *to = out[0];
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	(void)volume;
	(void)pool;
	if (values == NULL)
		return rs_error_memory(err, count * sizeof *values, "grey levels");
	for (size_t i = 0; i < count; i++)
		values[i] = levels->of_voxel[i];
	RS_TRY(ibsi_moments_measure(values, count, moments, &energy, err));
	memcpy(to, moments, MODE * sizeof *to);
	to[MODE] = mode(levels, moments[IBSI_MEAN]);
	memcpy(to + MODE + 1, moments + MODE, (IBSI_MOMENTS - MODE) * sizeof *to);
	to[AFTER] = to[AFTER + 1] = 0; /* entropy, uniformity */
	for (uint32_t i = 1; i <= levels->level_count; i++) {
		double p = (double)levels->histogram[i] / (double)count;
		to[AFTER] -= p > 0 ? p * log2(p) : 0;
		to[AFTER + 1] += p * p;
	}
	gradients(levels, to + AFTER + 2);
	return RS_OK;
}

static const struct ibsi_row rows[] = {
	{"ih_mean", "X6K6", "1"},       {"ih_var", "CH89", "1"},        {"ih_skew", "88K1", "1"},
	{"ih_kurt", "C3I7", "1"},       {"ih_median", "WIFQ", "1"},     {"ih_min", "1PR8", "1"},
	{"ih_p10", "GPMT", "1"},        {"ih_p90", "OZ0C", "1"},        {"ih_max", "3NCY", "1"},
	{"ih_mode", "AMMC", "1"},       {"ih_iqr", "WR0O", "1"},        {"ih_range", "5Z3W", "1"},
	{"ih_mad", "D2ZX", "1"},        {"ih_rmad", "WRZB", "1"},       {"ih_medad", "4RNL", "1"},
	{"ih_cov", "CWYJ", "1"},        {"ih_qcod", "SLWD", "1"},       {"ih_entropy", "TLU2", "bit"},
	{"ih_uniformity", "BJ5W", "1"}, {"ih_max_grad", "12CE", "1"},   {"ih_max_grad_g", "8E6O", "1"},
	{"ih_min_grad", "VQB3", "1"},   {"ih_min_grad_g", "RHQZ", "1"},
};
const struct ibsi_family ibsi_histogram = {"ih", IBSI_WHOLE, rows, RS_COUNT(rows), measure};
