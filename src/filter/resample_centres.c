/* Resampling as IBSI has it: the centres of both grids are the same point, the image goes on beyond its edges with its
 * outer voxels, splines of order 0, 1 and 3 along x, then y, then z (a tensor product, so nothing is lost by it). */
#include <math.h>
#include <string.h>

#include "filter/grid.h"
#include "filter/interpolate.h"

/* Spacings come from float32 headers: a count this close to a whole number is that number. */
#define COUNT_TOLERANCE 1e-6
/* A coverage of a half, say, is reached whatever rounding made of it. */
#define COVERAGE_TOLERANCE 1e-9
#define EDGE 2 /* voxels beyond the ends that a cubic spline reaches from half a voxel outside */
#define SUPPORT 4

/* One new voxel along the axis: what it sums up, of the line with EDGE voxels more at both ends. */
struct blend {
	size_t first, count;
	double weights[SUPPORT];
};

struct pass {
	int axis;
	unsigned order;
	const double *from;
	double *to;
	size_t size[3], count; /* old sizes; new size along the axis */
	struct blend *blends;
};

/* Coefficients of a line whose outer values go on for ever, of lines[n][lane]: the recursions start where such a
 * line has brought them to. */
static void spline_endless(double (*lines)[LANES], size_t count)
{
	const double pole = sqrt(3.0) - 2;
	const double gain = (1 - pole) * (1 - 1 / pole);
	for (int i = 0; i < LANES; i++) {
		double last = lines[count - 1][i] * gain / (1 - pole);
		lines[0][i] = lines[0][i] * gain / (1 - pole);
		for (size_t n = 1; n < count; n++)
			lines[n][i] = lines[n][i] * gain + pole * lines[n - 1][i];
		lines[count - 1][i] = -pole *
		                      (last / (1 - pole) + (lines[count - 1][i] - last) / (1 - pole * pole));
		for (size_t n = count - 1; n-- > 0;)
			lines[n][i] = pole * (lines[n + 1][i] - lines[n][i]);
	}
}

static void blend_lines(const struct pass *pass, double (*lines)[LANES], double *to, const size_t steps[2],
                        size_t lanes)
{
	for (size_t m = 0; m < pass->count; m++) {
		const struct blend *blend = &pass->blends[m];
		double sums[LANES] = {0};
		for (size_t k = 0; k < blend->count; k++)
			for (int i = 0; i < LANES; i++)
				sums[i] += blend->weights[k] * lines[blend->first + k][i];
		for (size_t i = 0; i < lanes; i++)
			to[m * steps[0] + i * steps[1]] = sums[i];
	}
}

/* All lines along the axis in a slice (along z: in a plane of equal y), LANES at a time. */
static enum rs_code resample_plane(void *context, size_t plane, struct rs_error *err)
{
	const struct pass *pass = context;
	const int axis = pass->axis, across = axis == 0 ? 1 : 0, outer = axis == 2 ? 1 : 2;
	const size_t *size = pass->size, n = size[axis], padded = n + 2 * EDGE;
	size_t resized[3] = {size[0], size[1], size[2]};
	resized[axis] = pass->count;
	const size_t strides[3] = {1, size[0], size[0] * size[1]};
	const size_t new_strides[3] = {1, resized[0], resized[0] * resized[1]};
	const size_t steps[2] = {new_strides[axis], new_strides[across]};
	double(*lines)[LANES] RS_CLEANUP(rs_free_pointer) = rs_allocate_array(padded, sizeof *lines);
	if (!lines)
		return rs_error_memory(err, padded * sizeof *lines, "resampling");
	for (size_t first = 0; first < size[across]; first += LANES) {
		size_t lanes = size[across] - first < LANES ? size[across] - first : LANES;
		const double *from = pass->from + plane * strides[outer] + first * strides[across];
		for (size_t p = 0; p < padded; p++) {
			size_t at = p < EDGE ? 0 : p - EDGE < n ? p - EDGE : n - 1;
			for (size_t i = 0; i < lanes; i++)
				lines[p][i] = from[at * strides[axis] + i * strides[across]];
		}
		if (pass->order == 3)
			spline_endless(lines, padded);
		blend_lines(pass, lines, pass->to + plane * new_strides[outer] + first * new_strides[across],
		            steps, lanes);
	}
	return RS_OK;
}

static struct blend blend_at(double position, size_t n, unsigned order)
{
	const double inside = fmin(fmax(position, -0.5), (double)n - 0.5); /* rounding may step over */
	double low = floor(order == 0 ? inside + 0.5 : inside), fraction = inside - low;
	struct blend out = {.count = order + 1, .weights = {1}};
	if (order == 1) {
		out.weights[0] = 1 - fraction;
		out.weights[1] = fraction;
	} else if (order == 3) {
		rs_spline_weights(fraction, out.weights);
		low -= 1;
	}
	out.first = (size_t)(low + EDGE);
	return out;
}

/* The line has `count` voxels now, their centres `step` old voxels apart. */
static double start_of(size_t n, double count, double step)
{
	return 0.5 * ((double)n - 1) - 0.5 * (count - 1) * step;
}

static enum rs_code resample_axis(struct pass *pass, double step, struct rs_pool *pool, struct rs_error *err)
{
	size_t n = pass->size[pass->axis];
	struct blend *blends RS_CLEANUP(rs_free_pointer) = rs_allocate_array(pass->count, sizeof *blends);
	if (!blends)
		return rs_error_memory(err, pass->count * sizeof *blends, "resampling");
	for (size_t m = 0; m < pass->count; m++)
		blends[m] = blend_at(start_of(n, (double)pass->count, step) + (double)m * step, n,
		                     pass->order);
	pass->blends = blends;
	return rs_pool_for(pool, pass->size[pass->axis == 2 ? 1 : 2], resample_plane, pass, err);
}

/* The new geometry; along axes where nothing changes, the old one. */
static enum rs_code plan_centres(const struct rs_geometry *from, const double spacing_mm[3], unsigned order,
                                 struct rs_geometry *out, struct rs_error *err)
{
	struct grid grid;
	double count[3], chosen_mm[3], start[3];
	if (order != 0 && order != 1 && order != 3)
		return rs_error_set(err, RS_USAGE, "splines of order %u; there are 0, 1 and 3", order);
	RS_TRY(grid_of(from, &grid, err));
	for (int a = 0; a < 3; a++) {
		double old = from->spacing_mm[a], n = (double)from->size[a];
		if (!(spacing_mm[a] >= 0) || isinf(spacing_mm[a]))
			return rs_error_set(err, RS_USAGE, "a spacing of %g mm along %c", spacing_mm[a],
			                    "xyz"[a]);
		bool same = spacing_mm[a] == 0 || fabs(spacing_mm[a] - old) <= COUNT_TOLERANCE * old;
		chosen_mm[a] = same ? old : spacing_mm[a];
		count[a] = n * old / chosen_mm[a];
		bool whole = fabs(count[a] - round(count[a])) <= COUNT_TOLERANCE * count[a] &&
		             round(count[a]) >= 1;
		count[a] = whole ? round(count[a]) : ceil(count[a]);
		start[a] = start_of(from->size[a], count[a], chosen_mm[a] / old);
	}
	RS_TRY(grid_resize(from, chosen_mm, count, out, err));
	grid_point(&grid, start, out->origin_mm);
	return RS_OK;
}

enum rs_code rs_resample_centres(const struct rs_volume *image, const double spacing_mm[3],
                                 unsigned spline_order, struct rs_pool *pool, struct rs_volume *out,
                                 struct rs_error *err)
{
	struct rs_volume now RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_geometry target, step = image->geometry;
	RS_TRY(plan_centres(&image->geometry, spacing_mm, spline_order, &target, err));
	const double *voxels = image->voxels;
	for (int a = 0; a < 3; a++) {
		struct rs_volume next RS_CLEANUP(rs_volume_finish) = {0};
		struct pass pass = {
			.axis = a, .order = spline_order, .from = voxels, .count = target.size[a]};
		if (target.spacing_mm[a] == image->geometry.spacing_mm[a])
			continue;
		memcpy(pass.size, step.size, sizeof pass.size);
		step.size[a] = target.size[a];
		RS_TRY(rs_volume_init(&next, &step, err));
		pass.to = next.voxels;
		RS_TRY(resample_axis(&pass, target.spacing_mm[a] / image->geometry.spacing_mm[a], pool, err));
		rs_volume_finish(&now);
		now = next;
		next.voxels = NULL;
		voxels = now.voxels;
	}
	if (voxels == image->voxels) {
		RS_TRY(rs_volume_init(&now, &target, err));
		memcpy(now.voxels, voxels, rs_geometry_voxels(&target) * sizeof *voxels);
	}
	*out = now;
	out->geometry = target;
	out->stored = RS_VOXEL_F64;
	now.voxels = NULL;
	return RS_OK;
}

enum rs_code rs_resample_label_centres(const struct rs_mask *mask, uint32_t label, const double spacing_mm[3],
                                       unsigned spline_order, double threshold, struct rs_pool *pool,
                                       struct rs_mask *out, struct rs_error *err)
{
	struct rs_volume cover RS_CLEANUP(rs_volume_finish) = {0},
			       resampled RS_CLEANUP(rs_volume_finish) = {0};
	RS_TRY(rs_volume_init(&cover, &mask->geometry, err));
	for (size_t i = 0; i < rs_geometry_voxels(&mask->geometry); i++)
		cover.voxels[i] = mask->labels[i] == label;
	RS_TRY(rs_resample_centres(&cover, spacing_mm, spline_order, pool, &resampled, err));
	RS_TRY(rs_mask_init(out, &resampled.geometry, err));
	for (size_t i = 0; i < rs_geometry_voxels(&resampled.geometry); i++)
		out->labels[i] = resampled.voxels[i] >= threshold - COVERAGE_TOLERANCE;
	return RS_OK;
}
