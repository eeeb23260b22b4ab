/* Parametric regression of times (accelerated failure): y = intercept + x coefficients + scale × error, y the time or its
 * logarithm. Events seen exactly, censored on either side, or known to lie between two times. Agrees with R's
 * survival::survreg. */
#ifndef RS_SURVIVAL_PARAMETRIC_H
#define RS_SURVIVAL_PARAMETRIC_H

#include "base/base.h"

enum rs_parametric_distribution {
	RS_PARAMETRIC_WEIBULL,
	RS_PARAMETRIC_EXPONENTIAL, /* Weibull's with scale 1 */
	RS_PARAMETRIC_RAYLEIGH,    /* Weibull's with scale 1/2 */
	RS_PARAMETRIC_LOG_NORMAL,
	RS_PARAMETRIC_LOG_LOGISTIC,
	RS_PARAMETRIC_EXTREME, /* these three: of the time itself */
	RS_PARAMETRIC_NORMAL,
	RS_PARAMETRIC_LOGISTIC
};
/* The event was after `lower` and not after `upper`: equal where it was seen, upper INFINITY where it was not yet, lower
 * -INFINITY (of positive times: or 0) where it had been before. */
struct rs_parametric_data {
	size_t count, columns;
	const double *lower, *upper;
	const double *x;      /* count rows of `columns`, finite; NULL for no columns */
	const double *weight; /* finite, > 0; NULL: 1 each */
};
struct rs_parametric_model {
	enum rs_parametric_distribution distribution;
	size_t columns;
	double *coefficients; /* the intercept, then the columns'; 0 for aliased ones */
	double scale;
	double *variance; /* (columns + 2)², of the coefficients and log scale; zeros where the scale is fixed */
	double log_likelihood[2]; /* of the intercept (and scale) alone, and of all */
	bool converged;
};
void rs_parametric_model_finish(struct rs_parametric_model *model); /* accepts zeroed memory */
/* errors  RS_USAGE without rows; RS_MALFORMED naming the row whose times or values cannot be; RS_NOT_FOUND when all rows
 *         are censored on the right, or all on the left */
enum rs_code rs_parametric_fit(const struct rs_parametric_data *data,
                               enum rs_parametric_distribution distribution, struct rs_parametric_model *out,
                               struct rs_error *err);

/* The time by which the share p (between 0 and 1) has the event, and its interval, symmetric on the scale of y. */
void rs_parametric_quantile(const struct rs_parametric_model *model, const double *x, double p, double level,
                            double *out, double *out_lower, double *out_upper);
/* P(no event until time | x). */
double rs_parametric_survival(const struct rs_parametric_model *model, const double *x, double time);

#endif
