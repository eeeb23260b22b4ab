/* Forests: trees grown side by side, laid into one block; prediction. */
#include "forest.h"

#include <string.h>

void rs_forest_finish(struct rs_forest *forest)
{
	rs_free(forest->roots);
	rs_free(forest->nodes);
	rs_free(forest->values);
	rs_free(forest->times);
	*forest = (struct rs_forest){0};
}

struct planting {
	const struct ground *ground;
	struct tree *trees;
};

static enum rs_code plant(void *context, size_t index, struct rs_error *err)
{
	struct planting *planting = context;
	return tree_grow(planting->ground, index, &planting->trees[index], err);
}

static enum rs_code gather(const struct ground *ground, const struct tree *trees, struct rs_forest *out,
                           struct rs_error *err)
{
	for (uint32_t t = 0; t < ground->trees; t++) {
		out->node_count += trees[t].node_count;
		out->value_count += trees[t].value_count;
	}
	if (out->node_count > UINT32_MAX || out->value_count > UINT32_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the forest would have more than 2^32 nodes");
	out->roots = rs_allocate_array(ground->trees, sizeof *out->roots);
	out->nodes = rs_allocate_array(out->node_count, sizeof *out->nodes);
	out->values = rs_allocate_array(out->value_count, sizeof *out->values);
	out->times = rs_allocate_array(ground->time_count, sizeof *out->times);
	if (!out->roots || !out->nodes || !out->values || !out->times)
		return rs_error_memory(err, out->node_count * sizeof *out->nodes, "a forest");
	uint32_t node = 0, value = 0;
	for (uint32_t t = 0; t < ground->trees; t++) {
		out->roots[t] = node;
		for (size_t i = 0; i < trees[t].node_count; i++) {
			struct rs_forest_node *to = &out->nodes[node + i];
			*to = trees[t].nodes[i];
			to->next += to->column == RS_FOREST_LEAF ? value : node;
		}
		if (trees[t].value_count > 0) /* leaves without events have none */
			memcpy(&out->values[value], trees[t].values,
			       trees[t].value_count * sizeof *out->values);
		node += (uint32_t)trees[t].node_count;
		value += (uint32_t)trees[t].value_count;
	}
	if (ground->time_count > 0)
		memcpy(out->times, ground->times, ground->time_count * sizeof *out->times);
	out->time_count = ground->time_count;
	out->columns = (uint32_t)ground->x->columns;
	out->trees = ground->trees;
	out->classes = ground->classes;
	return RS_OK;
}

static enum rs_code fit(const struct ground *ground, const double *time, struct rs_pool *pool,
                        const struct rs_forest_out_of_bag *out_of_bag, struct rs_forest *out,
                        struct rs_error *err)
{
	struct rs_forest made RS_CLEANUP(rs_forest_finish) = {0};
	struct planting planting = {ground, rs_allocate_array(ground->trees, sizeof *planting.trees)};
	if (!planting.trees)
		return rs_error_memory(err, ground->trees * sizeof *planting.trees, "a forest");
	enum rs_code code = rs_pool_for(pool, ground->trees, plant, &planting, err);
	if (code == RS_OK)
		code = gather(ground, planting.trees, &made, err);
	for (uint32_t t = 0; t < ground->trees; t++)
		tree_finish(&planting.trees[t]);
	rs_free(planting.trees);
	RS_TRY(code);
	if (out_of_bag)
		RS_TRY(out_of_bag_fill(ground, &made, time, pool, out_of_bag, err));
	*out = made;
	made = (struct rs_forest){0};
	return RS_OK;
}

enum rs_code rs_forest_fit_classes(const struct rs_matrix *x, const uint32_t *labels, uint32_t classes,
                                   const struct rs_forest_options *options,
                                   const struct rs_forest_out_of_bag *out_of_bag, struct rs_forest *out,
                                   struct rs_error *err)
{
	struct ground ground RS_CLEANUP(ground_finish) = {0};
	RS_TRY(ground_init(&ground, x, options, err));
	for (size_t r = 0; r < x->rows; r++)
		if (labels[r] >= classes)
			return rs_error_set(err, RS_USAGE, "row %zu: there is no class %u", r + 1, labels[r]);
	if (classes < 2)
		return rs_error_set(err, RS_USAGE, "a forest needs two classes");
	ground.classes = classes;
	ground.labels = labels;
	if (ground.minimum_leaf == 0)
		ground.minimum_leaf = 1;
	return fit(&ground, NULL, options->pool, out_of_bag, out, err);
}

/* Ranks of times, and which of them have events. */
static enum rs_code order_times(struct ground *ground, const double *time, const uint8_t *event,
                                struct rs_error *err)
{
	size_t rows = ground->x->rows;
	size_t bad;
	ground->event = event;
	ground->time_order = rs_allocate_array(rows, sizeof *ground->time_order);
	ground->time_rank = rs_allocate_array(rows, sizeof *ground->time_rank);
	ground->event_time = rs_allocate_array(rows, sizeof *ground->event_time);
	ground->times = rs_allocate_array(rows, sizeof *ground->times);
	if (!ground->time_order || !ground->time_rank || !ground->event_time || !ground->times)
		return rs_error_memory(err, rows * sizeof *ground->times, "times");
	enum rs_code code = ground_sort(time, rows, ground->time_order, ground->time_rank, &bad, err);
	if (code == RS_MALFORMED)
		return rs_error_set(err, code, "row %zu: the time is not a number", bad + 1);
	RS_TRY(code);
	for (size_t i = 0; i < rows; i++) {
		uint32_t row = ground->time_order[i];
		if (!event[row] ||
		    (ground->time_count > 0 && ground->times[ground->time_count - 1] == time[row]))
			continue;
		ground->event_time[ground->time_rank[row]] = (uint32_t)ground->time_count;
		ground->times[ground->time_count++] = time[row];
	}
	return ground->time_count
	               ? RS_OK
	               : rs_error_set(err, RS_NOT_FOUND, "nobody of %zu subjects had the event", rows);
}

enum rs_code rs_forest_fit_survival(const struct rs_matrix *x, const double *time, const uint8_t *event,
                                    const struct rs_forest_options *options,
                                    const struct rs_forest_out_of_bag *out_of_bag, struct rs_forest *out,
                                    struct rs_error *err)
{
	struct ground ground RS_CLEANUP(ground_finish) = {0};
	RS_TRY(ground_init(&ground, x, options, err));
	RS_TRY(order_times(&ground, time, event, err));
	if (ground.minimum_leaf == 0)
		ground.minimum_leaf = 8;
	return fit(&ground, time, options->pool, out_of_bag, out, err);
}

const struct rs_forest_node *tree_walk(const struct rs_forest *forest, uint32_t tree, const double *x,
                                       size_t step)
{
	const struct rs_forest_node *node = &forest->nodes[forest->roots[tree]];
	while (node->column != RS_FOREST_LEAF)
		node = &forest->nodes[node->next + (x[node->column * step] > node->threshold)];
	return node;
}

static void add_leaves(const struct rs_forest *forest, const double *x, double *out)
{
	for (uint32_t t = 0; t < forest->trees; t++) {
		const struct rs_forest_node *leaf = tree_walk(forest, t, x, 1);
		for (uint32_t v = 0; v < leaf->values; v++) {
			const struct rs_forest_value *value = &forest->values[leaf->next + v];
			out[value->at] += value->value / forest->trees;
		}
	}
}

void rs_forest_classes(const struct rs_forest *forest, const double *x, double *out_shares)
{
	memset(out_shares, 0, forest->classes * sizeof *out_shares);
	add_leaves(forest, x, out_shares);
}

void rs_forest_hazard(const struct rs_forest *forest, const double *x, double *out_hazard)
{
	memset(out_hazard, 0, forest->time_count * sizeof *out_hazard);
	add_leaves(forest, x, out_hazard);
	for (size_t i = 1; i < forest->time_count; i++)
		out_hazard[i] += out_hazard[i - 1];
}

double rs_forest_risk(const struct rs_forest *forest, const double *x)
{
	double risk = 0;
	for (uint32_t t = 0; t < forest->trees; t++) {
		const struct rs_forest_node *leaf = tree_walk(forest, t, x, 1);
		for (uint32_t v = 0; v < leaf->values; v++) {
			const struct rs_forest_value *value = &forest->values[leaf->next + v];
			risk += value->value * (double)(forest->time_count - value->at);
		}
	}
	return risk / forest->trees;
}
