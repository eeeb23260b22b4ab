/* Transforms of every size to 250 and some larger ones against the sum that defines them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "numeric/numeric_fft.h"

static double noise(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return (double)(*state >> 8) / 8388608.0 - 1;
}

static void compare(size_t size)
{
	struct rs_fft fft;
	struct rs_error err;
	assert_int_equal(rs_fft_init(&fft, size, &err), RS_OK);
	struct rs_fft_element *in = rs_allocate_aligned(size * sizeof *in),
			      *lines = rs_allocate_aligned(size * sizeof *lines),
			      *spare = rs_allocate_aligned(size * sizeof *spare);
	assert_true(in != NULL && lines != NULL && spare != NULL);
	uint32_t state = (uint32_t)size;
	for (size_t j = 0; j < size; j++)
		for (int l = 0; l < RS_FFT_LANES; l++) {
			in[j].re[l] = lines[j].re[l] = noise(&state);
			in[j].im[l] = lines[j].im[l] = noise(&state);
		}
	const struct rs_fft_element *out = rs_fft_forward(&fft, lines, spare);
	for (size_t k = 0; k < size; k += 1 + size / 97)
		for (int l = 0; l < RS_FFT_LANES; l++) {
			double re = 0, im = 0;
			for (size_t j = 0; j < size; j++) {
				double angle = -2 * 3.14159265358979323846 * (double)(j * k % size) /
				               (double)size;
				re += in[j].re[l] * cos(angle) - in[j].im[l] * sin(angle);
				im += in[j].re[l] * sin(angle) + in[j].im[l] * cos(angle);
			}
			double tolerance = 1e-14 * sqrt((double)size) * 4;
			if (!(fabs(out[k].re[l] - re) < tolerance && fabs(out[k].im[l] - im) < tolerance))
				fail_msg("size %zu, k %zu, lane %d: %g %g, not %g %g", size, k, l,
				         out[k].re[l], out[k].im[l], re, im);
		}
	rs_free(in);
	rs_free(lines);
	rs_free(spare);
	rs_fft_finish(&fft);
}

static void agrees_with_the_definition(void **state)
{
	(void)state;
	size_t sizes = 0;
	for (size_t n = 1; n <= 250; n++)
		if (rs_fft_size(n) == n) {
			compare(n);
			sizes++;
		}
	assert_int_equal(sizes, 51); /* the 5-smooth numbers up to 250 */
	compare(1024);
	compare(2187);
	compare(3125);
	compare(4096);
}

static void sizes_are_smooth(void **state)
{
	(void)state;
	struct rs_fft fft;
	struct rs_error err;
	assert_int_equal(rs_fft_size(0), 1);
	assert_int_equal(rs_fft_size(7), 8);
	assert_int_equal(rs_fft_size(199), 200);
	assert_int_equal(rs_fft_size(1021), 1024);
	assert_int_equal(rs_fft_size(RS_FFT_SIZE_MAX), RS_FFT_SIZE_MAX);
	assert_int_equal(rs_fft_size(RS_FFT_SIZE_MAX + 1), 0);
	assert_int_equal(rs_fft_init(&fft, 7, &err), RS_USAGE);
	assert_int_equal(rs_fft_init(&fft, 0, &err), RS_USAGE);
	assert_int_equal(rs_fft_init(&fft, (size_t)2 * RS_FFT_SIZE_MAX, &err), RS_USAGE);
	assert_int_equal(rs_fft_init(&fft, RS_FFT_SIZE_MAX, &err), RS_OK);
	rs_fft_finish(&fft);
	rs_fft_finish(NULL);
	rs_memory_fail_at(1);
	assert_int_equal(rs_fft_init(&fft, 8, &err), RS_NO_MEMORY);
	rs_memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_definition),
		cmocka_unit_test(sizes_are_smooth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
