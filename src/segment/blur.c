/* Separable Gaussians, cut off at three standard deviations. */
#include "segment/blur.h"

#include <math.h>
#include <string.h>

#define RADIUS_MAX 64
#define LINES 16 /* side by side */

struct kernel {
	int radius;
	float weight[RADIUS_MAX + 1];
	float *lines, *sums; /* `length` values of LINES lines */
	size_t length;
};

static void kernel_finish(struct kernel *kernel)
{
	rs_free(kernel->lines);
	rs_free(kernel->sums);
}

static void kernel_make(struct kernel *kernel, double sigma)
{
	kernel->radius = (int)fmin(ceil(3 * sigma), RADIUS_MAX);
	for (int k = 0; k <= kernel->radius; k++)
		kernel->weight[k] = (float)exp(-0.5 * k * k / (sigma * sigma));
}

/* Where a face cuts the kernel off, what is left of it counts as all. */
static void convolve(const struct kernel *kernel)
{
	for (size_t i = 0; i < kernel->length; i++) {
		float *sum = kernel->sums + i * LINES, total = 0;
		memset(sum, 0, LINES * sizeof *sum);
		for (int k = -kernel->radius; k <= kernel->radius; k++) {
			const ptrdiff_t at = (ptrdiff_t)i + k;
			if (at < 0 || at >= (ptrdiff_t)kernel->length)
				continue;
			const float w = kernel->weight[k < 0 ? -k : k], *line = kernel->lines + at * LINES;
			total += w;
			for (size_t n = 0; n < LINES; n++)
				sum[n] += w * line[n];
		}
		for (size_t n = 0; n < LINES; n++)
			sum[n] /= total;
	}
}

/* Lines along an axis that begin at `first`, `apart` from each other. */
static void blur_lines(const struct kernel *kernel, float *first, size_t count, size_t apart, size_t stride)
{
	for (size_t i = 0; i < kernel->length; i++)
		for (size_t n = 0; n < count; n++)
			kernel->lines[i * LINES + n] = first[i * stride + n * apart];
	convolve(kernel);
	for (size_t i = 0; i < kernel->length; i++)
		for (size_t n = 0; n < count; n++)
			first[i * stride + n * apart] = kernel->sums[i * LINES + n];
}

enum rs_code blur(float *values, const size_t size[3], const double spacing_mm[3], double sigma_mm,
                  struct rs_error *err)
{
	const size_t stride[3] = {1, size[0], size[0] * size[1]};
	for (unsigned a = 0; a < 3; a++) {
		const unsigned u = a == 0 ? 1 : 0, v = 3 - a - u; /* lines side by side along u */
		struct kernel kernel RS_CLEANUP(kernel_finish) = {.length = size[a]};
		if (sigma_mm < spacing_mm[a] / 3 || size[a] == 1)
			continue;
		kernel.lines = rs_allocate_array(size[a], LINES * sizeof *kernel.lines);
		kernel.sums = rs_allocate_array(size[a], LINES * sizeof *kernel.sums);
		if (!kernel.lines || !kernel.sums)
			return rs_error_memory(err, size[a] * LINES * sizeof *kernel.lines, "smoothing");
		kernel_make(&kernel, sigma_mm / spacing_mm[a]);
		for (size_t j = 0; j < size[v]; j++)
			for (size_t i = 0; i < size[u]; i += LINES)
				blur_lines(&kernel, values + j * stride[v] + i * stride[u],
				           size[u] - i < LINES ? size[u] - i : LINES, stride[u], stride[a]);
	}
	return RS_OK;
}
