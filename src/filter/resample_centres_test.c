/* Resampling with aligned centres, against SciPy's map_coordinates (mode nearest) and what splines must keep. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter_resample.h"

#define IDENTITY                                  \
	{                                         \
		{1, 0, 0}, {0, 1, 0}, { 0, 0, 1 } \
	}

static struct rs_volume volume_of(size_t x, size_t y, size_t z, double sx, double sy, double sz)
{
	struct rs_geometry geometry = {{x, y, z}, {sx, sy, sz}, {0, 0, 0}, IDENTITY};
	struct rs_volume volume;
	struct rs_error err;
	assert_int_equal(rs_volume_init(&volume, &geometry, &err), RS_OK);
	for (size_t i = 0; i < x * y * z; i++)
		volume.voxels[i] = (double)(i * 7919 % 1013) - 500;
	return volume;
}

static void voxels_are_those_of_scipy(void **state)
{
	(void)state;
	static const struct {
		unsigned order;
		double expected[4]; /* first, middle, last, sum */
	} cases[] = {
		{0, {-500, -69, -272, 3317}},
		{1, {-500, -4.3333333333333144, -272, 1826.2016666666673}},
		{3, {-618.58972769679826, -59.265205799788383, -384.61915993004186, 2030.3884353856483}}};
	const double spacing_mm[3] = {0.7, 1.3, 2};
	struct rs_pool *pool = NULL;
	struct rs_error err;
	assert_int_equal(rs_pool_create(2, &pool, &err), RS_OK);
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(4, 3, 5, 1, 2, 1.5), out;
		assert_int_equal(rs_resample_centres(&volume, spacing_mm, cases[c].order, c % 2 ? pool : NULL,
		                                     &out, &err),
		                 RS_OK);
		assert_int_equal(out.geometry.size[0], 6);
		assert_int_equal(out.geometry.size[1], 5);
		assert_int_equal(out.geometry.size[2], 4);
		assert_true(fabs(out.geometry.origin_mm[0] + 0.25) < 1e-12);
		assert_true(fabs(out.geometry.origin_mm[1] + 0.6) < 1e-12);
		assert_true(fabs(out.geometry.origin_mm[2]) < 1e-12);
		double sum = 0;
		for (size_t i = 0; i < 120; i++)
			sum += out.voxels[i];
		const double got[] = {out.voxels[0], out.voxels[60], out.voxels[119], sum};
		for (int k = 0; k < 4; k++)
			if (!(fabs(got[k] - cases[c].expected[k]) < 1e-9))
				fail_msg("order %u, number %d: %.17g, expected %.17g", cases[c].order, k,
				         got[k], cases[c].expected[k]);
		rs_volume_finish(&volume);
		rs_volume_finish(&out);
	}
	rs_pool_destroy(pool);
}

/* Far from the edges a straight slope stays what it is, at any order above 0. */
static void slopes_are_kept(void **state)
{
	(void)state;
	for (unsigned order = 1; order <= 3; order += 2) {
		struct rs_volume volume = volume_of(80, 1, 70, 0.8, 3, 1.1), out;
		struct rs_error err;
		for (size_t i = 0; i < 80 * 70; i++)
			volume.voxels[i] = 2 * 0.8 * (double)(i % 80) - 3 * 1.1 * (double)(i / 80);
		assert_int_equal(
			rs_resample_centres(&volume, (const double[3]){1, 3, 0.9}, order, NULL, &out, &err),
			RS_OK);
		assert_int_equal(out.geometry.size[1], 1);
		for (size_t z = 30; z < 55; z++)
			for (size_t x = 25; x < 40; x++) {
				double px = out.geometry.origin_mm[0] + (double)x,
				       pz = out.geometry.origin_mm[2] + 0.9 * (double)z;
				double got = out.voxels[z * out.geometry.size[0] + x];
				assert_true(fabs(got - (2 * px - 3 * pz)) < 1e-9);
			}
		rs_volume_finish(&volume);
		rs_volume_finish(&out);
	}
}

/* Counts are rounded up, but not because a quotient of headers' numbers came out a hair too large. */
static void counts_are_rounded_up(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		double old_mm, new_mm;
		size_t count;
	} cases[] = {{204, 0.977, 2, 100}, {201, 0.977, 2, 99}, {60, 3, 2, 90}, {10, 0.3, 0.1, 30},
	             {7, 1, 10, 1},        {10, 0.3F, 0.1, 30}, {3, 2, 0, 3},   {5, 1, 0.9, 6}};
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(cases[c].n, 1, 1, cases[c].old_mm, 1, 1), out;
		struct rs_error err;
		assert_int_equal(rs_resample_centres(&volume, (const double[3]){cases[c].new_mm, 0, 1}, 3,
		                                     NULL, &out, &err),
		                 RS_OK);
		assert_int_equal(out.geometry.size[0], cases[c].count);
		double centre = out.geometry.origin_mm[0] +
		                ((double)cases[c].count - 1) / 2 * out.geometry.spacing_mm[0];
		assert_true(fabs(centre - ((double)cases[c].n - 1) / 2 * cases[c].old_mm) < 1e-9);
		rs_volume_finish(&volume);
		rs_volume_finish(&out);
	}
}

static void nothing_changes_nothing(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, 1, 2, 3), out;
	struct rs_error err;
	assert_int_equal(rs_resample_centres(&volume, (const double[3]){0, 2, 3}, 3, NULL, &out, &err),
	                 RS_OK);
	assert_memory_equal(out.voxels, volume.voxels, 60 * sizeof(double));
	assert_memory_equal(&out.geometry, &volume.geometry, sizeof out.geometry);
	rs_volume_finish(&volume);
	rs_volume_finish(&out);
}

/* Half of a voxel's width covered: the threshold itself counts as inside. */
static void labels_take_their_half(void **state)
{
	(void)state;
	struct rs_geometry geometry = {{6, 1, 1}, {1, 1, 1}, {0, 0, 0}, IDENTITY};
	static const uint32_t labels[6] = {0, 7, 7, 7, 2, 0};
	/* 0.5 mm: 12 voxels at -0.25, 0.25 …; the coverage of label 7 is 0.75 beside its borders */
	static const uint32_t finer[12] = {0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
	/* 2 mm: 3 voxels at 0.5, 2.5 and 4.5: half, whole, none */
	static const uint32_t coarser[3] = {1, 1, 0};
	struct rs_mask mask, out;
	struct rs_error err;
	assert_int_equal(rs_mask_init(&mask, &geometry, &err), RS_OK);
	memcpy(mask.labels, labels, sizeof labels);
	assert_int_equal(
		rs_resample_label_centres(&mask, 7, (const double[3]){0.5, 0, 0}, 1, 0.75, NULL, &out, &err),
		RS_OK);
	assert_int_equal(out.geometry.size[0], 12);
	assert_memory_equal(out.labels, finer, sizeof finer);
	rs_mask_finish(&out);
	assert_int_equal(
		rs_resample_label_centres(&mask, 7, (const double[3]){2, 0, 0}, 1, 0.5, NULL, &out, &err),
		RS_OK);
	assert_int_equal(out.geometry.size[0], 3);
	assert_memory_equal(out.labels, coarser, sizeof coarser);
	assert_int_equal(out.name_count, 0);
	rs_mask_finish(&out);
	rs_mask_finish(&mask);
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, 1, 2, 3), out = {0};
	struct rs_error err;
	assert_int_equal(rs_resample_centres(&volume, (const double[3]){1, 1, 1}, 2, NULL, &out, &err),
	                 RS_USAGE);
	assert_int_equal(rs_resample_centres(&volume, (const double[3]){1, 1, -1}, 3, NULL, &out, &err),
	                 RS_USAGE);
	assert_int_equal(rs_resample_centres(&volume, (const double[3]){1, NAN, 1}, 3, NULL, &out, &err),
	                 RS_USAGE);
	assert_int_equal(
		rs_resample_centres(&volume, (const double[3]){1e-4, 1e-4, 1e-4}, 3, NULL, &out, &err),
		RS_REFUSED);
	assert_null(out.voxels);
	rs_volume_finish(&volume);
}

static void lack_of_memory_is_told(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, 1, 2, 3), out;
	struct rs_error err;
	enum rs_code code = RS_NO_MEMORY;
	unsigned k = 0;
	while (code == RS_NO_MEMORY) {
		rs_memory_fail_at(++k);
		code = rs_resample_centres(&volume, (const double[3]){2, 1, 1}, 3, NULL, &out, &err);
	}
	rs_memory_fail_at(0);
	assert_int_equal(code, RS_OK);
	assert_true(k > 6);
	rs_volume_finish(&volume);
	rs_volume_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(voxels_are_those_of_scipy), cmocka_unit_test(slopes_are_kept),
		cmocka_unit_test(counts_are_rounded_up),     cmocka_unit_test(nothing_changes_nothing),
		cmocka_unit_test(labels_take_their_half),    cmocka_unit_test(wrong_calls_are_refused),
		cmocka_unit_test(lack_of_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
