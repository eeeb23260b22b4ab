/* The bodies of the products, included once for each set of instructions that they are compiled for: TARGET is the
 * attribute, OF(name) the name, WIDTH the lanes of one register. Multiplications and additions of lanes are the same
 * numbers however many of them an instruction does; nothing is fused. */
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

TARGET static inline __attribute__((always_inline)) const float *OF(row)(const struct product *p, bool listed,
                                                                         size_t k)
{
	return p->b + (listed ? p->b_at[k] : k * p->b_row);
}

/* Four rows by two registers of c stay in registers while k runs. */
TARGET static inline __attribute__((always_inline)) void OF(add_four)(const struct product *p, bool listed,
                                                                      const float *a, size_t column, float *c)
{
	float *row0 = c + column, *row1 = row0 + p->c_row, *row2 = row1 + p->c_row, *row3 = row2 + p->c_row;
	const float *a1 = a + p->a_row, *a2 = a1 + p->a_row, *a3 = a2 + p->a_row;
	row_lanes c00 = AT_ROW(row0), c01 = AT_ROW(row0 + WIDTH), c10 = AT_ROW(row1),
		  c11 = AT_ROW(row1 + WIDTH);
	row_lanes c20 = AT_ROW(row2), c21 = AT_ROW(row2 + WIDTH), c30 = AT_ROW(row3),
		  c31 = AT_ROW(row3 + WIDTH);
	for (size_t k = 0; k < p->inner; k++) {
		const size_t at = k * p->a_column;
		const float *b = OF(row)(p, listed, k) + column;
		const row_lanes b0 = AT_ROW(b), b1 = AT_ROW(b + WIDTH);
		c00 += a[at] * b0;
		c01 += a[at] * b1;
		c10 += a1[at] * b0;
		c11 += a1[at] * b1;
		c20 += a2[at] * b0;
		c21 += a2[at] * b1;
		c30 += a3[at] * b0;
		c31 += a3[at] * b1;
	}
	TO_ROW(row0) = c00;
	TO_ROW(row0 + WIDTH) = c01;
	TO_ROW(row1) = c10;
	TO_ROW(row1 + WIDTH) = c11;
	TO_ROW(row2) = c20;
	TO_ROW(row2 + WIDTH) = c21;
	TO_ROW(row3) = c30;
	TO_ROW(row3 + WIDTH) = c31;
}

TARGET static inline __attribute__((always_inline)) void OF(add_row)(const struct product *p, bool listed,
                                                                     const float *a, size_t column, float *c)
{
	for (; column + WIDTH <= p->columns; column += WIDTH) {
		row_lanes sum = AT_ROW(c + column);
		for (size_t k = 0; k < p->inner; k++)
			sum += a[k * p->a_column] * AT_ROW(OF(row)(p, listed, k) + column);
		TO_ROW(c + column) = sum;
	}
	for (; column < p->columns; column++) {
		float sum = c[column];
		for (size_t k = 0; k < p->inner; k++)
			sum += a[k * p->a_column] * OF(row)(p, listed, k)[column];
		c[column] = sum;
	}
}

TARGET static inline __attribute__((always_inline)) void OF(add_rows)(const struct product *p, bool listed)
{
	const size_t wide = p->columns / (2 * WIDTH) * (2 * WIDTH);
	size_t row = 0;
	for (; row + 4 <= p->rows; row += 4) {
		for (size_t column = 0; column < wide; column += 2 * WIDTH)
			OF(add_four)(p, listed, p->a + row * p->a_row, column, p->c + row * p->c_row);
		for (size_t r = row; r < row + 4 && wide < p->columns; r++)
			OF(add_row)(p, listed, p->a + r * p->a_row, wide, p->c + r * p->c_row);
	}
	for (; row < p->rows; row++)
		OF(add_row)(p, listed, p->a + row * p->a_row, 0, p->c + row * p->c_row);
}

TARGET static void OF(add)(const struct product *p)
{
	if (p->b_at)
		OF(add_rows)(p, true);
	else
		OF(add_rows)(p, false);
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

/* Four rows by two columns. */
TARGET static void OF(dot_eight)(const struct product *p, const float *a, const float *b, const float *b1,
                                 float *c)
{
	const float *a1 = a + p->a_row, *a2 = a1 + p->a_row, *a3 = a2 + p->a_row;
	lanes v00 = {0}, v01 = {0}, v10 = {0}, v11 = {0}, v20 = {0}, v21 = {0}, v30 = {0}, v31 = {0};
	size_t k = 0;
	for (; k + LANES <= p->inner; k += LANES) {
		const lanes x = AT(b + k), y = AT(b1 + k);
		v00 += AT(a + k) * x;
		v01 += AT(a + k) * y;
		v10 += AT(a1 + k) * x;
		v11 += AT(a1 + k) * y;
		v20 += AT(a2 + k) * x;
		v21 += AT(a2 + k) * y;
		v30 += AT(a3 + k) * x;
		v31 += AT(a3 + k) * y;
	}
	if (k < p->inner) {
		const size_t left = p->inner - k;
		float padded[6][LANES];
		const lanes x = AT(OF(rest)(b + k, left, padded[0])),
			    y = AT(OF(rest)(b1 + k, left, padded[1]));
		const lanes r0 = AT(OF(rest)(a + k, left, padded[2])),
			    r1 = AT(OF(rest)(a1 + k, left, padded[3]));
		const lanes r2 = AT(OF(rest)(a2 + k, left, padded[4])),
			    r3 = AT(OF(rest)(a3 + k, left, padded[5]));
		v00 += r0 * x;
		v01 += r0 * y;
		v10 += r1 * x;
		v11 += r1 * y;
		v20 += r2 * x;
		v21 += r2 * y;
		v30 += r3 * x;
		v31 += r3 * y;
	}
	float sum[8];
	OF(fold)((const lanes[8]){v00, v01, v10, v11, v20, v21, v30, v31}, sum);
	for (size_t i = 0; i < 4; i++) {
		c[i * p->c_row] += sum[2 * i];
		c[i * p->c_row + 1] += sum[2 * i + 1];
	}
}

TARGET static void OF(dot_one)(const struct product *p, const float *a, const float *b, float *c)
{
	lanes v[8] = {{0}};
	float sum[8];
	size_t k = 0;
	for (; k + LANES <= p->inner; k += LANES)
		v[0] += AT(a + k) * AT(b + k);
	if (k < p->inner) {
		float padded[2][LANES];
		v[0] += AT(OF(rest)(a + k, p->inner - k, padded[0])) *
		        AT(OF(rest)(b + k, p->inner - k, padded[1]));
	}
	OF(fold)(v, sum);
	*c += sum[0];
}

TARGET static void OF(add_transposed)(const struct product *p)
{
	const size_t pairs = p->columns / 2 * 2;
	for (size_t row = 0; row < p->rows; row += 4) {
		const size_t rows = p->rows - row < 4 ? p->rows - row : 4;
		const float *a = p->a + row * p->a_row;
		float *c = p->c + row * p->c_row;
		for (size_t column = 0; rows == 4 && column < pairs; column += 2)
			OF(dot_eight)
		(p, a, OF(row)(p, p->b_at, column), OF(row)(p, p->b_at, column + 1), c + column);
		for (size_t r = 0; r < rows; r++)
			for (size_t column = rows == 4 ? pairs : 0; column < p->columns; column++)
				OF(dot_one)
		(p, a + r * p->a_row, OF(row)(p, p->b_at, column), c + r * p->c_row + column);
	}
}
