/* What inside looks like in several images at once: log odds that are a quadratic function of a voxel's values, so that inside
 * may be a blob among whatever there is (logistic regression; Newton's method with a ridge). */
#ifndef RS_SEGMENT_LOOKS_H
#define RS_SEGMENT_LOOKS_H

#include "segment/segment_grow.h"

#define LOOKS_TERMS_MAX (1 + RS_GROW_IMAGES_MAX + RS_GROW_IMAGES_MAX * (RS_GROW_IMAGES_MAX + 1) / 2)

struct looks {
	size_t images, terms;
	double middle[RS_GROW_IMAGES_MAX], scale[RS_GROW_IMAGES_MAX];
	double weight[LOOKS_TERMS_MAX];
};

/* Samples: `images` values each, scaled; what share of each is inside, and how much it counts. */
struct looks_samples {
	const float *values, *inside, *counts;
	size_t count;
};

/* Middle from values that were painted inside, scale from values all around (both of one image; both become sorted). False where
 * all around is one value: it tells nothing. */
bool looks_scale(struct looks *looks, size_t image, float *inside, size_t inside_count, float *around,
                 size_t around_count);
static inline float looks_scaled(const struct looks *looks, size_t image, double value)
{
	const double at = (value - looks->middle[image]) / looks->scale[image];
	return (float)(at < -4 ? -4 : at > 4 ? 4 : at); /* what is far off is far off */
}
enum rs_code looks_learn(struct looks *looks, const struct looks_samples *samples, struct rs_error *err);
double looks_odds(const struct looks *looks, const float *values); /* their logarithm */

#endif
