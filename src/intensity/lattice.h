/* The fit of cubic B-splines to scattered values. Private to intensity. */
#ifndef RS_INTENSITY_LATTICE_H
#define RS_INTENSITY_LATTICE_H

#include "base/base.h"
#include "numeric/numeric_spline.h"

/* Points on a grid, every `step` voxels of a volume that the box covers: reaches of its planes along each axis. */
struct grid_reach {
	struct rs_reach *along[3];
	size_t size[3];
};
enum rs_code grid_reach_init(struct grid_reach *out, const size_t volume[3], const size_t step[3],
                             const size_t elements[3], struct rs_error *err);
void grid_reach_finish(struct grid_reach *reach);

/* Adds the approximation of values (NAN: none) at the grid's points to the lattice's control points. */
enum rs_code lattice_approach(struct rs_lattice *lattice, const struct grid_reach *grid, const double *values,
                              struct rs_error *err);
/* Its values over the grid. */
enum rs_code lattice_values(const struct rs_lattice *lattice, const struct grid_reach *grid,
                            struct rs_pool *pool, double *out, struct rs_error *err);

#endif
