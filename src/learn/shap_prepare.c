/* Trees made ready for Shapley values: shares, twins, Gauss's points. */
#include <math.h>
#include <string.h>

#include "shap.h"

/* A share of 0 would divide by 0; what it stands for was never seen in training. */
#define SHARE_LEAST 1e-9

/* Of both children's cover: sums of floats, theirs need not be the parent's. */
static double clamp_share(double cover, double of)
{
	double share = of > 0 ? cover / of : 0.5;
	return share > SHARE_LEAST ? fmin(share, 1) : SHARE_LEAST;
}

/* Each node but the root is one node's child; files may say otherwise. */
static bool link_children(struct cause *tree, size_t count)
{
	size_t linked = 1;
	for (size_t i = 0; i < count; i++)
		tree[i].parent = tree[i].twin = NONE;
	for (size_t i = 0; i < count; i++) {
		if (tree[i].column == NONE)
			continue;
		for (uint32_t child = tree[i].next; child < tree[i].next + 2; child++) {
			if (tree[child].parent != NONE)
				return false;
			tree[child].parent = (uint32_t)i;
			linked++;
		}
	}
	return linked == count;
}

static uint32_t twin_of(const struct cause *tree, uint32_t at)
{
	uint32_t column = tree[tree[at].parent].column;
	for (at = tree[at].parent; tree[at].parent != NONE; at = tree[at].parent)
		if (tree[tree[at].parent].column == column)
			return at;
	return NONE;
}

/* Children after parents: the shares above are ready when those below are made. Returns the most columns on a path. */
static enum rs_code prepare_tree(struct cause *tree, size_t count, uint32_t *out_columns, double *base,
                                 struct rs_error *err)
{
	double *reach RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *reach);
	double *cover RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *cover);
	uint32_t *depth RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *depth);
	if (!reach || !cover || !depth)
		return rs_error_memory(err, count * sizeof *reach, "reasons");
	for (size_t i = 0; i < count; i++)
		cover[i] = tree[i].share;
	if (!link_children(tree, count))
		return rs_error_set(err, RS_MALFORMED, "trees whose branches grow together have no reasons");
	reach[0] = 1;
	*out_columns = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct cause *node = &tree[i];
		if (i > 0) {
			uint32_t pair = tree[node->parent].next;
			node->twin = twin_of(tree, i);
			node->share = clamp_share(cover[i], cover[pair] + cover[pair + 1]);
			reach[i] = reach[node->parent] * node->share;
			depth[i] = depth[node->parent] + (node->twin == NONE);
			if (node->twin != NONE)
				node->share = fmax(node->share * tree[node->twin].share, 1e-100);
		}
		*out_columns = depth[i] > *out_columns ? depth[i] : *out_columns;
		*base += node->column == NONE ? reach[i] * node->value : 0;
	}
	return RS_OK;
}

/* Legendre's polynomial of a degree and its derivative at z in (-1, 1). */
static double legendre(uint32_t degree, double z, double *out_derivative)
{
	double before = 1, p = z;
	for (uint32_t k = 2; k <= degree; k++) {
		double next = ((2.0 * k - 1) * z * p - (k - 1.0) * before) / k;
		before = p;
		p = next;
	}
	*out_derivative = degree * (z * p - before) / (z * z - 1);
	return p;
}

/* Gauss's points and weights on 0 … 1: exact for polynomials of degree 2 count - 1. */
static void gauss(uint32_t count, double *points, double *weights)
{
	for (uint32_t i = 0; i < count; i++) {
		double z = cos(acos(-1) * (i + 0.75) / (count + 0.5)), derivative = 1;
		for (int step = 0; step < 20; step++) {
			double value = legendre(count, z, &derivative), before = z;
			z -= value / derivative;
			if (z == before)
				break;
		}
		legendre(count, z, &derivative);
		points[i] = 0.5 + 0.5 * z;
		weights[i] = 1 / ((1 - z * z) * derivative * derivative);
	}
}

static enum rs_code make_points(struct rs_shap *shap, uint32_t most_fours, struct rs_error *err)
{
	size_t room = (size_t)most_fours * (most_fours + 1) / 2, at = 0;
	shap->points = rs_allocate_aligned(room * sizeof *shap->points);
	shap->weights = rs_allocate_aligned(room * sizeof *shap->weights);
	if (!shap->points || !shap->weights)
		return rs_error_memory(err, room * sizeof *shap->points, "reasons");
	for (uint32_t fours = 1; fours <= most_fours; at += fours++)
		gauss(fours * LANES, (double *)(shap->points + at), (double *)(shap->weights + at));
	for (uint32_t t = 0; t < shap->trees; t++)
		shap->of[t].points = (size_t)shap->of[t].fours * (shap->of[t].fours - 1) / 2;
	return RS_OK;
}

enum rs_code shap_prepare(struct rs_shap *shap, struct rs_error *err)
{
	uint32_t most = 1;
	for (uint32_t t = 0; t < shap->trees; t++) {
		struct cause_tree *of = &shap->of[t];
		uint32_t columns = 0;
		RS_TRY(prepare_tree(&shap->causes[of->first], of->count, &columns, &shap->base, err));
		/* A product of columns - 1 terms needs columns / 2 points, rounded up. */
		of->fours = columns ? ((columns + 1) / 2 + LANES - 1) / LANES : 1;
		most = of->fours > most ? of->fours : most;
		size_t size;
		if (!rs_mul_size(of->count, of->fours * sizeof(four), &size))
			return rs_error_memory(err, SIZE_MAX, "reasons");
		shap->largest = size / sizeof(four) > shap->largest ? size / sizeof(four) : shap->largest;
	}
	return make_points(shap, most, err);
}
