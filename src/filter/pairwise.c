/* Pairwise summation: eight sums side by side over at most 128 values, halves above that. */
#include "filter/pairwise.h"

#include <string.h>

#define SIDE_BY_SIDE 8
#define BLOCK 128

static void add(const double *restrict from, size_t width, bool single, double *restrict to)
{
	if (single)
		for (size_t i = 0; i < width; i++)
			to[i] = (double)(float)(to[i] + from[i]);
	else
		for (size_t i = 0; i < width; i++)
			to[i] += from[i];
}

static void sum_block(const double *rows, size_t count, size_t width, bool single, double *sums, double *out)
{
	size_t whole = count - count % SIDE_BY_SIDE;
	memcpy(sums, rows, SIDE_BY_SIDE * width * sizeof *sums);
	for (size_t r = SIDE_BY_SIDE; r < whole; r++)
		add(rows + r * width, width, single, sums + r % SIDE_BY_SIDE * width);
	for (size_t step = 1; step < SIDE_BY_SIDE; step *= 2)
		for (size_t k = 0; k < SIDE_BY_SIDE; k += 2 * step)
			add(sums + (k + step) * width, width, single, sums + k * width);
	memcpy(out, sums, width * sizeof *out);
	for (size_t r = whole; r < count; r++)
		add(rows + r * width, width, single, out);
}

static void sum(const double *rows, size_t count, size_t width, bool single, double *work, double *out)
{
	if (count < SIDE_BY_SIDE) {
		memcpy(out, rows, width * sizeof *out);
		for (size_t r = 1; r < count; r++)
			add(rows + r * width, width, single, out);
	} else if (count <= BLOCK) {
		sum_block(rows, count, width, single, work, out);
	} else {
		size_t half = count / 2 - count / 2 % SIDE_BY_SIDE;
		sum(rows, half, width, single, work, out);
		sum(rows + half * width, count - half, width, single, work + width, work);
		add(work, width, single, out);
	}
}

void pairwise_mean(const double *rows, size_t count, size_t width, bool single, double *work, double *out)
{
	sum(rows, count, width, single, work, out);
	for (size_t i = 0; i < width; i++)
		out[i] = rounded(out[i] / (double)count, single);
}
