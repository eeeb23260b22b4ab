/* Gaps filled from the nearest rows. */
#include <math.h>

#include "learn/learn_scale.h"

void rs_neighbours_finish(struct rs_neighbours *neighbours)
{
	rs_free(neighbours->mean); /* one block holds all */
	*neighbours = (struct rs_neighbours){0};
}

enum rs_code rs_neighbours_fit(const struct rs_matrix *x, uint32_t count, struct rs_neighbours *out,
                               struct rs_error *err)
{
	struct rs_neighbours n = {.count = count, .rows = x->rows, .columns = x->columns};
	size_t room = x->rows + 2;
	if (!rs_mul_size(room, x->columns, &room) || !rs_add_size(room, x->rows, &room) ||
	    !(n.mean = rs_allocate_array(room, sizeof *n.mean)))
		return rs_error_memory(err, room, "nearest rows");
	n.deviation = n.mean + n.columns;
	n.cells = n.deviation + n.columns;
	for (size_t c = 0; c < n.columns; c++) {
		struct rs_scale scale;
		const double *column = x->values + c * x->rows;
		rs_scale_fit(RS_SCALE_DEVIATION, column, x->rows, n.cells + n.rows * n.columns, &scale);
		n.mean[c] = scale.shift;
		n.deviation[c] = scale.by;
		for (size_t i = 0; i < n.rows; i++)
			n.cells[i * n.columns + c] = rs_scale_apply(RS_SCALE_DEVIATION, &scale, column[i]);
	}
	*out = n;
	return RS_OK;
}

static double in_deviations(const struct rs_neighbours *n, size_t c, double x)
{
	return n->deviation[c] > 0 ? (x - n->mean[c]) / n->deviation[c] : 0;
}

/* NaN where no cell is common. */
static double distance(const struct rs_neighbours *n, const double *row, const double *cells)
{
	double squares = 0;
	size_t common = 0;
	for (size_t c = 0; c < n->columns; c++) {
		if (isnan(row[c]) || isnan(cells[c]))
			continue;
		double difference = in_deviations(n, c, row[c]) - cells[c];
		squares += difference * difference;
		common++;
	}
	return common > 0 ? squares * (double)n->columns / (double)common : NAN;
}

/* Mean of the nearest that have the cell: chosen one by one, since they are few. */
static double donated(const struct rs_neighbours *n, size_t c, const double *distances)
{
	double sum = 0, last = -1;
	size_t taken = 0, last_row = 0;
	while (taken < n->count) {
		size_t nearest = n->rows;
		for (size_t i = 0; i < n->rows; i++) {
			bool later = distances[i] > last || (distances[i] == last && i > last_row);
			if (later && !isnan(n->cells[i * n->columns + c]) &&
			    (nearest == n->rows || distances[i] < distances[nearest]))
				nearest = i;
		}
		if (nearest == n->rows)
			break;
		last = distances[nearest];
		last_row = nearest;
		sum += n->cells[nearest * n->columns + c];
		taken++;
	}
	return n->mean[c] + (taken > 0 ? sum / (double)taken * n->deviation[c] : 0);
}

void rs_neighbours_fill(const struct rs_neighbours *n, double *row, double *distances)
{
	bool gaps = false;
	for (size_t c = 0; c < n->columns && !gaps; c++)
		gaps = isnan(row[c]);
	if (!gaps)
		return;
	for (size_t i = 0; i < n->rows; i++)
		distances[i] = distance(n, row, n->cells + i * n->columns);
	for (size_t c = 0; c < n->columns; c++)
		if (isnan(row[c]))
			row[c] = donated(n, c, distances);
}
