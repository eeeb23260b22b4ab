/* A volume as a level of the pyramid sees it: smoothed, on a coarser grid, as coefficients of cubic B-splines. Private to
 * register. */
#ifndef RS_REGISTER_VIEW_H
#define RS_REGISTER_VIEW_H

#include "register/space.h"

#define PAD 2 /* mirrored coefficients beyond the ends, for the spline's support */

struct view {
	struct space space;
	size_t size[3], factor[3]; /* voxels; how many of the volume's along each axis make one */
	size_t padded[3];
	double *coefficients;  /* padded */
	double low, high;      /* grey levels that most voxels lie between */
	const uint8_t *region; /* of the volume's voxels; NULL: all */
	size_t whole[3];       /* the volume's */
};
/* sharp_mm  the distance of voxels that the level aims at: axes are thinned out to it, never made finer
 * errors    RS_REFUSED when the volume (or its region) is flat; RS_NO_MEMORY */
enum rs_code view_init(struct view *out, const struct rs_volume *volume, const uint8_t *region,
                       double sharp_mm, struct rs_pool *pool, struct rs_error *err);
void view_finish(struct view *view); /* accepts zeroed memory */

/* Whether there is a voxel to be looked at. */
static inline bool view_holds(const struct view *v, const double index[3])
{
	size_t at[3];
	for (int a = 0; a < 3; a++)
		if (!(index[a] >= -0.5 && index[a] <= (double)v->size[a] - 0.5))
			return false;
	if (!v->region)
		return true;
	for (int a = 0; a < 3; a++) {
		at[a] = (size_t)((index[a] + 0.5) * (double)v->factor[a]);
		at[a] = at[a] < v->whole[a] ? at[a] : v->whole[a] - 1;
	}
	return v->region[(at[2] * v->whole[1] + at[1]) * v->whole[0] + at[0]] != 0;
}

/* The spline at an index that view_holds(), and its slopes a voxel along each axis. */
static inline double view_look(const struct view *v, const double index[3], double slopes[3])
{
	double weight[3][REACH], change[3][REACH];
	size_t first[3];
	for (int a = 0; a < 3; a++) {
		const double low = __builtin_floor(index[a]);
		first[a] = (size_t)(low + (PAD - 1));
		weigh(index[a] - low, weight[a]);
		weigh_slopes(index[a] - low, change[a]);
	}
	lanes sum = {0}, along_y = {0}, along_z = {0};
	for (size_t k = 0; k < REACH; k++) {
		lanes plane = {0}, plane_y = {0};
		const double *from = v->coefficients +
		                     ((first[2] + k) * v->padded[1] + first[1]) * v->padded[0] + first[0];
		for (size_t j = 0; j < REACH; j++) {
			const lanes row = LANES_AT(from + j * v->padded[0]);
			plane += weight[1][j] * row;
			plane_y += change[1][j] * row;
		}
		sum += weight[2][k] * plane;
		along_y += weight[2][k] * plane_y;
		along_z += change[2][k] * plane;
	}
	const lanes x = LANES_AT(weight[0]), value = x * sum, slope_x = LANES_AT(change[0]) * sum;
	along_y *= x;
	along_z *= x;
	slopes[0] = (slope_x[0] + slope_x[1]) + (slope_x[2] + slope_x[3]);
	slopes[1] = (along_y[0] + along_y[1]) + (along_y[2] + along_y[3]);
	slopes[2] = (along_z[0] + along_z[1]) + (along_z[2] + along_z[3]);
	return (value[0] + value[1]) + (value[2] + value[3]);
}

/* Coefficients of a block of voxels with PAD mirrored ones on every side. *out_padded is freed with rs_free. */
enum rs_code padded_coefficients(double *voxels, const size_t size[3], struct rs_pool *pool, size_t padded[3],
                                 double **out_padded, struct rs_error *err);

#endif
