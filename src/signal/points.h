/* What the fits share. Private to signal. */
#ifndef RS_SIGNAL_POINTS_H
#define RS_SIGNAL_POINTS_H

#include "base/base.h"

/* All finite and above `floor`. */
bool points_above(const double *values, size_t count, double floor);
/* How many different values there are, counted up to `enough`. */
size_t points_different(const double *values, size_t count, size_t enough);
/* The share of the values' variance that is not in the residuals; 1 where nothing is left, 0 at least. */
double points_explained(const double *values, size_t count, double residual_sum);

#endif
