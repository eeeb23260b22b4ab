/* Resampling as PyRadiomics does it (imageoperations.resampleImage) through ITK's ResampleImageFilter: a grid whose first
 * voxel's corner is the mask's, as much of it as the region and its padding need. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "filter/grid.h"
#include "filter/interpolate.h"

#define OUTSIDE_TOLERANCE 1e-3 /* voxels; PyRadiomics' */
#define SAME_ABSOLUTE 1e-8     /* numpy.allclose */
#define SAME_RELATIVE 1e-5
/* Coefficients more than this far from a cut change by less than 2 - sqrt(3) to this power: 2e-37, no bit. */
#define SPLINE_MARGIN 64
#define SPLINE_REACH 4 /* voxels that a spline takes beside a position, and rounding */

/* Supports of all positions along each axis, where positions along one axis depend on that axis alone (and all rows
 * share them); else none. */
struct supports {
	struct support *along[3];
};

struct plan {
	struct grid image, mask, target;
	struct rs_geometry geometry; /* of the result */
	enum rs_interpolator interpolator;
	struct samples image_samples, mask_samples;
	const double *voxels; /* of image_samples; for splines, coefficients */
	struct supports image_supports, mask_supports;
	enum rs_voxel_type stored;
	const struct rs_mask *labels;
	struct rs_volume *out_image;
	struct rs_mask *out_mask;
};

/* The scan line's voxels in another grid, from its first and the one after its last, as ITK goes along it. */
static void scan_line(const struct plan *plan, const struct grid *from, size_t y, size_t z,
                      double *const along[3])
{
	size_t count = plan->geometry.size[0];
	double point[3], start[3], end[3];
	const double first[3] = {0, (double)y, (double)z}, after[3] = {(double)count, (double)y, (double)z};
	grid_point(&plan->target, first, point);
	grid_index(from, point, start);
	grid_point(&plan->target, after, point);
	grid_index(from, point, end);
	for (int a = 0; a < 3; a++) {
		double vector = end[a] - start[a];
		for (size_t x = 0; x < count; x++)
			along[a][x] = start[a] + (double)x / (double)count * vector;
	}
}

/* Range of the stored type; values outside take its ends, others lose their fraction. */
static void cast_row(enum rs_voxel_type stored, double *values, size_t count)
{
	static const double lowest[] = {[RS_VOXEL_I8] = INT8_MIN,
	                                [RS_VOXEL_I16] = INT16_MIN,
	                                [RS_VOXEL_I32] = INT32_MIN,
	                                [RS_VOXEL_I64] = (double)INT64_MIN,
	                                [RS_VOXEL_U64] = 0};
	static const double highest[] = {
		[RS_VOXEL_I8] = INT8_MAX,           [RS_VOXEL_U8] = UINT8_MAX,
		[RS_VOXEL_I16] = INT16_MAX,         [RS_VOXEL_U16] = UINT16_MAX,
		[RS_VOXEL_I32] = INT32_MAX,         [RS_VOXEL_U32] = UINT32_MAX,
		[RS_VOXEL_I64] = (double)INT64_MAX, [RS_VOXEL_U64] = (double)UINT64_MAX};
	if (stored == RS_VOXEL_F64)
		return;
	for (size_t i = 0; i < count; i++) {
		double value = values[i];
		if (stored == RS_VOXEL_F32)
			values[i] = value <= -(double)FLT_MAX  ? -(double)FLT_MAX
			            : value >= (double)FLT_MAX ? (double)FLT_MAX
			                                       : (double)(float)value;
		else
			values[i] = value <= lowest[stored]    ? lowest[stored]
			            : value >= highest[stored] ? highest[stored]
			                                       : trunc(value) + 0.0; /* no -0 */
	}
}

static void supports_of(enum rs_interpolator kind, const struct samples *samples, int axis,
                        const double *positions, size_t count, struct support *out)
{
	for (size_t i = 0; i < count; i++)
		support_at(kind, samples, axis, positions[i], &out[i]);
}

/* One grid's supports of a row: the shared ones, or the row's own in `scratch` (3 times its voxels). */
static struct row_supports row_of(const struct plan *plan, const struct grid *from,
                                  const struct samples *samples, const struct supports *shared,
                                  enum rs_interpolator kind, const size_t at[2], double *positions,
                                  struct support *scratch)
{
	size_t count = plan->geometry.size[0];
	struct row_supports row = {.step = {1, 1, 1}};
	if (shared->along[0]) {
		row = (struct row_supports){
			{shared->along[0], shared->along[1] + at[0], shared->along[2] + at[1]}, {1, 0, 0}};
		return row;
	}
	double *const along[3] = {positions, positions + count, positions + 2 * count};
	scan_line(plan, from, at[0], at[1], along);
	for (int a = 0; a < 3; a++) {
		supports_of(kind, samples, a, along[a], count, scratch + (size_t)a * count);
		row.along[a] = scratch + (size_t)a * count;
	}
	return row;
}

static enum rs_code resample_slice(void *context, size_t z, struct rs_error *err)
{
	const struct plan *plan = context;
	size_t count = plan->geometry.size[0], rows = plan->geometry.size[1];
	double *positions RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, 3 * sizeof *positions);
	struct support *scratch RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, 3 * sizeof *scratch);
	if (!positions || !scratch)
		return rs_error_memory(err, count * 3 * (sizeof *positions + sizeof *scratch), "resampling");
	for (size_t y = 0; y < rows; y++) {
		size_t row = (z * rows + y) * count;
		const size_t at[2] = {y, z};
		if (plan->out_image) {
			double *values = plan->out_image->voxels + row;
			struct row_supports supports = row_of(plan, &plan->image, &plan->image_samples,
			                                      &plan->image_supports, plan->interpolator, at,
			                                      positions, scratch);
			interpolate_row(plan->interpolator, plan->voxels, &supports, count, values);
			cast_row(plan->stored, values, count);
		}
		struct row_supports supports = row_of(plan, &plan->mask, &plan->mask_samples,
		                                      &plan->mask_supports, RS_INTERPOLATE_NEAREST, at,
		                                      positions, scratch);
		label_row(plan->labels->labels, &supports, count, plan->out_mask->labels + row);
	}
	return RS_OK;
}

/* Whether a position along an axis of `from` depends on the same axis of the new grid alone, rounding included. */
static bool axes_agree(const struct plan *plan, const struct grid *from)
{
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			for (int k = 0; k < 3; k++)
				if (r != c && from->to_index[r][k] * plan->target.to_point[k][c] != 0)
					return false;
	return true;
}

static enum rs_code share_supports(const struct plan *plan, const struct grid *from,
                                   const struct samples *samples, enum rs_interpolator kind,
                                   struct supports *out, struct rs_error *err)
{
	const size_t *size = plan->geometry.size;
	if (!axes_agree(plan, from))
		return RS_OK;
	double *positions RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size[0], 3 * sizeof *positions);
	if (!positions)
		return rs_error_memory(err, size[0] * 3 * sizeof *positions, "resampling");
	double *const along[3] = {positions, positions + size[0], positions + 2 * size[0]};
	for (int a = 0; a < 3; a++) {
		out->along[a] = rs_allocate_array(size[a], sizeof **out->along);
		if (!out->along[a])
			break;
		for (size_t i = 0; i < (a == 0 ? 1 : size[a]); i++) {
			scan_line(plan, from, a == 1 ? i : 0, a == 2 ? i : 0, along);
			supports_of(kind, samples, a, along[a], a == 0 ? size[0] : 1, out->along[a] + i);
		}
	}
	return out->along[2] ? RS_OK : rs_error_memory(err, size[0] * sizeof **out->along, "resampling");
}

static void plan_finish(struct plan *plan)
{
	for (int a = 0; a < 3; a++) {
		rs_free(plan->image_supports.along[a]);
		rs_free(plan->mask_supports.along[a]);
	}
}

/* The image's voxels that a spline's result depends on. */
static void samples_bounds(const struct plan *plan, const size_t whole[3], struct samples *samples)
{
	double low[3] = {DBL_MAX, DBL_MAX, DBL_MAX}, high[3] = {-DBL_MAX, -DBL_MAX, -DBL_MAX};
	const double reach = SPLINE_MARGIN + SPLINE_REACH;
	for (unsigned corner = 0; corner < 8; corner++) {
		double index[3], point[3];
		for (int a = 0; a < 3; a++)
			index[a] = corner >> a & 1 ? (double)plan->geometry.size[a] : 0;
		grid_point(&plan->target, index, point);
		grid_index(&plan->image, point, index);
		for (int a = 0; a < 3; a++) {
			low[a] = fmin(low[a], index[a]);
			high[a] = fmax(high[a], index[a]);
		}
	}
	for (int a = 0; a < 3; a++) {
		double last = (double)whole[a] - 1;
		size_t first = (size_t)fmin(fmax(floor(low[a]) - reach, 0), last);
		size_t end = (size_t)fmin(fmax(ceil(high[a]) + reach, 0), last);
		samples->first[a] = first;
		samples->size[a] = end - first + 1;
	}
}

/* Spline coefficients of the part of the image that is needed. */
static enum rs_code take_coefficients(const struct rs_volume *image, struct plan *plan, struct rs_pool *pool,
                                      double **out, struct rs_error *err)
{
	struct samples *samples = &plan->image_samples;
	const size_t *whole = image->geometry.size;
	samples_bounds(plan, whole, samples);
	size_t width = samples->size[0], rows = samples->size[1] * samples->size[2];
	double *block = rs_allocate_aligned(rows * width * sizeof *block);
	if (!block)
		return rs_error_memory(err, rows * width * sizeof *block, "spline coefficients");
	*out = block;
	for (size_t row = 0; row < rows; row++) {
		size_t y = samples->first[1] + row % samples->size[1];
		size_t z = samples->first[2] + row / samples->size[1];
		memcpy(block + row * width, image->voxels + (z * whole[1] + y) * whole[0] + samples->first[0],
		       width * sizeof *block);
	}
	plan->voxels = block;
	return rs_spline_coefficients(block, samples->size, pool, err);
}

/* Half a voxel around the region must lie in the image. */
static enum rs_code region_inside(const struct plan *plan, const struct rs_geometry *image,
                                  const size_t first[3], const size_t size[3], struct rs_error *err)
{
	double low[3], high[3], point[3], a_index[3], b_index[3];
	for (int a = 0; a < 3; a++) {
		low[a] = (double)first[a] - 0.5;
		high[a] = (double)(first[a] + size[a]) - 0.5;
	}
	grid_point(&plan->mask, low, point);
	grid_index(&plan->image, point, a_index);
	grid_point(&plan->mask, high, point);
	grid_index(&plan->image, point, b_index);
	for (int a = 0; a < 3; a++)
		if (!(fmin(a_index[a], b_index[a]) >= -0.5 - OUTSIDE_TOLERANCE) ||
		    !(fmax(a_index[a], b_index[a]) <= (double)image->size[a] - 0.5 + OUTSIDE_TOLERANCE))
			return rs_error_set(
				err, RS_REFUSED,
				"the region reaches from voxel %.2f to %.2f along %c, the image has "
				"%zu; they do not belong together",
				fmin(a_index[a], b_index[a]), fmax(a_index[a], b_index[a]), "xyz"[a],
				image -> size[a]);
	return RS_OK;
}

static enum rs_code spacing_of(const double asked_mm[3], const struct rs_geometry *mask,
                               const size_t region[3], double out[3], struct rs_error *err)
{
	for (int a = 0; a < 3; a++) {
		if (!(asked_mm[a] >= 0) || isinf(asked_mm[a]))
			return rs_error_set(err, RS_USAGE, "a spacing of %g mm along %c", asked_mm[a],
			                    "xyz"[a]);
		/* a region of one slice has nothing to interpolate between */
		out[a] = asked_mm[a] == 0 || region[a] == 1 ? mask->spacing_mm[a] : asked_mm[a];
	}
	return RS_OK;
}

/* Corners aligned: what PyRadiomics works out, in its order of operations. */
static enum rs_code plan_grid(struct plan *plan, const struct rs_geometry *mask, const size_t first[3],
                              const size_t size[3], const double spacing_mm[3], unsigned pad,
                              struct rs_error *err)
{
	double count[3], origin[3], start[3];
	for (int a = 0; a < 3; a++) {
		double ratio = mask->spacing_mm[a] / spacing_mm[a], lower = (double)first[a];
		double low = floor((lower - 0.5) * ratio - pad);
		double high = ceil((lower + (double)size[a] - 0.5) * ratio + pad);
		double last = ceil((double)mask->size[a] * ratio) - 1;
		low = low < 0 ? 0 : low;
		high = high > last ? last : high;
		count[a] = high - low + 1;
		start[a] = 0.5 * (spacing_mm[a] - mask->spacing_mm[a]) / mask->spacing_mm[a] + low / ratio;
	}
	RS_TRY(grid_resize(mask, spacing_mm, count, &plan->geometry, err));
	for (int r = 0; r < 3; r++) {
		origin[r] = 0;
		for (int c = 0; c < 3; c++)
			origin[r] += plan->mask.to_point[r][c] * start[c];
		plan->geometry.origin_mm[r] = origin[r] + mask->origin_mm[r];
	}
	return grid_of(&plan->geometry, &plan->target, err);
}

static enum rs_code run(struct plan *plan, const struct rs_mask *mask, struct rs_pool *pool,
                        struct rs_error *err)
{
	RS_TRY(rs_mask_init(plan->out_mask, &plan->geometry, err));
	RS_TRY(names_copy(mask, plan->out_mask, err));
	if (plan->out_image) {
		RS_TRY(rs_volume_init(plan->out_image, &plan->geometry, err));
		plan->out_image->stored = plan->stored;
		RS_TRY(share_supports(plan, &plan->image, &plan->image_samples, plan->interpolator,
		                      &plan->image_supports, err));
	}
	plan->labels = mask;
	RS_TRY(share_supports(plan, &plan->mask, &plan->mask_samples, RS_INTERPOLATE_NEAREST,
	                      &plan->mask_supports, err));
	return rs_pool_for(pool, plan->geometry.size[2], resample_slice, plan, err);
}

/* The image has the spacing already: the mask goes onto its grid, and both are cropped. */
static enum rs_code crop_both(struct plan *plan, const struct rs_volume *image, const struct rs_mask *mask,
                              uint32_t label, unsigned pad, struct rs_pool *pool, struct rs_error *err)
{
	struct rs_mask whole RS_CLEANUP(rs_mask_finish) = {0}, *out_mask = plan->out_mask;
	struct rs_volume *out_image = plan->out_image;
	const struct rs_geometry *from = &image->geometry;
	struct rs_geometry to = *from;
	size_t first[3], size[3];
	plan->geometry = *from;
	plan->target = plan->image;
	plan->out_image = NULL;
	plan->out_mask = &whole;
	RS_TRY(run(plan, mask, pool, err));
	RS_TRY(label_bounds(&whole, label, first, size, err));
	double corner[3];
	for (int a = 0; a < 3; a++) {
		size_t end = from->size[a] - first[a] - size[a] > pad ? first[a] + size[a] + pad
		                                                      : from->size[a];
		first[a] = first[a] > pad ? first[a] - pad : 0;
		to.size[a] = end - first[a];
		corner[a] = (double)first[a];
	}
	grid_point(&plan->image, corner, to.origin_mm);
	RS_TRY(rs_volume_init(out_image, &to, err));
	RS_TRY(rs_mask_init(out_mask, &to, err));
	out_image->stored = image->stored;
	for (size_t row = 0; row < to.size[1] * to.size[2]; row++) {
		size_t y = row % to.size[1] + first[1], z = row / to.size[1] + first[2];
		size_t at = (z * from->size[1] + y) * from->size[0] + first[0];
		memcpy(out_image->voxels + row * to.size[0], image->voxels + at,
		       to.size[0] * sizeof *image->voxels);
		memcpy(out_mask->labels + row * to.size[0], whole.labels + at,
		       to.size[0] * sizeof *whole.labels);
	}
	return names_copy(mask, out_mask, err);
}

static bool same_spacing(const double a[3], const double b[3])
{
	for (int i = 0; i < 3; i++)
		if (!(fabs(a[i] - b[i]) <= SAME_ABSOLUTE + SAME_RELATIVE * fabs(b[i])))
			return false;
	return true;
}

static struct samples whole_of(const struct rs_geometry *geometry)
{
	struct samples out = {.first = {0, 0, 0}};
	memcpy(out.size, geometry->size, sizeof out.size);
	memcpy(out.whole, geometry->size, sizeof out.whole);
	memcpy(out.spacing_mm, geometry->spacing_mm, sizeof out.spacing_mm);
	return out;
}

enum rs_code rs_mask_onto(const struct rs_geometry *image, const struct rs_mask *mask, uint32_t label,
                          struct rs_pool *pool, struct rs_mask *out, struct rs_error *err)
{
	struct rs_mask labels RS_CLEANUP(rs_mask_finish) = {0};
	struct plan plan RS_CLEANUP(plan_finish) = {
		.geometry = *image, .mask_samples = whole_of(&mask->geometry), .out_mask = &labels};
	size_t first[3], size[3];
	RS_TRY(grid_of(image, &plan.image, err));
	RS_TRY(grid_of(&mask->geometry, &plan.mask, err));
	RS_TRY(label_bounds(mask, label, first, size, err));
	RS_TRY(region_inside(&plan, image, first, size, err));
	plan.target = plan.image;
	RS_TRY(run(&plan, mask, pool, err));
	*out = labels;
	labels = (struct rs_mask){0};
	return RS_OK;
}

enum rs_code rs_resample_corners(const struct rs_volume *image, const struct rs_mask *mask, uint32_t label,
                                 const double spacing_mm[3], enum rs_interpolator interpolator,
                                 unsigned pad_distance, struct rs_pool *pool, struct rs_volume *out_image,
                                 struct rs_mask *out_mask, struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_mask labels RS_CLEANUP(rs_mask_finish) = {0};
	double *block RS_CLEANUP(rs_free_pointer) = NULL;
	struct plan plan RS_CLEANUP(plan_finish) = {.interpolator = interpolator,
	                                            .stored = image->stored,
	                                            .image_samples = whole_of(&image->geometry),
	                                            .mask_samples = whole_of(&mask->geometry),
	                                            .voxels = image->voxels,
	                                            .out_image = &volume,
	                                            .out_mask = &labels};
	size_t first[3], size[3];
	double chosen_mm[3];
	RS_TRY(grid_of(&image->geometry, &plan.image, err));
	RS_TRY(grid_of(&mask->geometry, &plan.mask, err));
	RS_TRY(label_bounds(mask, label, first, size, err));
	RS_TRY(region_inside(&plan, &image->geometry, first, size, err));
	RS_TRY(spacing_of(spacing_mm, &mask->geometry, size, chosen_mm, err));
	if (same_spacing(image->geometry.spacing_mm, chosen_mm)) {
		RS_TRY(crop_both(&plan, image, mask, label, pad_distance, pool, err));
	} else {
		RS_TRY(plan_grid(&plan, &mask->geometry, first, size, chosen_mm, pad_distance, err));
		if (interpolator == RS_INTERPOLATE_BSPLINE)
			RS_TRY(take_coefficients(image, &plan, pool, &block, err));
		RS_TRY(run(&plan, mask, pool, err));
	}
	*out_image = volume;
	*out_mask = labels;
	volume.voxels = NULL;
	labels = (struct rs_mask){0};
	return RS_OK;
}
