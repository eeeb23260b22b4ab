/* The recursive Gaussian along lines: sums of two damped cosines that approach the Gaussian and its second
 * derivative, run forward and backward over the line, which goes on beyond its ends with its first and last value.
 * source  Farneback & Westin, "Improving Deriche-style recursive Gaussian filters" (2006), table 3; the boundary
 *         and the normalisation are those of ITK 5, RecursiveGaussianImageFilter */
#ifndef RS_FILTER_RECURSIVE_H
#define RS_FILTER_RECURSIVE_H

#include "filter/lines.h"

/* y[i] = sum n[k] x[i-k] - sum d[k] y[i-1-k], and backward sum m[k] x[i+1+k] - sum d[k] y[i+1+k]; beyond the
 * ends bn and bm stand for d times the filter's response to the constant there. */
struct recursive {
	double n[4], m[4], d[4], bn[4], bm[4];
};
/* sigma and spacing in the same unit; both > 0. false when they are so far apart that a coefficient is not finite. */
bool recursive_smooth(double sigma, double spacing, struct recursive *out);
/* The second derivative per voxel^2, times sigma^2. */
bool recursive_second(double sigma, double spacing, struct recursive *out);

/* A line_filter's run; how is a struct recursive; n >= 4. */
void recursive_run(const void *how, size_t n, size_t first, size_t end, double *data, double *result);

#endif
