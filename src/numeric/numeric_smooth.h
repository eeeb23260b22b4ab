/* Lines through scattered points, and quantiles. */
#ifndef RS_NUMERIC_SMOOTH_H
#define RS_NUMERIC_SMOOTH_H

#include "base/base.h"

/* Cleveland's locally weighted line (share 2/3 of the points, no robust steps) through (x, y), x ascending. */
enum rs_code rs_lowess(const double *x, const double *y, size_t count, double *out, struct rs_error *err);
/* Of ascending values, with linear interpolation between them (R's type 7); count > 0, share 0 … 1. */
double rs_quantile_of(const double *sorted, size_t count, double share);

#endif
