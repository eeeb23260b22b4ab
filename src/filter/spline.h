/* Cubic B-splines through the voxels of a volume that is mirrored at its outermost voxels, sampled on shifted rows.
 * source  SciPy 1.6 … 1.13, ndimage.map_coordinates(order=3): its order of sums, and 0 outside the volume */
#ifndef RS_FILTER_SPLINE_H
#define RS_FILTER_SPLINE_H

#include "filter/filter.h"

/* Coefficients of a box and what lies within `margin` voxels of it, with two more for the spline's support. */
struct spline {
	size_t volume_size[3];
	ptrdiff_t first[3]; /* of the coefficients: may be before the volume */
	size_t size[3];
	double *coefficients;
};
enum rs_code spline_init(struct spline *out, const struct rs_volume *volume, const struct rs_box *box,
                         size_t margin, struct rs_pool *pool, struct rs_error *err);
void spline_finish(struct spline *spline); /* accepts zeroed memory */

/* Values at (at[0] + shift[0], …) and the count - 1 voxels that follow along x, all within the margin.
 * work  SPLINE_ROW_WORK(count) doubles */
#define SPLINE_ROW_WORK(count) (5 * (count) + 4)
void spline_row(const struct spline *spline, const size_t at[3], const double shift[3], size_t count,
                double *work, double *restrict out);

#endif
