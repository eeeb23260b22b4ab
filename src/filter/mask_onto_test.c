/* Masks carried from grid to grid: where each label must land is known from geometry alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter_resample.h"

static const struct rs_geometry coarse = {
	{4, 3, 2}, {2, 2, 4}, {10, -5, 7}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

static void fill(struct rs_mask *mask)
{
	struct rs_error err;
	assert_int_equal(rs_mask_init(mask, &coarse, &err), RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&coarse); i++)
		mask->labels[i] = (uint32_t)i + 1;
}

/* Twice as fine along every axis, corners aligned: each voxel becomes eight. */
static void a_finer_grid_repeats_labels(void **state)
{
	(void)state;
	struct rs_geometry fine = {{8, 6, 4}, {1, 1, 2}, {9.5, -5.5, 6}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_mask mask, out;
	struct rs_error err;
	fill(&mask);
	assert_int_equal(rs_mask_onto(&fine, &mask, 7, NULL, &out, &err), RS_OK);
	for (size_t z = 0, i = 0; z < 4; z++)
		for (size_t y = 0; y < 6; y++)
			for (size_t x = 0; x < 8; x++, i++)
				assert_int_equal(out.labels[i], (z / 2 * 3 + y / 2) * 4 + x / 2 + 1);
	rs_mask_finish(&mask);
	rs_mask_finish(&out);
}

/* The same places, the image stored with x and y turned and z running the other way. */
static void turned_axes_find_their_labels(void **state)
{
	(void)state;
	struct rs_geometry turned = {{3, 4, 2}, {2, 2, 4}, {10, -5, 11}, {{0, 1, 0}, {1, 0, 0}, {0, 0, -1}}};
	struct rs_mask mask, out;
	struct rs_error err;
	fill(&mask);
	assert_int_equal(rs_mask_onto(&turned, &mask, 7, NULL, &out, &err), RS_OK);
	for (size_t z = 0, i = 0; z < 2; z++)
		for (size_t y = 0; y < 4; y++)
			for (size_t x = 0; x < 3; x++, i++)
				assert_int_equal(out.labels[i], ((1 - z) * 3 + x) * 4 + y + 1);
	rs_mask_finish(&mask);
	rs_mask_finish(&out);
}

static void labels_outside_are_refused(void **state)
{
	(void)state;
	struct rs_geometry small = coarse;
	struct rs_mask mask, out = {0};
	struct rs_error err;
	fill(&mask);
	small.size[0] = 3;
	assert_int_equal(rs_mask_onto(&small, &mask, 4, NULL, &out, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "along x"));
	assert_int_equal(rs_mask_onto(&small, &mask, 99, NULL, &out, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "no label 99"));
	assert_null(out.labels);
	/* what lies outside is of other labels */
	assert_int_equal(rs_mask_onto(&small, &mask, 7, NULL, &out, &err), RS_OK);
	assert_true(out.geometry.size[0] == 3 && out.labels[3] == 5);
	rs_mask_finish(&out);
	rs_mask_finish(&mask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finer_grid_repeats_labels),
		cmocka_unit_test(turned_axes_find_their_labels),
		cmocka_unit_test(labels_outside_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
