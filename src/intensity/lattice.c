/* Lee, Wolberg and Shin's approximation: every value says what its sixty-four control points would have to be to give it
 * with the least sum of squares; a control point takes the mean of what it is told, weighted by how much it counts there. */
#include "lattice.h"

#include <math.h>
#include <string.h>

enum rs_code grid_reach_init(struct grid_reach *out, const size_t volume[3], const size_t step[3],
                             const size_t elements[3], struct rs_error *err)
{
	struct grid_reach reach = {.size = {0, 0, 0}};
	for (int a = 0; a < 3; a++) {
		const size_t size = reach.size[a] = (volume[a] + step[a] - 1) / step[a];
		const double last = (double)(volume[a] - 1);
		reach.along[a] = rs_allocate_array(size, sizeof *reach.along[a]);
		if (!reach.along[a]) {
			grid_reach_finish(&reach);
			return rs_error_memory(err, size * sizeof *reach.along[a], "a grid's weights");
		}
		for (size_t i = 0; i < size; i++)
			rs_reach_of(last > 0 ? (double)(i * step[a]) / last : 0.5, elements[a],
			            &reach.along[a][i]);
	}
	*out = reach;
	return RS_OK;
}

void grid_reach_finish(struct grid_reach *reach)
{
	for (int a = 0; a < 3; a++)
		rs_free(reach->along[a]);
}

static size_t control_count(const struct rs_lattice *l) { return l->size[0] * l->size[1] * l->size[2]; }

struct voting {
	const struct rs_lattice *lattice;
	double *votes, *weights;
};

static double square_sum(const double w[4]) { return w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + w[3] * w[3]; }

static void vote(const struct voting *v, const struct rs_reach *x, const struct rs_reach *y,
                 const struct rs_reach *z, double value)
{
	const size_t *size = v->lattice->size;
	double per = value / (square_sum(x->weight) * square_sum(y->weight) * square_sum(z->weight));
	for (size_t k = 0; k < 4; k++)
		for (size_t j = 0; j < 4; j++) {
			size_t row = ((z->first + k) * size[1] + y->first + j) * size[0] + x->first;
			double outer = z->weight[k] * y->weight[j];
			for (size_t i = 0; i < 4; i++) {
				double w = outer * x->weight[i], w2 = w * w;
				v->votes[row + i] += w2 * w * per;
				v->weights[row + i] += w2;
			}
		}
}

enum rs_code lattice_approach(struct rs_lattice *lattice, const struct grid_reach *grid, const double *values,
                              struct rs_error *err)
{
	size_t count = control_count(lattice);
	double *sums RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * count, sizeof *sums);
	if (!sums)
		return rs_error_memory(err, 2 * count * sizeof *sums, "a spline's sums");
	memset(sums, 0, 2 * count * sizeof *sums);
	const struct voting voting = {lattice, sums, sums + count};
	for (size_t z = 0; z < grid->size[2]; z++)
		for (size_t y = 0; y < grid->size[1]; y++)
			for (size_t x = 0; x < grid->size[0]; x++, values++)
				if (!isnan(*values))
					vote(&voting, &grid->along[0][x], &grid->along[1][y],
					     &grid->along[2][z], *values);
	for (size_t i = 0; i < count; i++)
		lattice->control[i] += sums[count + i] > 0 ? sums[i] / sums[count + i] : 0;
	return RS_OK;
}

struct evaluating {
	const struct rs_lattice *lattice;
	const struct grid_reach *grid;
	double *out;
};

/* First the plane's own spline across y and x, then along the rows: sixteen products a control point, four a voxel. */
static enum rs_code evaluate_plane(void *context, size_t z, struct rs_error *err)
{
	const struct evaluating *e = context;
	const size_t *size = e->lattice->size, plane = size[0] * size[1];
	const struct rs_reach *at_z = &e->grid->along[2][z];
	double *flat RS_CLEANUP(rs_free_pointer) = rs_allocate_array(plane + size[0], sizeof *flat);
	if (!flat)
		return rs_error_memory(err, (plane + size[0]) * sizeof *flat, "a plane of the spline");
	double *row = flat + plane, *out = e->out + z * e->grid->size[0] * e->grid->size[1];
	for (size_t i = 0; i < plane; i++) {
		const double *control = e->lattice->control + at_z->first * plane + i;
		flat[i] = at_z->weight[0] * control[0] + at_z->weight[1] * control[plane] +
		          at_z->weight[2] * control[2 * plane] + at_z->weight[3] * control[3 * plane];
	}
	for (size_t y = 0; y < e->grid->size[1]; y++) {
		const struct rs_reach *at_y = &e->grid->along[1][y];
		for (size_t i = 0; i < size[0]; i++) {
			const double *from = flat + at_y->first * size[0] + i;
			row[i] = at_y->weight[0] * from[0] + at_y->weight[1] * from[size[0]] +
			         at_y->weight[2] * from[2 * size[0]] + at_y->weight[3] * from[3 * size[0]];
		}
		for (size_t x = 0; x < e->grid->size[0]; x++) {
			const struct rs_reach *at_x = &e->grid->along[0][x];
			const double *from = row + at_x->first;
			*out++ = at_x->weight[0] * from[0] + at_x->weight[1] * from[1] +
			         at_x->weight[2] * from[2] + at_x->weight[3] * from[3];
		}
	}
	return RS_OK;
}

enum rs_code lattice_values(const struct rs_lattice *lattice, const struct grid_reach *grid,
                            struct rs_pool *pool, double *out, struct rs_error *err)
{
	struct evaluating evaluating = {lattice, grid, out};
	return rs_pool_for(pool, grid->size[2], evaluate_plane, &evaluating, err);
}
