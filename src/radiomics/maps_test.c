/* Voxel-based maps: a cube that holds the whole region measures it, and maps of brain1 are PyRadiomics' own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/maps_golden.h"
#include "radiomics/radiomics.h"

#define SIDE 6
static double voxels[SIDE * SIDE * SIDE];
static uint32_t labels[SIDE * SIDE * SIDE];

/* A lumpy region of 4 x 3 x 3 voxels, one away from every border. */
static void world_make(struct rs_volume *volume, struct rs_mask *mask)
{
	uint32_t noise = 7;
	*volume = (struct rs_volume){
		.geometry = {{SIDE, SIDE, SIDE}, {1, 2, 3}, {5, 6, 7}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
		.stored = RS_VOXEL_F64,
		.voxels = voxels};
	*mask = (struct rs_mask){.geometry = volume->geometry, .labels = labels};
	for (size_t i = 0; i < RS_COUNT(voxels); i++) {
		size_t x = i % SIDE, y = i / SIDE % SIDE, z = i / SIDE / SIDE;
		noise = noise * 1664525U + 1013904223U;
		voxels[i] = (double)(noise >> 26);
		labels[i] = x > 0 && x < 5 && y > 0 && y < 4 && z > 0 && z < 4 && noise >> 28 != 3;
	}
}

static void compare_with_whole(struct rs_radiomics_settings *settings)
{
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_result whole = {0};
	struct rs_radiomics_maps maps = {0};
	world_make(&volume, &mask);
	settings->kernel_radius = 4;
	settings->chosen[RS_FAMILY_SHAPE] = 0;
	settings->common.bin_width = 7;
	settings->additional_info = false;
	if (rs_radiomics_extract(&volume, &mask, settings, NULL, &whole, &err) != RS_OK ||
	    rs_radiomics_maps(&volume, &mask, settings, NULL, &maps, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(maps.count, whole.count);
	for (size_t k = 0; k < maps.count; k++) {
		assert_string_equal(maps.list[k].name, whole.values[k].name);
		for (size_t i = 0; i < RS_COUNT(voxels);
		     i++) /* the box is the volume: the radius reaches beyond */
			if (labels[i])
				assert_memory_equal(&maps.list[k].voxels[i], &whole.values[k].value,
				                    sizeof(double));
			else
				assert_true(fabs(maps.list[k].voxels[i] - settings->initial_value) < 1e-15);
	}
	rs_radiomics_result_finish(&whole);
	rs_radiomics_maps_finish(&maps);
}

static void a_cube_that_holds_the_region_measures_it(void **state)
{
	(void)state;
	struct rs_radiomics_settings settings;
	rs_radiomics_settings_default(&settings);
	compare_with_whole(&settings);
	settings.initial_value = -3;
	settings.common.weighting = RS_WEIGHTING_EUCLIDEAN;
	settings.common.gldm_alpha = 2;
	compare_with_whole(&settings);
	settings.common.weighting = RS_WEIGHTING_NONE;
	settings.common.symmetrical_glcm = false;
	settings.common.distance_count = 2;
	settings.common.distances[1] = 2;
	compare_with_whole(&settings);
}

static void maps_lie_where_the_region_is(void **state)
{
	(void)state;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_error err = {0};
	struct rs_radiomics_settings settings;
	struct rs_radiomics_maps maps = {0};
	world_make(&volume, &mask);
	memset(labels, 0, sizeof labels);
	labels[(2 * SIDE + 2) * SIDE + 3] = labels[(2 * SIDE + 3) * SIDE + 3] = 1; /* (3, 2, 2), (3, 3, 2) */
	rs_radiomics_settings_default(&settings);
	settings.minimum_roi_dimensions = 1;
	assert_int_equal(rs_radiomics_maps(&volume, &mask, &settings, NULL, &maps, &err), RS_OK);
	assert_int_equal(maps.geometry.size[0], 3);
	assert_int_equal(maps.geometry.size[1], 4);
	assert_int_equal(maps.geometry.size[2], 3);
	assert_true(fabs(maps.geometry.origin_mm[0] - 7) < 1e-12);
	assert_true(fabs(maps.geometry.origin_mm[1] - 8) < 1e-12);
	assert_true(fabs(maps.geometry.origin_mm[2] - 10) < 1e-12);
	assert_int_equal(maps.count, 93);
	rs_radiomics_maps_finish(&maps);
	memset(settings.chosen, 0, sizeof settings.chosen);
	assert_int_equal(rs_radiomics_maps(&volume, &mask, &settings, NULL, &maps, &err), RS_USAGE);
	rs_radiomics_settings_default(&settings);
	settings.mode = RS_RADIOMICS_IBSI;
	assert_int_not_equal(rs_radiomics_maps(&volume, &mask, &settings, NULL, &maps, &err), RS_OK);
	rs_radiomics_settings_default(&settings);
	settings.minimum_roi_dimensions = 1;
	settings.masked_kernel = false;
	voxels[(1 * SIDE + 1) * SIDE + 2] = INFINITY;
	assert_int_equal(rs_radiomics_maps(&volume, &mask, &settings, NULL, &maps, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "maskedKernel"));
}

static bool near(double got, double want, double slack)
{
	return isnan(want) ? isnan(got) : fabs(got - want) <= 1e-9 * fabs(want) + slack;
}

/* Cells of the maps' box that the region covers, in order: those that are not what initValue is. */
static void compare_map(const struct rs_radiomics_map *map, const size_t *cells, size_t count,
                        const struct golden_map *want)
{
	/* PyRadiomics takes the root of an eigenvalue that is rounding where the coefficient is 0. */
	double slack = strstr(map->name, "MCC") != NULL ? 4e-9 : 1e-12, sum = 0;
	size_t nan_count = 0;
	assert_string_equal(map->name, want->name);
	for (size_t i = 0; i < count; i++) {
		nan_count += isnan(map->voxels[cells[i]]) ? 1 : 0;
		sum += isnan(map->voxels[cells[i]]) ? 0 : map->voxels[cells[i]];
	}
	double mean = sum / (double)(count - nan_count);
	if (nan_count != want->nan_count || !near(mean, want->mean, slack) ||
	    !near(map->voxels[cells[1000]], want->at_1000, slack) ||
	    !near(map->voxels[cells[3000]], want->at_3000, slack))
		fail_msg("%s: mean %.17g, PyRadiomics has %.17g; %.17g %.17g, %.17g %.17g", map->name, mean,
		         want->mean, map->voxels[cells[1000]], want->at_1000, map->voxels[cells[3000]],
		         want->at_3000);
}

static void compare_maps(const char *options, const struct golden_map *want, size_t want_count,
                         const struct rs_volume *volume, const struct rs_mask *mask)
{
	struct rs_radiomics_settings settings;
	struct rs_radiomics_maps maps = {0};
	struct rs_pool *pool = NULL;
	struct rs_error err = {0};
	assert_int_equal(rs_pool_create(2, &pool, &err), RS_OK);
	if (rs_radiomics_settings_parse(rs_bytes_of_str(rs_str_from(options)), &settings, &err) != RS_OK ||
	    rs_radiomics_maps(volume, mask, &settings, pool, &maps, &err) != RS_OK)
		fail_msg("%s", err.message);
	const struct rs_geometry *box = &maps.geometry, *whole = &volume->geometry;
	size_t *cells = rs_allocate_array(rs_geometry_voxels(box), sizeof *cells), count = 0, skipped = 0,
	       first[3];
	assert_non_null(cells);
	for (int a = 0; a < 3; a++) /* brain1 is not oblique, but one axis points back */
		first[a] = (size_t)lround((box->origin_mm[a] - whole->origin_mm[a]) /
		                          (whole->direction[a][a] * whole->spacing_mm[a]));
	for (size_t i = 0; i < rs_geometry_voxels(box); i++) {
		size_t x = i % box->size[0] + first[0], y = i / box->size[0] % box->size[1] + first[1];
		size_t z = i / box->size[0] / box->size[1] + first[2];
		if (mask->labels[(z * whole->size[1] + y) * whole->size[0] + x] == 1)
			cells[count++] = i;
	}
	assert_int_equal(count, 4137);
	for (size_t k = 0; k < want_count; k++) {
		skipped += strcmp(maps.list[k + skipped].name, want[k].name) != 0; /* a map it gave up */
		compare_map(&maps.list[k + skipped], cells, count, &want[k]);
	}
	assert_int_equal(want_count + skipped, maps.count);
	rs_free(cells);
	rs_radiomics_maps_finish(&maps);
	rs_pool_destroy(pool);
}

static void maps_are_those_of_pyradiomics(void **state)
{
	(void)state;
	struct rs_volume volume = {0};
	struct rs_mask mask = {0};
	struct rs_error err;
	const char *data = getenv("RADSEAL_DATA");
	if (data == NULL || data[0] == '\0') {
		print_message("RADSEAL_DATA is not set: maps of brain1 not compared\n");
		return;
	}
	char *image = rs_text_printf("%s/radiomics/pyradiomics/brain1_image.nrrd", data);
	char *label = rs_text_printf("%s/radiomics/pyradiomics/brain1_label.nrrd", data);
	assert_int_equal(rs_volume_read(rs_world_system(), image, &volume, &err), RS_OK);
	assert_int_equal(rs_mask_read(rs_world_system(), label, &mask, &err), RS_OK);
	compare_maps("voxelSetting: {kernelRadius: 1}\n", golden_masked, RS_COUNT(golden_masked), &volume,
	             &mask);
	compare_maps("{setting: {binWidth: 50}, voxelSetting: {maskedKernel: false, voxelBatch: 1000}}\n",
	             golden_unmasked, RS_COUNT(golden_unmasked), &volume, &mask);
	compare_maps("setting: {force2D: true, binWidth: 100, distances: [1, 2], gldm_a: 1}\n"
	             "voxelSetting: {kernelRadius: 2, initValue: nan}\nfeatureClass: {firstorder: , glcm: , "
	             "gldm: , glrlm: , glszm: , ngtdm: }\n",
	             golden_flat, RS_COUNT(golden_flat), &volume, &mask);
	rs_volume_finish(&volume);
	rs_mask_finish(&mask);
	rs_free(image);
	rs_free(label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cube_that_holds_the_region_measures_it),
		cmocka_unit_test(maps_lie_where_the_region_is),
		cmocka_unit_test(maps_are_those_of_pyradiomics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
