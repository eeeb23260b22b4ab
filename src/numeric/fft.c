/* Stockham transforms with passes of radix 4, 2, 3 and 5: no reordering, every access along whole elements. */
#include <math.h>
#include <string.h>

#include "numeric/numeric_fft.h"

/* The lanes of one element as the compiler's vector: it becomes one instruction, or two of half the width. */
typedef double lanes __attribute__((vector_size(sizeof(double) * RS_FFT_LANES)));

struct value {
	lanes re, im;
};
_Static_assert(sizeof(struct value) == sizeof(struct rs_fft_element), "an element is two vectors");

size_t rs_fft_size(size_t at_least)
{
	for (size_t size = at_least == 0 ? 1 : at_least; size <= RS_FFT_SIZE_MAX; size++) {
		size_t rest = size;
		static const unsigned primes[] = {2, 3, 5};
		for (size_t i = 0; i < RS_COUNT(primes); i++)
			while (rest % primes[i] == 0)
				rest /= primes[i];
		if (rest == 1)
			return size;
	}
	return 0;
}

/* sin(2 pi k / (4 size)) for any k: only the first quarter is asked of the library, so that a root and its
 * mirror images are equal to the bit. */
static double sine(size_t k, size_t size)
{
	k %= 4 * size;
	bool negative = k >= 2 * size;
	k -= negative ? 2 * size : 0;
	k = k > size ? 2 * size - k : k;
	double value = sin(1.57079632679489661923 * (double)k / (double)size);
	return negative ? -value : value;
}

static bool factorise(size_t size, struct rs_fft *fft)
{
	static const unsigned char radices[] = {5, 3, 4, 2};
	for (size_t i = 0; i < RS_COUNT(radices); i++)
		for (; size % radices[i] == 0 && fft->pass_count < RS_FFT_PASSES_MAX; size /= radices[i])
			fft->radix[fft->pass_count++] = radices[i];
	return size == 1;
}

enum rs_code rs_fft_init(struct rs_fft *out, size_t size, struct rs_error *err)
{
	struct rs_fft fft = {.size = size};
	if (size == 0 || size > RS_FFT_SIZE_MAX || !factorise(size, &fft))
		return rs_error_set(err, RS_USAGE, "no Fourier transform of %zu points", size);
	fft.roots = rs_allocate_array(size, sizeof *fft.roots); /* a pass of radix r needs n - n / r */
	if (fft.roots == NULL)
		return rs_error_memory(err, size * sizeof *fft.roots, "a Fourier transform");
	size_t n = size, to = 0;
	for (unsigned pass = 0; pass < fft.pass_count; pass++) {
		size_t m = n / fft.radix[pass];
		for (size_t p = 0; p < m; p++)
			for (size_t k = 1; k < fft.radix[pass]; k++) {
				fft.roots[to][0] = sine(4 * p * k + n, n);
				fft.roots[to++][1] = -sine(4 * p * k, n);
			}
		n = m;
	}
	*out = fft;
	return RS_OK;
}

void rs_fft_finish(struct rs_fft *fft)
{
	if (fft == NULL)
		return;
	rs_free(fft->roots);
	memset(fft, 0, sizeof *fft);
}

/* to = (re, im) root */
static inline void turn(struct value *to, const lanes *re, const lanes *im, const double root[2])
{
	to->re = *re * root[0] - *im * root[1];
	to->im = *re * root[1] + *im * root[0];
}

static void pass2(const struct value *from, struct value *to, const double (*roots)[2], size_t m,
                  size_t stride)
{
	for (size_t p = 0; p < m; p++, roots += 1)
		for (size_t q = 0; q < stride; q++) {
			const struct value *a = from + q + stride * p, *b = a + stride * m;
			struct value *out = to + q + stride * 2 * p;
			lanes re = a->re - b->re, im = a->im - b->im;
			out[0].re = a->re + b->re;
			out[0].im = a->im + b->im;
			turn(out + stride, &re, &im, roots[0]);
		}
}

static void pass3(const struct value *from, struct value *to, const double (*roots)[2], size_t m,
                  size_t stride)
{
	const double half_root3 = 0.86602540378443864676;
	for (size_t p = 0; p < m; p++, roots += 2)
		for (size_t q = 0; q < stride; q++) {
			const struct value *a = from + q + stride * p, *b = a + stride * m,
					   *c = b + stride * m;
			struct value *out = to + q + stride * 3 * p;
			lanes sum_re = b->re + c->re, sum_im = b->im + c->im;
			lanes side_re = (b->im - c->im) * half_root3, side_im = (c->re - b->re) * half_root3;
			lanes mid_re = a->re - sum_re * 0.5, mid_im = a->im - sum_im * 0.5;
			out[0].re = a->re + sum_re;
			out[0].im = a->im + sum_im;
			lanes re = mid_re + side_re, im = mid_im + side_im;
			turn(out + stride, &re, &im, roots[0]);
			re = mid_re - side_re;
			im = mid_im - side_im;
			turn(out + 2 * stride, &re, &im, roots[1]);
		}
}

static void pass4(const struct value *from, struct value *to, const double (*roots)[2], size_t m,
                  size_t stride)
{
	for (size_t p = 0; p < m; p++, roots += 3)
		for (size_t q = 0; q < stride; q++) {
			const struct value *a = from + q + stride * p, *b = a + stride * m,
					   *c = b + stride * m, *d = c + stride * m;
			struct value *out = to + q + stride * 4 * p;
			lanes ac_re = a->re + c->re, ac_im = a->im + c->im;
			lanes bd_re = b->re + d->re, bd_im = b->im + d->im;
			lanes a_c_re = a->re - c->re, a_c_im = a->im - c->im;
			lanes b_d_re = b->re - d->re, b_d_im = b->im - d->im;
			out[0].re = ac_re + bd_re;
			out[0].im = ac_im + bd_im;
			lanes re = a_c_re + b_d_im, im = a_c_im - b_d_re;
			turn(out + stride, &re, &im, roots[0]);
			re = ac_re - bd_re;
			im = ac_im - bd_im;
			turn(out + 2 * stride, &re, &im, roots[1]);
			re = a_c_re - b_d_im;
			im = a_c_im + b_d_re;
			turn(out + 3 * stride, &re, &im, roots[2]);
		}
}

static void pass5(const struct value *from, struct value *to, const double (*roots)[2], size_t m,
                  size_t stride)
{
	const double cos1 = 0.30901699437494742410,
		     cos2 = -0.80901699437494742410; /* of 72 and 144 degrees */
	const double sin1 = 0.95105651629515357212, sin2 = 0.58778525229247312917;
	for (size_t p = 0; p < m; p++, roots += 4)
		for (size_t q = 0; q < stride; q++) {
			const struct value *a = from + q + stride * p, *b = a + stride * m,
					   *c = b + stride * m, *d = c + stride * m, *e = d + stride * m;
			struct value *out = to + q + stride * 5 * p;
			lanes be_re = b->re + e->re, be_im = b->im + e->im;
			lanes cd_re = c->re + d->re, cd_im = c->im + d->im;
			lanes b_e_re = b->re - e->re, b_e_im = b->im - e->im;
			lanes c_d_re = c->re - d->re, c_d_im = c->im - d->im;
			out[0].re = a->re + be_re + cd_re;
			out[0].im = a->im + be_im + cd_im;
			lanes even_re = a->re + be_re * cos1 + cd_re * cos2,
			      even_im = a->im + be_im * cos1 + cd_im * cos2;
			lanes odd_re = b_e_im * sin1 + c_d_im * sin2, odd_im = b_e_re * sin1 + c_d_re * sin2;
			lanes re = even_re + odd_re, im = even_im - odd_im;
			turn(out + stride, &re, &im, roots[0]);
			re = even_re - odd_re;
			im = even_im + odd_im;
			turn(out + 4 * stride, &re, &im, roots[3]);
			even_re = a->re + be_re * cos2 + cd_re * cos1;
			even_im = a->im + be_im * cos2 + cd_im * cos1;
			odd_re = b_e_im * sin2 - c_d_im * sin1;
			odd_im = b_e_re * sin2 - c_d_re * sin1;
			re = even_re + odd_re;
			im = even_im - odd_im;
			turn(out + 2 * stride, &re, &im, roots[1]);
			re = even_re - odd_re;
			im = even_im + odd_im;
			turn(out + 3 * stride, &re, &im, roots[2]);
		}
}

struct rs_fft_element *rs_fft_forward(const struct rs_fft *fft, struct rs_fft_element *lines,
                                      struct rs_fft_element *spare)
{
	struct value *from = (struct value *)(void *)lines, *to = (struct value *)(void *)spare;
	const double(*roots)[2] = (const double(*)[2])fft->roots;
	size_t n = fft->size, stride = 1;
	for (unsigned pass = 0; pass < fft->pass_count; pass++) {
		size_t radix = fft->radix[pass], m = n / radix;
		(radix == 2   ? pass2
		 : radix == 3 ? pass3
		 : radix == 4 ? pass4
		              : pass5)(from, to, roots, m, stride);
		roots += m * (radix - 1);
		stride *= radix;
		n = m;
		struct value *keep = from;
		from = to;
		to = keep;
	}
	return (struct rs_fft_element *)(void *)from;
}
