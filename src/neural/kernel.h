/* Products of matrices, the one place where a network's time goes. Every sum has its order and its rounding by definition, not
 * by the processor: results have the same bits with AVX-512, with AVX2 and FMA, and (slowly) on machines that have neither.
 *
 * Measured beside oneDNN 2.6.3 (bench/neural_dnnl_bench, one thread of an EPYC 9004 at work on other things, too): a training
 * step of a U-Net's convolutions takes 0.35 of its time at 32 x 32 x 32 with 4 to 8 channels, 0.7 with 16 to 8, 1.6 at 16 x 16 x
 * 16, 2.8 at 8 x 8 x 8, 1.2 with 32 channels at 32 x 32 x 32. Its results have other bits with SSE4.1, AVX2 and AVX-512
 * (ONEDNN_MAX_CPU_ISA), so a model trained on one machine could not be held against its hash on another. */
#ifndef RS_NEURAL_KERNEL_H
#define RS_NEURAL_KERNEL_H

#include <stddef.h>

/* c is rows x columns, its rows c_row apart, and a is rows x inner with any strides. */
struct product {
	size_t rows, inner, columns;
	const float *a;
	size_t a_row, a_column;
	const float *b; /* rows b_row apart */
	size_t b_row;
	float *c;
	size_t c_row;
	const size_t *
		b_at; /* where each row of b begins, in place of b_row; then product_add() takes a_row 1. NULL: that */
};
/* c += a b, b being inner x columns: each element adds its terms in ascending order, each product unrounded. */
void product_add(const struct product *product);
/* c += a bᵀ, b being columns x inner, a_column 1: eight sums, of each eighth term, each product
 * unrounded, are added by
 * ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)), and that to c. */
void product_add_transposed(const struct product *product);

/* The ways that the two choose from. */
struct product_ways {
	void (*add)(const struct product *product);
	void (*add_transposed)(const struct product *product);
};
extern const struct product_ways product_plain;
const struct product_ways *product_wide(void); /* NULL where the processor has none */
const struct product_ways *product_widest(void);

/* Sums of `count` values, of x, of x y, of (x - shift)², in one order that is fixed, too. */
float sum_of(const float *x, size_t count);
float sum_of_products(const float *x, const float *y, size_t count);
float sum_of_squares(const float *x, float shift, size_t count);

#endif
