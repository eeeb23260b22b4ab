/* Laplacian of Gaussian: the sum over the axes of the second derivative along one and smoothing along the others,
 * each by recursion. Every image between two recursions is float32, as in ITK. */
#include <math.h>

#include "filter/filter.h"
#include "filter/recursive.h"

#define SIDE_MIN 4 /* voxels: the order of the recursion */

struct laplacian {
	const struct rs_volume *volume;
	const struct rs_box *box;
	struct recursive smooth[3], second[3];
	float *first_pass, *second_pass;
};

static enum rs_code check(const struct rs_geometry *g, const struct rs_box *box, double sigma_mm,
                          struct rs_error *err)
{
	RS_TRY(rs_box_check(box, g, err));
	if (!isfinite(sigma_mm) || sigma_mm <= 0)
		return rs_error_set(err, RS_USAGE,
		                    "sigma is %g mm; a Laplacian of Gaussian needs one above 0", sigma_mm);
	for (unsigned a = 0; a < 3; a++) {
		double needed = fmax(SIDE_MIN, ceil(sigma_mm / g->spacing_mm[a]) + 1);
		if ((double)g->size[a] < needed)
			return rs_error_set(
				err, RS_REFUSED,
				"a Laplacian of Gaussian with sigma %g mm needs %.0f voxels of %g mm along %c, the "
				"volume has %zu; take a smaller sigma or leave it out",
				sigma_mm, needed, g->spacing_mm[a], "xyz"[a], g -> size[a]);
	}
	return RS_OK;
}

static enum rs_code make_coefficients(struct laplacian *l, double sigma_mm, struct rs_error *err)
{
	const double *spacing = l->volume->geometry.spacing_mm;
	for (unsigned a = 0; a < 3; a++)
		if (!recursive_smooth(sigma_mm, spacing[a], &l->smooth[a]) ||
		    !recursive_second(sigma_mm, spacing[a], &l->second[a]))
			return rs_error_set(err, RS_REFUSED,
			                    "sigma %g mm is too small for voxels of %g mm along %c", sigma_mm,
			                    spacing[a], "xyz"[a]);
	return RS_OK;
}

/* The second derivative along `axis`, then smoothing along the other two in rising order; each pass narrows its
 * own axis to the box. */
static enum rs_code add_axis(const struct laplacian *l, unsigned axis, struct rs_pool *pool, double *out,
                             struct rs_error *err)
{
	unsigned order[3] = {axis, axis == 0 ? 1 : 0, axis == 2 ? 1 : 2};
	double spacing = l->volume->geometry.spacing_mm[axis];
	struct lines lines = {.in = l->volume->voxels, .weight = 1.0 / (spacing * spacing)};
	for (unsigned a = 0; a < 3; a++)
		lines.size[a] = l->volume->geometry.size[a];
	for (int pass = 0; pass < 3; pass++) {
		unsigned a = order[pass];
		lines.axis = a;
		lines.first = l->box->first[a];
		lines.count = l->box->size[a];
		lines.filter = (struct line_filter){recursive_run, pass == 0 ? &l->second[a] : &l->smooth[a]};
		lines.out_single = pass == 0 ? l->first_pass : pass == 1 ? l->second_pass : NULL;
		lines.sum = pass == 2 ? out : NULL;
		RS_TRY(lines_run(&lines, pool, err));
		lines.in = NULL;
		lines.in_single = lines.out_single;
		lines.size[a] = lines.count;
	}
	return RS_OK;
}

/* Floats needed behind `passes` passes of the worst axis order. */
static size_t floats_after(const struct laplacian *l, int passes)
{
	const size_t *whole = l->volume->geometry.size, *part = l->box->size;
	size_t largest = 0;
	for (unsigned a = 0; a < 3; a++) {
		size_t one = part[a] * whole[(a + 1) % 3] * whole[(a + 2) % 3];
		size_t two = whole[a] * part[(a + 1) % 3] * part[(a + 2) % 3];
		size_t count = passes == 1 ? one : two;
		largest = count > largest ? count : largest;
	}
	return largest;
}

enum rs_code rs_filter_log(const struct rs_volume *volume, const struct rs_box *box, double sigma_mm,
                           struct rs_pool *pool, double *out, struct rs_error *err)
{
	struct laplacian l = {.volume = volume, .box = box};
	RS_TRY(check(&volume->geometry, box, sigma_mm, err));
	RS_TRY(make_coefficients(&l, sigma_mm, err));
	size_t first = floats_after(&l, 1), second = floats_after(&l, 2);
	float *scratch RS_CLEANUP(rs_free_pointer) = rs_allocate_array(first + second, sizeof *scratch);
	double *sum RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rs_box_voxels(box), sizeof *sum);
	if (!scratch || !sum)
		return rs_error_memory(err, (first + second) * sizeof *scratch, "a Laplacian of Gaussian");
	l.first_pass = scratch;
	l.second_pass = scratch + first;
	for (unsigned axis = 0; axis < 3; axis++)
		RS_TRY(add_axis(&l, axis, pool, sum, err));
	for (size_t i = 0; i < rs_box_voxels(box); i++)
		out[i] = sum[i];
	return RS_OK;
}
