/* Smallest ellipsoids: in closed form, and by another algorithm (multiplicative weights, in NumPy, to 1e-10);
 * the series of their surface against SciPy's Legendre polynomials. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "numeric/numeric_hull.h"

enum { POINTS_MAX = 600 };
static double points[POINTS_MAX][3];

/* The same sequence as in the Python that made the reference values. */
static void fill(uint32_t seed, size_t count, uint32_t modulus, const double unit[3])
{
	uint32_t x = seed;
	for (size_t i = 0; i < 3 * count; i++) {
		x = x * 1664525U + 1013904223U;
		points[i / 3][i % 3] = (x >> 8) % modulus * unit[i % 3];
	}
}

static void check(size_t count, double a, double b, double c)
{
	const double want[3] = {a, b, c};
	double got[3], ratio = 1;
	struct rs_error err;
	assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, count, 1e-7, got, &err), RS_OK);
	for (int i = 0; i < 3; i++) {
		ratio *= got[i] / want[i];
		if (!(fabs(got[i] - want[i]) <= 1e-3 * want[i])) /* axes settle later than the volume */
			fail_msg("semi-axis %d is %.12g, not %.12g", i, got[i], want[i]);
	}
	if (!(fabs(ratio - 1) <= 3e-7))
		fail_msg("volume times %.12g", ratio);
}

static void closed_forms(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) /* corners of a box: semi-axes are root 3 times half the sides */
		for (int a = 0; a < 3; a++)
			points[i][a] = 10 + (i >> a & 1) * (a + 1.0);
	check(8, 1.5 * sqrt(3), sqrt(3), 0.5 * sqrt(3));
	for (int i = 0; i < 8; i++) { /* a needle */
		points[i][0] = 2e7 * (i & 1);
		points[i][1] = i >> 1 & 1;
		points[i][2] = 0.5 * (i >> 2);
	}
	check(8, 1e7 * sqrt(3), 0.5 * sqrt(3), 0.25 * sqrt(3));
	for (int i = 0; i < 6; i++) /* tips of the axes, a point at the middle, a point twice */
		for (int a = 0; a < 3; a++)
			points[i][a] = i / 2 == a ? (i % 2 == 0 ? -4.0 : 4.0) / (a + 1) : 0;
	for (int a = 0; a < 3; a++) {
		points[6][a] = 0;
		points[7][a] = points[0][a];
	}
	check(8, 4, 2, 4.0 / 3);
}

static void agrees_with_another_algorithm(void **state)
{
	(void)state;
	const double one[3] = {1, 1, 1};
	fill(1, 500, 1000, one);
	check(500, 801.071863184, 753.179961894, 687.49620771);
	fill(1, 500, 1000, (const double[3]){0.75, 0.875, 2.5});
	check(500, 1796.03972373, 655.109552741, 578.388962795);
	fill(3, 40, 6, one);
	check(40, 4.31035267971, 3.85600828304, 3.4244037431);
	fill(11, 12, 50, (const double[3]){1, 2, 0.5});
	check(12, 62.5721528805, 20.9277631821, 15.0936503179);
	fill(12, 8, 9, one);
	check(8, 5.90319935393, 4.97916346636, 2.42812431285);
	fill(13, 5, 30, one);
	check(5, 19.6450018019, 13.0407155539, 3.16801913667);
	fill(14, 4, 30, (const double[3]){0.5, 1, 3});
	check(4, 46.0845140283, 3.3200724744, 1.39451982513);
}

static void points_in_a_plane_have_none(void **state)
{
	(void)state;
	double axes[3];
	struct rs_error err;
	fill(5, 50, 100, (const double[3]){1, 1, 0});
	assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, 50, 1e-3, axes, &err), RS_REFUSED);
	fill(5, 50, 100, (const double[3]){0, 1, 0});
	assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, 50, 1e-3, axes, &err), RS_REFUSED);
	fill(5, 50, 100, (const double[3]){0, 0, 0});
	assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, 50, 1e-3, axes, &err), RS_REFUSED);
	assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, 1, 1e-3, axes, &err), RS_REFUSED);
	assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, 0, 1e-3, axes, &err), RS_REFUSED);
	for (uint64_t k = 1; k <= 3; k++) {
		rs_memory_fail_at(k);
		assert_int_equal(rs_ellipsoid_minimum((const double(*)[3])points, 50, 1e-3, axes, &err),
		                 RS_NO_MEMORY);
		rs_memory_fail_at(0);
	}
}

static void surface_series(void **state)
{
	(void)state;
	static const double cases[][4] = {
		{3, 2, 1, 52.81348101202416},
		{5, 1.2, 1, 41.95907951832291},
		{5, 4.9, 0.1, 239.751547351469},
		{100, 1, 0.9, 643.7566148514289},
	};
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		assert_true(fabs(rs_ellipsoid_surface(cases[i], 21) / cases[i][3] - 1) < 1e-13);
	const double ball[3] = {2, 2, 2};
	assert_true(fabs(rs_ellipsoid_surface(ball, 21) - 16 * 3.14159265358979323846) < 1e-13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_forms),
		cmocka_unit_test(agrees_with_another_algorithm),
		cmocka_unit_test(points_in_a_plane_have_none),
		cmocka_unit_test(surface_series),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
