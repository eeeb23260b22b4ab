/* Magnitude of the gradient by central differences; beyond its faces the volume goes on with their values. */
#include <math.h>

#include "filter/filter.h"

struct work {
	const struct rs_volume *volume;
	const struct rs_box *box;
	double weight[3]; /* of the two neighbours along each axis */
	double *out;
};

/* The difference of the neighbours of `at` along an axis of `size` voxels, `stride` apart. */
static double slope(const double *at, size_t index, size_t size, size_t stride, double weight)
{
	double before = index > 0 ? *(at - stride) : *at, after = index + 1 < size ? at[stride] : *at;
	return weight * after - weight * before; /* two products, as ITK's operator has it */
}

static double magnitude(const struct work *w, const double *at, size_t x, size_t y, size_t z)
{
	const size_t *size = w->volume->geometry.size;
	double gx = slope(at, x, size[0], 1, w->weight[0]);
	double gy = slope(at, y, size[1], size[0], w->weight[1]);
	double gz = slope(at, z, size[2], size[0] * size[1], w->weight[2]);
	return (double)(float)sqrt(gx * gx + gy * gy + gz * gz);
}

/* The voxels of a row that have neighbours on both sides along x: no branch in the loop. */
static void inner_row(const struct work *w, const double *at, const ptrdiff_t before[2],
                      const ptrdiff_t after[2], size_t count, double *restrict out)
{
	double wx = w->weight[0], wy = w->weight[1], wz = w->weight[2];
	const double *y0 = at + before[0], *y1 = at + after[0], *z0 = at + before[1], *z1 = at + after[1];
	for (size_t i = 0; i < count; i++) {
		double gx = wx * at[i + 1] - wx * *(at + i - 1);
		double gy = wy * y1[i] - wy * y0[i], gz = wz * z1[i] - wz * z0[i];
		out[i] = (double)(float)sqrt(gx * gx + gy * gy + gz * gz);
	}
}

static void filter_row(const struct work *w, size_t y, size_t z, double *out)
{
	const size_t *size = w->volume->geometry.size;
	size_t first = w->box->first[0], end = first + w->box->size[0];
	const double *row = w->volume->voxels + (z * size[1] + y) * size[0];
	ptrdiff_t dy = (ptrdiff_t)size[0], dz = (ptrdiff_t)(size[0] * size[1]);
	const ptrdiff_t before[2] = {y > 0 ? -dy : 0, z > 0 ? -dz : 0};
	const ptrdiff_t after[2] = {y + 1 < size[1] ? dy : 0, z + 1 < size[2] ? dz : 0};
	if (first == 0)
		out[0] = magnitude(w, row, 0, y, z);
	if (end == size[0])
		out[end - 1 - first] = magnitude(w, row + end - 1, end - 1, y, z);
	size_t from = first == 0 ? 1 : first, to = end == size[0] ? end - 1 : end;
	if (from < to)
		inner_row(w, row + from, before, after, to - from, out + (from - first));
}

static enum rs_code filter_slice(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	const struct work *w = context;
	const struct rs_box *box = w->box;
	for (size_t y = 0; y < box->size[1]; y++)
		filter_row(w, box->first[1] + y, box->first[2] + index,
		           w->out + (index * box->size[1] + y) * box->size[0]);
	return RS_OK;
}

enum rs_code rs_filter_gradient(const struct rs_volume *volume, const struct rs_box *box, bool use_spacing,
                                struct rs_pool *pool, double *out, struct rs_error *err)
{
	RS_TRY(rs_box_check(box, &volume->geometry, err));
	struct work w = {volume, box, {0.5, 0.5, 0.5}, out};
	for (unsigned a = 0; a < 3 && use_spacing; a++)
		w.weight[a] *= 1.0 / volume->geometry.spacing_mm[a];
	return rs_pool_for(pool, box->size[2], filter_slice, &w, err);
}
