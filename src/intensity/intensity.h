/* What is done to a volume's intensities before it is measured: noise, the coils' bias field, the scale. All of it is
 * deterministic, whatever the number of threads (pool may be NULL).
 *
 * `out` holds rs_geometry_voxels() doubles, [z][y][x]; the caller owns it; it may not be the volume's own block. */
#ifndef RS_INTENSITY_H
#define RS_INTENSITY_H

#include "base/base.h"
#include "image/image.h"

/* The grey level that parts background from what was scanned, by Otsu's criterion over 256 bins up to the 99th percentile.
 * errors  RS_REFUSED when all voxels are equal or one is not finite; RS_NO_MEMORY */
enum rs_code rs_foreground_threshold(const struct rs_volume *volume, double *out, struct rs_error *err);
/* The standard deviation of the noise, from what a voxel of the foreground differs from its neighbours in the slice:
 * the median of these pseudo-residuals, so that edges count little. Scanners that interpolate leave less of it.
 * source  Coupé et al., Med Image Anal 14 (2010) 483; Gasser et al., Biometrika 73 (1986) 625
 * errors  RS_REFUSED when a slice has fewer than 3 x 3 voxels, and as rs_foreground_threshold() */
enum rs_code rs_noise_sigma(const struct rs_volume *volume, double *out_sigma, struct rs_error *err);

#define RS_MEDIAN_RADIUS_MAX 3
/* radius  voxels along x, y, z, up to RS_MEDIAN_RADIUS_MAX; windows are cut at the volume's faces */
enum rs_code rs_denoise_median(const struct rs_volume *volume, const unsigned radius[3], struct rs_pool *pool,
                               double *out, struct rs_error *err);

/* Perona's and Malik's diffusion: `steps` of the largest stable size, across differences that are small against
 * `edge` times the noise's standard deviation (sigma 0: estimated).
 * source  Perona & Malik, IEEE PAMI 12 (1990) 629, eq. 7 and 8, with the exponential */
struct rs_diffusion {
	unsigned steps; /* 1 … 1000 */
	double edge, sigma;
};
enum rs_code rs_denoise_diffusion(const struct rs_volume *volume, const struct rs_diffusion *how,
                                  struct rs_pool *pool, double *out, struct rs_error *err);

/* Non-local means: every voxel becomes the mean of those whose surroundings are like its own. The weights fall to zero at a
 * finite distance (Goossens et al. 2008), beyond what noise alone would make of equal surroundings.
 * rician  means are of squares, and noise's share of them is taken off (Wiest-Daesslé et al., MICCAI 2008)
 * source  Buades, Coll & Morel 2005; Darbon et al., ISBI 2008 for all voxels of one displacement at once */
struct rs_nlm {
	double strength, sigma;       /* sigma 0: estimated */
	unsigned search[3], patch[3]; /* radii in voxels along x, y, z: up to 15 and 3 */
	bool rician;
};
#define RS_NLM_DEFAULT                                                                 \
	{                                                                              \
		.strength = 1, .search = {4, 4, 1}, .patch = {1, 1, 1}, .rician = true \
	}
enum rs_code rs_denoise_nlm(const struct rs_volume *volume, const struct rs_nlm *how, struct rs_pool *pool,
                            double *out, struct rs_error *err);

/* N4: the smooth field that the coils multiply a volume with, found by sharpening its histogram; the field's logarithm is a
 * cubic B-spline, refined from level to level.
 * source  Tustison et al., IEEE TMI 29 (2010) 1310; Sled, Zijdenbos & Evans, IEEE TMI 17 (1998) 87; Lee, Wolberg & Shin,
 *         IEEE TVCG 3 (1997) 228 for the splines through scattered values */
#define RS_BIAS_LEVELS_MAX 6
struct rs_bias {
	unsigned levels, iterations; /* of each level */
	unsigned shrink;             /* every how many voxels along each axis are looked at */
	unsigned mesh[3];            /* spline elements of the first level along x, y, z */
	double convergence;          /* ends a level: the variation of the field's last change */
	double width,
		noise; /* of the Gaussian that is deconvolved: full width at half maximum; Wiener's noise */
	unsigned bins;
};
#define RS_BIAS_DEFAULT                                                                              \
	{                                                                                            \
		.levels = 4, .iterations = 50, .shrink = 4, .mesh = {1, 1, 1}, .convergence = 0.001, \
		.width = 0.15, .noise = 0.01, .bins = 200                                            \
	}
/* out_field  what the volume is to be divided by; its mean over the region's logarithms is 1
 * region     one byte a voxel, not 0: what is looked at; NULL: what is brighter than rs_foreground_threshold()
 * Voxels that are not positive are not looked at.
 * errors     RS_REFUSED when fewer than 100 are left; RS_USAGE; RS_NO_MEMORY */
enum rs_code rs_bias_field(const struct rs_volume *volume, const uint8_t *region, const struct rs_bias *how,
                           struct rs_pool *pool, double *out_field, struct rs_error *err);

/* Scales: value * slope + intercept. `region` as above, NULL: all voxels. RS_REFUSED when the region is empty or flat. */
struct rs_scale {
	double slope, intercept;
};
enum rs_code rs_scale_zscore(const struct rs_volume *volume, const uint8_t *region, struct rs_scale *out,
                             struct rs_error *err);
/* low, high in percent become 0 and 1. */
enum rs_code rs_scale_percentiles(const struct rs_volume *volume, const uint8_t *region, double low,
                                  double high, struct rs_scale *out, struct rs_error *err);
/* The commonest tissue of the region becomes mean 0 and standard deviation 1: the highest peak of the smoothed histogram,
 * and the voxels within `width` of all around it (as white stripe does for the brain's white matter).
 * source  Shinohara et al., NeuroImage Clin 6 (2014) 9 */
enum rs_code rs_scale_stripe(const struct rs_volume *volume, const uint8_t *region, double width,
                             struct rs_scale *out, struct rs_error *err);

/* Nyúl's and Udupa's landmarks: a standard scale learned from training volumes only, then any volume mapped onto it piece by
 * piece; linear on beyond the outer landmarks.
 * source  Nyúl, Udupa & Zhang, IEEE TMI 19 (2000) 143 */
#define RS_LANDMARKS_MAX 21
struct rs_landmarks {
	size_t count;
	double percent[RS_LANDMARKS_MAX], value[RS_LANDMARKS_MAX]; /* both ascend */
};
/* 1, 10, 20 … 90, 99 percent of the region's values. */
enum rs_code rs_landmarks_of(const struct rs_volume *volume, const uint8_t *region, struct rs_landmarks *out,
                             struct rs_error *err);
/* The mean of what many volumes' landmarks are after their outer ones were laid on 0 and 100. */
enum rs_code rs_landmarks_standard(const struct rs_landmarks *volumes, size_t count, struct rs_landmarks *out,
                                   struct rs_error *err);
double rs_landmarks_map(const struct rs_landmarks *from, const struct rs_landmarks *standard, double value);

#endif
