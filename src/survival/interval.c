#include "interval.h"

#include <math.h>

#include "numeric/numeric_distribution.h"
#include "numeric/numeric_linear.h"

static double within(double value) { return value < 0 ? 0 : value > 1 ? 1 : value; }

static void log_log(double p, double width, double *out_lower, double *out_upper)
{
	double inner = log(-log(p)), step = width / log(p);
	*out_lower = exp(-exp(inner - step));
	*out_upper = exp(-exp(inner + step));
}

static void logit(double p, double width, double *out_lower, double *out_upper)
{
	double inner = log(p / (1 - p)), step = width / (1 - p);
	*out_lower = 1 - 1 / (1 + exp(inner - step));
	*out_upper = 1 - 1 / (1 + exp(inner + step));
}

static void arcsin(double p, double width, double *out_lower, double *out_upper)
{
	double inner = asin(sqrt(p)), step = 0.5 * width * sqrt(p / (1 - p));
	double low = fmax(0, inner - step), high = fmin(M_PI_2, inner + step);
	*out_lower = sin(low) * sin(low);
	*out_upper = sin(high) * sin(high);
}

void interval_around(double p, double width, enum rs_survival_interval interval, double *out_lower,
                     double *out_upper)
{
	*out_lower = *out_upper = NAN;
	if (p == 1 && (interval == RS_INTERVAL_PLAIN || interval == RS_INTERVAL_LOG))
		*out_lower = *out_upper = 1;
	if (!(p > 0 && p < 1))
		return;
	switch (interval) {
	case RS_INTERVAL_PLAIN:
		*out_lower = within(p - width * p);
		*out_upper = within(p + width * p);
		return;
	case RS_INTERVAL_LOG:
		*out_lower = p * exp(-width);
		*out_upper = within(p * exp(width));
		return;
	case RS_INTERVAL_LOG_LOG: log_log(p, width, out_lower, out_upper); return;
	case RS_INTERVAL_LOGIT: logit(p, width, out_lower, out_upper); return;
	case RS_INTERVAL_ARCSIN: arcsin(p, width, out_lower, out_upper); return;
	}
}

/* Quadratic form of observed - expected over all groups that expect anything, less one. */
enum rs_code comparison_test(const double *variance, struct rs_survival_comparison *out, struct rs_error *err)
{
	size_t *used RS_CLEANUP(rs_free_pointer) = rs_allocate_array(out->groups, sizeof *used);
	double *matrix RS_CLEANUP(rs_free_pointer) = rs_allocate_array(out->groups * out->groups,
	                                                               sizeof *matrix);
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(out->groups, sizeof *x);
	if (!used || !matrix || !x)
		return rs_error_memory(err, out->groups * out->groups * sizeof *matrix, "a comparison");
	size_t n = 0;
	for (size_t g = 0; g < out->groups; g++)
		if (out->expected[g] > 0)
			used[n++] = g;
	out->chi_square = NAN;
	out->p = 1;
	if (n < 2)
		return RS_OK;
	n--;
	for (size_t i = 0; i < n; i++) {
		x[i] = out->observed[used[i]] - out->expected[used[i]];
		for (size_t j = 0; j < n; j++)
			matrix[i * n + j] = variance[used[i] * out->groups + used[j]];
	}
	if (rs_ldl(matrix, n, 1e-10) == 0)
		return RS_OK;
	rs_ldl_solve(matrix, n, x);
	out->chi_square = 0;
	for (size_t i = 0; i < n; i++)
		out->chi_square += x[i] * (out->observed[used[i]] - out->expected[used[i]]);
	out->df = (double)n;
	out->p = rs_chi_square_upper(out->chi_square, out->df);
	return RS_OK;
}
