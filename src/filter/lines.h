/* Filters along the lines of one axis, many lines at once: LINES of them lie side by side, so that a recursion
 * along the line runs over contiguous lanes. Lines do not see each other: no bit depends on the blocking. */
#ifndef RS_FILTER_LINES_H
#define RS_FILTER_LINES_H

#include "base/base.h"

#define LINES 16

/* data, result  rows of LINES doubles, one row for each of the n voxels of the lines; data may be destroyed
 * first, end    the rows of result that are used afterwards */
struct line_filter {
	void (*run)(const void *how, size_t n, size_t first, size_t end, double *data, double *result);
	const void *how;
};

/* From an array of size[0] x size[1] x size[2], one of `in` and `in_single`, to an array that is the same but for
 * `axis`, of which only first … first + count - 1 are kept. */
struct lines {
	size_t size[3];
	unsigned axis;
	size_t first, count;
	const double *in;
	const float *in_single;
	struct line_filter filter;
	/* One of these is written. `sum` takes the result, rounded to float32, times weight on top of what it
	 * holds, and rounds that to float32: an accumulation of float32 images. */
	float *out_single;
	double *out;
	double *sum;
	double weight;
};
enum rs_code lines_run(const struct lines *lines, struct rs_pool *pool, struct rs_error *err);

#endif
