/* Pairwise summation: a few sums side by side over at most 16 rounds, halves above that. */
#include "filter/pairwise.h"

#include <string.h>

#define ROUNDS 16

static void add(const double *restrict from, size_t width, bool single, double *restrict to)
{
	if (single)
		for (size_t i = 0; i < width; i++)
			to[i] = (double)(float)(to[i] + from[i]);
	else
		for (size_t i = 0; i < width; i++)
			to[i] += from[i];
}

static void sum_block(const double *rows, size_t count, size_t width, size_t side, bool single, double *sums,
                      double *out)
{
	size_t whole = count - count % side;
	memcpy(sums, rows, side * width * sizeof *sums);
	for (size_t r = side; r < whole; r++)
		add(rows + r * width, width, single, sums + r % side * width);
	for (size_t step = 1; step < side; step *= 2)
		for (size_t k = 0; k < side; k += 2 * step)
			add(sums + (k + step) * width, width, single, sums + k * width);
	memcpy(out, sums, width * sizeof *out);
	for (size_t r = whole; r < count; r++)
		add(rows + r * width, width, single, out);
}

void pairwise_sum(const double *rows, size_t count, size_t width, enum pairwise_kind kind, bool single,
                  double *work, double *out)
{
	size_t side = kind;
	if (count < side) {
		memcpy(out, rows, width * sizeof *out);
		for (size_t r = 1; r < count; r++)
			add(rows + r * width, width, single, out);
	} else if (count <= ROUNDS * side) {
		sum_block(rows, count, width, side, single, work, out);
	} else {
		size_t half = count / 2 - count / 2 % side;
		pairwise_sum(rows, half, width, kind, single, work, out);
		pairwise_sum(rows + half * width, count - half, width, kind, single, work + width, work);
		add(work, width, single, out);
	}
}

void pairwise_mean(const double *rows, size_t count, size_t width, bool single, double *work, double *out)
{
	pairwise_sum(rows, count, width, PAIRWISE_REAL, single, work, out);
	for (size_t i = 0; i < width; i++)
		out[i] = rounded(out[i] / (double)count, single);
}
