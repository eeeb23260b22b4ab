/* The mode ibsi beside its values: settings by name and file, columns, codes, odd input, threads, memory. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/ibsi.h"

static double voxels[65536];
static uint32_t labels[65536];

static void world_make(size_t x, size_t y, size_t z, struct rs_volume *volume, struct rs_mask *mask)
{
	*volume = (struct rs_volume){
		.geometry = {{x, y, z}, {1, 2, 3}, {0, 0, 0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
		.stored = RS_VOXEL_F64,
		.voxels = voxels};
	*mask = (struct rs_mask){.geometry = volume->geometry, .labels = labels};
	for (size_t i = 0; i < x * y * z; i++) {
		voxels[i] = (double)(i * 7919 % 13);
		labels[i] = 1;
	}
}

static void named(const char *name, struct rs_radiomics_settings *out)
{
	struct rs_error err = {0};
	if (rs_radiomics_settings_named(name, out, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static void set(struct rs_radiomics_settings *settings, const char *name, const char *value)
{
	struct rs_error err = {0};
	if (rs_radiomics_settings_set(settings, name, value, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static double value_of(const struct rs_radiomics_result *result, const char *name)
{
	const struct rs_radiomics_value *value = rs_radiomics_result_find(result, name);
	assert_non_null(value);
	return value->value;
}

static void extract(const struct rs_volume *volume, const struct rs_mask *mask,
                    const struct rs_radiomics_settings *settings, struct rs_radiomics_result *out)
{
	struct rs_error err = {0};
	if (rs_radiomics_extract(volume, mask, settings, NULL, out, &err) != RS_OK)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < out->count; i++) /* a number or NaN */
		assert_true(fabs(out->values[i].value) <= DBL_MAX || isnan(out->values[i].value));
}

static void every_value_has_a_name_and_codes(void **state)
{
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result plan RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_error err = {0};
	(void)state;
	named("ibsi-digital", &settings);
	assert_int_equal(rs_radiomics_plan(&settings, &plan, &err), RS_OK);
	assert_int_equal(plan.count, 487);
	assert_int_equal(plan.diagnostic_count, 63);
	for (size_t i = 0; i < 63; i++)
		assert_null(plan.diagnostics[i].text);
	for (size_t i = 0; i < plan.count; i++) {
		assert_int_equal(strlen(plan.values[i].ibsi), 4);
		assert_int_equal(strlen(plan.values[i].aggregation), 4);
		assert_true(strlen(plan.values[i].unit) > 0);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(plan.values[i].name, plan.values[k].name);
	}
	const struct rs_radiomics_value *value = rs_radiomics_result_find(&plan, "cm_joint_max_3D_comb");
	assert_non_null(value);
	assert_string_equal(value->ibsi, "GYBY");
	assert_string_equal(value->aggregation, "IAZD");
}

/* A code names one feature, but for the two volume fractions and the two intensities of the volume histogram. */
static void codes_name_one_feature(void **state)
{
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result plan RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_error err = {0};
	size_t shared = 0;
	(void)state;
	named("ibsi-1-c", &settings);
	assert_int_equal(rs_radiomics_plan(&settings, &plan, &err), RS_OK);
	assert_int_equal(plan.count, 215);
	for (size_t i = 0; i < plan.count; i++)
		for (size_t k = 0; k < i; k++)
			shared += strcmp(plan.values[i].ibsi, plan.values[k].ibsi) == 0 &&
			          strcmp(plan.values[i].aggregation, plan.values[k].aggregation) == 0;
	assert_int_equal(shared, 2);
}

static void parameter_files_choose_the_mode(void **state)
{
	static const char file[] =
		"setting:\n  label: 2\nibsi:\n  bySlice: false\n  spacing: [2, 2, 2]\n"
		"  round: true\n  range: [-1000, 400]\n  binWidth: 25\n  ivhBinWidth: 2.5\n"
		"  dimensions: [3D]\n";
	struct rs_radiomics_settings settings, shipped;
	struct rs_digest a, b;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_radiomics_settings_parse(rs_bytes_of(file, sizeof file - 1), &settings, &err),
	                 RS_OK);
	assert_int_equal(settings.mode, RS_RADIOMICS_IBSI);
	assert_int_equal(settings.label, 2);
	settings.label = 1;
	named("ibsi-1-c", &shipped);
	assert_int_equal(rs_radiomics_settings_digest(&settings, &a, &err), RS_OK);
	assert_int_equal(rs_radiomics_settings_digest(&shipped, &b, &err), RS_OK);
	assert_memory_equal(&a, &b, sizeof a);
	set(&settings, "ibsi.ngldmAlpha", "1");
	assert_int_equal(rs_radiomics_settings_digest(&settings, &a, &err), RS_OK);
	assert_memory_not_equal(&a, &b, sizeof a);
}

/* Every setting changes the digest, and the encoding is canonical CBOR. */
static void every_setting_is_in_the_digest(void **state)
{
	static const char *const changes[][2] = {
		{"families", "cm"},   {"dimensions", "2D"},  {"bySlice", "true"},     {"spacing", "1,1,1"},
		{"spacing", "1,1,2"}, {"spacing", "1,2,1"},  {"range", "0,9"},        {"range", "1,9"},
		{"imageSpline", "3"}, {"maskSpline", "0"},   {"maskThreshold", ".4"}, {"round", "true"},
		{"range", "0,inf"},   {"outlierSigma", "3"}, {"binWidth", "2"},       {"binCount", "2"},
		{"ivhBinWidth", "2"}, {"ivhBinCount", "2"},  {"distance", "2"},       {"ngldmAlpha", "1"},
	};
	struct rs_digest digests[RS_COUNT(changes) + 1];
	struct rs_error err = {0};
	(void)state;
	for (size_t i = 0; i <= RS_COUNT(changes); i++) {
		struct rs_radiomics_settings settings;
		char name[64];
		named("ibsi-digital", &settings);
		if (i > 0) {
			snprintf(name, sizeof name, "ibsi.%s", changes[i - 1][0]);
			set(&settings, name, changes[i - 1][1]);
		}
		assert_int_equal(rs_radiomics_settings_digest(&settings, &digests[i], &err), RS_OK);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(&digests[i], &digests[k], sizeof digests[i]);
	}
}

static void refused(const char *file, const char *sentence)
{
	struct rs_radiomics_settings settings;
	struct rs_error err = {0};
	assert_int_not_equal(rs_radiomics_settings_parse(rs_bytes_of(file, strlen(file)), &settings, &err),
	                     RS_OK);
	if (strstr(err.message, sentence) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, sentence);
}

static void wrong_settings_are_refused_with_a_sentence(void **state)
{
	struct rs_radiomics_settings settings;
	struct rs_error err = {0};
	(void)state;
	refused("ibsi:\n  spacing: [1, 2]\n", "three numbers");
	refused("ibsi:\n  bySlice: true\n  spacing: [1, 1, 1]\n", "third axis");
	refused("ibsi:\n  bins: 3\n", "unknown");
	refused("ibsi:\n  range: [4, 3]\n", "ascending");
	refused("ibsi:\n  binCount: 65537\n", "65536");
	refused("ibsi:\n  binWidth: none\n", "binWidth or binCount");
	refused("ibsi:\n  dimensions: [4D]\n", "2.5D");
	refused("ibsi:\n  families: [shape]\n", "morph");
	refused("ibsi:\n  imageSpline: 2\n", "cubic");
	refused("ibsi:\n  distance: 17\n", "distance");
	refused("ibsi:\n  maskThreshold: 0\n", "maskThreshold");
	refused("ibsi:\n  outlierSigma: -1\n", "outlierSigma");
	refused("ibsi:\nimageType:\n  Square:\n", "original image");
	refused("ibsi:\nsetting:\n  resegmentRange: [1, 2]\n", "resegmentRange is of mode");
	refused("ibsi:\nsetting:\n  binWidth: 10\n", "binWidth is of mode");
	refused("ibsi:\nsetting:\n  distances: [1, 2]\n", "distances is of mode");
	refused("ibsi:\nsetting:\n  force2D: true\n", "force2D is of mode");
	refused("ibsi:\nfeatureClass:\n  glcm:\n", "featureClass is of mode");
	refused("ibsi:\nimageType:\n  Original:\n    binWidth: 3\n", "original image");
	static const char shared[] = "ibsi:\nsetting:\n  label: 3\n  minimumROISize: 4\n  correctMask: true\n"
				     "  geometryTolerance: 0.001\n  additionalInfo: false\n";
	assert_int_equal(rs_radiomics_settings_parse(rs_bytes_of(shared, sizeof shared - 1), &settings, &err),
	                 RS_OK);
	assert_int_equal(rs_radiomics_settings_named("ibsi-1-f", &settings, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "ibsi-1-e"));
}

static void one_voxel_gives_numbers_or_nan(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	(void)state;
	world_make(3, 3, 3, &volume, &mask);
	memset(labels, 0, sizeof labels);
	labels[13] = 1;
	voxels[13] = 5;
	named("ibsi-digital", &settings);
	extract(&volume, &mask, &settings, &result);
	assert_int_equal(result.count, 487);
	assert_true(fabs(value_of(&result, "stat_mean") - 5) < 1e-12);
	assert_true(fabs(value_of(&result, "stat_skew")) < 1e-12);
	assert_true(isnan(value_of(&result, "cm_contrast_3D_avg"))); /* there is no pair */
	assert_true(isnan(value_of(&result, "ngt_coarseness_2D")));  /* there is no neighbour */
	assert_true(fabs(value_of(&result, "szm_sze_3D") - 1) < 1e-12);
	assert_true(fabs(value_of(&result, "dzm_sde_2D") - 1) < 1e-12);
}

static void a_flat_region_has_one_level(void **state)
{
	static const char *const names[] = {"ibsi-digital", "ibsi-1-d"};
	struct rs_volume volume;
	struct rs_mask mask;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(names); i++) {
		struct rs_radiomics_settings settings;
		struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
		world_make(4, 4, 4, &volume, &mask);
		for (size_t k = 0; k < 64; k++)
			voxels[k] = 42;
		named(names[i], &settings);
		extract(&volume, &mask, &settings, &result);
		assert_true(fabs(value_of(&result, "ih_max") - 1) < 1e-12);
		assert_true(fabs(value_of(&result, "ih_entropy")) < 1e-12);
		assert_true(fabs(value_of(&result, "cm_joint_max_3D_comb") - 1) < 1e-12);
		assert_true(fabs(value_of(&result, "ngt_contrast_3D")) < 1e-12);
		assert_true(isnan(value_of(&result, "ivh_v10")));
		assert_true(fabs(value_of(&result, "ivh_auc")) < 1e-12);
	}
}

/* As many levels as voxels, each once. */
static void sixty_five_thousand_levels_are_measured(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	(void)state;
	world_make(64, 64, 16, &volume, &mask);
	for (size_t i = 0; i < 65536; i++)
		voxels[i] = (double)(i * 40503 % 65536);
	named("ibsi-digital", &settings);
	set(&settings, "ibsi.binCount", "65536");
	set(&settings, "ibsi.families", "loc,stat,ih,ivh,cm,rlm,szm,dzm,ngl");
	extract(&volume, &mask, &settings, &result);
	assert_true(fabs(value_of(&result, "ih_max") - 65536) < 1e-9);
	assert_true(fabs(value_of(&result, "ih_entropy") - 16) < 1e-9);
	assert_true(fabs(value_of(&result, "szm_z_perc_3D") - 1) < 1e-12);
	assert_true(fabs(value_of(&result, "rlm_sre_3D_comb") - 1) < 1e-12);
	assert_true(fabs(value_of(&result, "ngl_lde_2D") - 1) < 1e-12);
	rs_radiomics_result_finish(&result);
	world_make(16, 16, 8, &volume, &mask); /* pairs of levels: fewer of them */
	for (size_t i = 0; i < 2048; i++)
		voxels[i] = (double)(i * 40503 % 65536);
	set(&settings, "ibsi.families", "ngt");
	extract(&volume, &mask, &settings, &result);
	assert_true(value_of(&result, "ngt_complexity_3D") > 0);
}

static void too_many_levels_are_refused(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result = {0};
	struct rs_error err = {0};
	(void)state;
	world_make(3, 3, 3, &volume, &mask);
	named("ibsi-digital", &settings);
	set(&settings, "ibsi.binWidth", "1e-9");
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "binWidth"));
	assert_null(result.values);
	set(&settings, "ibsi.binWidth", "1");
	set(&settings, "ibsi.ivhBinWidth", "1e-9");
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "ivhBinWidth"));
	set(&settings, "ibsi.range", "100,200");
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "re-segmentation"));
	voxels[5] = NAN;
	set(&settings, "ibsi.range", "none");
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "(2, 1, 0)"));
}

static void maps_are_of_the_other_mode(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_maps maps = {0};
	struct rs_error err = {0};
	(void)state;
	world_make(3, 3, 3, &volume, &mask);
	named("ibsi-digital", &settings);
	assert_int_equal(rs_radiomics_maps(&volume, &mask, &settings, NULL, &maps, &err), RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "pyradiomics"));
}

static void unusual_bins_are_warned_of(void **state)
{
	static const struct {
		const char *setting, *value;
		bool warned;
	} cases[] = {{"ibsi.binWidth", "1", false},
	             {"ibsi.binWidth", "5", true},
	             {"ibsi.binWidth", "0.01", true},
	             {"ibsi.binCount", "32", false}};
	struct rs_volume volume;
	struct rs_mask mask;
	(void)state;
	world_make(5, 5, 5, &volume, &mask); /* intensities 0 to 12 */
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_radiomics_settings settings;
		struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
		named("ibsi-digital", &settings);
		set(&settings, cases[i].setting, cases[i].value);
		extract(&volume, &mask, &settings, &result);
		assert_int_equal(result.warning[0] != '\0', cases[i].warned);
	}
}

/* Intensities whose range is no number: levels and values stay numbers or NaN. */
static void the_largest_intensities_do_no_harm(void **state)
{
	static const char *const bins[] = {"ibsi.binCount", "ibsi.ivhBinCount"};
	struct rs_volume volume;
	struct rs_mask mask;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(bins); i++) {
		struct rs_radiomics_settings settings;
		struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
		world_make(3, 3, 2, &volume, &mask);
		voxels[3] = DBL_MAX;
		voxels[4] = -DBL_MAX;
		named("ibsi-digital", &settings);
		set(&settings, "ibsi.binCount", "8");
		set(&settings, bins[i], "8");
		extract(&volume, &mask, &settings, &result);
	}
}

static void small_regions_are_refused_on_request(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result = {0};
	struct rs_error err = {0};
	(void)state;
	world_make(3, 3, 3, &volume, &mask);
	named("ibsi-digital", &settings);
	set(&settings, "minimumROISize", "27");
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "minimumROISize 27"));
	set(&settings, "minimumROISize", "26");
	extract(&volume, &mask, &settings, &result);
	rs_radiomics_result_finish(&result);
}

/* Voxels that are no numbers outside of the region do no harm, nor do infinite ones. */
static void outside_may_be_anything(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	(void)state;
	world_make(5, 4, 3, &volume, &mask);
	voxels[0] = NAN;
	voxels[59] = INFINITY;
	labels[0] = labels[59] = 0;
	named("ibsi-digital", &settings);
	set(&settings, "ibsi.range", "0,.inf");
	extract(&volume, &mask, &settings, &result);
	assert_true(value_of(&result, "loc_peak_glob") > 0);
}

/* One slice has three-dimensional values too: what leaves the slice has no neighbours and runs of one voxel. */
static void one_slice_is_a_volume(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	(void)state;
	world_make(6, 6, 1, &volume, &mask);
	for (size_t i = 0; i < 36; i++)
		voxels[i] = (double)(i / 2 % 5);
	named("ibsi-digital", &settings);
	extract(&volume, &mask, &settings, &result);
	assert_true(fabs(value_of(&result, "szm_sze_3D") - value_of(&result, "szm_sze_2D")) < 1e-12);
	assert_true(value_of(&result, "rlm_sre_3D_avg") > value_of(&result, "rlm_sre_2D_avg"));
}

static void threads_give_the_same_bits(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_radiomics_result one RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_result many RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_pool *pool = NULL;
	struct rs_error err = {0};
	(void)state;
	world_make(20, 17, 9, &volume, &mask);
	for (size_t i = 0; i < 20 * 17 * 9; i++)
		labels[i] = i * 31 % 7 != 0;
	named("ibsi-1-e", &settings);
	set(&settings, "ibsi.range", "1,11");
	set(&settings, "ibsi.dimensions", "2D,2.5D,3D");
	assert_int_equal(rs_pool_create(3, &pool, &err), RS_OK);
	extract(&volume, &mask, &settings, &one);
	assert_int_equal(rs_radiomics_extract(&volume, &mask, &settings, pool, &many, &err), RS_OK);
	rs_pool_destroy(pool);
	assert_int_equal(one.count, many.count);
	for (size_t i = 0; i < one.count; i++)
		assert_memory_equal(&one.values[i].value, &many.values[i].value, sizeof(double));
}

/* Memory that runs out at any place is an error, never a crash or a half result. */
static void memory_may_run_out_anywhere(void **state)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_radiomics_settings settings;
	struct rs_error err = {0};
	enum rs_code code = RS_NO_MEMORY;
	(void)state;
	world_make(4, 3, 3, &volume, &mask);
	named("ibsi-1-c", &settings);
	set(&settings, "ibsi.range", "0,20");
	set(&settings, "ibsi.spacing", "1,1,2");
	set(&settings, "ibsi.dimensions", "2D,2.5D,3D");
	uint64_t k = 1;
	for (; code == RS_NO_MEMORY; k++) {
		struct rs_radiomics_result result = {0};
		rs_memory_fail_at(k);
		code = rs_radiomics_extract(&volume, &mask, &settings, NULL, &result, &err);
		rs_memory_fail_at(0);
		if (code == RS_NO_MEMORY)
			assert_null(result.values);
		rs_radiomics_result_finish(&result);
	}
	assert_int_equal(code, RS_OK);
	assert_true(k > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_name_and_codes),
		cmocka_unit_test(codes_name_one_feature),
		cmocka_unit_test(parameter_files_choose_the_mode),
		cmocka_unit_test(every_setting_is_in_the_digest),
		cmocka_unit_test(wrong_settings_are_refused_with_a_sentence),
		cmocka_unit_test(one_voxel_gives_numbers_or_nan),
		cmocka_unit_test(a_flat_region_has_one_level),
		cmocka_unit_test(sixty_five_thousand_levels_are_measured),
		cmocka_unit_test(too_many_levels_are_refused),
		cmocka_unit_test(maps_are_of_the_other_mode),
		cmocka_unit_test(unusual_bins_are_warned_of),
		cmocka_unit_test(the_largest_intensities_do_no_harm),
		cmocka_unit_test(small_regions_are_refused_on_request),
		cmocka_unit_test(outside_may_be_anything),
		cmocka_unit_test(one_slice_is_a_volume),
		cmocka_unit_test(threads_give_the_same_bits),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
