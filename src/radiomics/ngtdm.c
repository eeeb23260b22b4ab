/* Neighbouring grey tone difference (PyRadiomics 3.1 documentation, "NGTDM"; IBSI reference manual, 3.10): how far
 * voxels of one level are from the mean of their neighbours. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radiomics/texture.h"

/* Sum and number of the neighbours in the region of each of four voxels. The sum fits: a level
 * is 2^16 at most, and within a distance of 16 there are fewer than 2^16 neighbours. */
static void neighbourhood(const uint32_t *level, const ptrdiff_t *shifts, size_t count, quad *out_sum,
                          quad *out_count)
{
	quad sum = {0}, present = {0}, zero = {0};
	for (size_t k = 0; k < count; k++) {
		quad other = quad_read(level + shifts[k]);
		sum += other;
		present -= (quad)(other != zero);
	}
	*out_sum = sum;
	*out_count = present;
}

static void count_voxel(uint32_t level, uint32_t sum, uint32_t neighbours, bool isolated,
                        struct ngtdm_row *rows)
{
	if (level == 0 || (neighbours == 0 && !isolated))
		return;
	rows[level].n++;
	if (neighbours > 0)
		rows[level].s += fabs((double)level - (double)sum / (double)neighbours);
}

void ngtdm_count_in(const struct grid *grid, struct slab slab, const ptrdiff_t *shifts, size_t shift_count,
                    bool isolated, struct ngtdm_row *rows)
{
	for (size_t r = slab.first * grid->size[1]; r < slab.end * grid->size[1]; r++) {
		const uint32_t *level = grid_row(grid, r % grid->size[1], r / grid->size[1]);
		const struct row *row = &grid->rows[r];
		for (size_t x = row->first; x < row->end; x += QUAD) {
			quad sum, neighbours;
			neighbourhood(level + x, shifts, shift_count, &sum, &neighbours);
			for (size_t i = 0; i < QUAD && x + i < row->end; i++)
				count_voxel(level[x + i], sum[i], neighbours[i], isolated, rows);
		}
	}
}

enum rs_code ngtdm_count(const struct grid *grid, struct slab slab, const struct offset *offsets,
                         size_t count, bool isolated, struct ngtdm_row *rows, struct rs_error *err)
{
	ptrdiff_t *shifts RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(shifts_list(grid, offsets, count, &shifts, err));
	ngtdm_count_in(grid, slab, shifts, 2 * count, isolated, rows);
	return RS_OK;
}

/* Sums over all pairs of levels that occur, i != j. */
struct pair_sums {
	double contrast, busyness, complexity, strength;
};

static void pairs_of(const struct ngtdm_tone *tones, size_t count, size_t first, struct pair_sums *out)
{
	const struct ngtdm_tone *a = &tones[first];
	struct pair_sums sums = {0};
	for (size_t k = first + 1; k < count; k++) {
		const struct ngtdm_tone *b = &tones[k];
		double d = b->level - a->level;
		sums.contrast += a->p * b->p * (d * d);
		sums.busyness += fabs(a->level * a->p - b->level * b->p);
		sums.complexity += d * (a->p * a->s + b->p * b->s) / (a->p + b->p);
		sums.strength += (a->p + b->p) * (d * d);
	}
	out->contrast += 2 * sums.contrast;
	out->busyness += 2 * sums.busyness;
	out->complexity += 2 * sums.complexity;
	out->strength += 2 * sums.strength;
}

static void finish(const struct ngtdm_tone *tones, size_t count, double voxels, const struct pair_sums *pairs,
                   struct ngtdm_sums *out)
{
	double coarse = 0, total = 0, levels = (double)count;
	for (size_t i = 0; i < count; i++) {
		coarse += tones[i].p * tones[i].s;
		total += tones[i].s;
	}
	out->coarseness = coarse > 0 ? 1 / coarse : 1e6;
	out->contrast = count > 1 ? pairs->contrast * total / voxels / (levels * (levels - 1)) : 0;
	out->busyness = pairs->busyness > 0 ? coarse / pairs->busyness : 0;
	out->complexity = pairs->complexity / voxels;
	out->strength = total > 0 ? pairs->strength / total : 0;
}

void ngtdm_measure_tones(const struct ngtdm_tone *tones, size_t count, double voxels, struct ngtdm_sums *out)
{
	struct pair_sums pairs = {0};
	for (size_t i = 0; i < count; i++)
		pairs_of(tones, count, i, &pairs);
	finish(tones, count, voxels, &pairs, out);
}

static int by_weight(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static int by_voxels(const void *a, const void *b)
{
	const struct ngtdm_tone *const *x = a, *const *y = b;
	if ((*x)->p > (*y)->p || (*x)->p < (*y)->p)
		return (*x)->p > (*y)->p ? 1 : -1;
	return ((*x)->level > (*y)->level) - ((*x)->level < (*y)->level);
}

/* Adds to the complexity the pairs of every level with the `size` levels of one group, which share a p. The sum of
 * |i - j| over j in the group comes from how many j and what sum of j lie below i. */
static void group_pairs(const struct ngtdm_tone *tones, size_t count, const struct ngtdm_tone *const *group,
                        size_t size, struct pair_sums *out)
{
	double below = 0, sum_below = 0, sum = 0;
	size_t k = 0;
	for (size_t g = 0; g < size; g++)
		sum += group[g]->level;
	for (size_t i = 0; i < count; i++) {
		for (; k < size && group[k]->level <= tones[i].level; k++) {
			below++;
			sum_below += group[k]->level;
		}
		double distances = below * tones[i].level - sum_below + (sum - sum_below) -
		                   ((double)size - below) * tones[i].level;
		out->complexity += 2 * tones[i].p * tones[i].s * distances / (tones[i].p + group[0]->p);
	}
}

/* The same sums for many levels, without looking at each pair: contrast and strength from moments, busyness from the
 * gaps between sorted weights, complexity by groups of levels with as many voxels, of which there are few. */
static enum rs_code pairs_many(const struct ngtdm_tone *tones, size_t count, struct pair_sums *out,
                               struct rs_error *err)
{
	double mean = 0, sum = 0, squares = 0, n = (double)count;
	double *weight RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *weight);
	const struct ngtdm_tone **sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count,
	                                                                                 sizeof *sorted);
	if (weight == NULL || sorted == NULL)
		return rs_error_memory(err, count * 2 * sizeof *weight, "NGTDM");
	for (size_t i = 0; i < count; i++) {
		weight[i] = tones[i].level * tones[i].p;
		sorted[i] = &tones[i];
		mean += weight[i];
		sum += tones[i].level;
		squares += tones[i].level * tones[i].level;
	}
	qsort(weight, count, sizeof *weight, by_weight);
	qsort(sorted, count, sizeof *sorted, by_voxels);
	for (size_t i = 0; i < count; i++) {
		double level = tones[i].level, d = level - mean;
		out->contrast += 2 * tones[i].p * (d * d);
		out->strength += 2 * tones[i].p * (n * (level * level) - 2 * level * sum + squares);
		if (i > 0)
			out->busyness += 2 * (weight[i] - weight[i - 1]) * (double)i * (n - (double)i);
	}
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count && !(sorted[end]->p > sorted[first]->p);)
			end++;
		group_pairs(tones, count, sorted + first, end - first, out);
	}
	return RS_OK;
}

#define TONES_MANY 512 /* pairs of so many are slower than sorting */

enum rs_code ngtdm_measure(const struct ngtdm_row *rows, uint32_t level_count, struct ngtdm_sums *out,
                           struct rs_error *err)
{
	size_t count = 0;
	double voxels = 0;
	struct ngtdm_tone *tones RS_CLEANUP(rs_free_pointer) = rs_allocate_array(level_count, sizeof *tones);
	if (tones == NULL)
		return rs_error_memory(err, level_count * sizeof *tones, "NGTDM");
	for (uint32_t i = 1; i <= level_count; i++)
		voxels += (double)rows[i].n;
	for (uint32_t i = 1; i <= level_count; i++)
		if (rows[i].n > 0)
			tones[count++] = (struct ngtdm_tone){i, (double)rows[i].n / voxels, rows[i].s};
	if (count < TONES_MANY) {
		ngtdm_measure_tones(tones, count, voxels, out);
		return RS_OK;
	}
	struct pair_sums pairs = {0};
	RS_TRY(pairs_many(tones, count, &pairs, err));
	finish(tones, count, voxels, &pairs, out);
	return RS_OK;
}

enum rs_code ngtdm_build(struct rs_evidence *evidence, struct rs_error *err)
{
	const struct grid *grid = &evidence->grid;
	struct offset *offsets RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count;
	struct ngtdm_row *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array((size_t)grid->level_count + 1,
	                                                                       sizeof *rows);
	if (rows == NULL)
		return rs_error_memory(err, ((size_t)grid->level_count + 1) * sizeof *rows, "NGTDM");
	RS_TRY(offsets_of_image(evidence->image, grid, true, &offsets, &count, err));
	RS_TRY(ngtdm_count(grid, grid_whole(grid), offsets, count, true, rows, err));
	return ngtdm_measure(rows, grid->level_count, &evidence->ngtdm, err);
}

#define OF(member) \
	static double member(const struct rs_evidence *e) { return e->ngtdm.member; }
OF(coarseness)
OF(contrast)
OF(busyness)
OF(complexity)
OF(strength)

#define ROW(name, ibsi, unit, display, function)                                     \
	{                                                                            \
		"ngtdm_" name, ibsi, unit, display, RS_FAMILY_NGTDM, false, function \
	}
static const struct rs_feature rows[] = {
	ROW("busyness", "NQ30", "1", "Busyness", busyness),
	ROW("coarseness", "QCDE", "1", "Coarseness", coarseness),
	ROW("complexity", "HDEZ", "1", "Complexity", complexity),
	ROW("contrast", "65HE", "1", "Contrast", contrast),
	ROW("strength", "1X9X", "1", "Strength", strength),
};
const struct rs_feature_table ngtdm_features = {RS_COUNT(rows), rows};
