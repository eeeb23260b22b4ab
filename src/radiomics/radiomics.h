/* Radiomics: numbers that describe a region of a volume. One row per feature; settings with a canonical
 * encoding whose digest belongs to the result; the same bits on every compiler and thread count.
 *
 * This version builds shape (3-D), firstorder and glcm as PyRadiomics defines them; the mode of IBSI is
 * refused with RS_UNSUPPORTED. */
#ifndef RS_RADIOMICS_H
#define RS_RADIOMICS_H

#include "base/base.h"
#include "crypto/crypto.h"
#include "image/image.h"

enum rs_radiomics_mode { RS_RADIOMICS_PYRADIOMICS, RS_RADIOMICS_IBSI };

/* In PyRadiomics' order of output. */
enum rs_family { RS_FAMILY_SHAPE, RS_FAMILY_FIRSTORDER, RS_FAMILY_GLCM, RS_FAMILY_COUNT };

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
/* Rows in PyRadiomics' order of output; at most 64 a family. */
const struct rs_feature_table *rs_feature_family(enum rs_family family);
const char *rs_family_name(enum rs_family family); /* "shape", "firstorder", "glcm" */

enum rs_resegment_mode { RS_RESEGMENT_ABSOLUTE, RS_RESEGMENT_RELATIVE, RS_RESEGMENT_SIGMA };
enum rs_weighting {
	RS_WEIGHTING_NONE,
	RS_WEIGHTING_MANHATTAN,
	RS_WEIGHTING_EUCLIDEAN,
	RS_WEIGHTING_INFINITY,
	RS_WEIGHTING_EQUAL /* PyRadiomics' "no_weighting" */
};

#define RS_RADIOMICS_DISTANCES_MAX 8
#define RS_RADIOMICS_LEVELS_MAX 4096 /* grey levels; more means bin width and image do not fit */

struct rs_radiomics_settings {
	enum rs_radiomics_mode mode;
	uint64_t chosen[RS_FAMILY_COUNT]; /* bit i: row i of the family's table */
	uint32_t label;
	double bin_width;
	uint32_t bin_count;                             /* 0: bins of bin_width */
	unsigned distances[RS_RADIOMICS_DISTANCES_MAX]; /* 1 … 16, ascending */
	size_t distance_count;
	bool symmetrical_glcm;
	enum rs_weighting weighting;
	double voxel_array_shift;
	size_t resegment_count; /* numbers in resegment_range: 0 (off), 1 or 2 */
	double resegment_range[2];
	enum rs_resegment_mode resegment_mode;
	bool resegment_shape;
	unsigned minimum_roi_dimensions; /* 1 … 3 */
	uint64_t minimum_roi_size;       /* a region of so many voxels or fewer is refused; 0: off */
	bool force_2d;
	unsigned force_2d_dimension; /* 0 = z, 1 = y, 2 = x */
	bool normalize;
	double normalize_scale;
	double remove_outliers; /* in standard deviations; 0: off */
	bool pre_crop;
	uint32_t pad_distance;
	double geometry_tolerance; /* relative to the spacing */
	bool additional_info;      /* diagnostics_* entries */
};
/* PyRadiomics' defaults; all features that are not deprecated. */
void rs_radiomics_settings_default(struct rs_radiomics_settings *out);
/* Reads a parameter file of PyRadiomics (YAML or JSON): setting, imageType, featureClass, voxelSetting.
 * errors  RS_MALFORMED, RS_UNSUPPORTED for what this version has not, each naming key, line and what to do */
enum rs_code rs_radiomics_settings_parse(struct rs_bytes file, struct rs_radiomics_settings *out,
                                         struct rs_error *err);
/* One setting by PyRadiomics' name, "binWidth" "25"; lists as "1,2,3". For --setting options. */
enum rs_code rs_radiomics_settings_set(struct rs_radiomics_settings *settings, const char *name,
                                       const char *value, struct rs_error *err);
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
	const struct rs_feature *feature;
};
#define RS_RADIOMICS_TEXT_SIZE 128
struct rs_radiomics_diagnostic {
	char name[RS_RADIOMICS_NAME_SIZE]; /* "diagnostics_Mask-original_VoxelNum" */
	char text[RS_RADIOMICS_TEXT_SIZE]; /* a number or list is valid JSON: "4137", "[256, 256, 25]" */
	bool quoted;                       /* text is a string: JSON needs quotes around it */
};
struct rs_radiomics_result {
	struct rs_radiomics_diagnostic *diagnostics; /* in PyRadiomics' order; none without additional_info */
	size_t diagnostic_count;
	struct rs_radiomics_value *values; /* in PyRadiomics' order */
	size_t count;
	struct rs_digest settings_digest;
};
void rs_radiomics_result_finish(struct rs_radiomics_result *result); /* accepts NULL and zeroed memory */
/* NULL when the result has no such name. */
const struct rs_radiomics_value *rs_radiomics_result_find(const struct rs_radiomics_result *result,
                                                          const char *name);

/* Measures the region `settings->label` of `mask` in `volume`. The two must lie on one grid; see
 * rs_mask_match(). The order of sums never depends on the pool (may be NULL).
 *
 * out      initialised by this function; finish with rs_radiomics_result_finish()
 * errors   RS_USAGE for settings out of range; RS_NOT_FOUND when the label is not in the mask (the sentence
 *          lists those that are); RS_REFUSED for another grid, a region too small, or with NaN or infinite
 *          voxels, or with too many grey levels; RS_NO_MEMORY
 * source   PyRadiomics 3.1 documentation, "Radiomic Features"                       */
enum rs_code rs_radiomics_extract(const struct rs_volume *volume, const struct rs_mask *mask,
                                  const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                                  struct rs_radiomics_result *out, struct rs_error *err);

#endif
