/* The share of outcomes as a function of a score that never falls: the least squares one (Ayer et al. 1955), straight between
 * the scores it was fitted to, level beyond them. */
#ifndef RS_ASSESS_ISOTONIC_H
#define RS_ASSESS_ISOTONIC_H

#include "base/base.h"

struct rs_isotonic_point {
	double score, share;
};
struct rs_isotonic {
	size_t count;
	struct rs_isotonic_point *points; /* ascending */
};
void rs_isotonic_finish(struct rs_isotonic *isotonic); /* accepts zeroed memory */
/* errors  RS_USAGE without rows; RS_MALFORMED names a score that is not finite */
enum rs_code rs_isotonic_fit(const double *score, const uint8_t *outcome, size_t count,
                             struct rs_isotonic *out, struct rs_error *err);
/* isotonic: fitted. */
double rs_isotonic_at(const struct rs_isotonic *isotonic, double score);

#endif
