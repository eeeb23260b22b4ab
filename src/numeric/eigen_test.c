/* Eigenvalues and selection against matrices whose spectrum is known in closed form. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "numeric/numeric.h"
#include "numeric/numeric_dense.h"

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* The second-difference matrix: 2 - 2 cos(k pi / (n + 1)). */
static void dense_agrees_with_closed_form(void **state)
{
	(void)state;
	enum { N = 40 };
	static double matrix[N * N], got[N];
	struct rs_error err;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++) /* similar to it by a diagonal scaling, hence not symmetric */
			matrix[i * N + j] = i == j ? 2 : i + 1 == j ? -2 : j + 1 == i ? -0.5 : 0;
	assert_int_equal(rs_eigenvalues_real(matrix, N, got, &err), RS_OK);
	qsort(got, N, sizeof *got, ascending);
	for (size_t k = 0; k < N; k++)
		assert_true(fabs(got[k] - (2 - 2 * cos((double)(k + 1) * 3.14159265358979323846 / (N + 1)))) <
		            1e-12);
}

static void symmetric3_agrees_with_closed_form(void **state)
{
	(void)state;
	const double matrix[3][3] = {{2, -1, 0}, {-1, 2, -1}, {0, -1, 2}};
	double got[3];
	rs_eigenvalues_symmetric3(matrix, got);
	assert_true(fabs(got[0] - (2 - sqrt(2))) < 1e-15);
	assert_true(fabs(got[1] - 2) < 1e-15);
	assert_true(fabs(got[2] - (2 + sqrt(2))) < 1e-14);
}

static void selection_agrees_with_sorting(void **state)
{
	(void)state;
	enum { N = 500 };
	double values[N], sorted[N];
	for (size_t k = 0; k < N; k += 7) {
		for (size_t i = 0; i < N; i++)
			values[i] = sorted[i] = (double)(i * 7919 % 101);
		qsort(sorted, N, sizeof *sorted, ascending);
		rs_select(values, 0, N, k);
		assert_true(!(values[k] < sorted[k]) && !(values[k] > sorted[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dense_agrees_with_closed_form),
		cmocka_unit_test(symmetric3_agrees_with_closed_form),
		cmocka_unit_test(selection_agrees_with_sorting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
