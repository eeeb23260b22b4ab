/* Intervals of predicted survival against R 4.2.2, survival 3.5.3: survfit(coxph(Surv(t, e) ~ x), conf.type = "log-log"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>

#include <cmocka.h>

#include "model/model_parts.h"

static double times[] = {5, 8, 12, 12, 20, 23, 31, 37, 40, 52};
static uint8_t events[] = {1, 1, 0, 1, 1, 1, 0, 1, 1, 0};
static const double risk[] = {1.2, 0.3, 0.9, 1.5, -0.2, 0.4, -0.5, 0.1, -1.1, -0.8};

static void intervals_are_those_of_survfit(void **state)
{
	static const struct {
		double risk, time, survival, lower, upper;
	} known[] = {
		{-0.5, 12, 0.951558795993, 0.499665929781, 0.996452768240},
		{-0.5, 37, 0.599269118391, 0.118815419611, 0.884190220038},
		{1, 12, 0.521690924122, 0.129216762833, 0.813096026350},
		{1, 37, 0.001218661837, 0, 0.354689849960},
	};
	const struct rs_frame frame = {.rows = RS_COUNT(times), .time = times, .outcome = events};
	struct rs_risk_curve curve = {0};
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_risk_curve_fit(&frame, risk, &curve, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(known); i++) {
		double survival, lower, upper;
		rs_curve_survival(&curve, known[i].risk, &known[i].time, 1, &survival);
		rs_curve_interval(&curve, known[i].risk, known[i].time, survival, &lower, &upper);
		assert_true(fabs(survival - known[i].survival) < 1e-8);
		assert_true(fabs(lower - known[i].lower) < 1e-8);
		assert_true(fabs(upper - known[i].upper) < 1e-8);
	}
	double survival = 1, lower, upper; /* before the first event */
	rs_curve_interval(&curve, 0, 1, survival, &lower, &upper);
	assert_true(lower == 1 && upper == 1);
	rs_curve_finish(&curve);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(intervals_are_those_of_survfit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
