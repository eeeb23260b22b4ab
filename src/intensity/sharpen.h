/* What a histogram would be without the blur that a bias field lays over it. Private to intensity. */
#ifndef RS_INTENSITY_SHARPEN_H
#define RS_INTENSITY_SHARPEN_H

#include "base/base.h"

struct sharpening {
	double width, noise;
	size_t bins;
};
/* out[i]: what is expected of values[i] (NAN: nothing) without the blur.
 * errors  RS_REFUSED when the values are all equal; RS_NO_MEMORY */
enum rs_code sharpen(const struct sharpening *how, const double *values, size_t count, double *out,
                     struct rs_error *err);

#endif
