/* What features are computed from: the region cut out of the volume, and per family the sums and
 * matrices, each built once and only if a chosen feature needs it. */
#ifndef RS_RADIOMICS_EVIDENCE_H
#define RS_RADIOMICS_EVIDENCE_H

#include <string.h>

#include "radiomics/radiomics.h"

/* Four voxels of a row at once, in the compiler's own vectors: the same bits with and without SIMD. */
#define QUAD 4
typedef uint32_t quad __attribute__((vector_size(QUAD * sizeof(uint32_t))));
static inline quad quad_read(const uint32_t *from)
{
	quad out;
	memcpy(&out, from, sizeof out);
	return out;
}

/* The voxels of the region inside its bounding box, in the order of the volume (x fastest). */
struct region {
	size_t first[3], size[3]; /* bounding box, x y z */
	size_t count;
	uint8_t *inside; /* [size z][size y][size x] */
	double *values;  /* `count` intensities */
	bool borrowed;   /* the two above belong to another region that lives longer */
};
void region_finish(struct region *region);

#define LEVELS_FEW 8 /* grey levels of a region outside of which a warning is due */
#define LEVELS_MANY 512

/* Grey levels 1 … level_count of the region, one per voxel. */
struct levels {
	uint32_t *of_voxel;
	uint32_t level_count; /* the highest level present */
	uint64_t *histogram;  /* [level_count + 1], entry 0 unused */
};

/* Levels in place: the region's bounding box with `margin` zeros on every side; 0 is outside of the region. */
struct grid {
	size_t size[3];      /* of the bounding box, x y z */
	size_t margin;       /* as long as the longest offset */
	ptrdiff_t stride[3]; /* x y z */
	uint32_t *levels;    /* margins included */
	uint32_t *origin;    /* voxel (x, y, z) of the box is origin[x + y * stride[1] + z * stride[2]] */
	struct row {
		uint32_t first, end; /* x of the row's first voxel in the region, and one after its last */
	} * rows;                    /* [size z][size y]; first == end: none */
	uint32_t level_count;
	size_t count; /* voxels of the region */
};
enum rs_code grid_build(const struct region *region, const struct levels *levels, size_t margin,
                        struct rs_pool *pool, struct grid *out, struct rs_error *err);
void grid_finish(struct grid *grid); /* accepts NULL and zeroed memory */

struct shape_sums {
	double volume, surface;
	double diameter_3d, diameter_slice, diameter_column, diameter_row; /* mm */
	double eigenvalue[3]; /* of the covariance of voxel centres, descending */
	double voxel_volume;  /* of the region */
};

struct shape_2d_sums {
	bool possible; /* the region has one slice along the axis that force_2d leaves out */
	double surface, perimeter, diameter, pixel_surface;
	double major, minor; /* eigenvalues of the covariance of pixel centres */
};

struct firstorder_sums {
	double minimum, maximum, mean, variance, third, fourth; /* central moments */
	double mean_absolute, robust_absolute, energy;
	double p10, p25, p50, p75, p90;
	double entropy, uniformity;
};

struct glcm_sums {
	bool empty;
	double autocorrelation, joint_average, cluster_prominence, cluster_shade, cluster_tendency;
	double contrast, correlation, difference_average, difference_entropy, difference_variance;
	double inverse_difference, inverse_difference_moment, idmn, idn, imc1, imc2, inverse_variance;
	double joint_energy, joint_entropy, mcc, joint_maximum, sum_average, sum_entropy, sum_squares;
};

/* Features of a matrix of levels and sizes (runs, zones, dependences). */
struct size_sums {
	bool empty;
	double small, large, low, high; /* emphases */
	double small_low, small_high, large_low, large_high;
	double level_nonuniformity, level_nonuniformity_normalised, level_variance;
	double size_nonuniformity, size_nonuniformity_normalised, size_variance;
	double entropy, energy, percentage;
};

struct ngtdm_sums {
	double coarseness, contrast, busyness, complexity, strength;
};

struct directions {
	struct offset *offsets;
	size_t count;
	struct matrix *matrices; /* [count], or NULL without weights */
};
void directions_finish(struct directions *directions); /* accepts zeroed memory */

struct rs_evidence {
	const struct rs_radiomics_settings *settings;
	const struct rs_image_settings *image; /* those of the image at hand */
	double spacing_mm[3];
	struct region region;              /* after resegmentation; borrowed */
	double *owned_values;              /* its values where they are not those of the case */
	const struct region *shape_region; /* before it, unless resegment_shape; set for shape only */
	struct levels levels;
	struct grid grid; /* for families of texture */
	struct shape_sums shape;
	struct shape_2d_sums shape_2d;
	struct firstorder_sums firstorder;
	struct glcm_sums *glcm; /* one per angle, or one in all when weighted */
	size_t glcm_count;
	struct size_sums *glrlm; /* likewise */
	size_t glrlm_count;
	struct directions glcm_directions, glrlm_directions;
	struct size_sums gldm, glszm;
	struct ngtdm_sums ngtdm;
};

extern const struct rs_feature_table shape_features, shape_2d_features, firstorder_features, glcm_features,
	gldm_features, glrlm_features, glszm_features, ngtdm_features;
enum rs_code shape_build(struct rs_evidence *evidence, struct rs_error *err);
enum rs_code shape_2d_build(struct rs_evidence *evidence, struct rs_error *err);
enum rs_code firstorder_build(struct rs_evidence *evidence, struct rs_error *err);
enum rs_code gldm_build(struct rs_evidence *evidence, struct rs_error *err);
enum rs_code glszm_build(struct rs_evidence *evidence, struct rs_error *err);
enum rs_code ngtdm_build(struct rs_evidence *evidence, struct rs_error *err);

/* Families of directions are built in parts, which a pool may take in any order: prepare tells how many. */
enum rs_code glcm_prepare(struct rs_evidence *evidence, size_t *out_parts, struct rs_error *err);
enum rs_code glcm_part(struct rs_evidence *evidence, size_t part, struct rs_error *err);
enum rs_code glcm_finish(struct rs_evidence *evidence, struct rs_error *err);
enum rs_code glrlm_prepare(struct rs_evidence *evidence, size_t *out_parts, struct rs_error *err);
enum rs_code glrlm_part(struct rs_evidence *evidence, size_t part, struct rs_error *err);
enum rs_code glrlm_finish(struct rs_evidence *evidence, struct rs_error *err);

/* region.c. voxels: NULL when only its place is asked for; its values are then 0 */
enum rs_code region_cut(const double *voxels, const uint32_t *labels, const size_t size[3], uint32_t label,
                        struct rs_pool *pool, struct region *out, struct rs_error *err);
enum rs_code region_resegment(const struct rs_radiomics_settings *settings, const struct region *whole,
                              struct region *out, struct rs_error *err);
/* The voxels of whole that lie in the bounding box of frame, of which one at least belongs to whole. */
enum rs_code region_crop(const struct region *whole, const struct region *frame, struct region *out,
                         struct rs_error *err);
enum rs_code levels_build(const struct rs_image_settings *settings, const struct region *region,
                          struct rs_pool *pool, struct levels *out, struct rs_error *err);
double log2_guarded(double p); /* log2(p + eps), PyRadiomics' guard */
#define EPSILON 0x1p-52

struct bit_rows; /* the region again, see bits.h */
/* mesh.c: area and volume of the marching-cubes surface at 0.5 */
void mesh_measure(const struct bit_rows *bits, const double spacing_mm[3], double *out_area,
                  double *out_volume);
/* Surface points (middles of voxel pairs of which one is inside) among which all corners of the convex hull are.
 * Coordinates count half voxels: voxel v of the bounding box reaches from 2 v to 2 v + 2. */
struct surface_corners {
	int32_t (*at)[3];
	size_t count, capacity;
};
void surface_corners_finish(struct surface_corners *corners);
/* diameter.c: largest distances between surface points; out = 3-D, same z, same y, same x.
 * out_corners  NULL when they are not wanted; finish with surface_corners_finish() */
enum rs_code diameters_measure(const struct bit_rows *bits, const double spacing_mm[3], double out_mm[4],
                               struct surface_corners *out_corners, struct rs_error *err);
/* shape.c: of the population covariance of voxel centres, descending; rounding below 0 gives 0 */
void principal_variances(const struct bit_rows *bits, const double spacing_mm[3], double out[3]);

#endif
