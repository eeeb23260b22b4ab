/* Morphology of regions known in closed form, and of regions without length, width or height. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/morphology.h"

enum { BOX_MAX = 4096 };
static uint8_t mask[BOX_MAX], intensity[BOX_MAX];
static double values[BOX_MAX], out[MORPHOLOGY_COUNT];

static struct morphology_input input_of(size_t x, size_t y, size_t z, double sx, double sy, double sz)
{
	memset(mask, 0, sizeof mask);
	memset(intensity, 0, sizeof intensity);
	for (size_t i = 0; i < BOX_MAX; i++)
		values[i] = NAN; /* nothing outside the intensity mask may be read */
	return (struct morphology_input){{x, y, z}, {sx, sy, sz}, mask, intensity, values};
}

static void put(const struct morphology_input *in, size_t x, size_t y, size_t z, double value)
{
	size_t i = (z * in->size[1] + y) * in->size[0] + x;
	mask[i] = intensity[i] = 1;
	values[i] = value;
}

static void measure(const struct morphology_input *in)
{
	struct rs_error err;
	if (morphology_measure(in, NULL, out, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static void assert_value(enum morphology_feature feature, double want)
{
	if (isnan(want) ? !isnan(out[feature]) : !(fabs(out[feature] - want) <= 1e-6 * fabs(want) + 1e-12))
		fail_msg("%s is %.12g, not %.12g", morphology_rows[feature].tag, out[feature], want);
}

/* Its mesh is the octahedron between the middles of its faces. */
static void one_voxel(void **state)
{
	(void)state;
	struct morphology_input in = input_of(5, 4, 3, 2, 3, 4);
	put(&in, 2, 1, 1, 7);
	measure(&in);
	double volume = 2.0 * 3 * 4 / 6;
	double a = 1, b = 1.5, c = 2; /* half the sides; each of 8 faces by the cross product */
	double surface = 4 * sqrt(a * a * b * b + b * b * c * c + c * c * a * a);
	assert_value(MORPHOLOGY_VOLUME, volume);
	assert_value(MORPHOLOGY_VOLUME_COUNTING, 24);
	assert_value(MORPHOLOGY_SURFACE_AREA, surface);
	assert_value(MORPHOLOGY_SURFACE_TO_VOLUME, surface / volume);
	assert_value(MORPHOLOGY_DIAMETER, 4);
	assert_value(MORPHOLOGY_VOLUME_DENSITY_AABB, 1.0 / 6);
	assert_value(MORPHOLOGY_AREA_DENSITY_AABB, surface / 52);
	assert_value(MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL, 1);
	assert_value(MORPHOLOGY_AREA_DENSITY_CONVEX_HULL, 1);
	assert_value(MORPHOLOGY_VOLUME_DENSITY_MVEE, volume / (4 * 3.14159265358979323846 / 3 * a * b * c));
	assert_value(MORPHOLOGY_CENTRE_OF_MASS_SHIFT, 0);
	assert_value(MORPHOLOGY_INTEGRATED_INTENSITY, 7 * volume);
	for (int f = MORPHOLOGY_MAJOR_AXIS; f <= MORPHOLOGY_FLATNESS; f++)
		assert_value((enum morphology_feature)f, NAN);
	assert_value(MORPHOLOGY_VOLUME_DENSITY_AEE, NAN);
	assert_value(MORPHOLOGY_AREA_DENSITY_AEE, NAN);
	assert_value(MORPHOLOGY_MORAN_I, NAN);
	assert_value(MORPHOLOGY_GEARY_C, NAN);
}

/* Variance of n places one apart: (n^2 - 1) / 12, and n / (n - 1) times that for a sample. */
static double axis(double n, double spacing) { return 4 * spacing * sqrt(n * (n + 1) / 12); }

static void a_line_in_each_direction(void **state)
{
	(void)state;
	for (int along = 0; along < 3; along++) {
		const double spacing[3] = {0.5, 1, 2.5};
		struct morphology_input in = input_of(8, 8, 8, spacing[0], spacing[1], spacing[2]);
		for (size_t i = 1; i < 7; i++)
			put(&in, along == 0 ? i : 3, along == 1 ? i : 3, along == 2 ? i : 3, (double)i);
		measure(&in);
		assert_value(MORPHOLOGY_MAJOR_AXIS, axis(6, spacing[along]));
		assert_value(MORPHOLOGY_MINOR_AXIS, 0);
		assert_value(MORPHOLOGY_LEAST_AXIS, 0);
		assert_value(MORPHOLOGY_ELONGATION, 0);
		assert_value(MORPHOLOGY_VOLUME_DENSITY_AEE, NAN);
		assert_value(MORPHOLOGY_AREA_DENSITY_AEE, NAN);
		/* between the tips, or askew between diamonds around the first and the last voxel */
		assert_value(MORPHOLOGY_DIAMETER,
		             fmax(6 * spacing[along], hypot(5 * spacing[along], along == 2 ? 1 : 2.5)));
		assert_value(MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL, 1);
		/* intensity 1 … 6 moves the centre from 3.5 to 91 / 21 */
		assert_value(MORPHOLOGY_CENTRE_OF_MASS_SHIFT, (91.0 / 21 - 3.5) * spacing[along]);
		assert_true(out[MORPHOLOGY_VOLUME_DENSITY_OMBB] > 0 &&
		            out[MORPHOLOGY_VOLUME_DENSITY_MVEE] > 0);
	}
}

/* Rows longer than a machine word, from any bit on. */
static void long_lines(void **state)
{
	(void)state;
	for (size_t length = 60; length < 132; length++)
		for (size_t first = 0; first < 3; first++) {
			struct morphology_input in = input_of(136, 3, 3, 1, 1, 1);
			put(&in, 0, 2, 0, 1); /* keeps the bounding box where it is */
			for (size_t i = 0; i < length; i++)
				put(&in, first + 1 + i, 0, 2, 1);
			measure(&in);
			double n = (double)length;
			assert_value(MORPHOLOGY_VOLUME, (n - 1) / 2 + 2.0 / 6);
			assert_value(MORPHOLOGY_SURFACE_AREA, 2 * sqrt(2) * (n - 1) + 2 * sqrt(3));
			assert_value(MORPHOLOGY_VOLUME_COUNTING, n + 1);
			double end = (double)first + n + 1;
			assert_value(MORPHOLOGY_DIAMETER, sqrt(end * end + 8));
		}
}

static void a_slanting_line_and_plane(void **state)
{
	(void)state;
	struct morphology_input in = input_of(12, 12, 12, 0.7, 0.9, 1.1);
	for (size_t i = 0; i < 10; i++)
		put(&in, i, i, i, 1);
	measure(&in);
	assert_value(MORPHOLOGY_MAJOR_AXIS, axis(10, sqrt(0.49 + 0.81 + 1.21)));
	assert_value(MORPHOLOGY_LEAST_AXIS, 0);
	assert_value(MORPHOLOGY_VOLUME_DENSITY_AEE, NAN);
	assert_value(MORPHOLOGY_MORAN_I, NAN); /* one intensity */
	in = input_of(12, 12, 12, 0.7, 0.9, 1.1);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			put(&in, i, j, i + j, (double)(i * j));
	measure(&in);
	assert_true(out[MORPHOLOGY_MINOR_AXIS] > 0);
	assert_value(MORPHOLOGY_LEAST_AXIS, 0);
	assert_value(MORPHOLOGY_FLATNESS, 0);
	assert_value(MORPHOLOGY_VOLUME_DENSITY_AEE, NAN);
}

/* A block's mesh lacks, of each voxel's length of an edge, a prism of 1/8 voxel, and of each corner's eighth of a
 * voxel all but a pyramid of 1/6 of it. */
static void a_block_in_a_larger_box(void **state)
{
	(void)state;
	const double n[3] = {6, 5, 4}, s[3] = {1, 2, 0.5};
	for (int slack = 0; slack < 3; slack++) {
		struct morphology_input in = input_of(9, 9, 9, s[0], s[1], s[2]);
		for (size_t i = 0; i < 120; i++)
			put(&in, (size_t)slack + i % 6, 2 + i / 6 % 5, 5 - (size_t)slack + i / 30,
			    (double)(i % 7));
		measure(&in);
		double cut = 4 * ((n[0] - 1) + (n[1] - 1) + (n[2] - 1)) / 8 + 8 * (1 - 1.0 / 6) / 8;
		assert_value(MORPHOLOGY_VOLUME, (120 - cut) * s[0] * s[1] * s[2]);
		assert_value(MORPHOLOGY_VOLUME_COUNTING, 120);
		assert_value(MORPHOLOGY_MAJOR_AXIS, 4 * sqrt(24.0 / 12 * 4 * 120 / 119));
		assert_value(MORPHOLOGY_VOLUME_DENSITY_AABB, (120 - cut) / 120);
		assert_value(MORPHOLOGY_VOLUME_DENSITY_OMBB, (120 - cut) / 120);
		assert_value(MORPHOLOGY_AREA_DENSITY_OMBB, out[MORPHOLOGY_AREA_DENSITY_AABB]);
		assert_value(MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL, 1);
		assert_value(MORPHOLOGY_AREA_DENSITY_CONVEX_HULL, 1);
	}
}

static void masks_may_differ(void **state)
{
	(void)state;
	struct rs_error err;
	struct morphology_input in = input_of(6, 6, 6, 1, 1, 1);
	for (size_t i = 0; i < 27; i++)
		put(&in, 1 + i % 3, 1 + i / 3 % 3, 1 + i / 9, 10);
	for (size_t i = 0; i < 216; i++)
		if (i % 6 != 3) /* only the plane x = 3 keeps its intensities */
			intensity[i] = 0;
	measure(&in);
	double volume = out[MORPHOLOGY_VOLUME];
	assert_value(MORPHOLOGY_CENTRE_OF_MASS_SHIFT, 1);
	assert_value(MORPHOLOGY_INTEGRATED_INTENSITY, 10 * volume);
	memset(intensity, 0, sizeof intensity);
	measure(&in);
	assert_value(MORPHOLOGY_VOLUME, volume);
	assert_value(MORPHOLOGY_CENTRE_OF_MASS_SHIFT, NAN);
	assert_value(MORPHOLOGY_INTEGRATED_INTENSITY, NAN);
	assert_value(MORPHOLOGY_GEARY_C, NAN);
	memset(mask, 0, sizeof mask);
	assert_int_equal(morphology_measure(&in, NULL, out, &err), RS_USAGE);
	assert_value(MORPHOLOGY_VOLUME, volume); /* untouched */
}

/* Whatever the region, nothing crashes, and what is a share is one. */
static void every_region_of_a_small_world(void **state)
{
	(void)state;
	static const size_t size[][3] = {{2, 2, 2}, {3, 3, 1}};
	for (size_t s = 0; s < RS_COUNT(size); s++) {
		size_t box = size[s][0] * size[s][1] * size[s][2];
		for (uint32_t choice = 1; choice < 1U << box; choice++) {
			struct morphology_input in = input_of(size[s][0], size[s][1], size[s][2], 1, 1.5, 2);
			for (size_t i = 0; i < box; i++) {
				mask[i] = choice >> i & 1;
				intensity[i] = mask[i] && i % 3 != 0;
				if (intensity[i])
					values[i] = (double)i;
			}
			measure(&in);
			assert_true(out[MORPHOLOGY_VOLUME] >= 0 && out[MORPHOLOGY_SURFACE_AREA] > 0);
			assert_true(out[MORPHOLOGY_VOLUME_DENSITY_OMBB] >=
			            out[MORPHOLOGY_VOLUME_DENSITY_AABB] * (1 - 1e-9));
			assert_true(out[MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL] >=
			            out[MORPHOLOGY_VOLUME_DENSITY_OMBB] * (1 - 1e-9));
			assert_true(out[MORPHOLOGY_VOLUME_DENSITY_MVEE] <=
			            out[MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL]);
		}
	}
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	struct rs_error err;
	struct morphology_input in = input_of(4, 4, 4, 1, 1, 1);
	for (size_t i = 0; i < 20; i++)
		put(&in, i % 4, i / 4 % 4, i / 16, (double)(i * i % 11));
	for (uint64_t k = 1;; k++) {
		out[0] = -5;
		rs_memory_fail_at(k);
		enum rs_code code = morphology_measure(&in, NULL, out, &err);
		rs_memory_fail_at(0);
		if (code == RS_OK)
			break;
		assert_int_equal(code, RS_NO_MEMORY);
		assert_true(k < 200 && out[0] == -5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_voxel),
		cmocka_unit_test(a_line_in_each_direction),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(a_slanting_line_and_plane),
		cmocka_unit_test(a_block_in_a_larger_box),
		cmocka_unit_test(masks_may_differ),
		cmocka_unit_test(every_region_of_a_small_world),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
