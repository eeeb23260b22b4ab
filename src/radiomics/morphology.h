/* IBSI's morphological features: the shape of the morphological mask, and how intensities of the intensity mask
 * lie in it. The two masks differ after resegmentation, which narrows the second one only. */
#ifndef RS_RADIOMICS_MORPHOLOGY_H
#define RS_RADIOMICS_MORPHOLOGY_H

#include "base/base.h"

/* In the order of the reference manual, chapter "Morphological features", and of its reference tables. */
enum morphology_feature {
	MORPHOLOGY_VOLUME,                     /* morph_volume: of the mesh */
	MORPHOLOGY_VOLUME_COUNTING,            /* morph_vol_approx: of the voxels */
	MORPHOLOGY_SURFACE_AREA,               /* morph_area_mesh */
	MORPHOLOGY_SURFACE_TO_VOLUME,          /* morph_av */
	MORPHOLOGY_COMPACTNESS_1,              /* morph_comp_1 */
	MORPHOLOGY_COMPACTNESS_2,              /* morph_comp_2 */
	MORPHOLOGY_SPHERICAL_DISPROPORTION,    /* morph_sph_dispr */
	MORPHOLOGY_SPHERICITY,                 /* morph_sphericity */
	MORPHOLOGY_ASPHERICITY,                /* morph_asphericity */
	MORPHOLOGY_CENTRE_OF_MASS_SHIFT,       /* morph_com */
	MORPHOLOGY_DIAMETER,                   /* morph_diam */
	MORPHOLOGY_MAJOR_AXIS,                 /* morph_pca_maj_axis */
	MORPHOLOGY_MINOR_AXIS,                 /* morph_pca_min_axis */
	MORPHOLOGY_LEAST_AXIS,                 /* morph_pca_least_axis */
	MORPHOLOGY_ELONGATION,                 /* morph_pca_elongation */
	MORPHOLOGY_FLATNESS,                   /* morph_pca_flatness */
	MORPHOLOGY_VOLUME_DENSITY_AABB,        /* morph_vol_dens_aabb: axis-aligned bounding box */
	MORPHOLOGY_AREA_DENSITY_AABB,          /* morph_area_dens_aabb */
	MORPHOLOGY_VOLUME_DENSITY_OMBB,        /* morph_vol_dens_ombb: oriented minimum bounding box */
	MORPHOLOGY_AREA_DENSITY_OMBB,          /* morph_area_dens_ombb */
	MORPHOLOGY_VOLUME_DENSITY_AEE,         /* morph_vol_dens_aee: approximate enclosing ellipsoid */
	MORPHOLOGY_AREA_DENSITY_AEE,           /* morph_area_dens_aee */
	MORPHOLOGY_VOLUME_DENSITY_MVEE,        /* morph_vol_dens_mvee: minimum volume enclosing ellipsoid */
	MORPHOLOGY_AREA_DENSITY_MVEE,          /* morph_area_dens_mvee */
	MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL, /* morph_vol_dens_conv_hull */
	MORPHOLOGY_AREA_DENSITY_CONVEX_HULL,   /* morph_area_dens_conv_hull */
	MORPHOLOGY_INTEGRATED_INTENSITY,       /* morph_integ_int */
	MORPHOLOGY_MORAN_I,                    /* morph_moran_i */
	MORPHOLOGY_GEARY_C,                    /* morph_geary_c */
	MORPHOLOGY_COUNT
};

struct ibsi_row {
	const char *tag;  /* of the reference tables, "morph_volume" */
	const char *code; /* permanent IBSI code, "RNU0" */
	const char *unit; /* UCUM; "[image]" is the image's own unit */
};
extern const struct ibsi_row morphology_rows[MORPHOLOGY_COUNT];

/* Three arrays over one box, [z][y][x]; the box may be larger than the masks need. */
struct morphology_input {
	size_t size[3]; /* x y z */
	double spacing_mm[3];
	const uint8_t *morphological; /* 1 inside, else 0; at least one 1 */
	const uint8_t *intensity;     /* likewise; all 0: what is made of intensities is NaN */
	const double *values;         /* finite where `intensity` is 1; not read elsewhere */
};

/* Fills out[]; NaN where a feature is not defined: what is made of convex bodies on masks without one, Moran and
 * Geary on one voxel or on voxels of one intensity, … The order of sums never depends on the pool (may be NULL).
 * errors  RS_USAGE for an empty morphological mask; RS_TOO_LARGE for a side above 524287; RS_NO_MEMORY
 * source  IBSI reference manual, "Morphological features"                                        */
enum rs_code morphology_measure(const struct morphology_input *input, struct rs_pool *pool,
                                double out[MORPHOLOGY_COUNT], struct rs_error *err);

#endif
