/* Sled's sharpening: the histogram is deconvolved with a narrow Gaussian (Wiener's filter), and every value moves to the mean
 * of what may have become it. */
#include "sharpen.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric_fft.h"

#define PI 3.14159265358979323846

struct histogram {
	double low, step;
	size_t bins, size, offset; /* `size` elements for the transform, the bins in their middle */
	struct rs_fft fft;
	struct rs_fft_element *lines, *spare; /* of the transform */
	double *kernel, *sharp, *expected;    /* transformed kernel; size, size, bins */
};

static void histogram_finish(struct histogram *h)
{
	rs_fft_finish(&h->fft);
	rs_free(h->lines);
	rs_free(h->spare);
	rs_free(h->kernel);
}

static enum rs_code histogram_init(struct histogram *h, size_t bins, struct rs_error *err)
{
	h->bins = bins;
	h->size = rs_fft_size(2 * bins);
	h->offset = (h->size - bins) / 2;
	RS_TRY(rs_fft_init(&h->fft, h->size, err));
	h->lines = rs_allocate_aligned(h->size * sizeof *h->lines);
	h->spare = rs_allocate_aligned(h->size * sizeof *h->spare);
	h->kernel = rs_allocate_array(2 * h->size + bins, sizeof *h->kernel);
	if (!h->lines || !h->spare || !h->kernel)
		return rs_error_memory(err, h->size * sizeof *h->lines, "a histogram");
	h->sharp = h->kernel + h->size;
	h->expected = h->sharp + h->size;
	return RS_OK;
}

/* Transforms the lines in place: the result may lie in the other block, which then is the lines'. */
static void transform(struct histogram *h)
{
	struct rs_fft_element *result = rs_fft_forward(&h->fft, h->lines, h->spare);
	if (result != h->lines) {
		h->spare = h->lines;
		h->lines = result;
	}
}

/* The Gaussian around the first element: its transform is real. */
static void make_kernel(struct histogram *h, double width)
{
	double full = width / h->step, steep = 4 * log(2.0) / (full * full),
	       height = 2 * sqrt(log(2.0) / PI) / full;
	memset(h->lines, 0, h->size * sizeof *h->lines);
	for (size_t i = 0; i < h->size; i++) {
		double apart = (double)(i < h->size - i ? i : h->size - i);
		h->lines[i].re[0] = height * exp(-apart * apart * steep);
	}
	transform(h);
	for (size_t i = 0; i < h->size; i++)
		h->kernel[i] = h->lines[i].re[0];
}

/* Every value is shared by the two bins beside it. */
static enum rs_code count_values(struct histogram *h, const double *values, size_t count,
                                 struct rs_error *err)
{
	double low = INFINITY, high = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	if (!(high > low))
		return rs_error_set(err, RS_REFUSED,
		                    "all voxels of the region are equal: there is no histogram");
	h->low = low;
	h->step = (high - low) / (double)(h->bins - 1);
	memset(h->sharp, 0, h->size * sizeof *h->sharp);
	for (size_t i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		double at = (values[i] - low) / h->step, whole = floor(at);
		size_t bin = whole < (double)(h->bins - 1) ? (size_t)whole : h->bins - 2;
		h->sharp[h->offset + bin] += 1 - (at - (double)bin);
		h->sharp[h->offset + bin + 1] += at - (double)bin;
	}
	return RS_OK;
}

/* sharp becomes the deconvolved histogram. */
static void deconvolve(struct histogram *h, double noise)
{
	memset(h->lines, 0, h->size * sizeof *h->lines);
	for (size_t i = 0; i < h->size; i++)
		h->lines[i].re[0] = h->sharp[i];
	transform(h);
	for (size_t i = 0; i < h->size; i++) { /* conjugated: a second transform is the inverse */
		double wiener = h->kernel[i] / (h->kernel[i] * h->kernel[i] + noise) / (double)h->size;
		h->lines[i].re[0] *= wiener;
		h->lines[i].im[0] *= -wiener;
	}
	transform(h);
	for (size_t i = 0; i < h->size; i++)
		h->sharp[i] = h->lines[i].re[0] > 0 ? h->lines[i].re[0] : 0;
}

/* The mean of values before the blur, for every bin after it: two blurred histograms, one weighted by the value. */
static void expect(struct histogram *h)
{
	memset(h->lines, 0, h->size * sizeof *h->lines);
	for (size_t i = 0; i < h->size; i++) {
		double value = h->low + ((double)i - (double)h->offset) * h->step;
		h->lines[i].re[0] = h->sharp[i];
		h->lines[i].re[1] = h->sharp[i] * value;
	}
	transform(h);
	for (size_t i = 0; i < h->size; i++)
		for (int lane = 0; lane < 2; lane++) {
			h->lines[i].re[lane] *= h->kernel[i] / (double)h->size;
			h->lines[i].im[lane] *= -h->kernel[i] / (double)h->size;
		}
	transform(h);
	for (size_t i = 0; i < h->bins; i++) {
		const struct rs_fft_element *e = &h->lines[h->offset + i];
		double own = h->low + (double)i * h->step;
		h->expected[i] = e->re[0] > 1e-9 ? e->re[1] / e->re[0] : own;
	}
}

static void move_values(const struct histogram *h, const double *values, size_t count, double *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = NAN;
		if (isnan(values[i]))
			continue;
		double at = (values[i] - h->low) / h->step, whole = floor(at);
		size_t bin = whole < (double)(h->bins - 1) ? (size_t)whole : h->bins - 2;
		double beyond = at - (double)bin;
		out[i] = (1 - beyond) * h->expected[bin] + beyond * h->expected[bin + 1];
	}
}

enum rs_code sharpen(const struct sharpening *how, const double *values, size_t count, double *out,
                     struct rs_error *err)
{
	struct histogram h RS_CLEANUP(histogram_finish) = {.bins = 0};
	RS_TRY(histogram_init(&h, how->bins, err));
	RS_TRY(count_values(&h, values, count, err));
	make_kernel(&h, how->width);
	deconvolve(&h, how->noise);
	expect(&h);
	move_values(&h, values, count, out);
	return RS_OK;
}
