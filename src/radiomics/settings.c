/* Settings: defaults, limits, and the one encoding whose digest stands for them. */
#include <math.h>
#include <string.h>

#include "radiomics/evidence.h"

void rs_radiomics_settings_default(struct rs_radiomics_settings *out)
{
	*out = (struct rs_radiomics_settings){
		.label = 1,
		.bin_width = 25,
		.distances = {1},
		.distance_count = 1,
		.symmetrical_glcm = true,
		.minimum_roi_dimensions = 2,
		.normalize_scale = 1,
		.pad_distance = 5,
		.geometry_tolerance = 1e-6,
		.additional_info = true,
	};
	for (int f = 0; f < RS_FAMILY_COUNT; f++) {
		const struct rs_feature_table *table = rs_feature_family((enum rs_family)f);
		for (size_t i = 0; i < table->count; i++)
			if (!table->rows[i].deprecated)
				out->chosen[f] |= (uint64_t)1 << i;
	}
}

#define REFUSE_UNLESS(condition, ...)                                    \
	do {                                                             \
		if (!(condition))                                        \
			return rs_error_set(err, RS_USAGE, __VA_ARGS__); \
	} while (0)

enum rs_code rs_radiomics_settings_check(const struct rs_radiomics_settings *s, struct rs_error *err)
{
	if (s->mode != RS_RADIOMICS_PYRADIOMICS)
		return rs_error_set(err, RS_UNSUPPORTED, "mode ibsi is not in this version; use pyradiomics");
	REFUSE_UNLESS(s->label > 0, "label 0 is the outside of every mask; choose 1 or more");
	REFUSE_UNLESS(s->bin_count > 0 || (s->bin_width > 0 && isfinite(s->bin_width)),
	              "binWidth %g must be greater than 0", s->bin_width);
	REFUSE_UNLESS(s->bin_count <= RS_RADIOMICS_LEVELS_MAX, "binCount %u is more than %d", s->bin_count,
	              RS_RADIOMICS_LEVELS_MAX);
	REFUSE_UNLESS(s->distance_count > 0 && s->distance_count <= RS_RADIOMICS_DISTANCES_MAX,
	              "distances must be 1 to %d numbers", RS_RADIOMICS_DISTANCES_MAX);
	for (size_t i = 0; i < s->distance_count; i++)
		REFUSE_UNLESS(s->distances[i] > (i == 0 ? 0 : s->distances[i - 1]) && s->distances[i] <= 16,
		              "distances must ascend from 1 to 16 at most");
	REFUSE_UNLESS(s->resegment_count <= 2, "resegmentRange has more than 2 numbers");
	for (size_t i = 0; i < s->resegment_count; i++)
		REFUSE_UNLESS(isfinite(s->resegment_range[i]), "resegmentRange must be finite");
	REFUSE_UNLESS(s->minimum_roi_dimensions >= 1 && s->minimum_roi_dimensions <= 3,
	              "minimumROIDimensions %u is not 1, 2 or 3", s->minimum_roi_dimensions);
	REFUSE_UNLESS(s->force_2d_dimension <= 2, "force2Ddimension %u is not 0 (z), 1 (y) or 2 (x)",
	              s->force_2d_dimension);
	REFUSE_UNLESS(s->normalize_scale > 0 && isfinite(s->normalize_scale), "normalizeScale must be > 0");
	REFUSE_UNLESS(s->remove_outliers >= 0 && isfinite(s->remove_outliers), "removeOutliers must be > 0");
	REFUSE_UNLESS(s->geometry_tolerance > 0 && s->geometry_tolerance <= 1,
	              "geometryTolerance %g is not above 0 and at most 1", s->geometry_tolerance);
	REFUSE_UNLESS(isfinite(s->voxel_array_shift), "voxelArrayShift must be finite");
	return RS_OK;
}

static void key(struct rs_buffer *out, const char *name) { rs_cbor_write_str(out, rs_str_from(name)); }

static void write_features(const struct rs_radiomics_settings *s, struct rs_buffer *out)
{
	size_t count = 0;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		count += (size_t)__builtin_popcountll(s->chosen[f]);
	rs_cbor_write_array(out, count);
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		for (size_t i = 0; i < rs_feature_family((enum rs_family)f)->count; i++)
			if (s->chosen[f] >> i & 1)
				key(out, rs_feature_family((enum rs_family)f)->rows[i].name);
}

/* Keys in CBOR order: shorter first, then bytewise. */
enum rs_code rs_radiomics_settings_encode(const struct rs_radiomics_settings *s, struct rs_buffer *out,
                                          struct rs_error *err)
{
	rs_cbor_write_map(out, 23);
	key(out, "mode");
	rs_cbor_write_u64(out, s->mode);
	key(out, "label");
	rs_cbor_write_u64(out, s->label);
	key(out, "force2D");
	rs_cbor_write_bool(out, s->force_2d);
	key(out, "preCrop");
	rs_cbor_write_bool(out, s->pre_crop);
	key(out, "binCount");
	rs_cbor_write_u64(out, s->bin_count);
	key(out, "binWidth");
	rs_cbor_write_f64(out, s->bin_width);
	key(out, "features");
	write_features(s, out);
	key(out, "distances");
	rs_cbor_write_array(out, s->distance_count);
	for (size_t i = 0; i < s->distance_count; i++)
		rs_cbor_write_u64(out, s->distances[i]);
	key(out, "normalize");
	rs_cbor_write_bool(out, s->normalize);
	key(out, "padDistance");
	rs_cbor_write_u64(out, s->pad_distance);
	key(out, "resegmentMode");
	rs_cbor_write_u64(out, s->resegment_mode);
	key(out, "weightingNorm");
	rs_cbor_write_u64(out, s->weighting);
	key(out, "additionalInfo");
	rs_cbor_write_bool(out, s->additional_info);
	key(out, "minimumROISize");
	rs_cbor_write_u64(out, s->minimum_roi_size);
	key(out, "normalizeScale");
	rs_cbor_write_f64(out, s->normalize_scale);
	key(out, "removeOutliers");
	rs_cbor_write_f64(out, s->remove_outliers);
	key(out, "resegmentRange");
	rs_cbor_write_array(out, s->resegment_count);
	for (size_t i = 0; i < s->resegment_count; i++)
		rs_cbor_write_f64(out, s->resegment_range[i]);
	key(out, "resegmentShape");
	rs_cbor_write_bool(out, s->resegment_shape);
	key(out, "symmetricalGLCM");
	rs_cbor_write_bool(out, s->symmetrical_glcm);
	key(out, "voxelArrayShift");
	rs_cbor_write_f64(out, s->voxel_array_shift);
	key(out, "force2Ddimension");
	rs_cbor_write_u64(out, s->force_2d_dimension);
	key(out, "geometryTolerance");
	rs_cbor_write_f64(out, s->geometry_tolerance);
	key(out, "minimumROIDimensions");
	rs_cbor_write_u64(out, s->minimum_roi_dimensions);
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
