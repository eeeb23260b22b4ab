/* Registration: where the points of one volume lie in another of the same patient, in patient coordinates (LPS, mm), by
 * mutual information, so that the volumes may be of different contrast. Deterministic, whatever the number of threads
 * (pool may be NULL). */
#ifndef RS_REGISTER_H
#define RS_REGISTER_H

#include "base/base.h"
#include "image/image.h"

enum rs_transform_kind { RS_TRANSFORM_RIGID, RS_TRANSFORM_AFFINE, RS_TRANSFORM_BSPLINE };
/* "rigid", "affine", "bspline"; a static string. */
const char *rs_transform_kind_name(enum rs_transform_kind kind);
/* errors  RS_USAGE with the names that there are */
enum rs_code rs_transform_kind_of(const char *name, enum rs_transform_kind *out, struct rs_error *err);

/* Fixed point x lies at matrix · x + offset_mm + u(x) of the moving volume. u is a cubic B-spline over a lattice of control
 * points, and goes on beyond it as at its edge; no lattice: u is 0 everywhere. */
struct rs_transform {
	enum rs_transform_kind kind;
	double matrix[3][3], offset_mm[3];
	struct rs_geometry lattice; /* of control points, one and more beyond the fixed volume */
	double *control_mm;         /* x of all, y of all, z of all; NULL: no lattice */
};
void rs_transform_identity(struct rs_transform *out);
void rs_transform_finish(struct rs_transform *transform); /* accepts NULL and zeroed memory */
void rs_transform_point(const struct rs_transform *transform, const double fixed_mm[3],
                        double out_moving_mm[3]);
/* The farthest that a voxel of the volume is moved. */
double rs_transform_greatest_mm(const struct rs_transform *transform, const struct rs_geometry *fixed);
/* The least that a piece of the volume shrinks to, as a share of it (the determinant of the transform's slopes); 0 or less:
 * there space is folded over itself. Of a B-spline at 64 voxels along each axis, and one. */
double rs_transform_least_jacobian(const struct rs_transform *transform, const struct rs_geometry *fixed);

/* Canonical bytes (deterministic CBOR): what is hashed, sealed and kept. Reading accepts these and nothing else.
 * errors of reading  RS_MALFORMED, RS_TOO_LARGE, RS_NO_MEMORY */
#define RS_TRANSFORM_BYTES_MAX ((size_t)64 << 20)
enum rs_code rs_transform_write(const struct rs_transform *transform, struct rs_buffer *out,
                                struct rs_error *err);
enum rs_code rs_transform_read(struct rs_bytes bytes, struct rs_transform *out, struct rs_error *err);

/* The moving volume as the fixed one's grid `onto` (or any other grid in its space) sees it, by splines of order 0, 1
 * or 3; `outside` where the moving volume has nothing. *out is initialised, its voxels are stored as RS_VOXEL_F64.
 * errors  RS_USAGE, RS_REFUSED for axes that span no space, RS_NO_MEMORY */
enum rs_code rs_transform_apply_volume(const struct rs_transform *transform, const struct rs_volume *moving,
                                       const struct rs_geometry *onto, unsigned spline_order, double outside,
                                       struct rs_pool *pool, struct rs_volume *out, struct rs_error *err);
/* The same for labels: the nearest voxel's, 0 outside; names go with them. */
enum rs_code rs_transform_apply_mask(const struct rs_transform *transform, const struct rs_mask *moving,
                                     const struct rs_geometry *onto, struct rs_pool *pool,
                                     struct rs_mask *out, struct rs_error *err);

#define RS_REGISTER_LEVELS_MAX 6
struct rs_register {
	enum rs_transform_kind kind; /* affine begins with rigid, bspline with both */
	unsigned levels;             /* 1 … RS_REGISTER_LEVELS_MAX; each halves the sharpness */
	unsigned samples;  /* points looked at, 1000 … 10 million; of a B-spline on the finest level four
	                              * times as many, and a quarter with each level */
	unsigned bins;     /* grey levels of the joint histogram, 8 … 256 */
	unsigned steps;    /* of the optimiser, at most, on a level; 1 … 1000 */
	double lattice_mm; /* of a B-spline: distance of control points on the finest level */
	double stiffness; /* mm²: what the mean square of second derivatives (1/mm) costs on the finest level, in nats;
	                   * four times that with each level */
	uint64_t seed; /* of the points' places */
	/* One byte a voxel, not 0: what is looked at; NULL: all. */
	const uint8_t *fixed_region, *moving_region;
	const struct rs_transform
		*start; /* without lattice; NULL: identity, both lie where the scanner says */
};
#define RS_REGISTER_DEFAULT                                                                         \
	{                                                                                           \
		.kind = RS_TRANSFORM_RIGID, .levels = 3, .samples = 60000, .bins = 32, .steps = 60, \
		.lattice_mm = 20, .stiffness = 1000, .seed = 1                                      \
	}

/* Before: at the start. Similarities are of points of the fixed volume at full sharpness that did not steer. */
struct rs_register_report {
	double mi_before, mi_after; /* mutual information, nats */
	double ncc_before,
		ncc_after; /* normalised cross-correlation, -1 … 1; of little meaning across contrasts */
	double overlap_before,
		overlap_after; /* the share of the fixed volume's points that lie in the moving one */
	double greatest_mm;    /* rs_transform_greatest_mm() */
	double least_jacobian; /* rs_transform_least_jacobian() */
	unsigned steps;        /* of the optimiser, on all levels */
	unsigned looks;        /* how often the mutual information was computed */
	size_t samples;        /* points that steered */
	bool stayed;           /* nothing better than the start was found: that is what comes out */
};

/* errors  RS_REFUSED, and the volumes are best left where they are: when the fields of view do not overlap, when a volume
 *         is flat, when mutual information became worse than at the start (the sentence tells both), when the
 *         deformation folds; RS_USAGE, RS_NO_MEMORY
 * source  Mattes et al., IEEE TMI 22 (2003) 120: mutual information by Parzen windows, its gradient;
 *         Rueckert et al., IEEE TMI 18 (1999) 712: free-form deformation and its bending;
 *         Thévenaz, Bierlaire & Unser, Int J Imaging Syst Technol 18 (2008) 1: quasi-random places of samples */
enum rs_code rs_register(const struct rs_volume *fixed, const struct rs_volume *moving,
                         const struct rs_register *how, struct rs_pool *pool, struct rs_transform *out,
                         struct rs_register_report *out_report, struct rs_error *err);

#endif
