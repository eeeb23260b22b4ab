/* Values between voxels, as ITK's interpolators compute them: operation by operation, because images of integers are
 * cut off towards zero, where the last bit of a sum decides over a whole grey level. What depends on a position along
 * one axis alone is its support; rows whose positions do not turn share supports. Private to filter. */
#ifndef RS_FILTER_INTERPOLATE_H
#define RS_FILTER_INTERPOLATE_H

#include "filter/filter_resample.h"
#include "numeric/numeric_spline.h"

#define TAPS_MAX 10

/* Voxels first[a] … first[a] + size[a] - 1 of a volume of `whole` voxels. */
struct samples {
	size_t first[3], size[3], whole[3];
	double spacing_mm[3]; /* ITK's Gaussians multiply and divide by it, which rounds */
};

/* Voxels beside a position along one axis; none when it lies more than half a voxel outside. */
struct support {
	size_t count;
	double weights[TAPS_MAX];
	size_t offsets[TAPS_MAX]; /* the axis' stride multiplied in */
};
/* `samples` must hold the support (for splines: coefficients). */
void support_at(enum rs_interpolator kind, const struct samples *samples, int axis, double position,
                struct support *out);

/* Supports of a row's voxels: along[a][x * step[a]]; step 0 where all have the same. */
struct row_supports {
	const struct support *along[3];
	size_t step[3];
};
/* Voxels with a support along every axis get their value, others 0. */
void interpolate_row(enum rs_interpolator kind, const double *voxels, const struct row_supports *supports,
                     size_t count, double *out);
/* The same for labels; supports of RS_INTERPOLATE_NEAREST. */
void label_row(const uint32_t *labels, const struct row_supports *supports, size_t count, uint32_t *out);

/* Lines side by side, so that compilers can work on several at once. */
#define LANES 8

/* Private to interpolate.c: `indices` of the whole volume, for a position inside it. */
void bspline_support(double position, size_t whole, struct support *out, double *indices);
/* low: the voxel below, as ITK finds it */
void sinc_support(enum rs_interpolator kind, double position, double low, size_t whole, struct support *out,
                  double *indices);
void gaussian_support(enum rs_interpolator kind, double position, size_t whole, double spacing_mm,
                      struct support *out, double *indices);

#endif
