/* A moving volume on the fixed one's grid: where the voxels of each row come from, and what lies there. */
#include <math.h>
#include <string.h>

#include "register/view.h"

struct applying {
	const struct rs_transform *transform;
	struct space onto, from, lattice;
	size_t count[3], size[3], padded[3]; /* voxels of both; with PAD more, those of coefficients */
	unsigned order;
	double outside;
	const double *voxels; /* for order 3: padded coefficients */
	double *to;
	const uint32_t *labels;
	uint32_t *to_labels;
};

/* Indices of the moving volume for a row's voxels: the linear part moves by equal steps. */
static void place_row(const struct applying *a, size_t y, size_t z, double *at)
{
	const struct rs_transform *t = a->transform;
	double point[3], start[3], step[3], moved[3];
	const double first[3] = {0, (double)y, (double)z};
	space_point(&a->onto, first, point);
	for (int r = 0; r < 3; r++)
		moved[r] = t->matrix[r][0] * point[0] + t->matrix[r][1] * point[1] +
		           t->matrix[r][2] * point[2] + t->offset_mm[r];
	space_index(&a->from, moved, start);
	for (int r = 0; r < 3; r++) {
		step[r] = 0;
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < 3; k++)
				step[r] += a->from.to_index[r][c] * t->matrix[c][k] * a->onto.to_point[k][0];
	}
	for (size_t x = 0; x < a->count[0]; x++)
		for (size_t r = 0; r < 3; r++)
			at[3 * x + r] = start[r] + (double)x * step[r];
	if (!t->control_mm)
		return;
	double hold_start[3], hold_step[3];
	const size_t *size = t->lattice.size, all = rs_geometry_voxels(&t->lattice);
	space_index(&a->lattice, point, hold_start);
	for (int r = 0; r < 3; r++)
		hold_step[r] = a->lattice.to_index[r][0] * a->onto.to_point[0][0] +
		               a->lattice.to_index[r][1] * a->onto.to_point[1][0] +
		               a->lattice.to_index[r][2] * a->onto.to_point[2][0];
	for (size_t x = 0; x < a->count[0]; x++) {
		struct hold hold;
		double where[3], u[3];
		for (int r = 0; r < 3; r++)
			where[r] = hold_start[r] + (double)x * hold_step[r];
		hold_of(size, where, &hold);
		for (size_t r = 0; r < 3; r++)
			u[r] = hold_value(&hold, size, t->control_mm + r * all);
		for (size_t r = 0; r < 3; r++)
			at[3 * x + r] += a->from.to_index[r][0] * u[0] + a->from.to_index[r][1] * u[1] +
			                 a->from.to_index[r][2] * u[2];
	}
}

static bool inside(const struct applying *a, const double at[3])
{
	return at[0] >= -0.5 && at[0] < (double)a->size[0] - 0.5 && at[1] >= -0.5 &&
	       at[1] < (double)a->size[1] - 0.5 && at[2] >= -0.5 && at[2] < (double)a->size[2] - 0.5;
}

static size_t nearest(const struct applying *a, const double at[3])
{
	return ((size_t)(at[2] + 0.5) * a->size[1] + (size_t)(at[1] + 0.5)) * a->size[0] +
	       (size_t)(at[0] + 0.5);
}

/* Beyond the outer centres the outer voxels go on. */
static double linear(const struct applying *a, const double at[3])
{
	size_t low[3], high[3];
	double f[3];
	for (int r = 0; r < 3; r++) {
		const double last = (double)a->size[r] - 1, p = at[r] < 0 ? 0 : at[r] > last ? last : at[r];
		low[r] = (size_t)p;
		high[r] = low[r] + 1 < a->size[r] ? low[r] + 1 : low[r];
		f[r] = p - (double)low[r];
	}
	double planes[2];
	for (int k = 0; k < 2; k++) {
		const double *plane = a->voxels + (k ? high[2] : low[2]) * a->size[0] * a->size[1];
		const double *near = plane + low[1] * a->size[0], *far = plane + high[1] * a->size[0];
		const double first = near[low[0]] + (near[high[0]] - near[low[0]]) * f[0],
			     second = far[low[0]] + (far[high[0]] - far[low[0]]) * f[0];
		planes[k] = first + (second - first) * f[1];
	}
	return planes[0] + (planes[1] - planes[0]) * f[2];
}

static double cubic(const struct applying *a, const double at[3])
{
	struct hold hold;
	for (int r = 0; r < 3; r++) {
		const double low = floor(at[r]);
		hold.first[r] = (size_t)(low + (PAD - 1));
		weigh(at[r] - low, hold.weight[r]);
	}
	return hold_value(&hold, a->padded, a->voxels);
}

static enum rs_code apply_slice(void *context, size_t z, struct rs_error *err)
{
	const struct applying *a = context;
	double *at RS_CLEANUP(rs_free_pointer) = rs_allocate_array(a->count[0], 3 * sizeof *at);
	if (!at)
		return rs_error_memory(err, a->count[0] * 3 * sizeof *at, "a row of places");
	for (size_t y = 0; y < a->count[1]; y++) {
		const size_t row = (z * a->count[1] + y) * a->count[0];
		place_row(a, y, z, at);
		for (size_t x = 0; x < a->count[0]; x++) {
			const double *where = at + 3 * x;
			const bool in = inside(a, where);
			if (a->to_labels)
				a->to_labels[row + x] = in ? a->labels[nearest(a, where)] : 0;
			else
				a->to[row + x] = !in             ? a->outside
				                 : a->order == 0 ? a->voxels[nearest(a, where)]
				                 : a->order == 1 ? linear(a, where)
				                                 : cubic(a, where);
		}
	}
	return RS_OK;
}

static enum rs_code plan(struct applying *a, const struct rs_geometry *moving, const struct rs_geometry *onto,
                         struct rs_error *err)
{
	RS_TRY(space_of(onto, &a->onto, err));
	RS_TRY(space_of(moving, &a->from, err));
	if (a->transform->control_mm)
		RS_TRY(space_of(&a->transform->lattice, &a->lattice, err));
	memcpy(a->count, onto->size, sizeof a->count);
	memcpy(a->size, moving->size, sizeof a->size);
	return RS_OK;
}

enum rs_code rs_transform_apply_volume(const struct rs_transform *transform, const struct rs_volume *moving,
                                       const struct rs_geometry *onto, unsigned spline_order, double outside,
                                       struct rs_pool *pool, struct rs_volume *out, struct rs_error *err)
{
	struct rs_volume now RS_CLEANUP(rs_volume_finish) = {0};
	double *block RS_CLEANUP(rs_free_pointer) = NULL, *copy RS_CLEANUP(rs_free_pointer) = NULL;
	struct applying a = {
		.transform = transform, .order = spline_order, .outside = outside, .voxels = moving->voxels};
	if (spline_order != 0 && spline_order != 1 && spline_order != 3)
		return rs_error_set(err, RS_USAGE, "splines of order %u; there are 0, 1 and 3", spline_order);
	RS_TRY(plan(&a, &moving->geometry, onto, err));
	RS_TRY(rs_volume_init(&now, onto, err));
	if (spline_order == 3) {
		const size_t size = rs_geometry_voxels(&moving->geometry) * sizeof *copy;
		copy = rs_allocate_aligned(size);
		if (!copy)
			return rs_error_memory(err, size, "a volume's coefficients");
		memcpy(copy, moving->voxels, size);
		RS_TRY(padded_coefficients(copy, a.size, pool, a.padded, &block, err));
		a.voxels = block;
	}
	a.to = now.voxels;
	RS_TRY(rs_pool_for(pool, a.count[2], apply_slice, &a, err));
	now.stored = RS_VOXEL_F64;
	*out = now;
	now.voxels = NULL;
	return RS_OK;
}

enum rs_code rs_transform_apply_mask(const struct rs_transform *transform, const struct rs_mask *moving,
                                     const struct rs_geometry *onto, struct rs_pool *pool,
                                     struct rs_mask *out, struct rs_error *err)
{
	struct rs_mask now RS_CLEANUP(rs_mask_finish) = {0};
	struct applying a = {.transform = transform, .labels = moving->labels};
	RS_TRY(plan(&a, &moving->geometry, onto, err));
	RS_TRY(rs_mask_init(&now, onto, err));
	if (moving->name_count > 0) {
		now.names = rs_allocate_array(moving->name_count, sizeof *now.names);
		if (!now.names)
			return rs_error_memory(err, moving->name_count * sizeof *now.names,
			                       "names of labels");
		memcpy(now.names, moving->names, moving->name_count * sizeof *now.names);
		now.name_count = moving->name_count;
	}
	a.to_labels = now.labels;
	RS_TRY(rs_pool_for(pool, a.count[2], apply_slice, &a, err));
	*out = now;
	now = (struct rs_mask){0};
	return RS_OK;
}
