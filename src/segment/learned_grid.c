/* The working grid of a network, and the way to it and back. */
#include <math.h>

#include "learned.h"

struct turned turned_of(const struct rs_geometry *image)
{
	const size_t step[3] = {1, image->size[0], image->size[0] * image->size[1]};
	struct turned turned = {*image, 0, {0}};
	bool row_done[3] = {false}, axis_done[3] = {false};
	for (int turn = 0; turn < 3; turn++) {
		int row = 0, axis = 0;
		double most = -1;
		for (int r = 0; r < 3; r++)
			for (int a = 0; a < 3; a++)
				if (!row_done[r] && !axis_done[a] && fabs(image->direction[r][a]) > most) {
					most = fabs(image->direction[r][a]);
					row = r;
					axis = a;
				}
		const bool back = image->direction[row][axis] < 0;
		const size_t last = back ? image->size[axis] - 1 : 0;
		row_done[row] = axis_done[axis] = true;
		turned.grid.size[row] = image->size[axis];
		turned.grid.spacing_mm[row] = image->spacing_mm[axis];
		turned.first += last * step[axis];
		turned.step[row] = back ? -(ptrdiff_t)step[axis] : (ptrdiff_t)step[axis];
		for (int r = 0; r < 3; r++) {
			turned.grid.direction[r][row] = back ? -image->direction[r][axis]
			                                     : image->direction[r][axis];
			turned.grid.origin_mm[r] += (double)last * image->spacing_mm[axis] *
			                            image->direction[r][axis];
		}
	}
	return turned;
}

size_t turned_at(const struct turned *turned, size_t i)
{
	const size_t *size = turned->grid.size;
	return (size_t)((ptrdiff_t)turned->first + (ptrdiff_t)(i % size[0]) * turned->step[0] +
	                (ptrdiff_t)(i / size[0] % size[1]) * turned->step[1] +
	                (ptrdiff_t)(i / size[0] / size[1]) * turned->step[2]);
}

/* Along one axis: which values make one of the result, and how much each weighs. */
struct axis {
	size_t from, to; /* how many */
	size_t taps;     /* of each */
	size_t *first;   /* by result */
	float *weights;  /* by result, taps of each */
};

static void axis_finish(struct axis *axis)
{
	rs_free(axis->first);
	rs_free(axis->weights);
}

static enum rs_code axis_init(struct axis *axis, const struct rs_geometry *from, const struct rs_geometry *to,
                              size_t a, struct rs_error *err)
{
	const double step = to->spacing_mm[a] / from->spacing_mm[a], reach = step > 1 ? step : 1;
	const double last = (double)from->size[a] - 1, middle = last / 2, own = ((double)to->size[a] - 1) / 2;
	axis->from = from->size[a];
	axis->to = to->size[a];
	axis->taps = (size_t)(2 * reach) + 1;
	axis->taps = axis->taps < axis->from ? axis->taps : axis->from;
	axis->first = rs_allocate_array(axis->to, sizeof *axis->first);
	axis->weights = rs_allocate_array(axis->to, axis->taps * sizeof *axis->weights);
	if (!axis->first || !axis->weights)
		return rs_error_memory(err, axis->to * axis->taps * sizeof *axis->weights, "a grid");
	for (size_t i = 0; i < axis->to; i++) {
		const double at = fmin(fmax(middle + ((double)i - own) * step, 0), last);
		const double first = fmin(fmax(ceil(at - reach), 0), last + 1 - (double)axis->taps);
		double sum = 0;
		axis->first[i] = (size_t)first;
		for (size_t t = 0; t < axis->taps; t++)
			sum += fmax(0, 1 - fabs(first + (double)t - at) / reach);
		for (size_t t = 0; t < axis->taps; t++)
			axis->weights[i * axis->taps + t] =
				(float)(fmax(0, 1 - fabs(first + (double)t - at) / reach) / sum);
	}
	return RS_OK;
}

/* outer x axis->from x inner values become outer x axis->to x inner. */
static void axis_apply(const struct axis *axis, const float *in, size_t outer, size_t inner, float *out)
{
	for (size_t o = 0; o < outer; o++)
		for (size_t i = 0; i < axis->to; i++, out += inner) {
			const float *weights = axis->weights + i * axis->taps,
				    *from = in + (o * axis->from + axis->first[i]) * inner;
			for (size_t k = 0; k < inner; k++) {
				float sum = 0;
				for (size_t t = 0; t < axis->taps; t++)
					sum += weights[t] * from[t * inner + k];
				out[k] = sum;
			}
		}
}

static enum rs_code onto(const struct axis axes[3], const float *values, float *out, struct rs_error *err)
{
	const struct axis *x = &axes[0], *y = &axes[1], *z = &axes[2];
	const size_t first = z->from * y->from * x->to, second = z->from * y->to * x->to;
	float *narrow RS_CLEANUP(rs_free_pointer) = rs_allocate_array(first, sizeof *narrow);
	float *low RS_CLEANUP(rs_free_pointer) = rs_allocate_array(second, sizeof *low);
	if (!narrow || !low)
		return rs_error_memory(err, (first + second) * sizeof *low, "a grid");
	axis_apply(x, values, z->from * y->from, 1, narrow);
	axis_apply(y, narrow, z->from, x->to, low);
	axis_apply(z, low, 1, y->to * x->to, out);
	return RS_OK;
}

enum rs_code grid_onto(const struct rs_geometry *from, const float *values, const struct rs_geometry *to,
                       float *out, struct rs_error *err)
{
	struct axis axes[3] = {{0}};
	enum rs_code code = RS_OK;
	for (size_t a = 0; a < 3 && code == RS_OK; a++)
		code = axis_init(&axes[a], from, to, a, err);
	if (code == RS_OK)
		code = onto(axes, values, out, err);
	for (size_t a = 0; a < 3; a++)
		axis_finish(&axes[a]);
	return code;
}

enum rs_code working_grid(const struct rs_geometry *image, double spacing_mm, struct rs_geometry *out,
                          struct rs_error *err)
{
	struct rs_geometry grid = *image;
	double voxels = 1;
	for (int a = 0; a < 3; a++) {
		/* Less a billionth, so that a whole number of voxels stays one. */
		const double size = ceil((double)image->size[a] * image->spacing_mm[a] / spacing_mm - 1e-9);
		voxels *= size;
		if (!(voxels <= (double)WORKING_VOXELS_MAX))
			return rs_error_set(
				err, RS_TOO_LARGE,
				"at %g mm the image has more than %zu voxels: crop it, or take a model of a "
				"larger spacing",
				spacing_mm, WORKING_VOXELS_MAX);
		grid.size[a] = size < 1 ? 1 : (size_t)size;
		grid.spacing_mm[a] = spacing_mm;
	}
	for (int r = 0; r < 3; r++)
		for (int a = 0; a < 3; a++)
			grid.origin_mm[r] += image->direction[r][a] *
			                     (((double)image->size[a] - 1) * image->spacing_mm[a] -
			                      ((double)grid.size[a] - 1) * spacing_mm) /
			                     2;
	*out = grid;
	return RS_OK;
}

enum rs_code grid_same(const struct rs_geometry *first, const struct rs_geometry *second, const char *what,
                       struct rs_error *err)
{
	double apart = 0;
	for (int a = 0; a < 3; a++) {
		if (first->size[a] != second->size[a])
			return rs_error_set(
				err, RS_REFUSED,
				"%s has %zu x %zu x %zu voxels, the first image %zu x %zu x %zu: bring them onto "
				"one grid first",
				what, second->size[0], second->size[1], second->size[2], first->size[0],
				first->size[1], first->size[2]);
		for (int r = 0; r < 3; r++) {
			const double end = (double)first->size[a] *
			                   (first->direction[r][a] * first->spacing_mm[a] -
			                    second->direction[r][a] * second->spacing_mm[a]);
			apart = fmax(apart, fabs(end) / first->spacing_mm[a]);
		}
		apart = fmax(apart, fabs(first->origin_mm[a] - second->origin_mm[a]) / first->spacing_mm[a]);
	}
	return apart <= 0.01
	               ? RS_OK
	               : rs_error_set(
				 err, RS_REFUSED,
				 "%s lies %.3g voxels away from the first image: bring them onto one grid "
				 "first",
				 what, apart);
}
