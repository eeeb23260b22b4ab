/* Where the slices of a stack lie: in order, evenly spaced, straight, and no two at one place. */
#ifndef RS_IMAGE_PLACES_H
#define RS_IMAGE_PLACES_H

#include "base/base.h"

struct placed {
	double position[3]; /* mm */
	double place;       /* along the normal, mm */
	size_t index;       /* of the slice or frame */
	const char *name;   /* of its file; NULL: it is frame index + 1 */
};
/* Fills `place` and sorts by it. `orientation` is ImageOrientationPatient. */
enum rs_code places_sort(struct placed *places, size_t count, const double orientation[6],
                         struct rs_error *err);
/* Whether two lie at one place: *out_second is the later one of the first such pair, after sorting. */
bool places_twins(const struct placed *places, size_t count, size_t *out_second);
/* RS_UNSUPPORTED in a sentence; `difference` tells what the twins differ in (may be empty), `advice` what to do. */
enum rs_code places_refuse_twins(const struct placed *places, size_t count, size_t second,
                                 const char *difference, const char *advice, struct rs_error *err);
/* Even within a hundredth of the spacing, and straight; at least two, and no twins. */
enum rs_code places_even(const struct placed *places, size_t count, const double orientation[6],
                         double *out_spacing, struct rs_error *err);

#endif
