/* The random walker's equations: of voxels with springs between neighbours and to given values, the values at rest.
 * Solved by conjugate gradients with a multigrid cycle before them; one thread, one order of operations. */
#ifndef RS_SEGMENT_RANDOM_WALK_H
#define RS_SEGMENT_RANDOM_WALK_H

#include "base/base.h"

#define WALK_LEVELS_MAX 20

/* Arrays are [z][y][x], with a guard of zeros before and behind, so that neighbours beyond a face may be read: the weights
 * of edges that leave the grid are 0. */
struct walk_level {
	size_t size[3], count, guard;
	unsigned factor[3]; /* voxels of a cell of the next level */
	float *weight[3];   /* of the edge to the next voxel along x, y, z */
	float *inverse;     /* 1 / (sum of edges and spring) */
	float *x, *b, *r;
	void *memory;
};
struct random_walk {
	struct walk_level levels[WALK_LEVELS_MAX];
	size_t count;
	float *solution, *direction; /* of level 0, guarded */
	void *memory;
};

/* All zero. spacing_mm decides which axes grow coarser first. */
enum rs_code random_walk_init(struct random_walk *out, const size_t size[3], const double spacing_mm[3],
                              struct rs_error *err);
void random_walk_finish(struct random_walk *walk); /* accepts zeroed memory */
/* Before: weight[] of level 0, its `r` as the springs' stiffness (>= 0), its `b` as stiffness times the value that a spring
 * pulls to, and `solution` as a guess. Every voxel needs a way to a spring. After: `solution`.
 * tolerance  by which the error falls, about; returns the number of iterations */
unsigned random_walk_solve(struct random_walk *walk, double tolerance, unsigned iterations_max);

#endif
