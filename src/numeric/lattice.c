/* Cubic B-splines over a lattice of control points. */
#include <math.h>
#include <string.h>

#include "numeric/numeric_spline.h"

enum rs_code rs_lattice_init(struct rs_lattice *out, const size_t elements[3], struct rs_error *err)
{
	struct rs_lattice lattice;
	size_t count = 1;
	for (int a = 0; a < 3; a++) {
		lattice.elements[a] = elements[a];
		lattice.size[a] = elements[a] + 3;
		if (elements[a] == 0 || elements[a] > 4096 || !rs_mul_size(count, lattice.size[a], &count))
			return rs_error_set(err, RS_USAGE, "a spline has 1 to 4096 elements along an axis");
	}
	lattice.control = rs_allocate_array(count, sizeof *lattice.control);
	if (!lattice.control)
		return rs_error_memory(err, count * sizeof *lattice.control, "a spline's control points");
	memset(lattice.control, 0, count * sizeof *lattice.control);
	*out = lattice;
	return RS_OK;
}

void rs_lattice_finish(struct rs_lattice *lattice)
{
	if (lattice)
		rs_free(lattice->control);
}

void rs_reach_of(double position, size_t elements, struct rs_reach *out)
{
	double scaled = position * (double)elements;
	double whole = floor(scaled);
	whole = whole < 0 ? 0 : whole > (double)(elements - 1) ? (double)(elements - 1) : whole;
	double t = scaled - whole, s = 1 - t;
	out->first = (size_t)whole;
	out->weight[0] = s * s * s / 6;
	out->weight[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
	out->weight[2] = (3 * s * s * s - 6 * s * s + 4) / 6;
	out->weight[3] = t * t * t / 6;
}

/* One axis: new control points are means of old ones, (1 4 ... )/8 at the knots and halves between them. */
static enum rs_code refine_axis(struct rs_lattice *lattice, int axis, struct rs_error *err)
{
	struct rs_lattice fine;
	size_t elements[3] = {lattice->elements[0], lattice->elements[1], lattice->elements[2]};
	const size_t *from = lattice->size;
	size_t stride = axis == 0 ? 1 : axis == 1 ? from[0] : from[0] * from[1];
	elements[axis] *= 2;
	RS_TRY(rs_lattice_init(&fine, elements, err));
	double *to = fine.control;
	for (size_t z = 0; z < fine.size[2]; z++)
		for (size_t y = 0; y < fine.size[1]; y++)
			for (size_t x = 0; x < fine.size[0]; x++) {
				size_t at[3] = {x, y, z}, between = (at[axis] + 1) % 2;
				at[axis] = at[axis] / 2;
				const double *old = lattice->control + (at[2] * from[1] + at[1]) * from[0] +
				                    at[0];
				*to++ = between ? (old[0] + old[stride]) / 2
				                : (old[0] + 6 * old[stride] + old[2 * stride]) / 8;
			}
	rs_lattice_finish(lattice);
	*lattice = fine;
	return RS_OK;
}

enum rs_code rs_lattice_refine(struct rs_lattice *lattice, unsigned axes, struct rs_error *err)
{
	for (int axis = 0; axis < 3; axis++)
		if (axes & (1u << axis))
			RS_TRY(refine_axis(lattice, axis, err));
	return RS_OK;
}
