/* Products with the instructions that every processor of the platform has, and the choice among the ways. */
#define TARGET
#define WIDTH 4
#define TALL 4
#define ACROSS 2
#define OF(name) plain_##name
/* fmaf() of the C library rounds once, too, with an instruction for it or without. */
#define SPLAT_ROW(x) ((row_lanes){(x), (x), (x), (x)})
#define FUSE_ROW(sum, x, y)                                                    \
	do {                                                                   \
		const row_lanes x_ = (x), y_ = (y);                            \
		for (int i_ = 0; i_ < WIDTH; i_++)                             \
			(sum)[i_] = __builtin_fmaf(x_[i_], y_[i_], (sum)[i_]); \
	} while (0)
#define FUSE(sum, x, y)                                                        \
	do {                                                                   \
		const lanes x_ = (x), y_ = (y);                                \
		for (int i_ = 0; i_ < LANES; i_++)                             \
			(sum)[i_] = __builtin_fmaf(x_[i_], y_[i_], (sum)[i_]); \
	} while (0)
#include "kernel_body.h"

const struct product_ways product_plain = {plain_add, plain_add_transposed};

static const struct product_ways *best(void)
{
	const struct product_ways *wide = product_wide(), *widest = product_widest();
	return widest ? widest : wide ? wide : &product_plain;
}

void product_add(const struct product *product) { best()->add(product); }

void product_add_transposed(const struct product *product) { best()->add_transposed(product); }

/* Thirty-two sums, so that additions need not wait for each other; the last few values go with zeros. */
struct sums {
	lanes v[8];
};

static float sums_end(struct sums *sums)
{
	float sum[8];
	sums->v[0] = (sums->v[0] + sums->v[1]) + (sums->v[2] + sums->v[3]);
	plain_fold(sums->v, sum);
	return sum[0];
}

float sum_of(const float *x, size_t count)
{
	struct sums sums = {0};
	float padded[LANES];
	size_t k = 0;
	for (; k + 4 * LANES <= count; k += 4 * LANES)
		for (size_t j = 0; j < 4; j++)
			sums.v[j] += AT(x + k + j * LANES);
	for (; k < count; k += LANES)
		sums.v[0] += AT(plain_rest(x + k, count - k < LANES ? count - k : LANES, padded));
	return sums_end(&sums);
}

float sum_of_products(const float *x, const float *y, size_t count)
{
	struct sums sums = {0};
	float padded[2][LANES];
	size_t k = 0;
	for (; k + 4 * LANES <= count; k += 4 * LANES)
		for (size_t j = 0; j < 4; j++)
			sums.v[j] += AT(x + k + j * LANES) * AT(y + k + j * LANES);
	for (; k < count; k += LANES) {
		const size_t left = count - k < LANES ? count - k : LANES;
		sums.v[0] += AT(plain_rest(x + k, left, padded[0])) * AT(plain_rest(y + k, left, padded[1]));
	}
	return sums_end(&sums);
}

float sum_of_squares(const float *x, float shift, size_t count)
{
	struct sums sums = {0};
	float last[LANES] = {0};
	size_t k = 0;
	for (; k + 4 * LANES <= count; k += 4 * LANES)
		for (size_t j = 0; j < 4; j++) {
			const lanes d = AT(x + k + j * LANES) - shift;
			sums.v[j] += d * d;
		}
	for (; k < count; k++) {
		last[0] = x[k] - shift;
		sums.v[k % 4] += AT(last) * AT(last);
	}
	return sums_end(&sums);
}
