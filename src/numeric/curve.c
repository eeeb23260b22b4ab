/* Levenberg and Marquardt with bounds: what stands at a bound and would leave it is held for the step. */
#include "numeric/numeric_curve.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric_linear.h"

#define STEPS_MAX 100
#define DAMPING_START 1e-3
#define DAMPING_MAX 1e12
#define SETTLED 1e-14 /* of the sum of squares */

struct place {
	double parameters[RS_CURVE_PARAMETERS_MAX];
	double residuals[RS_CURVE_POINTS_MAX];
	double slopes[RS_CURVE_POINTS_MAX * RS_CURVE_PARAMETERS_MAX];
	double sum;
};

static void look(const struct rs_curve *curve, const double *observed, struct place *place)
{
	double values[RS_CURVE_POINTS_MAX];
	curve->model(curve->context, place->parameters, values, place->slopes);
	place->sum = 0;
	for (size_t i = 0; i < curve->count; i++) {
		place->residuals[i] = observed[i] - values[i];
		place->sum += place->residuals[i] * place->residuals[i];
	}
}

static double within(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/* JᵀJ and Jᵀr, of the parameters that are free to go where they want. */
static void normal_equations(const struct rs_curve *curve, const struct place *place, double *square,
                             double *toward)
{
	const size_t n = curve->parameters;
	memset(square, 0, n * n * sizeof *square);
	memset(toward, 0, n * sizeof *toward);
	for (size_t i = 0; i < curve->count; i++) {
		const double *slope = place->slopes + i * n;
		for (size_t j = 0; j < n; j++) {
			toward[j] += slope[j] * place->residuals[i];
			for (size_t k = 0; k <= j; k++)
				square[j * n + k] += slope[j] * slope[k];
		}
	}
	for (size_t j = 0; j < n; j++) {
		bool held = (place->parameters[j] <= curve->low[j] && toward[j] < 0) ||
		            (place->parameters[j] >= curve->high[j] && toward[j] > 0);
		for (size_t k = 0; held && k < n; k++)
			square[j > k ? j * n + k : k * n + j] = 0;
		if (held)
			toward[j] = 0;
	}
}

/* One damped step from `here`; whether it went anywhere. */
static bool step(const struct rs_curve *curve, const struct place *here, double damping, struct place *out)
{
	const size_t n = curve->parameters;
	double square[RS_CURVE_PARAMETERS_MAX * RS_CURVE_PARAMETERS_MAX], scale[RS_CURVE_PARAMETERS_MAX];
	double toward[RS_CURVE_PARAMETERS_MAX];
	bool moved = false;
	normal_equations(curve, here, square, toward);
	/* In units in which every parameter's slope is 1: they may be of very different size. */
	for (size_t j = 0; j < n; j++)
		scale[j] = square[j * n + j] > 0 ? 1 / sqrt(square[j * n + j]) : 0;
	for (size_t j = 0; j < n; j++) {
		toward[j] *= scale[j];
		for (size_t k = 0; k <= j; k++)
			square[j * n + k] *= scale[j] * scale[k];
		square[j * n + j] += scale[j] > 0 ? damping : 1;
	}
	rs_ldl(square, n, 0);
	rs_ldl_solve(square, n, toward);
	for (size_t j = 0; j < n; j++) {
		double to = within(here->parameters[j] + toward[j] * scale[j], curve->low[j], curve->high[j]);
		out->parameters[j] = isfinite(to) ? to : here->parameters[j];
		moved = moved || out->parameters[j] != here->parameters[j];
	}
	return moved;
}

double rs_curve_fit(const struct rs_curve *curve, const double *observed, double *parameters)
{
	struct place places[2], *here = &places[0], *there = &places[1];
	double damping = DAMPING_START;
	for (size_t j = 0; j < curve->parameters; j++)
		here->parameters[j] = within(parameters[j], curve->low[j], curve->high[j]);
	look(curve, observed, here);
	for (unsigned i = 0; i < STEPS_MAX && isfinite(here->sum) && here->sum > 0; i++) {
		bool settled = false;
		if (!step(curve, here, damping, there))
			break;
		look(curve, observed, there);
		if (there->sum < here->sum) {
			struct place *former = here;
			settled = here->sum - there->sum <= SETTLED * here->sum;
			here = there;
			there = former;
			damping /= 10;
		} else {
			damping *= 10;
		}
		if (settled || damping > DAMPING_MAX)
			break;
	}
	memcpy(parameters, here->parameters, curve->parameters * sizeof *parameters);
	return isfinite(here->sum) ? here->sum : NAN;
}
