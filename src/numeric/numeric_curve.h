/* Curves of few parameters through points: bounded least squares. */
#ifndef RS_NUMERIC_CURVE_H
#define RS_NUMERIC_CURVE_H

#include "base/base.h"

#define RS_CURVE_PARAMETERS_MAX 6
#define RS_CURVE_POINTS_MAX 1024

/* values[count] at the parameters, and slopes[count][parameters], how each value changes with each of them. */
typedef void rs_curve_model(const void *context, const double *parameters, double *values, double *slopes);

struct rs_curve {
	rs_curve_model *model;
	const void *context;
	size_t count, parameters; /* 1 … RS_CURVE_POINTS_MAX, 1 … RS_CURVE_PARAMETERS_MAX */
	const double *low, *high; /* what each parameter may be */
};

/* Levenberg's and Marquardt's method from `parameters` on, which are put within their bounds and then improved.
 * Returns the sum of squares that is left; NaN when the model gave no finite values at the start. */
double rs_curve_fit(const struct rs_curve *curve, const double *observed, double *parameters);

#endif
