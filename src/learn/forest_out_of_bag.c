/* What trees say of rows that they did not see: an honest estimate for free, and what each column was worth. */
#include <math.h>
#include <string.h>

#include "forest.h"
#include "survival/survival_concordance.h"

struct judging {
	const struct ground *ground;
	const struct rs_forest *forest;
	const double *time;
	uint8_t *seen; /* by tree and row */
	double *predictions;
	double *losses; /* by tree and column */
};

static double risk_of(const struct rs_forest *forest, const struct rs_forest_node *leaf)
{
	double risk = 0;
	for (uint32_t v = 0; v < leaf->values; v++) {
		const struct rs_forest_value *value = &forest->values[leaf->next + v];
		risk += value->value * (double)(forest->time_count - value->at);
	}
	return risk;
}

static enum rs_code mark_seen(void *context, size_t tree, struct rs_error *err)
{
	struct judging *j = context;
	size_t rows = j->ground->x->rows;
	uint32_t *weight RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *weight);
	if (!weight)
		return rs_error_memory(err, rows * sizeof *weight, "a bootstrap");
	tree_bootstrap(j->ground, tree, weight);
	for (size_t r = 0; r < rows; r++)
		j->seen[tree * rows + r] = weight[r] > 0;
	return RS_OK;
}

static enum rs_code predict_row(void *context, size_t row, struct rs_error *err RS_UNUSED)
{
	const struct judging *j = context;
	const struct rs_forest *forest = j->forest;
	size_t rows = j->ground->x->rows, classes = forest->classes ? forest->classes : 1;
	double *out = &j->predictions[row * classes], trees = 0;
	for (size_t c = 0; c < classes; c++)
		out[c] = 0;
	for (uint32_t t = 0; t < forest->trees; t++) {
		if (j->seen[t * rows + row])
			continue;
		const struct rs_forest_node *leaf = tree_walk(forest, t, &j->ground->x->values[row], rows);
		trees++;
		if (!forest->classes)
			out[0] += risk_of(forest, leaf);
		for (uint32_t v = 0; forest->classes && v < leaf->values; v++)
			out[forest->values[leaf->next + v].at] += forest->values[leaf->next + v].value;
	}
	for (size_t c = 0; c < classes; c++)
		out[c] = trees > 0 ? out[c] / trees : NAN;
	return RS_OK;
}

/* One tree's unseen rows, with room for a shuffled column. */
struct unseen {
	size_t count;
	uint32_t *rows;
	double *x;    /* count x columns */
	double *kept; /* the column as it is */
	double *risk, *time;
	uint8_t *event;
};

static bool is_right(const struct judging *j, const struct rs_forest_node *leaf, uint32_t row)
{
	const struct rs_forest_value *best = &j->forest->values[leaf->next];
	for (uint32_t v = 1; v < leaf->values; v++)
		if (j->forest->values[leaf->next + v].value > best->value)
			best = &j->forest->values[leaf->next + v];
	return best->at == j->ground->labels[row];
}

/* Share of right classes, or concordance of risks. */
static enum rs_code quality(const struct judging *j, uint32_t tree, const struct unseen *u, double *out,
                            struct rs_error *err)
{
	size_t columns = j->ground->x->columns, right = 0;
	for (size_t i = 0; i < u->count; i++) {
		const struct rs_forest_node *leaf = tree_walk(j->forest, tree, &u->x[i * columns], 1);
		if (j->forest->classes)
			right += is_right(j, leaf, u->rows[i]);
		else
			u->risk[i] = risk_of(j->forest, leaf);
	}
	*out = (double)right / (double)u->count;
	if (j->forest->classes)
		return RS_OK;
	struct rs_follow_up data = {u->count, NULL, u->time, u->event, NULL};
	struct rs_concordance found;
	RS_TRY(rs_concordance_of(&data, u->risk, &(struct rs_concordance_options){0}, &found, err));
	*out = isnan(found.c) ? 0.5 : found.c;
	return RS_OK;
}

static void shuffle_column(struct unseen *u, size_t columns, size_t column, struct rs_stream *stream)
{
	for (size_t i = 0; i < u->count; i++)
		u->kept[i] = u->x[i * columns + column];
	for (size_t i = u->count; i > 1; i--) {
		size_t other = (size_t)rs_stream_below(stream, i);
		double value = u->x[(i - 1) * columns + column];
		u->x[(i - 1) * columns + column] = u->x[other * columns + column];
		u->x[other * columns + column] = value;
	}
}

static enum rs_code lose_columns(const struct judging *j, uint32_t tree, struct unseen *u,
                                 struct rs_error *err)
{
	const struct rs_forest *forest = j->forest;
	size_t columns = j->ground->x->columns;
	uint32_t end = tree + 1 < forest->trees ? forest->roots[tree + 1] : (uint32_t)forest->node_count;
	double *losses = &j->losses[tree * columns], whole;
	struct rs_stream stream = rs_stream_of(~j->ground->seed, tree);
	for (uint32_t n = forest->roots[tree]; n < end; n++)
		if (forest->nodes[n].column != RS_FOREST_LEAF)
			losses[forest->nodes[n].column] = 1; /* used */
	RS_TRY(quality(j, tree, u, &whole, err));
	for (size_t c = 0; c < columns; c++) {
		double without;
		if (losses[c] == 0)
			continue;
		shuffle_column(u, columns, c, &stream);
		RS_TRY(quality(j, tree, u, &without, err));
		for (size_t i = 0; i < u->count; i++)
			u->x[i * columns + c] = u->kept[i];
		losses[c] = whole - without;
	}
	return RS_OK;
}

static enum rs_code judge_tree(void *context, size_t tree, struct rs_error *err)
{
	const struct judging *j = context;
	const struct rs_matrix *x = j->ground->x;
	size_t n = 0;
	uint32_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->rows, sizeof *rows);
	double *cells RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->rows,
	                                                              (x->columns + 3) * sizeof *cells);
	uint8_t *event RS_CLEANUP(rs_free_pointer) = rs_allocate(x->rows);
	if (!rows || !cells || !event)
		return rs_error_memory(err, x->rows * (x->columns + 3) * sizeof *cells, "importance");
	struct unseen u = {0, rows, cells + 3 * x->rows, cells, cells + x->rows, cells + 2 * x->rows, event};
	for (uint32_t r = 0; r < x->rows; r++) {
		if (j->seen[tree * x->rows + r])
			continue;
		for (size_t c = 0; c < x->columns; c++)
			u.x[n * x->columns + c] = x->values[c * x->rows + r];
		if (j->time) {
			u.time[n] = j->time[r];
			event[n] = j->ground->event[r];
		}
		rows[n++] = r;
	}
	u.count = n;
	return n == 0 ? RS_OK : lose_columns(j, (uint32_t)tree, &u, err);
}

static enum rs_code weigh_columns(struct judging *j, struct rs_pool *pool, double *importance,
                                  struct rs_error *err)
{
	size_t columns = j->ground->x->columns;
	double *losses RS_CLEANUP(rs_free_pointer) = rs_allocate_array(j->forest->trees,
	                                                               columns * sizeof *losses);
	if (!losses)
		return rs_error_memory(err, j->forest->trees * columns * sizeof *losses, "importance");
	j->losses = losses;
	RS_TRY(rs_pool_for(pool, j->forest->trees, judge_tree, j, err));
	for (size_t c = 0; c < columns; c++) {
		importance[c] = 0;
		for (size_t t = 0; t < j->forest->trees; t++)
			importance[c] += losses[t * columns + c] / (double)j->forest->trees;
	}
	return RS_OK;
}

enum rs_code out_of_bag_fill(const struct ground *ground, const struct rs_forest *forest, const double *time,
                             struct rs_pool *pool, const struct rs_forest_out_of_bag *out,
                             struct rs_error *err)
{
	size_t rows = ground->x->rows;
	uint8_t *seen RS_CLEANUP(rs_free_pointer) = rs_allocate_array(forest->trees, rows);
	if (!seen)
		return rs_error_memory(err, forest->trees * rows, "bootstraps");
	struct judging j = {ground, forest, time, seen, out->predictions, NULL};
	RS_TRY(rs_pool_for(pool, forest->trees, mark_seen, &j, err));
	if (out->predictions)
		RS_TRY(rs_pool_for(pool, rows, predict_row, &j, err));
	return out->importance ? weigh_columns(&j, pool, out->importance, err) : RS_OK;
}
