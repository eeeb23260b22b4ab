/* How a grey value looks: like what was painted inside, or like the rest. */
#ifndef RS_SEGMENT_LIKENESS_H
#define RS_SEGMENT_LIKENESS_H

#include "base/base.h"

#define LIKENESS_BINS 256

struct likeness {
	double low, high; /* values beyond fall into the last bins */
	double image[LIKENESS_BINS];
	float inside[LIKENESS_BINS]; /* share of inside among voxels of this value, both as likely before */
};

/* Range and image's histogram. errors  RS_REFUSED when all values are the same */
enum rs_code likeness_init(struct likeness *out, const float *guide, size_t count, struct rs_error *err);
static inline size_t likeness_bin(const struct likeness *l, float value)
{
	const double at = ((double)value - l->low) / (l->high - l->low) * LIKENESS_BINS;
	return at <= 0 ? 0 : at >= LIKENESS_BINS - 1 ? LIKENESS_BINS - 1 : (size_t)at;
}
/* Histograms of voxels inside and outside, smoothed by a Gaussian of `width` grey values. Outside looks half like what was
 * painted there, half like the image as a whole. */
void likeness_learn(struct likeness *likeness, const double inside[LIKENESS_BINS],
                    const double outside[LIKENESS_BINS], double width);

#endif
