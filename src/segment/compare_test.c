/* Figures of SimpleITK 2.5.7 (LabelOverlapMeasuresImageFilter: Dice, Jaccard) and of surface-distance 0.1 (the rest) for the
 * same masks. */
#include "segment_test.h"

#include "segment/segment_compare.h"

struct expected {
	uint64_t a, b;
	double dice, jaccard, surface_dice, hausdorff, hausdorff_95, a_to_b, b_to_a;
};

static void assert_close(double found, double expected)
{
	if (!(fabs(found - expected) <= 1e-12 * fmax(1, fabs(expected))))
		fail_msg("%.17g instead of %.17g", found, expected);
}

static void assert_comparison(const struct rs_mask *a, const struct rs_mask *b, double tolerance,
                              const struct expected *e)
{
	struct rs_comparison found;
	assert_int_equal(rs_masks_compare(a, b, 1, tolerance, &found, NULL), RS_OK);
	assert_int_equal(found.voxels_a, e->a);
	assert_int_equal(found.voxels_b, e->b);
	assert_close(found.dice, e->dice);
	assert_close(found.jaccard, e->jaccard);
	assert_close(found.surface_dice, e->surface_dice);
	assert_close(found.hausdorff_mm, e->hausdorff);
	assert_close(found.hausdorff_95_mm, e->hausdorff_95);
	assert_close(found.distance_a_to_b_mm, e->a_to_b);
	assert_close(found.distance_b_to_a_mm, e->b_to_a);
	assert_close(found.average_surface_distance_mm, (e->a_to_b + e->b_to_a) / 2);
}

static void ellipsoids(void **state)
{
	const struct rs_geometry grid = test_grid(40, 36, 14, 0.8, 0.9, 2.5);
	struct rs_mask a = test_ellipsoid(grid, (double[]){15.2, 16.1, 17}, (double[]){9, 7, 11});
	struct rs_mask b = test_ellipsoid(grid, (double[]){16, 17, 18.4}, (double[]){8.2, 8, 9.6});
	(void)state;
	assert_comparison(&a, &b, 1.5,
	                  &(struct expected){1616, 1478, 0.83128636069812534, 0.71128318584070793,
	                                     0.836041628181329, 2.96816441593117, 2.5, 0.658094106651223,
	                                     0.557942136398447});
	rs_mask_finish(&a);
	rs_mask_finish(&b);
}

static struct rs_mask speckle(struct rs_geometry grid, uint64_t seed, uint64_t below)
{
	struct rs_mask mask = test_mask(grid);
	struct rs_stream stream = {seed};
	for (size_t i = 0; i < rs_geometry_voxels(&grid); i++)
		mask.labels[i] = rs_stream_next(&stream) >> 32 < below;
	return mask;
}

/* Most of the 256 neighbourhoods, and surfaces along the end of the grid. */
static void speckles(void **state)
{
	const struct rs_geometry grid = test_grid(9, 8, 7, 0.7, 1.1, 3.3);
	struct rs_mask a = speckle(grid, 1, UINT64_C(1) << 31), b = speckle(grid, 2, UINT64_C(1) << 30);
	(void)state;
	assert_comparison(&a, &b, 0.75,
	                  &(struct expected){273, 114, 0.31007751937984496, 0.1834862385321101,
	                                     0.939185681158163, 3.5, 1.1, 0.216447235532251,
	                                     0.0280113312751965});
	rs_mask_finish(&a);
	rs_mask_finish(&b);
}

static void corners_and_nothing(void **state)
{
	const struct rs_geometry grid = test_grid(4, 4, 4, 1, 1, 2);
	struct rs_mask a = test_mask(grid), b = test_mask(grid),
		       other = test_mask(test_grid(4, 4, 5, 1, 1, 2));
	struct rs_comparison found;
	struct rs_error err;
	(void)state;
	a.labels[0] = b.labels[63] = 1;
	assert_comparison(&a, &b, 1,
	                  &(struct expected){1, 1, 0, 0, 0, 7.34846922834953, 7.34846922834953,
	                                     6.18524747546762, 6.18524747546762});
	b.labels[63] = 0;
	assert_int_equal(rs_masks_compare(&a, &b, 1, 1, &found, NULL), RS_OK);
	assert_true(found.dice == 0 && isnan(found.hausdorff_95_mm) && isnan(found.surface_dice));
	assert_int_equal(rs_masks_compare(&a, &b, 7, 1, &found, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "label 7"));
	assert_int_equal(rs_masks_compare(&a, &other, 1, 1, &found, &err), RS_USAGE);
	rs_mask_finish(&a);
	rs_mask_finish(&b);
	rs_mask_finish(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ellipsoids), cmocka_unit_test(speckles),
	                                   cmocka_unit_test(corners_and_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
