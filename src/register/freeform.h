/* The bspline's part of motions: what points and control points are to each other, and what bending costs. Private to
 * register. */
#ifndef RS_REGISTER_FREEFORM_H
#define RS_REGISTER_FREEFORM_H

#include "register/motion.h"

/* Sorts the points by rows of elements, and keeps their weights. */
enum rs_code freeform_init(struct motion *motion, struct points *points, struct rs_error *err);
/* Adds the displacements, turned into the moving view's axes, to the places of a chunk's points. */
void freeform_place(const struct motion *motion, const struct chunk *chunk, double *const at[3]);
/* The forces on a chunk's points, by the control points of its row. */
void freeform_gather(const struct motion *motion, const struct chunk *chunk, double *const force[3],
                     double *sums);
void freeform_slopes(const struct motion *motion, const struct points *points, double *slopes);
double freeform_bending(const struct motion *motion, double *slopes);

#endif
