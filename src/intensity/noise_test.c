/* Noise that was put in is measured, and taken out without what it lies on. */
#include <stdlib.h>

#include "phantom.h"

#define SIGMA 8.0

static struct rs_volume noisy, clean;
static double *out;

static size_t voxels(void) { return rs_geometry_voxels(&noisy.geometry); }

/* Root mean square of what is left of the noise, in the body. */
static double left_over(const double *values)
{
	double sum = 0, n = 0;
	for (size_t i = 0; i < voxels(); i++) {
		if (clean.voxels[i] == 0)
			continue;
		sum += (values[i] - clean.voxels[i]) * (values[i] - clean.voxels[i]);
		n++;
	}
	return sqrt(sum / n);
}

static void noise_is_measured(void **state)
{
	static const double sigmas[] = {2, 5, 8, 15};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(sigmas); i++) {
		struct rs_volume volume;
		double sigma;
		phantom_make(&volume, true, sigmas[i], 7 + i);
		assert_int_equal(rs_noise_sigma(&volume, &sigma, NULL), RS_OK);
		assert_true(fabs(sigma - sigmas[i]) < 0.13 * sigmas[i]);
		rs_volume_finish(&volume);
	}
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double sorted_median(const size_t at[3], const unsigned radius[3])
{
	static const ptrdiff_t size[3] = {PHANTOM_X, PHANTOM_Y, PHANTOM_Z};
	double window[343];
	size_t n = 0;
	ptrdiff_t low[3], high[3];
	for (int a = 0; a < 3; a++) {
		low[a] = (ptrdiff_t)at[a] - (ptrdiff_t)radius[a];
		high[a] = (ptrdiff_t)at[a] + (ptrdiff_t)radius[a];
		low[a] = low[a] < 0 ? 0 : low[a];
		high[a] = high[a] < size[a] ? high[a] : size[a] - 1;
	}
	for (ptrdiff_t z = low[2]; z <= high[2]; z++)
		for (ptrdiff_t y = low[1]; y <= high[1]; y++)
			for (ptrdiff_t x = low[0]; x <= high[0]; x++)
				window[n++] = noisy.voxels[(z * PHANTOM_Y + y) * PHANTOM_X + x];
	qsort(window, n, sizeof *window, ascending);
	return n % 2 ? window[n / 2] : (window[n / 2 - 1] + window[n / 2]) / 2;
}

static void medians_are_those_of_sorted_windows(void **state)
{
	static const unsigned radius[3] = {1, 1, 0}, too_far[3] = {4, 0, 0};
	static const unsigned radii[][3] = {{0, 0, 0}, {1, 0, 0}, {1, 1, 1}, {2, 1, 0}, {3, 1, 1}};
	(void)state;
	for (size_t r = 0; r < RS_COUNT(radii); r++) {
		assert_int_equal(rs_denoise_median(&noisy, radii[r], NULL, out, NULL), RS_OK);
		for (size_t i = 0; i < (size_t)PHANTOM_X * PHANTOM_Y * PHANTOM_Z; i += 101) {
			const size_t at[3] = {i % PHANTOM_X, i / PHANTOM_X % PHANTOM_Y,
			                      i / PHANTOM_X / PHANTOM_Y};
			assert_true(out[i] == sorted_median(at, radii[r]));
		}
	}
	assert_int_equal(rs_denoise_median(&noisy, radius, NULL, out, NULL), RS_OK);
	assert_true(left_over(out) < 0.55 * SIGMA);
	/* A corner has four voxels: the mean of the middle two. */
	double a = noisy.voxels[0], b = noisy.voxels[1], c = noisy.voxels[PHANTOM_X],
	       d = noisy.voxels[PHANTOM_X + 1];
	double low = fmin(fmin(a, b), fmin(c, d)), high = fmax(fmax(a, b), fmax(c, d));
	assert_true(fabs(out[0] - (a + b + c + d - low - high) / 2) < 1e-12);
	assert_int_equal(rs_denoise_median(&noisy, too_far, NULL, out, NULL), RS_USAGE);
}

static void diffusion_keeps_edges(void **state)
{
	const struct rs_diffusion how = {.steps = 20, .edge = 3};
	(void)state;
	assert_int_equal(rs_denoise_diffusion(&noisy, &how, NULL, out, NULL), RS_OK);
	assert_true(left_over(out) < 0.45 * SIGMA);
	/* The sum stays: nothing flows out. */
	double before = 0, after = 0;
	for (size_t i = 0; i < voxels(); i++) {
		before += noisy.voxels[i];
		after += out[i];
	}
	assert_true(fabs(after - before) < 1e-9 * before);
}

static void means_of_what_is_alike(void **state)
{
	const struct rs_nlm how = RS_NLM_DEFAULT;
	double background = 0, n = 0;
	(void)state;
	assert_int_equal(rs_denoise_nlm(&noisy, &how, NULL, out, NULL), RS_OK);
	assert_true(left_over(out) < 0.3 * SIGMA);
	/* Rician noise lifts the background to 1.25 sigma; its share is taken off again. */
	for (size_t i = 0; i < voxels(); i++) {
		background += clean.voxels[i] == 0 ? out[i] : 0;
		n += clean.voxels[i] == 0;
	}
	assert_true(background / n < 0.35 * SIGMA);
}

static void threads_change_no_bit(void **state)
{
	const struct rs_nlm nlm = RS_NLM_DEFAULT;
	const struct rs_diffusion diffusion = {.steps = 3, .edge = 3};
	double *other = rs_allocate_array(voxels(), sizeof *other);
	struct rs_pool *pool;
	(void)state;
	assert_non_null(other);
	assert_int_equal(rs_pool_create(3, &pool, NULL), RS_OK);
	assert_int_equal(rs_denoise_nlm(&noisy, &nlm, NULL, out, NULL), RS_OK);
	assert_int_equal(rs_denoise_nlm(&noisy, &nlm, pool, other, NULL), RS_OK);
	assert_memory_equal(out, other, voxels() * sizeof *out);
	assert_int_equal(rs_denoise_diffusion(&noisy, &diffusion, NULL, out, NULL), RS_OK);
	assert_int_equal(rs_denoise_diffusion(&noisy, &diffusion, pool, other, NULL), RS_OK);
	assert_memory_equal(out, other, voxels() * sizeof *out);
	rs_pool_destroy(pool);
	rs_free(other);
}

static void what_cannot_be_is_refused(void **state)
{
	struct rs_nlm nlm = RS_NLM_DEFAULT;
	struct rs_diffusion diffusion = {.steps = 0, .edge = 1};
	struct rs_volume flat;
	double sigma;
	(void)state;
	nlm.search[0] = 16;
	assert_int_equal(rs_denoise_nlm(&noisy, &nlm, NULL, out, NULL), RS_USAGE);
	assert_int_equal(rs_denoise_diffusion(&noisy, &diffusion, NULL, out, NULL), RS_USAGE);
	phantom_make(&flat, false, 0, 1);
	for (size_t i = 0; i < voxels(); i++)
		flat.voxels[i] = 3;
	assert_int_equal(rs_noise_sigma(&flat, &sigma, NULL), RS_REFUSED);
	flat.voxels[5] = NAN;
	assert_int_equal(rs_noise_sigma(&flat, &sigma, NULL), RS_REFUSED);
	rs_volume_finish(&flat);
}

static int make(void **state)
{
	(void)state;
	phantom_make(&noisy, false, SIGMA, 1);
	phantom_make(&clean, false, 0, 1);
	out = rs_allocate_array(voxels(), sizeof *out);
	return out ? 0 : 1;
}

static int drop(void **state)
{
	(void)state;
	rs_volume_finish(&noisy);
	rs_volume_finish(&clean);
	rs_free(out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_measured),
		cmocka_unit_test(medians_are_those_of_sorted_windows),
		cmocka_unit_test(diffusion_keeps_edges),
		cmocka_unit_test(means_of_what_is_alike),
		cmocka_unit_test(threads_change_no_bit),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
