/* How points move with the parameters of a transform, and the parameters with the forces on points. Every parameter is a
 * distance in mm, so that steps of all are alike. Private to register. */
#ifndef RS_REGISTER_MOTION_H
#define RS_REGISTER_MOTION_H

#include "register/points.h"

#define LINEAR_MAX 12

/* The parameters say how the transform differs from `base`: by a turn about `centre` (rigid) or a matrix (affine) and a
 * shift, or by the control points of a lattice. */
struct motion {
	enum rs_transform_kind kind;
	size_t count;             /* of parameters */
	struct rs_transform base; /* without lattice */
	double centre_mm[3], moved_mm[3],
		reach_mm[3]; /* of the points: their mean, that in the moving volume, deviations */
	struct space to;     /* the moving view's */
	double stiffness;
	/* bspline */
	struct rs_geometry lattice;
	struct space lattice_space;
	uint32_t *first; /* of each point's control points */
	double *weights; /* 3 * REACH for each point */
	/* What the last motion_set() made of the parameters: index = matrix · place + offset (+ turned u). */
	double matrix[3][3], offset[3];
	const double *control_mm;
	double *sums; /* of every chunk: slopes by its forces */
	size_t sum_size;
};
/* Puts the points into the order that the motion wants. `base` without lattice; `lattice` for a bspline. */
enum rs_code motion_init(struct motion *out, enum rs_transform_kind kind, const struct rs_transform *base,
                         const struct rs_geometry *lattice, double stiffness, struct points *points,
                         const struct view *moving, struct rs_error *err);
void motion_finish(struct motion *motion); /* accepts zeroed memory */

void motion_set(struct motion *motion, const double *parameters); /* which are borrowed */
/* Where a chunk's points lie in the moving view. */
void motion_place(const struct motion *motion, const struct points *points, const struct chunk *chunk,
                  double *const at[3]);
/* Sums up the forces, slopes of the cost along the view's axes, on the chunk's points. */
void motion_gather(const struct motion *motion, const struct points *points, size_t chunk,
                   double *const force[3]);
/* The sums of all chunks, as slopes along the parameters. */
void motion_slopes(const struct motion *motion, const struct points *points, const double *parameters,
                   double *slopes);
/* What bending costs; its slopes are added. 0 but for a bspline. */
double motion_bending(const struct motion *motion, double *slopes);
/* base and parameters as a linear transform. */
void motion_linear(const struct motion *motion, const double *parameters, struct rs_transform *out);

#endif
