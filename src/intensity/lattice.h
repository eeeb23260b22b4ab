/* Cubic B-splines over a box, in one to three dimensions, and their fit to scattered values. Private to intensity. */
#ifndef RS_INTENSITY_LATTICE_H
#define RS_INTENSITY_LATTICE_H

#include "base/base.h"

/* Control points size[a] = elements[a] + 3 along each axis; the box runs over 0 … 1. */
struct lattice {
	size_t elements[3], size[3];
	double *control;
};
enum rs_code lattice_init(struct lattice *out, const size_t elements[3], struct rs_error *err); /* zeros */
void lattice_finish(struct lattice *lattice); /* accepts zeroed memory */

/* The four control points along one axis that a position reaches, and their weights. */
struct reach {
	size_t first;
	double weight[4];
};
void reach_of(double position, size_t elements, struct reach *out);

/* Points on a grid, every `step` voxels of a volume that the box covers: reaches of its planes along each axis. */
struct grid_reach {
	struct reach *along[3];
	size_t size[3];
};
enum rs_code grid_reach_init(struct grid_reach *out, const size_t volume[3], const size_t step[3],
                             const size_t elements[3], struct rs_error *err);
void grid_reach_finish(struct grid_reach *reach);

/* Adds the approximation of values (NAN: none) at the grid's points to the lattice's control points. */
enum rs_code lattice_approach(struct lattice *lattice, const struct grid_reach *grid, const double *values,
                              struct rs_error *err);
/* Its values over the grid. */
enum rs_code lattice_values(const struct lattice *lattice, const struct grid_reach *grid,
                            struct rs_pool *pool, double *out, struct rs_error *err);
/* The same spline with every element halved along the axes in `axes` (bit a). */
enum rs_code lattice_refine(struct lattice *lattice, unsigned axes, struct rs_error *err);

#endif
