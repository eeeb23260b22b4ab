/* Columns sorted once for all trees. */
#include <math.h>
#include <stdlib.h>

#include "forest.h"

struct item {
	double value;
	uint32_t row;
};

static int compare(const void *a, const void *b)
{
	const struct item *first = a, *second = b;
	if (first->value != second->value)
		return first->value < second->value ? -1 : 1;
	return (first->row > second->row) - (first->row < second->row);
}

enum rs_code ground_sort(const double *values, size_t rows, uint32_t *order, uint32_t *rank, size_t *out_bad,
                         struct rs_error *err)
{
	struct item *items RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *items);
	uint32_t ranks = 0;
	if (!items)
		return rs_error_memory(err, rows * sizeof *items, "an order");
	for (*out_bad = 0; *out_bad < rows; ++*out_bad) {
		if (!isfinite(values[*out_bad]))
			return RS_MALFORMED;
		items[*out_bad] = (struct item){values[*out_bad], (uint32_t)*out_bad};
	}
	qsort(items, rows, sizeof *items, compare);
	for (size_t r = 0; r < rows; r++) {
		ranks += r > 0 && items[r].value != items[r - 1].value;
		order[r] = items[r].row;
		rank[items[r].row] = ranks;
	}
	return RS_OK;
}

void ground_finish(struct ground *ground)
{
	rs_free(ground->order);
	rs_free(ground->rank);
	rs_free(ground->time_order);
	rs_free(ground->time_rank);
	rs_free(ground->event_time);
	rs_free(ground->heap);
	rs_free(ground->times);
}

static uint32_t root_of(size_t columns)
{
	uint32_t root = (uint32_t)sqrt((double)columns);
	return (size_t)root * root < columns ? root + 1 : root;
}

enum rs_code ground_init(struct ground *ground, const struct rs_matrix *x,
                         const struct rs_forest_options *options, struct rs_error *err)
{
	size_t cells;
	*ground = (struct ground){
		.x = x,
		.trees = options->trees ? options->trees : 500,
		.tries = options->tries ? options->tries : root_of(x->columns),
		.minimum_leaf = options->minimum_leaf,
		.seed = options->seed,
	};
	if (x->rows == 0 || x->columns == 0 || x->rows > INT32_MAX || x->columns >= RS_FOREST_LEAF)
		return rs_error_set(err, RS_USAGE, "a forest of %zu rows and %zu columns cannot be", x->rows,
		                    x->columns);
	if (!rs_mul_size(x->rows, x->columns, &cells))
		return rs_error_memory(err, SIZE_MAX, "a forest");
	if (options->weight) {
		double sum = 0;
		ground->heap = rs_allocate_array(x->rows, sizeof *ground->heap);
		if (!ground->heap)
			return rs_error_memory(err, x->rows * sizeof *ground->heap, "a forest");
		for (size_t i = 0; i < x->rows; i++)
			ground->heap[i] = sum += options->weight[i];
	}
	ground->order = rs_allocate_array(cells, sizeof *ground->order);
	ground->rank = rs_allocate_array(cells, sizeof *ground->rank);
	if (!ground->order || !ground->rank)
		return rs_error_memory(err, cells * sizeof *ground->rank, "a forest");
	for (size_t c = 0; c < x->columns; c++) {
		size_t at = c * x->rows, bad;
		enum rs_code code = ground_sort(&x->values[at], x->rows, &ground->order[at],
		                                &ground->rank[at], &bad, err);
		if (code == RS_MALFORMED)
			return rs_error_set(err, code, "row %zu, column %zu: not a number", bad + 1, c + 1);
		RS_TRY(code);
	}
	return RS_OK;
}
