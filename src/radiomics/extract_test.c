/* Rows of the tables, refusals, settings files, and every tiny image against the definition of the GLCM. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/radiomics.h"

#define SIDE_MAX 5
static double voxels[SIDE_MAX * SIDE_MAX * SIDE_MAX];
static uint32_t labels[SIDE_MAX * SIDE_MAX * SIDE_MAX];

static void world_make(size_t x, size_t y, size_t z, struct rs_volume *volume, struct rs_mask *mask)
{
	*volume = (struct rs_volume){
		.geometry = {{x, y, z}, {1, 1, 1}, {0, 0, 0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
		.stored = RS_VOXEL_F64,
		.voxels = voxels};
	*mask = (struct rs_mask){.geometry = volume->geometry, .labels = labels};
	for (size_t i = 0; i < x * y * z; i++) {
		voxels[i] = (double)(i * 7 % 5);
		labels[i] = 1;
	}
}

static enum rs_code extract(const struct rs_volume *volume, const struct rs_mask *mask, double width,
                            struct rs_radiomics_result *out, struct rs_error *err)
{
	struct rs_radiomics_settings settings;
	rs_radiomics_settings_default(&settings);
	settings.common.bin_width = width;
	return rs_radiomics_extract(volume, mask, &settings, NULL, out, err);
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (int f = 0; f < RS_FAMILY_COUNT; f++) {
		const struct rs_feature_table *table = rs_feature_family((enum rs_family)f);
		assert_true(table->count > 0 && table->count <= 64);
		for (size_t i = 0; i < table->count; i++) {
			const struct rs_feature *row = &table->rows[i];
			assert_true(strlen(row->ibsi) == 4 || strlen(row->ibsi) == 0);
			assert_true(strlen(row->unit) > 0 && strlen(row->display) > 0);
			assert_int_equal(row->family, f);
			assert_non_null(row->value);
			assert_true(strncmp(row->name, rs_family_name((enum rs_family)f),
			                    strlen(rs_family_name((enum rs_family)f))) == 0);
			for (size_t k = 0; k < i; k++) {
				assert_string_not_equal(row->name, table->rows[k].name);
				assert_string_not_equal(row->display, table->rows[k].display);
				assert_true(row->ibsi[0] == '\0' ||
				            strcmp(row->ibsi, table->rows[k].ibsi) != 0);
			}
		}
	}
}

static void refusals_say_why(void **state)
{
	(void)state;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_result result = {0};
	struct rs_error err = {0};
	world_make(3, 3, 3, &volume, &mask);
	memset(labels, 0, sizeof labels);
	labels[4] = 1;
	assert_int_equal(extract(&volume, &mask, 1, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "single voxel"));
	labels[4] = 7;
	labels[5] = 3;
	assert_int_equal(extract(&volume, &mask, 1, &result, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "3, 7"));
	world_make(3, 3, 3, &volume, &mask);
	voxels[13] = NAN;
	assert_int_equal(extract(&volume, &mask, 1, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "(1, 1, 1)"));
	labels[13] = 0; /* outside the region it does no harm */
	assert_int_equal(extract(&volume, &mask, 1, &result, &err), RS_OK);
	rs_radiomics_result_finish(&result);
	world_make(3, 3, 3, &volume, &mask);
	assert_int_equal(extract(&volume, &mask, 1e-9, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "binWidth"));
	mask.geometry.spacing_mm[1] = 2;
	assert_int_equal(extract(&volume, &mask, 1, &result, &err), RS_REFUSED);
	assert_null(result.values);
}

static double value_of(const struct rs_radiomics_result *result, const char *name)
{
	const struct rs_radiomics_value *value = rs_radiomics_result_find(result, name);
	assert_non_null(value);
	return value->value;
}

static void constant_images_and_flat_masks(void **state)
{
	(void)state;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_result result = {0};
	struct rs_error err = {0};
	world_make(5, 5, 1, &volume, &mask);
	for (size_t i = 0; i < 25; i++)
		voxels[i] = 3;
	assert_int_equal(extract(&volume, &mask, 25, &result, &err), RS_OK);
	assert_true(fabs(value_of(&result, "original_glcm_MCC") - 1) < 1e-15);
	assert_true(fabs(value_of(&result, "original_glcm_Correlation") - 1) < 1e-15);
	assert_true(fabs(value_of(&result, "original_firstorder_Kurtosis")) < 1e-15);
	assert_true(fabs(value_of(&result, "original_glszm_LargeAreaEmphasis") - 25 * 25) < 1e-12);
	/* five runs of 5 along two directions, along the diagonals one of 5 and two of each shorter length */
	assert_true(fabs(value_of(&result, "original_glrlm_RunPercentage") - (2 * 5 + 2 * 9) / 100.0) <
	            1e-12);
	assert_true(fabs(value_of(&result, "original_ngtdm_Coarseness") - 1e6) < 1e-9);
	assert_true(fabs(value_of(&result, "original_ngtdm_Contrast")) < 1e-15);
	assert_true(fabs(value_of(&result, "original_gldm_GrayLevelVariance")) < 1e-15);
	assert_true(fabs(value_of(&result, "original_shape_LeastAxisLength")) < 1e-15);
	assert_true(fabs(value_of(&result, "original_shape_Maximum3DDiameter") - sqrt(25 + 16)) < 1e-12);
	rs_radiomics_result_finish(&result);
}

/* GLCM by its definition: all pairs of voxels, all 13 directions, on 2x2x2. */
struct naive {
	double contrast, energy, entropy;
};

static bool naive_direction(const uint32_t *level, const int d[3], struct naive *sum)
{
	double counts[4][4] = {{0}}, total = 0;
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 8; j++) {
			bool pair = level[i] > 0 && level[j] > 0;
			for (int a = 0; a < 3; a++)
				pair = pair && (j >> a & 1) - (i >> a & 1) == d[a];
			if (pair) {
				counts[level[i]][level[j]]++;
				counts[level[j]][level[i]]++;
				total += 2;
			}
		}
	if (!(total > 0))
		return false;
	for (int i = 1; i < 4; i++)
		for (int j = 1; j < 4; j++) {
			double p = counts[i][j] / total;
			sum->contrast += p * (i - j) * (i - j);
			sum->energy += p * p;
			sum->entropy -= p > 0 ? p * log2(p) : 0;
		}
	return true;
}

static struct naive naive_mean(const uint32_t *level)
{
	struct naive sum = {0};
	double n = 0;
	for (int code = 14; code < 27; code++) {
		const int d[3] = {code % 3 - 1, code / 3 % 3 - 1, code / 9 - 1};
		n += naive_direction(level, d, &sum);
	}
	return (struct naive){sum.contrast / n, sum.energy / n, sum.entropy / n};
}

static void same(double a, double b, unsigned long world)
{
	if (isnan(a) != isnan(b) || (!isnan(a) && !(fabs(a - b) < 1e-12)))
		fail_msg("world %lu: %.17g, by definition %.17g", world, a, b);
}

static void every_small_world_obeys_the_definition(void **state)
{
	(void)state;
	struct rs_radiomics_settings settings;
	rs_radiomics_settings_default(&settings);
	settings.common.bin_width = 1;
	settings.additional_info = false;
	settings.minimum_roi_dimensions = 1;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		settings.chosen[f] *= f == RS_FAMILY_GLCM;
	size_t measured = 0;
	for (unsigned long world = 0; world < 65536; world++) {
		struct rs_volume volume;
		struct rs_mask mask;
		struct rs_error err;
		struct rs_radiomics_result result = {0};
		uint32_t level[8], least = 3, count = 0;
		world_make(2, 2, 2, &volume, &mask);
		for (int i = 0; i < 8; i++) {
			level[i] = (uint32_t)(world >> 2 * i & 3);
			voxels[i] = level[i];
			labels[i] = level[i] > 0;
			count += level[i] > 0;
			least = level[i] > 0 && level[i] < least ? level[i] : least;
		}
		enum rs_code code = rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err);
		assert_int_equal(code, count == 0 ? RS_NOT_FOUND : count == 1 ? RS_REFUSED : RS_OK);
		if (code != RS_OK)
			continue;
		for (int i = 0; i < 8; i++)
			level[i] -= level[i] > 0 ? least - 1 : 0;
		struct naive want = naive_mean(level);
		same(value_of(&result, "original_glcm_Contrast"), want.contrast, world);
		same(value_of(&result, "original_glcm_JointEnergy"), want.energy, world);
		same(value_of(&result, "original_glcm_JointEntropy"), want.entropy, world);
		rs_radiomics_result_finish(&result);
		measured++;
	}
	assert_int_equal(measured, 65536 - 1 - 24);
}

/* A level for each of 16 bits: no table of levels by levels fits into memory, and none is made. */
static void levels_may_be_many(void **state)
{
	(void)state;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result = {0};
	world_make(5, 5, 5, &volume, &mask);
	for (size_t i = 0; i < 125; i++)
		voxels[i] = (double)(i * 40503 % 65536);
	voxels[0] = 0;
	voxels[124] = 65535;
	assert_int_equal(extract(&volume, &mask, 1, &result, &err), RS_OK);
	assert_int_equal(result.count, 107);
	for (size_t i = 0; i < result.count; i++)
		if (!isfinite(result.values[i].value))
			fail_msg("%s is no number", result.values[i].name);
	assert_true(fabs(value_of(&result, "original_firstorder_Entropy") - log2(125)) < 1e-9);
	assert_true(fabs(value_of(&result, "original_glszm_ZonePercentage") - 1) < 1e-15);
	assert_true(fabs(value_of(&result, "original_glrlm_RunPercentage") - 1) < 1e-15);
	assert_true(fabs(value_of(&result, "original_gldm_SmallDependenceEmphasis") - 1) < 1e-15);
	rs_radiomics_result_finish(&result);
	assert_int_equal(extract(&volume, &mask, 0.5, &result, &err), RS_REFUSED);
	rs_radiomics_settings_default(&settings);
	settings.common.bin_count = 65536;
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_OK);
	rs_radiomics_result_finish(&result);
}

/* Wherever memory ends, the sentence says so and nothing is left behind (the sanitizers watch). */
static void a_lack_of_memory_is_told(void **state)
{
	(void)state;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_settings settings;
	enum rs_code code = RS_NO_MEMORY;
	size_t refused = 0;
	world_make(3, 3, 3, &volume, &mask);
	rs_radiomics_settings_default(&settings);
	settings.common.bin_width = 1;
	for (int weighted = 0; weighted < 2; weighted++) {
		settings.common.weighting = weighted ? RS_WEIGHTING_EUCLIDEAN : RS_WEIGHTING_NONE;
		for (size_t i = 0; i < 27 && weighted; i++)
			voxels[i] *= 1000; /* too many levels for tables: lists are kept */
		for (int maps = 0; maps < 2; maps++, code = RS_NO_MEMORY)
			for (uint64_t k = 1; code == RS_NO_MEMORY; k++) {
				struct rs_radiomics_result result = {0};
				struct rs_radiomics_maps made = {0};
				rs_memory_fail_at(k);
				code = maps ? rs_radiomics_maps(&volume, &mask, &settings, NULL, &made, &err)
				            : rs_radiomics_extract(&volume, &mask, &settings, NULL, &result,
				                                   &err);
				rs_memory_fail_at(0);
				assert_true(code == RS_OK || code == RS_NO_MEMORY);
				refused += code == RS_NO_MEMORY;
				rs_radiomics_result_finish(&result);
				rs_radiomics_maps_finish(&made);
			}
	}
	assert_true(refused > 500);
}

/* Another name of a feature that stays has its value. */
static void deprecated_names_are_measured(void **state)
{
	(void)state;
	static const char *const same[][2] = {
		{"glcm_Dissimilarity", "glcm_DifferenceAverage"},
		{"glcm_Homogeneity1", "glcm_Id"},
		{"glcm_Homogeneity2", "glcm_Idm"},
		{"glcm_SumVariance", "glcm_ClusterTendency"},
		{"gldm_GrayLevelNonUniformityNormalized", "firstorder_Uniformity"}};
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result = {0};
	char name[2][RS_RADIOMICS_NAME_SIZE];
	world_make(4, 4, 4, &volume, &mask);
	rs_radiomics_settings_default(&settings);
	settings.common.bin_width = 1;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		settings.chosen[f] = ((uint64_t)1 << rs_feature_family((enum rs_family)f)->count) - 1;
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_OK);
	assert_int_equal(result.count, 107 + 3 + 1 + 4 + 2 + 10);
	for (size_t i = 0; i < RS_COUNT(same); i++) {
		for (size_t k = 0; k < 2; k++)
			snprintf(name[k], sizeof name[k], "original_%s", same[i][k]);
		assert_true(fabs(value_of(&result, name[0]) - value_of(&result, name[1])) < 1e-12);
	}
	assert_true(fabs(value_of(&result, "original_gldm_DependencePercentage") - 1) < 1e-15);
	assert_true(
		isnan(value_of(&result, "original_shape2D_Perimeter"))); /* not one slice, and no force2D */
	assert_non_null(strstr(result.warning, "force2D"));
	rs_radiomics_result_finish(&result);
}

/* A region that touches every border of the volume measures as one inside a larger volume. */
static void borders_change_nothing(void **state)
{
	(void)state;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err;
	struct rs_radiomics_result small = {0}, large = {0};
	world_make(3, 3, 3, &volume, &mask);
	assert_int_equal(extract(&volume, &mask, 1, &small, &err), RS_OK);
	double kept[27];
	memcpy(kept, voxels, sizeof kept);
	world_make(5, 5, 5, &volume, &mask);
	for (size_t i = 0; i < 125; i++) {
		size_t x = i % 5, y = i / 5 % 5, z = i / 25;
		labels[i] = x > 0 && x < 4 && y > 0 && y < 4 && z > 0 && z < 4;
		if (labels[i])
			voxels[i] = kept[((z - 1) * 3 + y - 1) * 3 + x - 1];
	}
	assert_int_equal(extract(&volume, &mask, 1, &large, &err), RS_OK);
	for (size_t i = 0; i < small.count; i++)
		assert_memory_equal(&small.values[i].value, &large.values[i].value, sizeof(double));
	rs_radiomics_result_finish(&small);
	rs_radiomics_result_finish(&large);
}

static enum rs_code parse(const char *text, struct rs_radiomics_settings *out, struct rs_error *err)
{
	return rs_radiomics_settings_parse(rs_bytes_of_str(rs_str_from(text)), out, err);
}

static void parameter_files_are_obeyed_or_refused(void **state)
{
	(void)state;
	struct rs_radiomics_settings s;
	struct rs_error err;
	assert_int_equal(
		parse("setting:\n  binWidth: 10\n  distances: [1, 3]\n  weightingNorm: infinity\n"
	              "imageType:\n  Original: {}\nfeatureClass:\n  shape: [Compactness1]\n  glcm:\n",
	              &s, &err),
		RS_OK);
	assert_true(fabs(s.common.bin_width - 10) < 1e-15 && s.common.distance_count == 2 &&
	            s.common.distances[1] == 3);
	assert_int_equal(s.common.weighting, RS_WEIGHTING_INFINITY);
	assert_int_equal(__builtin_popcountll(s.chosen[RS_FAMILY_SHAPE]), 1);
	assert_int_equal(__builtin_popcountll(s.chosen[RS_FAMILY_GLCM]), 24);
	assert_true(s.chosen[RS_FAMILY_FIRSTORDER] == 0);
	assert_int_equal(parse("{\"setting\": {\"label\": 2}}", &s, &err), RS_OK);
	assert_int_equal(s.label, 2);
	assert_int_equal(parse("setting:\n  binwidth: 10\n", &s, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "did you mean 'binWidth'"));
	assert_int_equal(parse("imageType:\n  Wavelets: {}\n", &s, &err), RS_MALFORMED);
	assert_int_equal(parse("featureClass:\n  glszmm:\n", &s, &err), RS_MALFORMED);
	assert_int_equal(parse("setting:\n  resampledPixelSpacing: [1,1]\n", &s, &err), RS_MALFORMED);
	assert_int_equal(parse("setting: [1\n", &s, &err), RS_MALFORMED);
	assert_int_equal(parse("setting: &a {binWidth: *a}\n", &s, &err), RS_MALFORMED);
	assert_int_equal(s.label, 2); /* untouched by failures */
}

static void encoding_is_canonical_and_tells_settings_apart(void **state)
{
	(void)state;
	struct rs_radiomics_settings s;
	struct rs_error err;
	struct rs_buffer buffer;
	struct rs_digest a, b;
	rs_radiomics_settings_default(&s);
	rs_buffer_init(&buffer, 65536);
	assert_int_equal(rs_radiomics_settings_encode(&s, &buffer, &err), RS_OK);
	if (rs_cbor_check(rs_buffer_bytes(&buffer), &err) != RS_OK)
		fail_msg("%s", err.message);
	rs_buffer_finish(&buffer);
	assert_int_equal(rs_radiomics_settings_digest(&s, &a, &err), RS_OK);
	s.common.bin_width = 24;
	assert_int_equal(rs_radiomics_settings_digest(&s, &b, &err), RS_OK);
	assert_false(rs_digest_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(constant_images_and_flat_masks),
		cmocka_unit_test(every_small_world_obeys_the_definition),
		cmocka_unit_test(levels_may_be_many),
		cmocka_unit_test(deprecated_names_are_measured),
		cmocka_unit_test(a_lack_of_memory_is_told),
		cmocka_unit_test(borders_change_nothing),
		cmocka_unit_test(parameter_files_are_obeyed_or_refused),
		cmocka_unit_test(encoding_is_canonical_and_tells_settings_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
