/* Intervals around probabilities that lie on curves, and quadratic forms of differences between groups. */
#ifndef RS_SURVIVAL_INTERVAL_H
#define RS_SURVIVAL_INTERVAL_H

#include "survival/survival.h"

/* width: standard errors of log p on each side. NaN where the scale has none. */
void interval_around(double p, double width, enum rs_survival_interval interval, double *out_lower,
                     double *out_upper);
/* Chi-square of out->observed - out->expected, whose covariance is `variance` (groups x groups). */
enum rs_code comparison_test(const double *variance, struct rs_survival_comparison *out,
                             struct rs_error *err);

#endif
