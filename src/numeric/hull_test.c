/* Hulls against scipy.spatial.ConvexHull (Qhull) on the same points, against solids known in closed form, and
 * against what every hull must be; boxes and ellipsoids against solids and against slow searches by SciPy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "numeric/numeric_hull.h"

enum { POINTS_MAX = 9500 };
static int32_t points[POINTS_MAX][3];

/* The same sequence as in the Python that made the reference values. */
static void fill(uint32_t seed, size_t count, uint32_t modulus)
{
	uint32_t x = seed;
	for (size_t i = 0; i < 3 * count; i++) {
		x = x * 1664525U + 1013904223U;
		points[i / 3][i % 3] = (int32_t)((x >> 8) % modulus);
	}
}

/* Lattice points of 0 … 20 cubed with |x| + |y| + |z| <= 10 (octahedron) or x² + y² + z² <= 100 about the middle. */
static size_t fill_solid(bool octahedron)
{
	size_t n = 0;
	for (int x = -10; x <= 10; x++)
		for (int y = -10; y <= 10; y++)
			for (int z = -10; z <= 10; z++)
				if (octahedron ? abs(x) + abs(y) + abs(z) <= 10
				               : x * x + y * y + z * z <= 100) {
					const int32_t at[3] = {x + 10, y + 10, z + 10};
					memcpy(points[n++], at, sizeof at);
				}
	return n;
}

static void assert_near(double got, double want, double relative)
{
	if (!(fabs(got - want) <= relative * fabs(want)))
		fail_msg("%.17g is not %.17g", got, want);
}

/* Closed, oriented, convex: each side is shared with the neighbour named, and no point is above a triangle. */
static void assert_is_hull(const struct rs_hull *hull, size_t count)
{
	assert_int_equal(hull->triangle_count, 2 * hull->vertex_count - 4);
	for (size_t t = 0; t < hull->triangle_count; t++) {
		const struct rs_hull_triangle *triangle = &hull->triangles[t];
		double u[3], v[3], n[3];
		for (unsigned i = 0; i < 3; i++) {
			const struct rs_hull_triangle *other = &hull->triangles[triangle->neighbour[i]];
			bool found = false;
			for (unsigned k = 0; k < 3; k++)
				found |= other->vertex[k] == triangle->vertex[(i + 1) % 3] &&
				         other->vertex[(k + 1) % 3] == triangle->vertex[i] &&
				         other->neighbour[k] == t;
			assert_true(found);
		}
		const int32_t *a = hull->vertices[triangle->vertex[0]],
			      *b = hull->vertices[triangle->vertex[1]],
			      *c = hull->vertices[triangle->vertex[2]];
		for (int i = 0; i < 3; i++) {
			u[i] = b[i] - a[i];
			v[i] = c[i] - a[i];
		}
		for (int i = 0; i < 3; i++)
			n[i] = u[(i + 1) % 3] * v[(i + 2) % 3] - u[(i + 2) % 3] * v[(i + 1) % 3];
		assert_true(n[0] * n[0] + n[1] * n[1] + n[2] * n[2] > 0);
		for (size_t i = 0; i < count; i++) /* exact in doubles for the coordinates used here */
			assert_true(n[0] * (points[i][0] - a[0]) + n[1] * (points[i][1] - a[1]) +
			                    n[2] * (points[i][2] - a[2]) <=
			            (points[i][0] > 100000 || a[0] > 100000 ? 1e3 : 0));
	}
}

static void check(size_t count, const double unit[3], size_t corners, double area, double volume,
                  double diameter)
{
	struct rs_hull hull = {0};
	struct rs_error err;
	double got_area, got_volume, squared;
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, count, &hull, &err), RS_OK);
	assert_is_hull(&hull, count);
	assert_int_equal(hull.corner_count, corners);
	rs_hull_measure(&hull, unit, &got_area, &got_volume);
	assert_near(got_area, area, 1e-12);
	assert_near(got_volume, volume, 1e-12);
	double(*at)[3] = rs_hull_corners(&hull, unit);
	assert_non_null(at);
	assert_int_equal(rs_farthest_squared((const double(*)[3])at, hull.corner_count,
	                                     (const double[3]){0, 0, 0}, &squared, &err),
	                 RS_OK);
	assert_near(sqrt(squared), diameter, 1e-14);
	rs_free(at);
	rs_hull_finish(&hull);
}

static void hull_agrees_with_qhull(void **state)
{
	(void)state;
	fill(1, 500, 1000);
	check(500, (const double[3]){1, 1, 1}, 60, 4945518.427403247, 866521691.99999976, 1515.6747672241561);
	check(500, (const double[3]){0.75, 0.875, 2.5}, 60, 7907975.6601696946, 1421637150.9375,
	      2648.7233039003904);
	size_t n = fill_solid(false);
	check(n, (const double[3]){1, 1, 1}, 198, 1216.7606562379231, 3954.6666666666652, 20);
	check(n, (const double[3]){0.5, 2, 1}, 198, 1535.2918131858087, 3954.6666666666661, 40);
	fill(3, 40, 6);
	check(40, (const double[3]){1, 1, 1}, 16, 120.54264770651747, 102.16666666666667, 8.1240384046359608);
	fill(7, 300, 1048576);
	static const int32_t far[3][3] = {
		{0, 0, 0}, {1048576, 1048576, 1048576}, {1048576, 0, 0}}; /* the limits */
	memcpy(points[300], far, sizeof far);
	check(303, (const double[3]){1, 1, 1}, 30, 5891272033450.1514, 1.0538252603609014e+18,
	      1816186.907597343);
}

static void flat_faces_have_no_corners_inside(void **state)
{
	(void)state;
	size_t n = fill_solid(true);
	check(n, (const double[3]){1, 1, 1}, 6, 400 * sqrt(3), 4000.0 / 3, 20);
	n = 0;
	for (int i = 0; i < 9 * 9 * 9; i++, n++) { /* all points of a cube, in an order that begins inside */
		int k = (i + 364) % 729;
		const int32_t at[3] = {k % 9, k / 9 % 9, k / 81};
		memcpy(points[n], at, sizeof at);
	}
	check(n, (const double[3]){1, 2, 3}, 8, 2 * 64 * (2 + 3 + 6), 512 * 6, 8 * sqrt(14));
	memcpy(points[n], points, n * sizeof *points); /* every point twice */
	check(2 * n, (const double[3]){1, 2, 3}, 8, 2 * 64 * (2 + 3 + 6), 512 * 6, 8 * sqrt(14));
}

/* All 2^18 choices of up to 18 points of a small lattice would be many: every 97th of them. */
static void every_small_set_has_a_hull_or_is_flat(void **state)
{
	(void)state;
	struct rs_error err;
	size_t built = 0, flat = 0;
	for (uint32_t choice = 1; choice < 1U << 18; choice += 97) {
		size_t n = 0;
		for (int i = 0; i < 18; i++)
			if (choice >> i & 1) {
				const int32_t at[3] = {i % 3, i / 3 % 3, i / 9};
				memcpy(points[n++], at, sizeof at);
			}
		struct rs_hull hull = {0};
		enum rs_code code = rs_hull_build((const int32_t(*)[3])points, n, &hull, &err);
		if (code == RS_OK)
			assert_is_hull(&hull, n);
		else
			assert_int_equal(code, RS_REFUSED);
		bool upper = choice >> 9 != 0, lower = (choice & 511) != 0;
		if (!upper || !lower)
			assert_int_equal(code, RS_REFUSED);
		code == RS_OK ? built++ : flat++;
		rs_hull_finish(&hull);
	}
	assert_true(built > 2000 && flat > 5);
}

static void what_has_no_hull_is_refused(void **state)
{
	(void)state;
	struct rs_hull hull = {0};
	struct rs_error err;
	for (int i = 0; i < 100; i++) { /* a plane, a line, a point */
		points[i][0] = i % 10;
		points[i][1] = i / 10;
		points[i][2] = 2 * (i % 10) + 3 * (i / 10);
	}
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, 100, &hull, &err), RS_REFUSED);
	assert_string_equal(err.message,
	                    "100 points lie in one plane and have no convex hull in three dimensions");
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, 10, &hull, &err), RS_REFUSED);
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, 1, &hull, &err), RS_REFUSED);
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, 0, &hull, &err), RS_REFUSED);
	points[99][2] = RS_HULL_EXTENT_MAX + 1;
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, 100, &hull, &err), RS_TOO_LARGE);
	points[99][2] = -1;
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, 100, &hull, &err), RS_TOO_LARGE);
	assert_null(hull.vertices);
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	struct rs_hull hull = {0};
	struct rs_error err;
	struct rs_oriented_box box;
	fill(1, 500, 1000);
	for (uint64_t k = 1;; k++) {
		rs_memory_fail_at(k);
		enum rs_code code = rs_hull_build((const int32_t(*)[3])points, 500, &hull, &err);
		if (code == RS_OK)
			code = rs_hull_box(&hull, (const double[3]){1, 1, 1}, &box, &err);
		rs_memory_fail_at(0);
		rs_hull_finish(&hull);
		if (code == RS_OK)
			break;
		assert_int_equal(code, RS_NO_MEMORY);
		assert_true(k < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hull_agrees_with_qhull),
		cmocka_unit_test(flat_faces_have_no_corners_inside),
		cmocka_unit_test(every_small_set_has_a_hull_or_is_flat),
		cmocka_unit_test(what_has_no_hull_is_refused),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
