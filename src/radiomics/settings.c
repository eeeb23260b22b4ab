/* Settings: defaults, limits, and the one encoding whose digest stands for them. */
#include <math.h>
#include <string.h>

#include "radiomics/ibsi.h"
#include "radiomics/settings_table.h"

void rs_radiomics_settings_default(struct rs_radiomics_settings *out)
{
	*out = (struct rs_radiomics_settings){
		.label = 1,
		.label_channel = RS_LABEL_CHANNEL_NONE,
		.common = {.bin_width = 25,
	                   .distances = {1},
	                   .distance_count = 1,
	                   .symmetrical_glcm = true,
	                   .wavelet = "coif1",
	                   .wavelet_level = 1,
	                   .gradient_use_spacing = true,
	                   .lbp_2d_radius = 1,
	                   .lbp_2d_samples = 8,
	                   .lbp_2d_method = RS_LBP_UNIFORM,
	                   .lbp_3d_levels = 2,
	                   .lbp_3d_radius = 1,
	                   .lbp_3d_subdivision = 1},
		.interpolator = RS_INTERPOLATE_BSPLINE,
		.minimum_roi_dimensions = 2,
		.normalize_scale = 1,
		.pad_distance = 5,
		.geometry_tolerance = 1e-6,
		.additional_info = true,
		.kernel_radius = 1,
		.masked_kernel = true,
	};
	ibsi_settings_default(&out->ibsi);
	rs_radiomics_settings_add_image(out, RS_IMAGE_ORIGINAL);
	for (int f = 0; f < RS_FAMILY_COUNT; f++) {
		const struct rs_feature_table *table = rs_feature_family((enum rs_family)f);
		out->family_order[f] = (uint8_t)f;
		for (size_t i = 0; i < table->count; i++)
			if (!table->rows[i].deprecated && f != RS_FAMILY_SHAPE_2D)
				out->chosen[f] |= (uint64_t)1 << i;
	}
}

void rs_radiomics_settings_add_image(struct rs_radiomics_settings *settings, enum rs_image_type type)
{
	for (size_t i = 0; i < settings->image_count; i++)
		if (settings->images[i].type == type)
			return;
	settings->images[settings->image_count++] = (struct rs_image_choice){.type = type};
}

#define REFUSE_UNLESS(condition, ...)                                    \
	do {                                                             \
		if (!(condition))                                        \
			return rs_error_set(err, RS_USAGE, __VA_ARGS__); \
	} while (0)

static enum rs_code check_description(const struct rs_image_settings *s, struct rs_error *err)
{
	REFUSE_UNLESS(s->bin_count > 0 || (s->bin_width > 0 && isfinite(s->bin_width)),
	              "binWidth %g must be greater than 0", s->bin_width);
	REFUSE_UNLESS(s->bin_count <= RS_RADIOMICS_LEVELS_MAX, "binCount %u is more than %d", s->bin_count,
	              RS_RADIOMICS_LEVELS_MAX);
	REFUSE_UNLESS(s->distance_count > 0 && s->distance_count <= RS_RADIOMICS_DISTANCES_MAX,
	              "distances must be 1 to %d numbers", RS_RADIOMICS_DISTANCES_MAX);
	for (size_t i = 0; i < s->distance_count; i++)
		REFUSE_UNLESS(s->distances[i] > (i == 0 ? 0 : s->distances[i - 1]) && s->distances[i] <= 16,
		              "distances must ascend from 1 to 16 at most");
	REFUSE_UNLESS(s->force_2d_dimension <= 2, "force2Ddimension %u is not 0 (z), 1 (y) or 2 (x)",
	              s->force_2d_dimension);
	REFUSE_UNLESS(isfinite(s->voxel_array_shift), "voxelArrayShift must be finite");
	REFUSE_UNLESS(s->gldm_alpha >= 0 && isfinite(s->gldm_alpha), "gldm_a %g must be 0 or more",
	              s->gldm_alpha);
	return RS_OK;
}

static enum rs_code check_filter(enum rs_image_type type, const struct rs_image_settings *s,
                                 struct rs_error *err)
{
	struct rs_wavelet wavelet;
	REFUSE_UNLESS(type != RS_IMAGE_LOG || s->sigma_count > 0,
	              "image type LoG needs sigma, a list of widths in mm, such as [1, 2, 3]");
	for (size_t i = 0; i < s->sigma_count; i++)
		REFUSE_UNLESS(s->sigmas_mm[i] > 0 && isfinite(s->sigmas_mm[i]),
		              "sigma must be greater than 0");
	if (type == RS_IMAGE_WAVELET)
		RS_TRY(rs_wavelet_find(s->wavelet, &wavelet, err));
	REFUSE_UNLESS(s->wavelet_level >= 1 && s->wavelet_start <= RS_WAVELET_LEVELS_MAX &&
	                      s->wavelet_level <= RS_WAVELET_LEVELS_MAX - s->wavelet_start,
	              "level %u after start_level %u is not between 1 and %d", s->wavelet_level,
	              s->wavelet_start, RS_WAVELET_LEVELS_MAX);
	REFUSE_UNLESS(s->lbp_2d_radius > 0 && s->lbp_2d_radius <= 64,
	              "lbp2DRadius must be above 0 and at most 64");
	REFUSE_UNLESS(s->lbp_2d_samples >= 1 && s->lbp_2d_samples <= 32, "lbp2DSamples must be 1 to 32");
	REFUSE_UNLESS(s->lbp_3d_radius > 0 && s->lbp_3d_radius <= 64,
	              "lbp3DIcosphereRadius must be above 0 and at most 64");
	REFUSE_UNLESS(s->lbp_3d_levels >= 1 && s->lbp_3d_levels <= RS_LBP_LEVELS_MAX,
	              "lbp3DLevels must be 1 to %d", RS_LBP_LEVELS_MAX);
	REFUSE_UNLESS(s->lbp_3d_subdivision <= 4, "lbp3DIcosphereSubdivision must be 0 to 4");
	return RS_OK;
}

static enum rs_code check_case(const struct rs_radiomics_settings *s, struct rs_error *err)
{
	REFUSE_UNLESS(s->label > 0, "label 0 is the outside of every mask; choose 1 or more");
	REFUSE_UNLESS(s->resegment_count <= 2, "resegmentRange has more than 2 numbers");
	for (size_t i = 0; i < s->resegment_count; i++)
		REFUSE_UNLESS(isfinite(s->resegment_range[i]), "resegmentRange must be finite");
	for (size_t i = 0; i < s->resampled_count; i++)
		REFUSE_UNLESS(s->resampled_spacing_mm[i] >= 0 && isfinite(s->resampled_spacing_mm[i]),
		              "resampledPixelSpacing must be three numbers of 0 or more");
	REFUSE_UNLESS(s->minimum_roi_dimensions >= 1 && s->minimum_roi_dimensions <= 3,
	              "minimumROIDimensions %u is not 1, 2 or 3", s->minimum_roi_dimensions);
	REFUSE_UNLESS(s->normalize_scale > 0 && isfinite(s->normalize_scale), "normalizeScale must be > 0");
	REFUSE_UNLESS(s->remove_outliers >= 0 && isfinite(s->remove_outliers), "removeOutliers must be > 0");
	REFUSE_UNLESS(s->geometry_tolerance > 0 && s->geometry_tolerance <= 1,
	              "geometryTolerance %g is not above 0 and at most 1", s->geometry_tolerance);
	REFUSE_UNLESS(s->kernel_radius >= 1 && s->kernel_radius <= 16, "kernelRadius %u is not 1 to 16",
	              s->kernel_radius);
	REFUSE_UNLESS(s->image_count > 0, "no image type is chosen; name one under imageType");
	return RS_OK;
}

/* Whether a setting holds in both modes, or is as it was without being named. */
static bool stands_in_ibsi(const struct setting_row *row, const struct rs_radiomics_settings *s,
                           const struct rs_radiomics_settings *defaults)
{
	static const char *const both[] = {"label",          "label_channel",  "correctMask",
	                                   "additionalInfo", "minimumROISize", "geometryTolerance"};
	bool of_image = row->scope == OF_IMAGE;
	const unsigned char *now = of_image ? (const void *)&s->common : (const void *)s;
	const unsigned char *then = of_image ? (const void *)&defaults->common : (const void *)defaults;
	for (size_t i = 0; i < RS_COUNT(both); i++)
		if (strcmp(both[i], row->name) == 0)
			return true;
	if (row->scope == OF_VOXEL || row->kind == SETTING_IGNORED)
		return true;
	return memcmp(now + row->offset, then + row->offset, row->size) == 0 &&
	       (row->most == 0 ||
	        memcmp(now + row->count_offset, then + row->count_offset, sizeof(size_t)) == 0);
}

/* What PyRadiomics' chain does, IBSI's does otherwise or not at all: nothing asked for may be passed over. */
static enum rs_code check_ibsi(const struct rs_radiomics_settings *s, struct rs_error *err)
{
	struct rs_radiomics_settings defaults;
	rs_radiomics_settings_default(&defaults);
	if (s->image_count != 1 || s->images[0].type != RS_IMAGE_ORIGINAL || s->images[0].own != 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "mode ibsi measures the original image; name no other image type, and no "
		                    "settings of its own");
	for (size_t i = 0; i < setting_row_count; i++)
		if (!stands_in_ibsi(&setting_rows[i], s, &defaults))
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "%s is of mode pyradiomics; the section ibsi has spacing, range, "
			                    "outlierSigma, binWidth, binCount and others for its own chain",
			                    setting_rows[i].name);
	if (memcmp(s->chosen, defaults.chosen, sizeof s->chosen) != 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "featureClass is of mode pyradiomics; the section ibsi has families");
	return ibsi_settings_check(&s->ibsi, err);
}

enum rs_code rs_radiomics_settings_check(const struct rs_radiomics_settings *s, struct rs_error *err)
{
	RS_TRY(check_case(s, err));
	if (s->mode == RS_RADIOMICS_IBSI)
		return check_ibsi(s, err);
	for (size_t i = 0; i < s->image_count; i++) {
		struct rs_image_settings image = image_settings(s, i);
		enum rs_code code = check_description(&image, err);
		if (code == RS_OK)
			code = check_filter(s->images[i].type, &image, err);
		if (code != RS_OK)
			return rs_error_context(err, "image type %s", image_type_name(s->images[i].type));
	}
	return RS_OK;
}

static void key(struct rs_buffer *out, const char *name) { rs_cbor_write_str(out, rs_str_from(name)); }

static void write_value(const struct setting_row *row, const void *base, struct rs_buffer *out)
{
	size_t count = setting_count(row, base);
	double number = setting_number(row, base, 0);
	switch (row->kind) {
	case SETTING_FLAG: rs_cbor_write_bool(out, number > 0); return;
	case SETTING_REAL: rs_cbor_write_f64(out, number); return;
	case SETTING_CHANNEL:
		if (number >= RS_LABEL_CHANNEL_NONE)
			rs_cbor_write_null(out);
		else
			rs_cbor_write_u64(out, (uint64_t)number);
		return;
	case SETTING_WHOLE:
	case SETTING_WORD:
	case SETTING_WHOLE64: rs_cbor_write_u64(out, (uint64_t)number); return;
	case SETTING_REALS:
	case SETTING_WHOLES:
		rs_cbor_write_array(out, count);
		for (size_t i = 0; i < count; i++)
			if (row->kind == SETTING_WHOLES)
				rs_cbor_write_u64(out, (uint64_t)setting_number(row, base, i));
			else
				rs_cbor_write_f64(out, setting_number(row, base, i));
		return;
	case SETTING_TEXT: rs_cbor_write_str(out, rs_str_from((const char *)base + row->offset)); return;
	case SETTING_IGNORED: rs_cbor_write_null(out); return;
	}
}

/* Families in their order of output, each with its features. */
static void write_features(const struct rs_radiomics_settings *s, struct rs_buffer *out)
{
	size_t count = 0;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		count += (size_t)__builtin_popcountll(s->chosen[f]);
	rs_cbor_write_array(out, count);
	for (int k = 0; k < RS_FAMILY_COUNT; k++) {
		enum rs_family f = (enum rs_family)s->family_order[k];
		uint8_t rows[RS_RADIOMICS_FEATURES_MAX];
		size_t chosen = settings_features(s, f, rows);
		for (size_t i = 0; i < chosen; i++)
			key(out, rs_feature_family(f)->rows[rows[i]].name);
	}
}

/* [[type, {own settings}], …] in the order of output */
static void write_images(const struct rs_radiomics_settings *s, struct rs_buffer *out)
{
	rs_cbor_write_array(out, s->image_count);
	for (size_t i = 0; i < s->image_count; i++) {
		const struct rs_image_choice *choice = &s->images[i];
		rs_cbor_write_array(out, 2);
		key(out, image_type_name(choice->type));
		rs_cbor_write_map(out, (size_t)__builtin_popcountll(choice->own));
		for (size_t k = 0; k < setting_row_count; k++)
			if (choice->own >> k & 1) {
				key(out, setting_rows[k].name);
				write_value(&setting_rows[k], &choice->settings, out);
			}
	}
}

/* Four keys of four, nine and eight letters stand among the rows of the table, in canonical order. */
static void write_extra(const struct rs_radiomics_settings *s, size_t next_row, struct rs_buffer *out)
{
	const char *next = next_row < setting_row_count ? setting_rows[next_row].name : "";
	if (strcmp(next, "label") == 0) {
		key(out, "mode");
		rs_cbor_write_u64(out, s->mode);
	} else if (strcmp(next, "distances") == 0) {
		key(out, "features");
		write_features(s, out);
	} else if (strcmp(next, "initValue") == 0) {
		key(out, "imageType");
		write_images(s, out);
	}
}

/* In mode ibsi the settings of PyRadiomics' chain have no effect and are left out. */
static enum rs_code encode_ibsi(const struct rs_radiomics_settings *s, struct rs_buffer *out,
                                struct rs_error *err)
{
	rs_cbor_write_map(out, 7);
	key(out, "ibsi");
	ibsi_settings_write(&s->ibsi, out);
	key(out, "mode");
	rs_cbor_write_u64(out, s->mode);
	key(out, "label");
	rs_cbor_write_u64(out, s->label);
	key(out, "label_channel");
	write_value(setting_find(RS_STR("label_channel")), s, out);
	key(out, "additionalInfo");
	rs_cbor_write_bool(out, s->additional_info);
	key(out, "minimumROISize");
	rs_cbor_write_u64(out, s->minimum_roi_size);
	key(out, "geometryTolerance");
	rs_cbor_write_f64(out, s->geometry_tolerance);
	return rs_buffer_check(out, "radiomics settings", err);
}

enum rs_code rs_radiomics_settings_encode(const struct rs_radiomics_settings *s, struct rs_buffer *out,
                                          struct rs_error *err)
{
	if (s->mode == RS_RADIOMICS_IBSI)
		return encode_ibsi(s, out, err);
	rs_cbor_write_map(out, setting_row_count + 3);
	for (size_t i = 0; i < setting_row_count; i++) {
		write_extra(s, i, out);
		key(out, setting_rows[i].name);
		write_value(&setting_rows[i],
		            setting_rows[i].scope == OF_IMAGE ? (const void *)&s->common : (const void *)s,
		            out);
	}
	return rs_buffer_check(out, "radiomics settings", err);
}

enum rs_code rs_radiomics_settings_digest(const struct rs_radiomics_settings *settings, struct rs_digest *out,
                                          struct rs_error *err)
{
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&buffer, 65536);
	RS_TRY(rs_radiomics_settings_encode(settings, &buffer, err));
	rs_sha256(rs_buffer_bytes(&buffer), out);
	return RS_OK;
}
