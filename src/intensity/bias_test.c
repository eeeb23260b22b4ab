/* A field that was multiplied on is found. */
#include <stdlib.h>

#include "lattice.h"
#include "phantom.h"

static struct rs_volume volume;
static double *field;

static size_t voxels(void) { return rs_geometry_voxels(&volume.geometry); }

/* How far the found field is off in the body, relative, after their means are laid on one another. */
static double error_of(const double *found)
{
	double mean = 0, squares = 0, n = 0;
	size_t i = 0;
	for (size_t z = 0; z < PHANTOM_Z; z++)
		for (size_t y = 0; y < PHANTOM_Y; y++)
			for (size_t x = 0; x < PHANTOM_X; x++, i++) {
				if (tissue_at(x, y, z) == 0)
					continue;
				double off = log(found[i]) - log(coil_at(x, y, z));
				mean += off;
				squares += off * off;
				n++;
			}
	return sqrt(squares / n - mean / n * mean / n);
}

static void the_field_is_found(void **state)
{
	const struct rs_bias how = RS_BIAS_DEFAULT;
	double *none = rs_allocate_array(voxels(), sizeof *none);
	(void)state;
	assert_non_null(none);
	for (size_t i = 0; i < voxels(); i++)
		none[i] = 1;
	assert_int_equal(rs_bias_field(&volume, NULL, &how, NULL, field, NULL), RS_OK);
	print_message("# without %.4f, with %.4f\n", error_of(none), error_of(field));
	assert_true(error_of(none) > 0.13);
	assert_true(error_of(field) < 0.01);
	rs_free(none);
}

static void a_scan_without_field_stays(void **state)
{
	const struct rs_bias how = RS_BIAS_DEFAULT;
	struct rs_volume even;
	double low = INFINITY, high = 0;
	(void)state;
	phantom_make(&even, false, 2, 5);
	assert_int_equal(rs_bias_field(&even, NULL, &how, NULL, field, NULL), RS_OK);
	for (size_t i = 0; i < voxels(); i++) {
		if (even.voxels[i] < 30)
			continue;
		low = field[i] < low ? field[i] : low;
		high = field[i] > high ? field[i] : high;
	}
	assert_true(high / low < 1.15);
	rs_volume_finish(&even);
}

static void threads_change_no_bit(void **state)
{
	struct rs_bias how = RS_BIAS_DEFAULT;
	struct rs_pool *pool;
	double *other = rs_allocate_array(voxels(), sizeof *other);
	(void)state;
	assert_non_null(other);
	how.levels = 2;
	assert_int_equal(rs_pool_create(3, &pool, NULL), RS_OK);
	assert_int_equal(rs_bias_field(&volume, NULL, &how, NULL, field, NULL), RS_OK);
	assert_int_equal(rs_bias_field(&volume, NULL, &how, pool, other, NULL), RS_OK);
	assert_memory_equal(field, other, voxels() * sizeof *field);
	rs_pool_destroy(pool);
	rs_free(other);
}

/* A refined spline is the same spline; what is approached through many equal points is about as high. */
static void splines(void **state)
{
	static const size_t size[3] = {31, 17, 5}, every[3] = {1, 1, 1}, elements[3] = {4, 2, 1};
	const size_t count = size[0] * size[1] * size[2];
	double *values = rs_allocate_array(2 * count, sizeof *values), *after = values + count;
	struct rs_lattice lattice;
	struct grid_reach grid;
	struct rs_stream random = {3};
	(void)state;
	assert_non_null(values);
	assert_int_equal(rs_lattice_init(&lattice, elements, NULL), RS_OK);
	for (size_t i = 0; i < lattice.size[0] * lattice.size[1] * lattice.size[2]; i++)
		lattice.control[i] = rs_stream_unit(&random);
	assert_int_equal(grid_reach_init(&grid, size, every, lattice.elements, NULL), RS_OK);
	assert_int_equal(lattice_values(&lattice, &grid, NULL, values, NULL), RS_OK);
	grid_reach_finish(&grid);
	assert_int_equal(rs_lattice_refine(&lattice, 7, NULL), RS_OK);
	assert_int_equal(lattice.elements[0], 8);
	assert_int_equal(grid_reach_init(&grid, size, every, lattice.elements, NULL), RS_OK);
	assert_int_equal(lattice_values(&lattice, &grid, NULL, after, NULL), RS_OK);
	for (size_t i = 0; i < count; i++)
		assert_true(fabs(values[i] - after[i]) < 1e-12);
	rs_lattice_finish(&lattice);
	assert_int_equal(rs_lattice_init(&lattice, (const size_t[3]){8, 4, 2}, NULL), RS_OK);
	for (size_t i = 0; i < count; i++)
		values[i] = i % 7 ? 5 : NAN;
	assert_int_equal(lattice_approach(&lattice, &grid, values, NULL), RS_OK);
	assert_int_equal(lattice_values(&lattice, &grid, NULL, after, NULL), RS_OK);
	for (size_t i = 0; i < count; i++)
		assert_in_range((unsigned)after[i], 4, 9); /* points on a knot weigh (11/9)^3 of it */
	grid_reach_finish(&grid);
	rs_lattice_finish(&lattice);
	rs_free(values);
}

static void what_cannot_be_is_refused(void **state)
{
	struct rs_bias how = RS_BIAS_DEFAULT;
	uint8_t *region = rs_allocate_array(voxels(), 1);
	struct rs_volume flat;
	(void)state;
	assert_non_null(region);
	for (size_t i = 0; i < voxels(); i++)
		region[i] = i < 50;
	assert_int_equal(rs_bias_field(&volume, region, &how, NULL, field, NULL), RS_REFUSED);
	how.levels = 7;
	assert_int_equal(rs_bias_field(&volume, NULL, &how, NULL, field, NULL), RS_USAGE);
	how = (struct rs_bias)RS_BIAS_DEFAULT;
	phantom_make(&flat, false, 0, 1);
	for (size_t i = 0; i < voxels(); i++) {
		flat.voxels[i] = 3;
		region[i] = 1;
	}
	assert_int_equal(rs_bias_field(&flat, region, &how, NULL, field, NULL), RS_REFUSED);
	rs_volume_finish(&flat);
	rs_free(region);
}

static int make(void **state)
{
	(void)state;
	phantom_make(&volume, true, 2, 1);
	field = rs_allocate_array(voxels(), sizeof *field);
	return field ? 0 : 1;
}

static int drop(void **state)
{
	(void)state;
	rs_volume_finish(&volume);
	rs_free(field);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_field_is_found),        cmocka_unit_test(a_scan_without_field_stays),
		cmocka_unit_test(threads_change_no_bit),     cmocka_unit_test(splines),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
