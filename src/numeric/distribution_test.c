/* Distributions against what R 4.2 prints (pnorm, qnorm, pgamma, pchisq, pt, qt, pf, qf, pbeta, qbeta); systems against
 * their own product. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/base.h"
#include "numeric/numeric_distribution.h"
#include "numeric/numeric_linear.h"

#define NEAR(actual, expected)                                                 \
	do {                                                                   \
		double a_ = (actual), e_ = (expected);                         \
		if (!(fabs(a_ - e_) <= 2e-13 * fabs(e_)))                      \
			fail_msg("%s is %.17g, R has %.17g", #actual, a_, e_); \
	} while (0)

static void normal(void **state)
{
	(void)state;
	NEAR(rs_normal_lower(-1.96), 0.02499789514822043);
	NEAR(rs_normal_lower(-8), 6.220960574271785e-16);
	NEAR(rs_normal_upper(5), 2.866515718791939e-07);
	NEAR(rs_normal_two_sided(-1.96), 2 * 0.02499789514822043);
	NEAR(rs_normal_quantile(0.975), 1.959963984540054);
	NEAR(rs_normal_quantile(1e-10), -6.361340902404056);
	NEAR(rs_normal_quantile(0.3), -0.5244005127080407);
	assert_true(isnan(rs_normal_quantile(1.1)) && isnan(rs_normal_quantile(NAN)));
	assert_true(isinf(rs_normal_quantile(0)) && isinf(rs_normal_quantile(1)));
	for (double p = 1e-60; p < 1; p *= 1.7)
		NEAR(rs_normal_lower(rs_normal_quantile(p)), p);
}

static void gamma_family(void **state)
{
	(void)state;
	NEAR(rs_chi_square_upper(80, 6), 3.572865928700227e-15);
	NEAR(rs_chi_square_upper(5, 6), 1 - 0.4561868841166704);
	NEAR(rs_chi_square_upper(0.02, 0.6), 1 - 0.2792409963590149);
	NEAR(rs_chi_square_upper(10.3267419548856, 1), 0.001311164520355512);
	NEAR(rs_chi_square_upper(300, 5), 1.001530230595785e-62);
	NEAR(rs_chi_square_upper(2000, 1990), 0.4329733865079222);
	assert_true(isnan(rs_chi_square_upper(1, -1)) && isnan(rs_chi_square_upper(NAN, 1)));
}

static void beta_family(void **state)
{
	(void)state;
	NEAR(rs_beta_lower(0.3, 2, 5), 0.5798250000000001);
	NEAR(rs_beta_lower(0.999, 50, 0.5), 0.7523690199653768);
	NEAR(rs_beta_quantile(0.025, 8, 3), 0.4439045376923584);
	NEAR(rs_beta_quantile(0.975, 1, 100), 0.03621669264517646);
	NEAR(rs_f_upper(11.02724794, 5, 15), 0.0001345665176097444);
	NEAR(rs_f_quantile(0.975, 5, 18), 3.381967805875243);
	NEAR(rs_f_quantile(0.025, 15, 5), 0.2796095817566551);
}

/* a = L Lᵀ of a random L, the third row a combination of the first two. */
static void systems(void **state)
{
	(void)state;
	static const double l[4][4] = {{2, 0, 0, 0}, {-1, 3, 0, 0}, {0.5, 1, 0, 0}, {4, -2, 7, 1.5}};
	double a[16], ldl[16], inverse[16], x[4] = {1, -2, 0, 3}, b[4] = {0};
	for (size_t i = 0; i < 16; i++) {
		a[i] = 0;
		for (size_t k = 0; k < 4; k++)
			a[i] += l[i / 4][k] * l[i % 4][k];
		ldl[i] = a[i];
	}
	for (size_t i = 0; i < 16; i++)
		b[i / 4] += a[i] * x[i % 4];
	assert_int_equal(rs_ldl(ldl, 4, 1e-12), 3);
	assert_true(ldl[2 * 4 + 2] == 0);
	rs_ldl_solve(ldl, 4, b);
	for (size_t i = 0; i < 4; i++)
		assert_true(fabs(b[i] - x[i]) < 1e-12);
	rs_ldl_inverse(ldl, 4, inverse);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			double sum = 0;
			for (size_t k = 0; k < 4; k++)
				sum += a[i * 4 + k] * inverse[k * 4 + j];
			if (i != 2 && j != 2)
				assert_true(fabs(sum - (i == j)) < 1e-12);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal),
		cmocka_unit_test(gamma_family),
		cmocka_unit_test(beta_family),
		cmocka_unit_test(systems),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
