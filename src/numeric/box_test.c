/* Smallest boxes: of solids whose box is known in closed form, and of points for which SciPy was let search over
 * all rotations (Nelder & Mead from 150 random ones). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "numeric/numeric_hull.h"

enum { POINTS_MAX = 600 };
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

static double dot(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/* At right angles, and as wide as the points are along each axis. */
static void assert_holds(const struct rs_oriented_box *box, size_t count, const double unit[3])
{
	for (int a = 0; a < 3; a++) {
		double low = INFINITY, high = -INFINITY;
		for (int b = 0; b < 3; b++)
			assert_true(fabs(dot(box->axis[a], box->axis[b]) - (a == b)) < 1e-9);
		for (size_t i = 0; i < count; i++) {
			const double at[3] = {points[i][0] * unit[0], points[i][1] * unit[1],
			                      points[i][2] * unit[2]};
			low = fmin(low, dot(at, box->axis[a]));
			high = fmax(high, dot(at, box->axis[a]));
		}
		assert_true(fabs(high - low - box->side[a]) < 1e-9 * box->side[0]);
		assert_true(a == 0 || box->side[a] <= box->side[a - 1]);
	}
}

static void check(size_t count, const double unit[3], double volume)
{
	struct rs_hull hull;
	struct rs_oriented_box box;
	struct rs_error err;
	assert_int_equal(rs_hull_build((const int32_t(*)[3])points, count, &hull, &err), RS_OK);
	assert_int_equal(rs_hull_box(&hull, unit, &box, &err), RS_OK);
	rs_hull_finish(&hull);
	assert_holds(&box, count, unit);
	double got = box.side[0] * box.side[1] * box.side[2];
	if (!(fabs(got - volume) <= 1e-9 * volume))
		fail_msg("%.15g is not %.15g", got, volume);
}

static void boxes_are_found_again(void **state)
{
	(void)state;
	/* along (1, 2, 2), (2, 1, -2), (2, -2, 1), each of length 3 */
	static const int side[3] = {7, 4, 2};
	for (int i = 0; i < 8; i++) {
		int a = side[0] * (i & 1), b = side[1] * (i >> 1 & 1), c = side[2] * (i >> 2);
		points[i][0] = a + 2 * b + 2 * c;
		points[i][1] = 2 * a + b - 2 * c + 20;
		points[i][2] = 2 * a - 2 * b + c + 20;
	}
	check(8, (const double[3]){1, 1, 1}, 27 * 7 * 4 * 2);
	for (int i = 0; i < 27; i++) {
		points[i][0] = 5 * (i % 3);
		points[i][1] = 3 * (i / 3 % 3);
		points[i][2] = i / 9;
	}
	check(27, (const double[3]){1, 2, 0.25}, 10 * 12 * 0.5);
}

static void known_solids(void **state)
{
	(void)state;
	static const int32_t tetrahedron[4][3] = {{0, 0, 0}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}};
	memcpy(points, tetrahedron, sizeof tetrahedron);
	check(4, (const double[3]){3, 3, 3}, 27); /* O'Rourke (1985): the cube, no face of it on a face */
	static const int32_t octahedron[6][3] = {{0, 1, 1}, {2, 1, 1}, {1, 0, 1},
	                                         {1, 2, 1}, {1, 1, 0}, {1, 1, 2}};
	memcpy(points, octahedron, sizeof octahedron);
	/* along (1, 2, 2), (2, 1, -2), (2, -2, 1) it is 4/3 wide; flat on a face its box has 8/3 */
	check(6, (const double[3]){1, 1, 1}, 64.0 / 27);
}

static void no_search_finds_a_smaller_one(void **state)
{
	(void)state;
	const double one[3] = {1, 1, 1};
	fill(1, 500, 1000);
	check(500, one, 984156933.907826);
	check(500, (const double[3]){0.75, 0.875, 2.5}, 1617992173.1515);
	fill(3, 40, 6);
	check(40, one, 125);
	fill(11, 12, 50);
	check(12, (const double[3]){1, 2, 0.5}, 64878.2542400424);
	fill(12, 8, 9);
	check(8, one, 219.773584905948);
	fill(13, 5, 30);
	check(5, one, 2966.90861492283);
	fill(14, 4, 30);
	check(4, (const double[3]){0.5, 1, 3}, 579.18135075424);
	fill(3688834691, 16,
	     30); /* no face of these boxes holds a face, and no two opposite ones an edge each */
	check(16, one, 14669.0635028451);
	fill(3678111170, 22, 30);
	check(22, one, 21272.1207147829);
	fill(1630921133, 12, 1000);
	check(12, one, 444963437.23925745);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_are_found_again),
		cmocka_unit_test(known_solids),
		cmocka_unit_test(no_search_finds_a_smaller_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
