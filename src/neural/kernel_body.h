/* The bodies of the products, included once for each set of instructions that they are compiled for: TARGET is the
 * attribute, OF(name) the name, WIDTH the lanes of one register, TALL (rows) and ACROSS (columns) how much of a product there are
 * registers for. FUSE and FUSE_ROW
 * multiply and add with one rounding. Lanes are the same numbers however many of them an instruction does. */
#include <stdbool.h>
#include <string.h>

#include "kernel.h"

/* Read and written at any address. Each element of a sum has a lane of its own, or (lanes) each eighth term has. */
typedef float row_lanes __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef float lanes __attribute__((vector_size(32), aligned(4), may_alias));
#define LANES 8
#define AT_ROW(address) (*(const row_lanes *)(const void *)(address))
#define TO_ROW(address) (*(row_lanes *)(void *)(address))
#define AT(address) (*(const lanes *)(const void *)(address))
#define TO(address) (*(lanes *)(void *)(address))

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define INLINED TARGET static inline __attribute__((always_inline))

INLINED const float *OF(row)(const struct product *p, bool listed, size_t k)
{
	return p->b + (listed ? p->b_at[k] : k * p->b_row);
}

/* So many rows by two registers of c stay in registers while k runs. listed: as product_add() says, a_row is 1. */
INLINED void OF(add_tile)(const struct product *p, bool listed, size_t rows, const float *a, size_t column,
                          float *c)
{
	const size_t a_row = listed ? 1 : p->a_row;
	row_lanes sums[TALL][2];
	UNROLL for (size_t r = 0; r < rows; r++)
	{
		sums[r][0] = AT_ROW(c + r * p->c_row + column);
		sums[r][1] = AT_ROW(c + r * p->c_row + column + WIDTH);
	}
	for (size_t k = 0; k < p->inner; k++, a += p->a_column) {
		const float *b = OF(row)(p, listed, k) + column;
		const row_lanes b0 = AT_ROW(b), b1 = AT_ROW(b + WIDTH);
		UNROLL for (size_t r = 0; r < rows; r++)
		{
			const row_lanes x = SPLAT_ROW(a[r * a_row]);
			FUSE_ROW(sums[r][0], x, b0);
			FUSE_ROW(sums[r][1], x, b1);
		}
	}
	UNROLL for (size_t r = 0; r < rows; r++)
	{
		TO_ROW(c + r * p->c_row + column) = sums[r][0];
		TO_ROW(c + r * p->c_row + column + WIDTH) = sums[r][1];
	}
}

INLINED void OF(add_row)(const struct product *p, bool listed, const float *a, size_t column, float *c)
{
	for (; column + WIDTH <= p->columns; column += WIDTH) {
		row_lanes sum = AT_ROW(c + column);
		for (size_t k = 0; k < p->inner; k++)
			FUSE_ROW(sum, SPLAT_ROW(a[k * p->a_column]), AT_ROW(OF(row)(p, listed, k) + column));
		TO_ROW(c + column) = sum;
	}
	for (; column < p->columns; column++) {
		float sum = c[column];
		for (size_t k = 0; k < p->inner; k++)
			sum = __builtin_fmaf(a[k * p->a_column], OF(row)(p, listed, k)[column], sum);
		c[column] = sum;
	}
}

INLINED size_t OF(add_rows)(const struct product *p, bool listed, size_t row, size_t rows)
{
	const size_t wide = p->columns / (2 * WIDTH) * (2 * WIDTH);
	for (; row + rows <= p->rows; row += rows) {
		for (size_t column = 0; column < wide; column += 2 * WIDTH)
			OF(add_tile)(p, listed, rows, p->a + row * p->a_row, column, p->c + row * p->c_row);
		for (size_t r = row; r < row + rows && wide < p->columns; r++)
			OF(add_row)(p, listed, p->a + r * p->a_row, wide, p->c + r * p->c_row);
	}
	return row;
}

INLINED void OF(add_all)(const struct product *p, bool listed)
{
	size_t row = OF(add_rows)(p, listed, 0, TALL);
	row = TALL > 4 ? OF(add_rows)(p, listed, row, 4) : row;
	row = OF(add_rows)(p, listed, row, 2);
	(void)OF(add_rows)(p, listed, row, 1);
}

TARGET static void OF(add)(const struct product *p)
{
	if (p->b_at)
		OF(add_all)(p, true);
	else
		OF(add_all)(p, false);
}

/* out[i] += the sum of the lanes of v[i], by the fixed tree. */
TARGET static void OF(fold)(const lanes v[8], float out[8])
{
	lanes pair[4], four[2];
	for (int i = 0; i < 4; i++)
		pair[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
		          __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
	for (int i = 0; i < 2; i++)
		four[i] = __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
		          __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
	TO(out) = __builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11) +
	          __builtin_shufflevector(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

/* The last terms, fewer than eight, with zeros after them. */
TARGET static const float *OF(rest)(const float *x, size_t count, float padded[LANES])
{
	memset(padded, 0, LANES * sizeof *padded);
	return memcpy(padded, x, count * sizeof *x);
}

/* Four rows by some columns: sums of lanes stay in registers, as many as there are. */
INLINED void OF(dot_tile)(const struct product *p, const float *a, size_t column, float *c)
{
	const float *b[ACROSS];
	lanes v[ACROSS][4] = {{{0}}};
	float sum[8];
	size_t k = 0;
	UNROLL for (size_t j = 0; j < ACROSS; j++) b[j] = OF(row)(p, p->b_at, column + j);
	for (; k + LANES <= p->inner; k += LANES) {
		UNROLL for (size_t r = 0; r < 4; r++)
		{
			const lanes x = AT(a + r * p->a_row + k);
			UNROLL for (size_t j = 0; j < ACROSS; j++) FUSE(v[j][r], x, AT(b[j] + k));
		}
	}
	if (k < p->inner) {
		float padded[2][LANES];
		for (size_t r = 0; r < 4; r++)
			for (size_t j = 0; j < ACROSS; j++)
				FUSE(v[j][r], AT(OF(rest)(a + r * p->a_row + k, p->inner - k, padded[0])),
				     AT(OF(rest)(b[j] + k, p->inner - k, padded[1])));
	}
	for (size_t j = 0; j < ACROSS; j += 2) {
		OF(fold)
		((const lanes[8]){v[j][0], v[j][1], v[j][2], v[j][3], v[j + 1][0], v[j + 1][1], v[j + 1][2],
		                  v[j + 1][3]},
		 sum);
		for (size_t i = 0; i < 8; i++)
			c[i % 4 * p->c_row + j + i / 4] += sum[i];
	}
}

TARGET static void OF(dot_one)(const struct product *p, const float *a, const float *b, float *c)
{
	lanes v[8] = {{0}};
	float sum[8];
	size_t k = 0;
	for (; k + LANES <= p->inner; k += LANES)
		FUSE(v[0], AT(a + k), AT(b + k));
	if (k < p->inner) {
		float padded[2][LANES];
		FUSE(v[0], AT(OF(rest)(a + k, p->inner - k, padded[0])),
		     AT(OF(rest)(b + k, p->inner - k, padded[1])));
	}
	OF(fold)(v, sum);
	*c += sum[0];
}

TARGET static void OF(add_transposed)(const struct product *p)
{
	const size_t tiled = p->columns / ACROSS * ACROSS;
	for (size_t row = 0; row < p->rows; row += 4) {
		const size_t rows = p->rows - row < 4 ? p->rows - row : 4;
		const float *a = p->a + row * p->a_row;
		float *c = p->c + row * p->c_row;
		for (size_t column = 0; rows == 4 && column < tiled; column += ACROSS)
			OF(dot_tile)(p, a, column, c + column);
		for (size_t r = 0; r < rows; r++)
			for (size_t column = rows == 4 ? tiled : 0; column < p->columns; column++) {
				const float *b = OF(row)(p, p->b_at, column);
				OF(dot_one)(p, a + r * p->a_row, b, c + r * p->c_row + column);
			}
	}
}
