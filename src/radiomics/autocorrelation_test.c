/* Moran's I and Geary's C, by pairs and by Fourier sums, against the manual's formulas written out: every region of
 * small worlds, and random ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/autocorrelation.h"

enum { BOX_MAX = 4000 };
static uint8_t inside[BOX_MAX];
static double values[BOX_MAX];
static struct region region;

static uint32_t noise(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static void place(size_t i, const double spacing[3], double out[3])
{
	out[0] = (double)(i % region.size[0]) * spacing[0];
	out[1] = (double)(i / region.size[0] % region.size[1]) * spacing[1];
	out[2] = (double)(i / region.size[0] / region.size[1]) * spacing[2];
}

/* The formulas of the reference manual, all ordered pairs. */
static void by_definition(const double spacing[3], double *moran, double *geary)
{
	size_t box = region.size[0] * region.size[1] * region.size[2], i = 0, j = 0;
	double n = (double)region.count, mean = 0, weights = 0, products = 0, squares = 0, variance = 0;
	for (size_t k = 0; k < region.count; k++)
		mean += values[k] / n;
	for (size_t k = 0; k < region.count; k++)
		variance += (values[k] - mean) * (values[k] - mean);
	for (size_t a = 0; a < box; a++) {
		if (!inside[a])
			continue;
		j = 0;
		for (size_t b = 0; b < box; b++) {
			if (!inside[b])
				continue;
			double p[3], q[3];
			place(a, spacing, p);
			place(b, spacing, q);
			double w = a == b ? 0 : 1 / hypot(hypot(p[0] - q[0], p[1] - q[1]), p[2] - q[2]);
			weights += w;
			products += w * (values[i] - mean) * (values[j] - mean);
			squares += w * (values[i] - values[j]) * (values[i] - values[j]);
			j++;
		}
		i++;
	}
	*moran = n / weights * products / variance;
	*geary = (n - 1) / (2 * weights) * squares / variance;
}

static void assert_near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12 * (1 + fabs(want))))
		fail_msg("%zu x %zu x %zu, %zu voxels: %.17g is not %.17g", region.size[0], region.size[1],
		         region.size[2], region.count, got, want);
}

static void check(const double spacing[3], struct rs_pool *pool)
{
	struct rs_error err;
	double moran, geary, want_moran, want_geary;
	bool flat = true;
	for (size_t k = 1; k < region.count; k++)
		flat &= values[k] == values[0];
	by_definition(spacing, &want_moran, &want_geary);
	for (int method = AUTOCORRELATION_CHOOSE; method <= AUTOCORRELATION_FOURIER_FRUGAL; method++) {
		assert_int_equal(autocorrelation_measure(&region, spacing,
		                                         (enum autocorrelation_method)method, pool, &moran,
		                                         &geary, &err),
		                 RS_OK);
		if (flat) {
			assert_true(isnan(moran) && isnan(geary));
			continue;
		}
		assert_near(moran, want_moran);
		assert_near(geary, want_geary);
	}
}

static void every_region_of(size_t x, size_t y, size_t z, unsigned grey_levels)
{
	const double spacing[3] = {1, 1.25, 3};
	uint32_t state = 1;
	size_t box = x * y * z;
	region = (struct region){.size = {x, y, z}, .inside = inside, .values = values};
	for (uint32_t choice = 1; choice < 1U << box; choice++) {
		region.count = 0;
		for (size_t i = 0; i < box; i++) {
			inside[i] = choice >> i & 1;
			if (inside[i])
				values[region.count++] = noise(&state) % grey_levels;
		}
		check(spacing, NULL);
	}
}

static void small_worlds(void **state)
{
	(void)state;
	every_region_of(2, 2, 2, 2);
	every_region_of(2, 2, 2, 100);
	every_region_of(3, 3, 1, 3);
	every_region_of(1, 9, 1, 5);
	every_region_of(1, 1, 10, 5);
}

static void random_region(size_t x, size_t y, size_t z, unsigned percent, uint32_t seed)
{
	region = (struct region){.size = {x, y, z}, .inside = inside, .values = values};
	for (size_t i = 0; i < x * y * z; i++) {
		inside[i] = noise(&seed) % 100 < percent;
		if (inside[i])
			values[region.count++] = (double)noise(&seed) / 16777216 - 0.3 + (double)i / 1e3;
	}
}

static void random_worlds(void **state)
{
	(void)state;
	struct rs_pool *pool = NULL;
	struct rs_error err;
	assert_int_equal(rs_pool_create(3, &pool, &err), RS_OK);
	static const size_t size[][3] = {{17, 11, 13}, {5, 31, 6}, {1, 1, 200}, {23, 1, 40}, {16, 16, 4}};
	for (uint32_t i = 0; i < RS_COUNT(size); i++) {
		random_region(size[i][0], size[i][1], size[i][2], 10 + 20 * i, i);
		check((const double[3]){0.7, 0.7, 2.5}, NULL);
		check((const double[3]){1, 1, 1}, pool);
	}
	rs_pool_destroy(pool);
}

static void scale_and_shift_change_nothing(void **state)
{
	(void)state;
	struct rs_error err;
	double plain[2], huge[2], shifted[2];
	const double one[3] = {1, 1, 1};
	random_region(9, 8, 7, 50, 3);
	assert_int_equal(autocorrelation_measure(&region, one, AUTOCORRELATION_FOURIER, NULL, &plain[0],
	                                         &plain[1], &err),
	                 RS_OK);
	for (size_t i = 0; i < region.count; i++)
		values[i] *= 1e300; /* squares overflow */
	assert_int_equal(autocorrelation_measure(&region, one, AUTOCORRELATION_FOURIER, NULL, &huge[0],
	                                         &huge[1], &err),
	                 RS_OK);
	for (size_t i = 0; i < region.count; i++)
		values[i] = values[i] * 1e-300 + 1024;
	assert_int_equal(autocorrelation_measure(&region, one, AUTOCORRELATION_FOURIER, NULL, &shifted[0],
	                                         &shifted[1], &err),
	                 RS_OK);
	for (int i = 0; i < 2; i++) {
		assert_true(fabs(huge[i] - plain[i]) < 1e-12);
		assert_true(fabs(shifted[i] - plain[i]) < 1e-9);
	}
}

static void threads_change_no_bit(void **state)
{
	(void)state;
	struct rs_pool *pool = NULL;
	struct rs_error err;
	double one[2], many[2];
	const double spacing[3] = {0.9, 1.1, 2};
	assert_int_equal(rs_pool_create(4, &pool, &err), RS_OK);
	random_region(20, 15, 13, 60, 7);
	assert_int_equal(autocorrelation_measure(&region, spacing, AUTOCORRELATION_FOURIER, NULL, &one[0],
	                                         &one[1], &err),
	                 RS_OK);
	assert_int_equal(autocorrelation_measure(&region, spacing, AUTOCORRELATION_FOURIER, pool, &many[0],
	                                         &many[1], &err),
	                 RS_OK);
	assert_memory_equal(one, many, sizeof one);
	rs_pool_destroy(pool);
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	struct rs_error err;
	double moran, geary;
	random_region(6, 5, 4, 60, 7);
	for (int method = AUTOCORRELATION_PAIRS; method <= AUTOCORRELATION_FOURIER_FRUGAL; method++)
		for (uint64_t k = 1;; k++) {
			moran = geary = 5;
			rs_memory_fail_at(k);
			enum rs_code code = autocorrelation_measure(&region, (const double[3]){1, 1, 1},
			                                            (enum autocorrelation_method)method, NULL,
			                                            &moran, &geary, &err);
			rs_memory_fail_at(0);
			if (code == RS_OK)
				break;
			assert_int_equal(code, RS_NO_MEMORY);
			assert_true(k < 200 && moran == 5 && geary == 5);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_worlds),
		cmocka_unit_test(random_worlds),
		cmocka_unit_test(scale_and_shift_change_nothing),
		cmocka_unit_test(threads_change_no_bit),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
