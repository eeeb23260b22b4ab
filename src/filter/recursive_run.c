/* The recursive Gaussian over a block of lines: the hot loop of the Laplacian of Gaussian. */
#include "filter/recursive.h"

/* out = sum f[k] x[k] - sum b[k] y[k], lane by lane, summed in this order. */
static inline __attribute__((always_inline)) void step(const double f[4], const double *const x[4],
                                                       const double b[4], const double *const y[4],
                                                       double *restrict out)
{
	const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
	const double *y0 = y[0], *y1 = y[1], *y2 = y[2], *y3 = y[3];
	double f0 = f[0], f1 = f[1], f2 = f[2], f3 = f[3], b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
	for (size_t lane = 0; lane < LINES; lane++) {
		double new = x0[lane] * f0 + x1[lane] * f1 + x2[lane] * f2 + x3[lane] * f3;
		out[lane] = new - (y0[lane] * b0 + y1[lane] * b1 + y2[lane] * b2 + y3[lane] * b3);
	}
}

static inline __attribute__((always_inline)) void run_forward(const struct recursive *r, size_t end,
                                                              const double *data, double *result)
{
	for (size_t i = 0; i < 4 && i < end; i++) {
		const double *x[4], *y[4];
		double b[4];
		for (size_t k = 0; k < 4; k++) {
			x[k] = data + (i >= k ? i - k : 0) * LINES;
			y[k] = i > k ? result + (i - 1 - k) * LINES : data;
			b[k] = i > k ? r->d[k] : r->bn[k];
		}
		step(r->n, x, b, y, result + i * LINES);
	}
	for (size_t i = 4; i < end; i++) {
		const double *x = data + i * LINES, *y = result + i * LINES;
		const double *const past[4] = {x, x - LINES, x - 2 * LINES, x - 3 * LINES};
		const double *const done[4] = {y - LINES, y - 2 * LINES, y - 3 * LINES, y - 4 * LINES};
		step(r->n, past, r->d, done, result + i * LINES);
	}
}

/* Only the last four rows of the backward filter are needed again: they live in a ring. */
#define RING 8

static inline __attribute__((always_inline)) void run_backward(const struct recursive *r, size_t n,
                                                               size_t first, size_t end, const double *data,
                                                               double *result)
{
	_Alignas(64) double ring[RING][LINES];
	const double *last = data + (n - 1) * LINES;
	for (size_t i = n; i-- > first;) {
		const double *x[4], *y[4];
		double b[4];
		size_t after = n - 1 - i; /* rows behind this one */
		for (size_t k = 0; k < 4; k++) {
			x[k] = after > k ? data + (i + 1 + k) * LINES : last;
			y[k] = after > k ? ring[(i + 1 + k) % RING] : last;
			b[k] = after > k ? r->d[k] : r->bm[k];
		}
		double *row = ring[i % RING];
		step(r->m, x, b, y, row);
		if (i < end)
			for (size_t lane = 0; lane < LINES; lane++)
				result[i * LINES + lane] += row[lane];
	}
}

static inline __attribute__((always_inline)) void run_both(const struct recursive *r, size_t n, size_t first,
                                                           size_t end, const double *data, double *result)
{
	run_forward(r, end, data, result);
	run_backward(r, n, first, end, data, result);
}

#ifdef __x86_64__
/* The same operations on four lanes at a time: the same bits (AVX2 alone brings no fused multiplication). */
__attribute__((target("avx2"))) static void run_wide(const struct recursive *r, size_t n, size_t first,
                                                     size_t end, const double *data, double *result)
{
	run_both(r, n, first, end, data, result);
}
#endif

void recursive_run(const void *how, size_t n, size_t first, size_t end, double *data, double *result)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) {
		run_wide(how, n, first, end, data, result);
		return;
	}
#endif
	run_both(how, n, first, end, data, result);
}
