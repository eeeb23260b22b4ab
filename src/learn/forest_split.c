/* The best of some columns' splits. */
#include <string.h>

#include "forest.h"

#define RUN 16u /* sorted by insertion */

static void insert(uint64_t *keys, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint64_t key = keys[i];
		size_t j = i;
		for (; j > 0 && keys[j - 1] > key; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static void merge(const uint64_t *from, size_t first, size_t middle, size_t last, uint64_t *to)
{
	size_t a = first, b = middle;
	for (size_t i = first; i < last; i++)
		to[i] = a < middle && (b == last || from[a] <= from[b]) ? from[a++] : from[b++];
}

/* Returns where the sorted keys lie: keys or spare. */
static const uint64_t *sort_keys(uint64_t *keys, uint64_t *spare, size_t count)
{
	for (size_t i = 0; i < count; i += RUN)
		insert(keys + i, count - i < RUN ? count - i : RUN);
	for (size_t width = RUN; width < count; width *= 2) {
		for (size_t i = 0; i < count; i += 2 * width) {
			size_t middle = i + width < count ? i + width : count;
			size_t last = i + 2 * width < count ? i + 2 * width : count;
			merge(keys, i, middle, last, spare);
		}
		uint64_t *kept = keys;
		keys = spare;
		spare = kept;
	}
	return keys;
}

/* Large nodes are picked out of the whole order, small ones sorted. */
void sort_members(struct growing *g, const struct members *in, const uint32_t *order, const uint32_t *rank)
{
	size_t rows = g->ground->x->rows, count = in->last - in->first;
	if (count * 16 >= rows) {
		for (size_t i = 0, k = 0; k < count; i++) {
			g->sorted[k] = order[i];
			k += g->slot[order[i]] == in->slot;
		}
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t row = g->members[in->first + i];
		g->keys[i] = (uint64_t)rank[row] << 32 | row;
	}
	const uint64_t *keys = sort_keys(g->keys, g->spare, count);
	for (size_t i = 0; i < count; i++)
		g->sorted[i] = (uint32_t)keys[i];
}

static double gain_of(const double *left, const double *total, size_t scores, double weight, double all)
{
	double a = 0, b = 0;
	for (size_t k = 0; k < scores; k++) {
		double right = total[k] - left[k];
		a += left[k] * left[k];
		b += right * right;
	}
	return a / weight + b / (all - weight);
}

/* Between two values: the middle, unless rounding takes it to the larger one. */
static double between(double low, double high)
{
	double middle = 0.5 * low + 0.5 * high;
	return middle < high ? middle : low;
}

/* Tries every place between distinct values. */
static void try_column(struct growing *g, const struct members *in, uint32_t column, struct split *best)
{
	const struct rs_matrix *x = g->ground->x;
	const uint32_t *rank = &g->ground->rank[column * x->rows];
	const double *value = &x->values[column * x->rows];
	size_t count = in->last - in->first;
	uint64_t weight = 0, least = g->ground->minimum_leaf;
	memset(g->left, 0, g->scores * sizeof *g->left);
	for (size_t i = 0; i + 1 < count; i++) {
		uint32_t row = g->sorted[i];
		weight += g->weight[row];
		for (size_t k = 0; k < g->scores; k++)
			g->left[k] += g->weight[row] * g->score[row * g->scores + k];
		if (rank[row] == rank[g->sorted[i + 1]] || weight < least)
			continue;
		if (in->weight - weight < least)
			return;
		double gain = gain_of(g->left, g->total, g->scores, (double)weight, (double)in->weight);
		if (gain > best->gain)
			*best = (struct split){column, between(value[row], value[g->sorted[i + 1]]), gain};
	}
}

/* Columns that do not vary in the node are not counted: with many of them a node would be left unsplit. */
bool split_find(struct growing *g, const struct members *in, struct split *out)
{
	const struct rs_matrix *x = g->ground->x;
	double before = 0, gain;
	for (size_t k = 0; k < g->scores; k++)
		before += g->total[k] * g->total[k];
	gain = before / (double)in->weight;
	*out = (struct split){RS_FOREST_LEAF, 0, gain + 1e-10 * (1 + gain)};
	uint32_t tried = 0;
	for (size_t left = x->columns; left > 0 && tried < g->ground->tries; left--) {
		size_t at = (size_t)rs_stream_below(&g->stream, left);
		uint32_t column = g->columns[at];
		g->columns[at] = g->columns[left - 1];
		g->columns[left - 1] = column;
		const uint32_t *rank = &g->ground->rank[column * x->rows];
		sort_members(g, in, &g->ground->order[column * x->rows], rank);
		if (rank[g->sorted[0]] == rank[g->sorted[in->last - in->first - 1]])
			continue;
		tried++;
		try_column(g, in, column, out);
	}
	return out->column != RS_FOREST_LEAF;
}
