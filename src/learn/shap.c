/* Shapley values of a row: down each tree with products at Gauss's points, up again with sums of leaves. */
#include "shap.h"

#include <math.h>
#include <string.h>

void rs_shap_destroy(struct rs_shap *shap)
{
	if (!shap)
		return;
	rs_free(shap->causes);
	rs_free(shap->of);
	rs_free(shap->points);
	rs_free(shap->weights);
	rs_free(shap);
}

void rs_shap_destroy_pointer(struct rs_shap **shap) { rs_shap_destroy(*shap); }

double rs_shap_base(const struct rs_shap *shap) { return shap->base; }

static enum rs_code create(size_t nodes, uint32_t trees, uint32_t columns, struct rs_shap **out,
                           struct rs_error *err)
{
	struct rs_shap *shap = rs_allocate(sizeof *shap);
	if (!shap)
		return rs_error_memory(err, sizeof *shap, "reasons");
	*out = shap;
	shap->columns = columns;
	shap->causes = rs_allocate_array(nodes, sizeof *shap->causes);
	shap->of = rs_allocate_array(trees, sizeof *shap->of);
	return shap->causes && shap->of ? RS_OK
	                                : rs_error_memory(err, nodes * sizeof *shap->causes, "reasons");
}

/* Trees lie one after the other, each from its root to where the next one begins. */
static size_t end_of(const uint32_t *roots, uint32_t trees, uint32_t tree, size_t nodes)
{
	return tree + 1 < trees ? roots[tree + 1] : nodes;
}

static enum rs_code check_order(const uint32_t *roots, uint32_t trees, size_t nodes, struct rs_error *err)
{
	for (uint32_t t = 0; t < trees; t++)
		if (roots[t] >= end_of(roots, trees, t, nodes))
			return rs_error_set(err, RS_MALFORMED, "trees that lie in no order have no reasons");
	return RS_OK;
}

static enum rs_code check_child(uint32_t next, size_t end, struct rs_error *err)
{
	return (size_t)next + 1 < end ? RS_OK
	                              : rs_error_set(err, RS_MALFORMED,
	                                             "trees whose branches grow together have no reasons");
}

static enum rs_code take_booster(const struct rs_booster *b, uint32_t output, struct rs_shap *shap,
                                 struct rs_error *err)
{
	size_t at = 0;
	for (uint32_t t = output; t < b->trees; t += b->outputs) {
		size_t root = b->roots[t], end = end_of(b->roots, b->trees, t, b->node_count);
		shap->of[shap->trees++] = (struct cause_tree){.first = at, .count = end - root};
		for (size_t i = root; i < end; i++, at++) {
			const struct rs_boost_node *node = &b->nodes[i];
			struct cause *to = &shap->causes[at];
			*to = (struct cause){.column = NONE, .share = (double)node->cover};
			if (node->column == RS_BOOST_LEAF) {
				to->value = (double)node->number;
				continue;
			}
			RS_TRY(check_child(node->next, end, err));
			to->column = node->column;
			to->next = node->next - (uint32_t)root;
			to->missing_right = node->missing_right;
			to->threshold = (double)nextafterf(node->number, -INFINITY);
		}
	}
	return RS_OK;
}

enum rs_code rs_shap_of_booster(const struct rs_booster *booster, uint32_t output, struct rs_shap **out,
                                struct rs_error *err)
{
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	RS_TRY(check_order(booster->roots, booster->trees, booster->node_count, err));
	RS_TRY(create(booster->node_count, booster->trees, booster->columns, &shap, err));
	shap->single = true;
	shap->base = booster->base;
	RS_TRY(take_booster(booster, output, shap, err));
	RS_TRY(shap_prepare(shap, err));
	*out = shap;
	shap = NULL;
	return RS_OK;
}

static double leaf_value(const struct rs_forest *forest, const struct rs_forest_node *leaf, uint32_t class)
{
	double sum = 0;
	for (uint32_t v = 0; v < leaf->values; v++) {
		const struct rs_forest_value *value = &forest->values[leaf->next + v];
		if (forest->classes)
			sum += value->at == class ? value->value : 0;
		else
			sum += value->value * (double)(forest->time_count - value->at);
	}
	return sum / forest->trees;
}

static enum rs_code take_forest(const struct rs_forest *f, uint32_t class, struct rs_shap *shap,
                                struct rs_error *err)
{
	size_t at = 0;
	for (uint32_t t = 0; t < f->trees; t++) {
		size_t root = f->roots[t], end = end_of(f->roots, f->trees, t, f->node_count);
		shap->of[shap->trees++] = (struct cause_tree){.first = at, .count = end - root};
		for (size_t i = root; i < end; i++, at++) {
			const struct rs_forest_node *node = &f->nodes[i];
			struct cause *to = &shap->causes[at];
			*to = (struct cause){.column = NONE, .share = node->weight, .missing_right = true};
			if (node->column == RS_FOREST_LEAF) {
				to->value = leaf_value(f, node, class);
				continue;
			}
			RS_TRY(check_child(node->next, end, err));
			to->column = node->column;
			to->next = node->next - (uint32_t)root;
			to->threshold = node->threshold;
		}
	}
	return RS_OK;
}

enum rs_code rs_shap_of_forest(const struct rs_forest *forest, uint32_t class, struct rs_shap **out,
                               struct rs_error *err)
{
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	RS_TRY(check_order(forest->roots, forest->trees, forest->node_count, err));
	RS_TRY(create(forest->node_count, forest->trees, forest->columns, &shap, err));
	RS_TRY(take_forest(forest, class, shap, err));
	RS_TRY(shap_prepare(shap, err));
	*out = shap;
	shap = NULL;
	return RS_OK;
}

/* ---- rows ---- */

/* By node: whether the row takes all edges of its column down to here; by node and point: the term o t + p (1 - t) turned
 * over, the product of all terms above, which becomes the sum of the leaves below. */
struct walking {
	const struct cause *tree;
	size_t count;
	uint32_t fours;
	const four *points, *weights;
	bool *taken;
	four *turned, *product;
};

static bool goes_right(const struct cause *node, double value)
{
	return isnan(value) ? node->missing_right : !(value <= node->threshold);
}

static void enter(const struct walking *w, const struct cause *node, size_t at)
{
	const four *above = w->product + (size_t)node->parent * w->fours;
	const four *twin = node->twin == NONE ? NULL : w->turned + (size_t)node->twin * w->fours;
	four *turned = w->turned + at * w->fours, *product = w->product + at * w->fours;
	double slope = (w->taken[at] ? 1 : 0) - node->share;
	for (uint32_t k = 0; k < w->fours; k++) {
		four term = node->share + slope * w->points[k];
		turned[k] = 1 / term;
		product[k] = above[k] * term;
		if (twin)
			product[k] *= twin[k];
	}
}

static void descend(const struct walking *w, bool single, const double *x)
{
	memcpy(w->product, w->weights, w->fours * sizeof *w->product);
	for (size_t i = 0; i < w->count; i++) {
		const struct cause *node = &w->tree[i];
		if (node->column == NONE)
			continue;
		double value = single ? (double)(float)x[node->column] : x[node->column];
		uint32_t way = node->next + goes_right(node, value);
		for (uint32_t child = node->next; child < node->next + 2; child++) {
			uint32_t twin = w->tree[child].twin;
			w->taken[child] = child == way && (twin == NONE || w->taken[twin]);
			enter(w, &w->tree[child], child);
		}
	}
}

/* (o - p) Σ sums / term over the points. */
static double integrate(const struct walking *w, const four *sums, uint32_t edge)
{
	const four *turned = w->turned + (size_t)edge * w->fours;
	four lanes = {0};
	for (uint32_t k = 0; k < w->fours; k++)
		lanes += sums[k] * turned[k];
	return ((w->taken[edge] ? 1 : 0) - w->tree[edge].share) *
	       ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
}

static void ascend(const struct walking *w, double *reasons)
{
	for (uint32_t i = (uint32_t)w->count; i-- > 1;) {
		const struct cause *node = &w->tree[i];
		four *sums = w->product + (size_t)i * w->fours;
		const four *low = w->product + (size_t)node->next * w->fours;
		for (uint32_t k = 0; k < w->fours; k++)
			sums[k] = node->column == NONE ? sums[k] * node->value : low[k] + low[w->fours + k];
		double reason = integrate(w, sums, i);
		if (node->twin != NONE)
			reason -= integrate(w, sums, node->twin);
		reasons[w->tree[node->parent].column] += reason;
	}
}

/* Some rows by one tree, then by the next: both stay in the cache. */
#define ROWS 16
static void explain(const struct rs_shap *shap, const double *x, size_t count, struct walking *w,
                    double *out_reasons)
{
	for (uint32_t t = 0; t < shap->trees; t++) {
		const struct cause_tree *of = &shap->of[t];
		w->tree = &shap->causes[of->first];
		w->count = of->count;
		w->fours = of->fours;
		w->points = shap->points + of->points;
		w->weights = shap->weights + of->points;
		for (size_t r = 0; r < count; r++) {
			descend(w, shap->single, x + r * shap->columns);
			ascend(w, out_reasons + r * shap->columns);
		}
	}
}

enum rs_code rs_shap_explain(const struct rs_shap *shap, const double *x, size_t count, double *out_reasons,
                             struct rs_error *err)
{
	size_t size = shap->largest * sizeof(four);
	struct walking w = {.taken = rs_allocate(shap->largest),
	                    .turned = rs_allocate_aligned(size),
	                    .product = rs_allocate_aligned(size)};
	enum rs_code code = w.taken && w.turned && w.product ? RS_OK : rs_error_memory(err, size, "reasons");
	if (code == RS_OK)
		memset(out_reasons, 0, count * shap->columns * sizeof *out_reasons);
	for (size_t r = 0, rows; code == RS_OK && r < count; r += rows) {
		rows = count - r < ROWS ? count - r : ROWS;
		explain(shap, x + r * shap->columns, rows, &w, out_reasons + r * shap->columns);
	}
	rs_free(w.taken);
	rs_free(w.turned);
	rs_free(w.product);
	return code;
}
