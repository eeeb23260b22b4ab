/* From millimetres to voxels and back, and the lattice of a transform as its splines need it. Private to register. */
#ifndef RS_REGISTER_SPACE_H
#define RS_REGISTER_SPACE_H

#include "register/register.h"

#define REACH 4 /* control points along an axis */

/* Four numbers side by side. */
typedef double lanes __attribute__((vector_size(REACH * sizeof(double)), aligned(8), may_alias));
#define LANES_AT(address) (*(const lanes *)(const void *)(address))

struct space {
	double to_point[3][3], to_index[3][3], origin_mm[3];
};
/* errors  RS_REFUSED when the axes do not span space or a number is not finite */
enum rs_code space_of(const struct rs_geometry *geometry, struct space *out, struct rs_error *err);
void space_point(const struct space *space, const double index[3], double out[3]);
void space_index(const struct space *space, const double point[3], double out[3]);
void product3(double a[3][3], double b[3][3], double out[3][3]);

/* Weights of a cubic B-spline at `fraction` above its second control point, and how they change. */
static inline void weigh(double fraction, double out[REACH])
{
	const double t = fraction, s = 1 - t;
	out[0] = s * s * s / 6;
	out[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
	out[2] = (3 * s * s * s - 6 * s * s + 4) / 6;
	out[3] = t * t * t / 6;
}
static inline void weigh_slopes(double fraction, double out[REACH])
{
	const double t = fraction, s = 1 - t;
	out[0] = -0.5 * s * s;
	out[1] = (1.5 * t - 2) * t;
	out[2] = (2 - 1.5 * s) * s;
	out[3] = 0.5 * t * t;
}

/* Where a point lies among control points: the first of four along each axis, and their weights. */
struct hold {
	size_t first[3];
	double fraction[3];
	double weight[3][REACH];
};
/* `at` counts in control points. */
static inline void hold_of(const size_t size[3], const double at[3], struct hold *out)
{
	for (int a = 0; a < 3; a++) {
		const double last = (double)(size[a] - REACH);
		double from = __builtin_floor(at[a] - 1);
		from = from > 0 ? from < last ? from : last : 0; /* what is no number, too */
		double t = at[a] - 1 - from;
		t = t > 0 ? t < 1 ? t : 1 : 0;
		out->first[a] = (size_t)from;
		out->fraction[a] = t;
		weigh(t, out->weight[a]);
	}
}
/* The spline there of one component's control points. */
static inline double hold_value(const struct hold *hold, const size_t size[3], const double *control)
{
	lanes sum = {0};
	for (size_t k = 0; k < REACH; k++) {
		lanes plane = {0};
		const double *from = control + ((hold->first[2] + k) * size[1] + hold->first[1]) * size[0] +
		                     hold->first[0];
		for (size_t j = 0; j < REACH; j++)
			plane += hold->weight[1][j] * LANES_AT(from + j * size[0]);
		sum += hold->weight[2][k] * plane;
	}
	sum *= LANES_AT(hold->weight[0]);
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

#endif
