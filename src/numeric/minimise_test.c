/* Minima that are known: Moré, Garbow and Hillstrom, ACM TOMS 7 (1981) 17, problems 1, 5, 13 and 14, from their starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "numeric/numeric_minimise.h"

#define COUNT 4

/* Sums of squares: residuals and, row by row, how they change. */
typedef size_t residuals(const double *x, double *r, double (*j)[COUNT]);

static size_t rosenbrock(const double *x, double *r, double (*j)[COUNT])
{
	r[0] = 10 * (x[1] - x[0] * x[0]), r[1] = 1 - x[0];
	j[0][0] = -20 * x[0], j[0][1] = 10, j[1][0] = -1;
	return 2;
}

static size_t beale(const double *x, double *r, double (*j)[COUNT])
{
	static const double y[] = {1.5, 2.25, 2.625};
	for (size_t i = 0; i < 3; i++) {
		const double power = pow(x[1], (double)i + 1);
		r[i] = y[i] - x[0] * (1 - power);
		j[i][0] = power - 1, j[i][1] = x[0] * ((double)i + 1) * pow(x[1], (double)i);
	}
	return 3;
}

static size_t powell(const double *x, double *r, double (*j)[COUNT])
{
	const double a = x[1] - 2 * x[2], b = x[0] - x[3];
	r[0] = x[0] + 10 * x[1], r[1] = sqrt(5) * (x[2] - x[3]), r[2] = a * a, r[3] = sqrt(10) * b * b;
	j[0][0] = 1, j[0][1] = 10, j[1][2] = sqrt(5), j[1][3] = -sqrt(5);
	j[2][1] = 2 * a, j[2][2] = -4 * a, j[3][0] = 2 * sqrt(10) * b, j[3][3] = -2 * sqrt(10) * b;
	return 4;
}

static size_t wood(const double *x, double *r, double (*j)[COUNT])
{
	r[0] = 10 * (x[1] - x[0] * x[0]), r[1] = 1 - x[0];
	r[2] = sqrt(90) * (x[3] - x[2] * x[2]), r[3] = 1 - x[2];
	r[4] = sqrt(10) * (x[1] + x[3] - 2), r[5] = (x[1] - x[3]) / sqrt(10);
	j[0][0] = -20 * x[0], j[0][1] = 10, j[1][0] = -1, j[2][2] = -2 * sqrt(90) * x[2], j[2][3] = sqrt(90);
	j[3][2] = -1, j[4][1] = j[4][3] = sqrt(10), j[5][1] = 1 / sqrt(10), j[5][3] = -1 / sqrt(10);
	return 6;
}

static enum rs_code squares(void *context, const double *x, double *out_value, double *slopes,
                            struct rs_error *err)
{
	double r[6], j[6][COUNT] = {{0}}, sum = 0;
	residuals *const *of = context;
	(void)err;
	const size_t rows = (*of)(x, r, j), columns = *of == rosenbrock || *of == beale ? 2 : COUNT;
	for (size_t c = 0; c < columns; c++)
		slopes[c] = 0;
	for (size_t i = 0; i < rows; i++) {
		sum += r[i] * r[i];
		for (size_t c = 0; c < columns; c++)
			slopes[c] += 2 * r[i] * j[i][c];
	}
	*out_value = sum;
	return RS_OK;
}

static void known(void **state)
{
	(void)state;
	static const struct {
		residuals *of;
		size_t count;
		double start[COUNT], end[COUNT], near;
	} cases[] = {
		{rosenbrock, 2, {-1.2, 1}, {1, 1}, 1e-6},
		{beale, 2, {1, 1}, {3, 0.5}, 1e-6},
		{powell, 4, {3, -1, 0, 1}, {0, 0, 0, 0}, 0.02},
		{wood, 4, {-3, -1, -3, -1}, {1, 1, 1, 1}, 1e-6},
	};
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		residuals *of = cases[c].of;
		double x[COUNT];
		struct rs_minimised done;
		const struct rs_minimise what = {.function = squares,
		                                 .context = &of,
		                                 .count = cases[c].count,
		                                 .first = 0.1,
		                                 .longest = 10,
		                                 .least_x = 1e-12,
		                                 .steps = 200};
		for (size_t i = 0; i < COUNT; i++)
			x[i] = cases[c].start[i];
		assert_int_equal(rs_minimise_run(&what, x, &done, NULL), RS_OK);
		for (size_t i = 0; i < cases[c].count; i++)
			if (!(fabs(x[i] - cases[c].end[i]) <= cases[c].near))
				fail_msg("case %zu: x[%zu] is %g after %u steps", c, i, x[i], done.steps);
		assert_true(done.after < 1e-9 && done.before > 1 && done.steps < 200 &&
		            done.looks < 2 * done.steps + 10);
	}
}

/* x - log x for x > 0, and nothing on the other side of the wall; fails where it is told to. */
static enum rs_code walled(void *context, const double *x, double *out_value, double *slopes,
                           struct rs_error *err)
{
	const double *fails_above = context;
	if (x[0] > *fails_above)
		return rs_error_set(err, RS_IO, "above");
	*out_value = x[0] > 0 ? x[0] - log(x[0]) : INFINITY;
	slopes[0] = 1 - 1 / x[0];
	return RS_OK;
}

static void walls_and_failures(void **state)
{
	(void)state;
	double x = 5, above = INFINITY;
	struct rs_minimised done;
	struct rs_minimise what = {.function = walled,
	                           .context = &above,
	                           .count = 1,
	                           .first = 30,
	                           .longest = 100,
	                           .least_x = 1e-12,
	                           .steps = 50};
	assert_int_equal(rs_minimise_run(&what, &x, &done, NULL), RS_OK);
	assert_true(fabs(x - 1) < 1e-6 && fabs(done.after - 1) < 1e-12);
	what.longest = 0.25; /* many short steps arrive, too */
	x = 5;
	assert_int_equal(rs_minimise_run(&what, &x, &done, NULL), RS_OK);
	assert_true(fabs(x - 1) < 1e-6 && done.steps >= 16);
	x = -1;
	assert_int_equal(rs_minimise_run(&what, &x, &done, NULL), RS_USAGE);
	x = 5, above = 4;
	assert_int_equal(rs_minimise_run(&what, &x, &done, NULL), RS_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(walls_and_failures),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
