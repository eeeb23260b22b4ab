/* Filters: volumes made from volumes, for radiomics to measure. A filter sees the whole volume, but writes only
 * the voxels of a box, so that nothing outside the region's neighbourhood is paid for; what it writes is, bit
 * for bit, what filtering the whole volume would have written there. */
#ifndef RS_FILTER_H
#define RS_FILTER_H

#include "base/base.h"
#include "image/image.h"

/* Voxels first[a] … first[a] + size[a] - 1 along x, y, z; size >= 1, inside the volume. */
struct rs_box {
	size_t first[3], size[3];
};
static inline size_t rs_box_voxels(const struct rs_box *box)
{
	return box->size[0] * box->size[1] * box->size[2];
}
/* errors  RS_USAGE when the box is empty or leaves the volume */
enum rs_code rs_box_check(const struct rs_box *box, const struct rs_geometry *geometry, struct rs_error *err);

/* Every filter below: `out` holds rs_box_voxels(box) doubles, [z][y][x]; the caller owns it. The order of sums
 * never depends on the pool (may be NULL). `volume->stored` decides between float32 and float64 arithmetic where
 * PyRadiomics' libraries do. Errors: RS_USAGE for parameters out of range, RS_REFUSED for a volume the filter is
 * not defined on, RS_NO_MEMORY.
 * source  PyRadiomics 3.1, "Image Processing / Filters"; SimpleITK 2, PyWavelets 1.4, scikit-image 0.2x */

/* Laplacian of Gaussian, recursive (Farneback & Westin), times sigma^2. RS_REFUSED when a side is below 4 voxels or
 * below ceil(sigma / spacing) + 1. */
enum rs_code rs_filter_log(const struct rs_volume *volume, const struct rs_box *box, double sigma_mm,
                           struct rs_pool *pool, double *out, struct rs_error *err);

enum rs_pointwise { RS_SQUARE, RS_SQUARE_ROOT, RS_LOGARITHM, RS_EXPONENTIAL };
/* Scaled by the largest magnitude of the whole volume, so that the range of intensities is kept. */
enum rs_code rs_filter_pointwise(const struct rs_volume *volume, const struct rs_box *box,
                                 enum rs_pointwise kind, struct rs_pool *pool, double *out,
                                 struct rs_error *err);

/* Magnitude of the central-difference gradient, per mm, or per voxel without use_spacing. */
enum rs_code rs_filter_gradient(const struct rs_volume *volume, const struct rs_box *box, bool use_spacing,
                                struct rs_pool *pool, double *out, struct rs_error *err);

/* Local binary patterns of the slices across `axis` (0 = x, 1 = y, 2 = z). */
enum rs_lbp_method { RS_LBP_DEFAULT, RS_LBP_ROR, RS_LBP_UNIFORM, RS_LBP_NRI_UNIFORM, RS_LBP_VAR };
enum rs_code rs_filter_lbp_2d(const struct rs_volume *volume, const struct rs_box *box, double radius,
                              unsigned samples, enum rs_lbp_method method, unsigned axis,
                              struct rs_pool *pool, double *out, struct rs_error *err);

#define RS_LBP_LEVELS_MAX 8
/* Local binary patterns on the sphere, by spherical harmonics, at the voxels where inside[] (of the box) is not 0;
 * 0 elsewhere.
 * outs  levels + 1 blocks: m1 … m<levels>, then the kurtosis k */
enum rs_code rs_filter_lbp_3d(const struct rs_volume *volume, const struct rs_box *box, const uint8_t *inside,
                              unsigned levels, double radius, unsigned subdivision, struct rs_pool *pool,
                              double *const *outs, struct rs_error *err);

#define RS_WAVELET_TAPS_MAX 102 /* coif17 */
#define RS_WAVELET_LEVELS_MAX 8
struct rs_wavelet {
	char name[8]; /* as PyWavelets has it: haar db1-38 sym2-20 coif1-17 bior1.1-6.8 rbio1.1-6.8 dmey */
	size_t taps;
	double low[RS_WAVELET_TAPS_MAX], high[RS_WAVELET_TAPS_MAX]; /* decomposition */
};
/* errors  RS_NOT_FOUND; the sentence lists the families */
enum rs_code rs_wavelet_find(const char *name, struct rs_wavelet *out, struct rs_error *err);
/* Undecimated bands of `level` (1 …) after level - 1 low-low-low passes, periodic. Letters run x, y, z.
 * axes   bit a: axis a is filtered (force2D leaves one out); 1 … 7
 * outs   one block a band, 2^(number of axes), index bit i: high along the i-th filtered axis counted from x;
 *        a NULL block is not computed */
enum rs_code rs_filter_wavelet(const struct rs_volume *volume, const struct rs_box *box,
                               const struct rs_wavelet *wavelet, unsigned level, unsigned axes,
                               struct rs_pool *pool, double *const *outs, struct rs_error *err);

#endif
