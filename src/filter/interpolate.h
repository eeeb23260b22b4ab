/* Values between voxels, as ITK's interpolators compute them: operation by operation, because images of integers are
 * cut off towards zero, where the last bit of a sum decides over a whole grey level. Private to filter. */
#ifndef RS_FILTER_INTERPOLATE_H
#define RS_FILTER_INTERPOLATE_H

#include "filter/filter_resample.h"

/* Voxels first[a] … first[a] + size[a] - 1 of a volume of `whole` voxels. */
struct samples {
	const double *voxels;
	size_t first[3], size[3], whole[3];
	double spacing_mm[3]; /* ITK's Gaussians multiply and divide by it, which rounds */
};

/* Positions of a row's voxels in the volume, along x, y and z; all arrays have `count`. */
struct positions {
	size_t count;
	const double *along[3];
};

/* floor(x + 1/2) and floor(x) as ITK has them on x86: twice x, half a unit aside, to the nearest even number, halved. */
double itk_round(double x);
double itk_floor(double x);

/* Voxels inside the volume (half a voxel over its outer centres) get their value, others 0.
 * `samples` must hold the support (for splines: coefficients). */
void interpolate_row(enum rs_interpolator kind, const struct samples *samples, const struct positions *at,
                     double *out);

/* Cubic spline coefficients of the block in place: x, then y, then z; mirrored at its ends. */
enum rs_code bspline_coefficients(double *voxels, const size_t size[3], struct rs_pool *pool,
                                  struct rs_error *err);
/* Weights of coefficients floor - 1 … floor + 2 at `fraction` above floor. */
void bspline_weights(double fraction, double out[4]);

#define LANES 8
#define TAPS_MAX 10
/* Supports of LANES voxels side by side. */
struct taps {
	size_t count; /* along each axis */
	double weights[3][TAPS_MAX][LANES];
	size_t offsets[3][TAPS_MAX][LANES]; /* in samples->voxels, strides multiplied in */
};
void bspline_taps(const struct samples *samples, const double at[3][LANES], struct taps *out);
void sinc_taps(enum rs_interpolator kind, const struct samples *samples, const double at[3][LANES],
               struct taps *out);
double gaussian_at(const struct samples *samples, const double at[3]);
double label_gaussian_at(const struct samples *samples, const double at[3]);

static inline size_t stride_of(const struct samples *samples, int axis)
{
	return axis == 0 ? 1 : axis == 1 ? samples->size[0] : samples->size[0] * samples->size[1];
}

#endif
