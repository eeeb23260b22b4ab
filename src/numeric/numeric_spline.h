/* Cubic B-splines through voxels, and over lattices of control points. */
#ifndef RS_NUMERIC_SPLINE_H
#define RS_NUMERIC_SPLINE_H

#include "base/base.h"

/* Coefficients of the block in place: x, then y, then z; mirrored at its ends. */
enum rs_code rs_spline_coefficients(double *voxels, const size_t size[3], struct rs_pool *pool,
                                    struct rs_error *err);
/* Weights of coefficients floor - 1 … floor + 2 at `fraction` above floor. */
void rs_spline_weights(double fraction, double out[4]);

/* A spline over a box that runs over 0 … 1: control points size[a] = elements[a] + 3 along each axis. */
struct rs_lattice {
	size_t elements[3], size[3];
	double *control;
};
/* zeros.  errors  RS_USAGE for elements beyond 1 … 4096; RS_NO_MEMORY */
enum rs_code rs_lattice_init(struct rs_lattice *out, const size_t elements[3], struct rs_error *err);
void rs_lattice_finish(struct rs_lattice *lattice); /* accepts zeroed memory */
/* The same spline with every element halved along the axes in `axes` (bit a). */
enum rs_code rs_lattice_refine(struct rs_lattice *lattice, unsigned axes, struct rs_error *err);

/* The four control points along one axis that a position reaches, and their weights. */
struct rs_reach {
	size_t first;
	double weight[4];
};
void rs_reach_of(double position, size_t elements, struct rs_reach *out);

#endif
