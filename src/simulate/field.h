/* Smooth random fields over space: value noise on a lattice (outlines, motion, coils), and sums of waves of a band of
 * lengths (texture). Normal numbers, or nearly so, with mean 0 and deviation 1. */
#ifndef RS_SIMULATE_FIELD_H
#define RS_SIMULATE_FIELD_H

#include "base/base.h"
#include "base/base_random.h"

/* Three values at every point, cubic steps between lattice points; clamped at the border. */
struct field {
	double origin_mm[3], per_mm; /* steps in a mm */
	size_t size[3];
	double *values; /* [z][y][x][3] */
};
/* Covers the box -half … half. */
enum rs_code field_init(struct field *field, const double half_mm[static 3], double step_mm,
                        struct rs_stream *stream, struct rs_error *err);
void field_finish(struct field *field); /* accepts zeroed memory */
void field_at(const struct field *field, const double point_mm[static 3], double out[static 3]);

#define WAVES 32
struct waves {
	double k[WAVES][3], phase[WAVES];
};
/* Wave lengths between `shortest` and `longest`, directions alike in all of space. */
void waves_init(struct waves *waves, double shortest_mm, double longest_mm, struct rs_stream *stream);
double waves_at(const struct waves *waves, const double point_mm[static 3]);

#endif
