/* Fits against R 4.2.2 (nls, optim with integrate) on noisy values, and known tissue found again in signals made of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signal/signal.h"

#define DEGREE (3.14159265358979323846 / 180)

static void near(double value, double wanted, double relative)
{
	if (fabs(value - wanted) > relative * fabs(wanted))
		fail_msg("%.12g, not %.12g", value, wanted);
}

static void one_exponential_is_that_of_nls(void **state)
{
	static const double b[] = {0, 50, 400, 800, 1000}, s[] = {1003.1, 962.4, 655.2, 431.7, 349.9};
	struct rs_adc fit;
	(void)state;
	assert_true(rs_adc_fit(b, s, 5, 0, &fit));
	near(fit.s0, 1.00773441388e+03, 1e-8);
	near(fit.adc, 1.06161181733e-03, 1e-8);
	near(fit.r2, 0.999762739582, 1e-9);
}

static void two_exponentials_are_those_of_nls(void **state)
{
	static const double b[] = {0, 10, 20, 40, 80, 150, 200, 400, 600, 800};
	static const double s[] = {1001.2, 949.5, 918.7, 868.4, 812.9, 771.3, 746.2, 655.8, 569.1, 497.4};
	struct rs_ivim fit;
	(void)state;
	assert_true(rs_ivim_fit(b, s, 10, &fit));
	near(fit.s0, 1.00082741318e+03, 1e-6);
	near(fit.f, 1.49035613716e-01, 1e-5);
	near(fit.d_star, 3.40789977981e-02, 1e-5);
	near(fit.d, 6.68577434254e-04, 1e-6);
	near(fit.r2, 0.999781509632, 1e-9);
}

static void relaxation_is_that_of_nls(void **state)
{
	static const double flips[] = {2 * DEGREE, 5 * DEGREE, 10 * DEGREE, 15 * DEGREE};
	static const double s[] = {31.9, 55.3, 62.1, 57.2};
	struct rs_t1 fit;
	(void)state;
	assert_true(rs_t1_fit(flips, s, 4, 5, &fit));
	near(fit.m0, 876.324700582, 1e-6);
	near(fit.t1_ms, 457.909755496, 1e-6);
	near(fit.r2, 0.968159133345, 1e-8);
}

/* Plasma at the times of measuring only, or, with `every` > 1, at moments between them, too. */
static bool fit_exchange(const double *t, const double *cp, size_t count, size_t every, const double *c,
                         bool extended, struct rs_tofts *out)
{
	static double shapes[(RS_TOFTS_RATES + 1) * RS_SIGNAL_POINTS_MAX];
	size_t at[RS_SIGNAL_POINTS_MAX], samples = 0, which = 9;
	for (size_t i = 0; i < count; i += every)
		at[samples++] = i;
	const struct rs_tofts_input input = {t, cp, count, at, samples, shapes};
	rs_tofts_shapes(&input);
	bool told = rs_tofts_fit(&input, 1, c, extended, out, &which);
	assert_int_equal(which, told ? 0 : 9);
	return told;
}

static void exchange_is_that_of_optim(void **state)
{
	static const double t[] = {0, 10, 20, 30, 40, 60, 90, 120, 180, 240, 300};
	static const double cp[] = {0, 3.1, 5.2, 3.9, 2.6, 1.9, 1.6, 1.45, 1.25, 1.12, 1.02};
	static const double ct[] = {0.01, 0.09, 0.29, 0.42, 0.48, 0.53, 0.60, 0.63, 0.66, 0.65, 0.63};
	struct rs_tofts fit;
	(void)state;
	assert_true(fit_exchange(t, cp, 11, 1, ct, false, &fit));
	near(fit.ktrans, 0.239030588040, 1e-5);
	near(fit.ve, 0.504590115252, 1e-5);
	near(fit.r2, 0.975177855335, 1e-8);
	assert_true(fit_exchange(t, cp, 11, 1, ct, true, &fit));
	near(fit.ktrans, 0.205005690154, 1e-5);
	near(fit.ve, 0.513550457603, 1e-5);
	near(fit.vp, 0.020016927708, 1e-4);
	near(fit.r2, 0.996907515618, 1e-8);
}

static void blood_is_that_of_the_paper(void **state)
{
	static const double at[][2] = {{0, 0.080384673302},  {6, 2.752559742527},  {10.2, 6.067332581437},
	                               {24, 1.004244157235}, {30, 1.224720408327}, {60, 0.887187235259},
	                               {300, 0.452164224847}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(at); i++)
		near(rs_parker_blood(at[i][0]), at[i][1], 1e-10);
	assert_true(rs_parker_blood(-1) == 0);
}

/* From 1.2e-3 mm2/s in grey tissue to free water, perfusion of pancreas and liver (Lemke et al. 2009). */
static void diffusion_is_found_again(void **state)
{
	static const double b[] = {0, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800};
	double s[RS_COUNT(b)];
	(void)state;
	for (double adc = 0.4e-3; adc < 3.2e-3; adc += 0.4e-3) {
		const struct rs_adc tissue = {812, adc, 0, 0};
		struct rs_adc fit;
		for (size_t i = 0; i < RS_COUNT(b); i++)
			s[i] = rs_adc_signal(&tissue, b[i]);
		assert_true(rs_adc_fit(b, s, RS_COUNT(b), 0, &fit));
		near(fit.adc, adc, 1e-9);
		near(fit.s0, 812, 1e-9);
		assert_true(rs_adc_fit(b, s, 2, 0, &fit)); /* two b-values are a line */
		near(fit.adc, adc, 1e-9);
	}
	for (double f = 0.05; f < 0.36; f += 0.1) {
		const struct rs_ivim tissue = {640, f, 1.1e-3, 0.025, 0};
		struct rs_ivim fit;
		for (size_t i = 0; i < RS_COUNT(b); i++)
			s[i] = rs_ivim_signal(&tissue, b[i]);
		assert_true(rs_ivim_fit(b, s, RS_COUNT(b), &fit));
		near(fit.f, f, 1e-4);
		near(fit.d, 1.1e-3, 1e-5);
		near(fit.d_star, 0.025, 1e-4);
	}
}

static void noise_is_left_out_below_its_floor(void **state)
{
	static const double b[] = {0, 400, 800, 1600};
	static const double s[] = {1000, 1000 * 0.2231301601484298, 1000 * 0.049787068367863944, 30};
	struct rs_adc fit;
	(void)state;
	assert_true(rs_adc_fit(b, s, 4, 40, &fit));
	assert_int_equal(fit.used, 3);
	near(fit.adc, 3.75e-3, 1e-9);
	near(fit.r2, 1, 1e-12);
	assert_true(rs_adc_fit(b, s, 4, 0, &fit));
	assert_true(fit.adc < 3.75e-3);
	assert_false(rs_adc_fit(b, s, 4, 500, &fit));
}

static void relaxation_is_found_again(void **state)
{
	static const double flips[] = {2 * DEGREE, 5 * DEGREE, 10 * DEGREE, 15 * DEGREE, 25 * DEGREE};
	double s[RS_COUNT(flips)];
	(void)state;
	for (double t1 = 200; t1 < 4500; t1 *= 1.5) {
		struct rs_t1 fit;
		for (size_t i = 0; i < RS_COUNT(flips); i++)
			s[i] = rs_spoiled_signal(1700, t1, 4.5, flips[i]);
		assert_true(rs_t1_fit(flips, s, RS_COUNT(flips), 4.5, &fit));
		near(fit.t1_ms, t1, 1e-7);
		near(fit.m0, 1700, 1e-7);
		for (double c = 0; c < 6; c += 0.75) {
			double brighter = rs_contrast_enhancement(c, t1, 4.5, 15 * DEGREE, 4.5);
			double back = rs_contrast_concentration(200, 200 * brighter, t1, 4.5, 15 * DEGREE,
			                                        4.5);
			assert_true(fabs(back - c) < 1e-9);
		}
	}
	assert_true(isnan(rs_contrast_concentration(200, 1e6, 900, 4.5, 15 * DEGREE, 4.5)));
	assert_true(isnan(rs_contrast_concentration(0, 10, 900, 4.5, 15 * DEGREE, 4.5)));
	near(rs_spin_echo_signal(100, 1000, 80, 2000, 80), 100 * (1 - exp(-2)) * exp(-1), 1e-12);
}

static void exchange_is_found_again(void **state)
{
	double t[60], cp[60], c[60];
	(void)state;
	for (size_t i = 0; i < 60; i++) {
		t[i] = 6 * (double)i;
		cp[i] = rs_parker_blood(t[i] - 18) / (1 - 0.42);
	}
	for (double ktrans = 0.02; ktrans < 1.5; ktrans *= 2)
		for (double ve = 0.1; ve < 0.7; ve += 0.25)
			for (int extended = 0; extended < 2; extended++) {
				const struct rs_tofts tissue = {ktrans, ve, extended ? 0.06 : 0, 0};
				struct rs_tofts fit;
				rs_tofts_curve(&tissue, t, cp, 60, c);
				assert_true(fit_exchange(t, cp, 60, 1, c, extended, &fit));
				near(fit.ktrans, ktrans, 1e-5);
				near(fit.ve, ve, 1e-4);
				assert_true(fabs(fit.vp - tissue.vp) < 1e-5);
			}
	/* What a constant input leaves is known: ve cp (1 - exp(-kep t)). */
	const struct rs_tofts tissue = {0.3, 0.4, 0, 0};
	for (size_t i = 0; i < 60; i++)
		cp[i] = 2;
	rs_tofts_curve(&tissue, t, cp, 60, c);
	for (size_t i = 0; i < 60; i++)
		assert_true(fabs(c[i] - 0.8 * (1 - exp(-0.75 * t[i] / 60))) < 1e-12);
}

/* Images 12 s apart miss blood's first pass, which plasma at every second has; and agent comes to a tissue when it comes. */
static void what_images_miss_plasma_tells(void **state)
{
	enum { MOMENTS = 241, EVERY = 12, SAMPLES = 21, ARRIVALS = 12 };
	static double t[MOMENTS], cp[ARRIVALS][MOMENTS], shapes[ARRIVALS][(RS_TOFTS_RATES + 1) * SAMPLES];
	struct rs_tofts_input inputs[ARRIVALS];
	const struct rs_tofts tissue = {0.12, 0.35, 0.03, 0};
	double whole[MOMENTS], c[SAMPLES];
	size_t at[SAMPLES], arrival = 0;
	struct rs_tofts fit;
	(void)state;
	for (size_t a = 0; a < ARRIVALS; a++) {
		for (size_t i = 0; i < MOMENTS; i++) {
			t[i] = (double)i;
			cp[a][i] = rs_parker_blood(t[i] - 12 - 1.5 * (double)a) / (1 - 0.42);
		}
		for (size_t k = 0; k < SAMPLES; k++)
			at[k] = EVERY * k;
		inputs[a] = (struct rs_tofts_input){t, cp[a], MOMENTS, at, SAMPLES, shapes[a]};
		rs_tofts_shapes(&inputs[a]);
	}
	rs_tofts_curve(&tissue, t, cp[4], MOMENTS, whole);
	for (size_t k = 0; k < SAMPLES; k++)
		c[k] = whole[at[k]];
	assert_true(rs_tofts_fit(inputs, ARRIVALS, c, true, &fit, &arrival));
	assert_int_equal(arrival, 4);
	near(fit.ktrans, 0.12, 1e-5);
	near(fit.ve, 0.35, 1e-5);
	near(fit.vp, 0.03, 1e-5);
	assert_true(fit_exchange(t, cp[4], MOMENTS, EVERY, c, true, &fit));
	near(fit.ktrans, 0.12, 1e-5);
	/* Without plasma all of the first pass seems to have leaked out. */
	assert_true(fit_exchange(t, cp[4], MOMENTS, EVERY, c, false, &fit));
	assert_true(fit.ktrans > 1.2 * 0.12);
}

static void curves_are_measured(void **state)
{
	static const double t[] = {0, 10, 20, 30, 40, 60, 100, 140};
	static const double s[] = {100, 100, 100, 200, 300, 280, 240, 200};
	struct rs_enhancement e;
	(void)state;
	assert_int_equal(rs_contrast_arrival(s, 8), 3);
	assert_true(rs_enhancement_measure(t, s, 8, 0, &e));
	near(e.baseline, 100, 1e-12);
	near(e.arrival_s, 20, 1e-12);
	near(e.peak, 2, 1e-12);
	near(e.time_to_peak_s, 20, 1e-12);
	near(e.wash_in, 0.1, 1e-12);
	near(e.wash_out, -0.01, 1e-12);
	/* trapezes 0-1-2 over 10 s each, 2-1.8 over 20, 1.8-1.4 over 40, then 10 s down to 1.3 */
	near(e.iauc, 5 + 15 + 38 + 64 + 13.5, 1e-12);
}

static void what_does_not_tell_is_refused(void **state)
{
	static const double same[] = {400, 400, 400, 400}, s[] = {5, 4, 3, 2}, bad[] = {5, NAN, 3, 2};
	static const double b[] = {0, 100, 400, 800}, zero[4] = {0};
	struct rs_adc adc;
	struct rs_ivim ivim;
	struct rs_t1 t1;
	struct rs_tofts tofts;
	struct rs_enhancement e;
	(void)state;
	assert_false(rs_adc_fit(same, s, 4, 0, &adc));
	assert_false(rs_adc_fit(b, zero, 4, 0, &adc));
	assert_true(rs_adc_fit(b, bad, 4, 0, &adc)); /* three of them do */
	assert_false(rs_adc_fit(b, s, 0, 0, &adc));
	assert_false(rs_ivim_fit(b, s, 3, &ivim));
	assert_false(rs_ivim_fit(b, bad, 4, &ivim));
	assert_false(rs_t1_fit(same, s, 4, 5, &t1));
	assert_false(rs_t1_fit(b, s, 4, 5, &t1)); /* an angle of 0 */
	assert_false(fit_exchange(b, s, 3, 1, s, false, &tofts));
	assert_false(fit_exchange(b, s, 4, 1, bad, false, &tofts));
	assert_false(rs_enhancement_measure(b, s, 2, 0, &e));
	assert_false(rs_enhancement_measure(b, zero, 4, 0, &e));
	assert_false(rs_enhancement_measure(b, s, 4, 4, &e));
	assert_true(fit_exchange(b, zero, 4, 1, zero, false, &tofts));
	assert_true(tofts.ktrans >= 0 && tofts.ve > 0 && isfinite(tofts.ktrans));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_exponential_is_that_of_nls),
		cmocka_unit_test(two_exponentials_are_those_of_nls),
		cmocka_unit_test(relaxation_is_that_of_nls),
		cmocka_unit_test(exchange_is_that_of_optim),
		cmocka_unit_test(blood_is_that_of_the_paper),
		cmocka_unit_test(diffusion_is_found_again),
		cmocka_unit_test(noise_is_left_out_below_its_floor),
		cmocka_unit_test(relaxation_is_found_again),
		cmocka_unit_test(exchange_is_found_again),
		cmocka_unit_test(what_images_miss_plasma_tells),
		cmocka_unit_test(curves_are_measured),
		cmocka_unit_test(what_does_not_tell_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
