/* Radiomics: numbers that describe a region of a volume. One row per feature; settings with a canonical
 * encoding whose digest belongs to the result; the same bits on every compiler and thread count. */
#ifndef RS_RADIOMICS_H
#define RS_RADIOMICS_H

#include "base/base.h"
#include "crypto/crypto.h"
#include "filter/filter_resample.h"
#include "image/image.h"

enum rs_radiomics_mode { RS_RADIOMICS_PYRADIOMICS, RS_RADIOMICS_IBSI };

/* In PyRadiomics' order of output. */
enum rs_family {
	RS_FAMILY_SHAPE,
	RS_FAMILY_SHAPE_2D, /* of one slice, with force_2d; NaN otherwise */
	RS_FAMILY_FIRSTORDER,
	RS_FAMILY_GLCM,
	RS_FAMILY_GLDM,
	RS_FAMILY_GLRLM,
	RS_FAMILY_GLSZM,
	RS_FAMILY_NGTDM,
	RS_FAMILY_COUNT
};

struct rs_evidence; /* the region and its matrices, private */
struct rs_feature {
	const char *name;    /* stable output key, "glcm_contrast" */
	const char *ibsi;    /* permanent IBSI code, "ACUI"; "" where IBSI defines none */
	const char *unit;    /* UCUM, "1" when dimensionless, "[image]" parts are the image's own unit */
	const char *display; /* PyRadiomics' name, "Contrast" */
	enum rs_family family;
	bool deprecated; /* computed only when named in the parameter file */
	double (*value)(const struct rs_evidence *evidence); /* NaN where undefined */
};
struct rs_feature_table {
	size_t count;
	const struct rs_feature *rows;
};
#define RS_RADIOMICS_FEATURES_MAX 64
/* Rows in PyRadiomics' order of output; at most RS_RADIOMICS_FEATURES_MAX a family. */
const struct rs_feature_table *rs_feature_family(enum rs_family family);
const char *rs_family_name(enum rs_family family); /* "shape2D", "glcm" */

enum rs_resegment_mode { RS_RESEGMENT_ABSOLUTE, RS_RESEGMENT_RELATIVE, RS_RESEGMENT_SIGMA };
enum rs_weighting {
	RS_WEIGHTING_NONE,
	RS_WEIGHTING_MANHATTAN,
	RS_WEIGHTING_EUCLIDEAN,
	RS_WEIGHTING_INFINITY,
	RS_WEIGHTING_EQUAL /* PyRadiomics' "no_weighting" */
};

#define RS_RADIOMICS_DISTANCES_MAX 8
#define RS_RADIOMICS_SIGMAS_MAX 16
#define RS_RADIOMICS_LEVELS_MAX 65536 /* grey levels; more means bin width and image do not fit */

/* The images that are measured: the volume itself, and what filters make of it. */
enum rs_image_type {
	RS_IMAGE_ORIGINAL,
	RS_IMAGE_LOG,
	RS_IMAGE_WAVELET,
	RS_IMAGE_SQUARE,
	RS_IMAGE_SQUARE_ROOT,
	RS_IMAGE_LOGARITHM,
	RS_IMAGE_EXPONENTIAL,
	RS_IMAGE_GRADIENT,
	RS_IMAGE_LBP_2D,
	RS_IMAGE_LBP_3D,
	RS_IMAGE_TYPE_COUNT
};

/* How an image is filtered and its region described; may differ from one image type to the next. */
struct rs_image_settings {
	double bin_width;
	uint32_t bin_count;                             /* 0: bins of bin_width */
	unsigned distances[RS_RADIOMICS_DISTANCES_MAX]; /* 1 … 16, ascending */
	size_t distance_count;
	bool symmetrical_glcm;
	enum rs_weighting weighting;
	double gldm_alpha;
	double voxel_array_shift;
	bool force_2d;
	unsigned force_2d_dimension; /* 0 = z, 1 = y, 2 = x */
	double sigmas_mm[RS_RADIOMICS_SIGMAS_MAX];
	size_t sigma_count;
	char wavelet[8];
	unsigned wavelet_level, wavelet_start;
	bool gradient_use_spacing;
	double lbp_2d_radius;
	unsigned lbp_2d_samples;
	enum rs_lbp_method lbp_2d_method;
	unsigned lbp_3d_levels, lbp_3d_subdivision;
	double lbp_3d_radius;
};

enum rs_discretisation { RS_DISCRETISE_NOT, RS_DISCRETISE_WIDTH, RS_DISCRETISE_COUNT };
struct rs_binning {
	enum rs_discretisation kind;
	double width; /* bins start at the lower end of the range, without a range at the region's minimum */
	uint32_t count;
};

/* In the order of the manual and of its reference tables. */
enum rs_ibsi_family {
	RS_IBSI_MORPHOLOGY,
	RS_IBSI_LOCAL_INTENSITY,
	RS_IBSI_STATISTICS,
	RS_IBSI_HISTOGRAM,
	RS_IBSI_VOLUME_HISTOGRAM,
	RS_IBSI_GLCM,
	RS_IBSI_GLRLM,
	RS_IBSI_GLSZM,
	RS_IBSI_GLDZM,
	RS_IBSI_NGTDM,
	RS_IBSI_NGLDM,
	RS_IBSI_FAMILY_COUNT
};
/* How texture is seen: slice by slice, slices put together, or in the volume; bits of `dimensions`. */
enum rs_ibsi_dimension { RS_IBSI_2D = 1, RS_IBSI_2_5D = 2, RS_IBSI_3D = 4 };

/* The chain of the IBSI reference manual, "Image processing", for the mode ibsi. */
struct rs_ibsi_settings {
	uint32_t families;    /* bit f: family f is measured */
	uint32_t dimensions;  /* of texture; one at least */
	bool by_slice;        /* interpolation within slices only */
	double spacing_mm[3]; /* 0: as it is */
	unsigned image_order; /* of the spline: 0, 1 or 3 */
	unsigned mask_order;
	double mask_threshold; /* coverage that makes a voxel part of the region */
	bool round_intensities;
	bool use_range;
	double range[2];      /* closed; the upper end may be infinite */
	double outlier_sigma; /* 0: off */
	struct rs_binning texture, ivh;
	unsigned distance; /* Chebyshev, of GLCM, NGTDM, NGLDM */
	double ngldm_alpha;
};

#define RS_LABEL_CHANNEL_NONE UINT32_MAX
struct rs_radiomics_settings {
	enum rs_radiomics_mode mode;
	uint64_t chosen[RS_FAMILY_COUNT]; /* bit i: row i of the family's table */
	/* Rows that stand first in the output, in the order a parameter file names them; the others follow as in the table. */
	uint8_t named[RS_FAMILY_COUNT][RS_RADIOMICS_FEATURES_MAX], named_count[RS_FAMILY_COUNT];
	uint8_t family_order[RS_FAMILY_COUNT]; /* families in the order of output */
	uint32_t label;
	uint32_t
		label_channel; /* of a mask with several values for each voxel; RS_LABEL_CHANNEL_NONE: not chosen */
	struct rs_image_settings common; /* what holds where an image type says nothing of its own */
	bool binning_chosen;             /* binWidth or binCount was set, not left at its default */
	struct rs_image_choice {
		enum rs_image_type type;
		uint64_t own; /* private: which settings the type has of its own */
		struct rs_image_settings settings;
	} images[RS_IMAGE_TYPE_COUNT]; /* in the order of output, each type at most once */
	size_t image_count;
	size_t resampled_count;         /* 0: no resampling; else 3 */
	double resampled_spacing_mm[3]; /* 0: as it is */
	enum rs_interpolator interpolator;
	bool correct_mask;      /* a mask on another grid is resampled onto the image's */
	size_t resegment_count; /* numbers in resegment_range: 0 (off), 1 or 2 */
	double resegment_range[2];
	enum rs_resegment_mode resegment_mode;
	bool resegment_shape;
	unsigned minimum_roi_dimensions; /* 1 … 3 */
	uint64_t minimum_roi_size;       /* a region of so many voxels or fewer is refused; 0: off */
	bool normalize;
	double normalize_scale;
	double remove_outliers; /* in standard deviations; 0: off */
	bool pre_crop;
	uint32_t pad_distance;
	double geometry_tolerance; /* relative to the spacing */
	bool additional_info;      /* diagnostics_* entries */
	unsigned kernel_radius;    /* of voxel-based maps */
	bool masked_kernel;
	double initial_value; /* of map voxels outside the region; may be NaN */
	struct rs_ibsi_settings ibsi;
};
/* PyRadiomics' defaults: the original image, all features of three dimensions that are not deprecated. */
void rs_radiomics_settings_default(struct rs_radiomics_settings *out);
/* Reads a parameter file of PyRadiomics (YAML or JSON): setting, imageType, featureClass, voxelSetting. A section
 * `ibsi` beside them, which may be empty, chooses the mode ibsi and its chain.
 * errors  RS_MALFORMED, RS_UNSUPPORTED for what this version has not, each naming key, line and what to do */
enum rs_code rs_radiomics_settings_parse(struct rs_bytes file, struct rs_radiomics_settings *out,
                                         struct rs_error *err);
/* Settings that ship with radseal: "ibsi-digital" for IBSI's digital phantom, "ibsi-1-a" … "ibsi-1-e" for the
 * configurations of its CT phantom. errors  RS_NOT_FOUND; the sentence lists the names */
enum rs_code rs_radiomics_settings_named(const char *name, struct rs_radiomics_settings *out,
                                         struct rs_error *err);
/* One setting by PyRadiomics' name, "binWidth" "25"; lists as "1,2,3"; those of a parameter file's section ibsi
 * as "ibsi.range" "-1000,400". For --setting options. */
enum rs_code rs_radiomics_settings_set(struct rs_radiomics_settings *settings, const char *name,
                                       const char *value, struct rs_error *err);
/* Measures images of this type too, the last one so far in the order of output; once in it nothing changes. */
void rs_radiomics_settings_add_image(struct rs_radiomics_settings *settings, enum rs_image_type type);
enum rs_code rs_radiomics_settings_check(const struct rs_radiomics_settings *settings, struct rs_error *err);
/* Deterministic CBOR, every field named; appended to out. The digest is SHA-256 of it. */
enum rs_code rs_radiomics_settings_encode(const struct rs_radiomics_settings *settings, struct rs_buffer *out,
                                          struct rs_error *err);
enum rs_code rs_radiomics_settings_digest(const struct rs_radiomics_settings *settings, struct rs_digest *out,
                                          struct rs_error *err);

#define RS_RADIOMICS_NAME_SIZE 96
struct rs_radiomics_value {
	char name[RS_RADIOMICS_NAME_SIZE]; /* "original_glcm_Contrast" */
	double value;
	const char *ibsi; /* permanent IBSI code, "" where there is none; static */
	const char *unit; /* UCUM; static */
	/* mode ibsi: permanent code of how slices and directions were put together, "IAZD"; else "". Static. */
	const char *aggregation;
};
struct rs_radiomics_diagnostic {
	char name[RS_RADIOMICS_NAME_SIZE]; /* "diagnostics_Mask-original_VoxelNum" */
	char *text;  /* JSON: "4137", "[256, 256, 25]"; or "nan", "inf"; NULL in a plan */
	bool quoted; /* text is a string: JSON needs quotes around it */
};
struct rs_radiomics_result {
	struct rs_radiomics_diagnostic *diagnostics; /* in PyRadiomics' order; none without additional_info */
	size_t diagnostic_count;
	struct rs_radiomics_value *values; /* in PyRadiomics' order */
	size_t count;
	char warning[256]; /* for the user to read: images that are left out; empty when there is none */
	struct rs_digest settings_digest;
};
void rs_radiomics_result_finish(struct rs_radiomics_result *result); /* accepts NULL and zeroed memory */
/* NULL when the result has no such name. */
const struct rs_radiomics_value *rs_radiomics_result_find(const struct rs_radiomics_result *result,
                                                          const char *name);

/* Measures the region `settings->label` of `mask` in `volume`. In mode ibsi values carry the tags of IBSI's reference
 * tables, "cm_joint_max_3D_comb", and diagnostics those of its 60 diagnostic values. The two must lie on one grid (see
 * rs_mask_match()), unless correct_mask carries the mask onto the image's, or both are resampled. The order of sums
 * never depends on the pool (may be NULL).
 *
 * out      initialised by this function; finish with rs_radiomics_result_finish()
 * errors   RS_USAGE for settings out of range; RS_NOT_FOUND when the label is not in the mask (the sentence
 *          lists those that are); RS_REFUSED for another grid, a region too small, or with NaN or infinite
 *          voxels, or with too many grey levels; RS_NO_MEMORY
 * source   PyRadiomics 3.1 documentation, "Radiomic Features"; IBSI reference manual, version 11 */
enum rs_code rs_radiomics_extract(const struct rs_volume *volume, const struct rs_mask *mask,
                                  const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                                  struct rs_radiomics_result *out, struct rs_error *err);

/* A feature of the cube around each voxel of the region, as a volume. */
struct rs_radiomics_map {
	char name[RS_RADIOMICS_NAME_SIZE]; /* "original_glcm_Contrast" */
	double *voxels;                    /* as those of a volume of the maps' geometry */
	const char *ibsi, *unit;           /* static */
};
struct rs_radiomics_maps {
	struct rs_geometry
		geometry; /* the region's bounding box and kernel_radius voxels around it, within the image */
	struct rs_radiomics_map *list; /* in PyRadiomics' order */
	size_t count;
	struct rs_radiomics_result about; /* diagnostics, warning and digest; no values */
};
void rs_radiomics_maps_finish(struct rs_radiomics_maps *maps); /* accepts NULL and zeroed memory */
/* Voxel-based features: every chosen one that is not of shape, with settings->kernel_radius, masked_kernel and
 * initial_value. As rs_radiomics_extract() otherwise; the MCC of a cube with a direction without pairs is the mean
 * over the others, where PyRadiomics gives up the whole map. */
enum rs_code rs_radiomics_maps(const struct rs_volume *volume, const struct rs_mask *mask,
                               const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                               struct rs_radiomics_maps *out, struct rs_error *err);

/* The names rs_radiomics_extract() would give, in its order, with NaN for values and empty diagnostics: the columns
 * of a table before its first row. errors  RS_USAGE, RS_NO_MEMORY */
enum rs_code rs_radiomics_plan(const struct rs_radiomics_settings *settings, struct rs_radiomics_result *out,
                               struct rs_error *err);

#endif
