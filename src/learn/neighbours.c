/* Gaps filled from the nearest rows. */
#include <math.h>
#include <stdlib.h>

#include "learn/learn_scale.h"

void rs_neighbours_finish(struct rs_neighbours *neighbours)
{
	rs_free(neighbours->mean); /* one block holds all */
	*neighbours = (struct rs_neighbours){0};
}

enum rs_code rs_neighbours_create(uint32_t count, size_t rows, size_t columns, struct rs_neighbours *out,
                                  struct rs_error *err)
{
	struct rs_neighbours n = {.count = count, .rows = rows, .columns = columns};
	size_t room;
	if (!rs_mul_size(rows + 2, columns, &room) || !(n.mean = rs_allocate_array(room, sizeof *n.mean)))
		return rs_error_memory(err, rows * columns * sizeof *n.mean, "nearest rows");
	n.weight = n.mean + columns;
	n.cells = n.weight + columns;
	*out = n;
	return RS_OK;
}

enum rs_code rs_neighbours_fit(const struct rs_matrix *x, uint32_t count, struct rs_neighbours *out,
                               struct rs_error *err)
{
	struct rs_neighbours n = {0};
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, x->rows * sizeof *work, "nearest rows");
	RS_TRY(rs_neighbours_create(count, x->rows, x->columns, &n, err));
	for (size_t c = 0; c < n.columns; c++) {
		struct rs_scale scale;
		const double *column = x->values + c * x->rows;
		rs_scale_fit(RS_SCALE_DEVIATION, column, x->rows, work, &scale);
		n.mean[c] = scale.shift;
		n.weight[c] = scale.by > 0 ? 1 / scale.by : 0;
		for (size_t i = 0; i < n.rows; i++)
			n.cells[i * n.columns + c] = column[i];
	}
	*out = n;
	return RS_OK;
}

/* NaN where no cell is common. Two sums at a time, which processors add side by side. */
static double distance(const struct rs_neighbours *n, const double *row, const double *cells)
{
	double squares[2] = {0, 0};
	size_t common[2] = {0, 0};
	for (size_t c = 0; c < n->columns; c++) {
		double difference = (row[c] - cells[c]) * n->weight[c];
		bool both = !isnan(difference);
		squares[c % 2] += both ? difference * difference : 0;
		common[c % 2] += both;
	}
	size_t all = common[0] + common[1];
	return all > 0 ? (squares[0] + squares[1]) * (double)n->columns / (double)all : NAN;
}

static int by_distance(const void *a, const void *b)
{
	const struct rs_near *x = a, *y = b;
	if (x->distance != y->distance)
		return x->distance > y->distance ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Mean of the nearest that have the cell. */
static double donated(const struct rs_neighbours *n, size_t c, const struct rs_near *near, size_t count)
{
	double sum = 0;
	size_t taken = 0;
	for (size_t i = 0; i < count && taken < n->count; i++) {
		double cell = n->cells[near[i].row * n->columns + c];
		if (isnan(cell))
			continue;
		sum += cell;
		taken++;
	}
	return taken > 0 ? sum / (double)taken : n->mean[c];
}

void rs_neighbours_fill(const struct rs_neighbours *n, double *row, struct rs_near *work)
{
	size_t count = 0;
	bool gaps = false;
	for (size_t c = 0; c < n->columns && !gaps; c++)
		gaps = isnan(row[c]);
	if (!gaps)
		return;
	for (size_t i = 0; i < n->rows; i++) {
		work[count] = (struct rs_near){distance(n, row, n->cells + i * n->columns), i};
		count += isnan(work[count].distance) ? 0 : 1;
	}
	qsort(work, count, sizeof *work, by_distance);
	for (size_t c = 0; c < n->columns; c++)
		if (isnan(row[c]))
			row[c] = donated(n, c, work, count);
}
