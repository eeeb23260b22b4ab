/* Median of 3 × 3; non-local means (Buades, Coll, Morel 2005) with patches of 3 × 3 in windows of 7 × 7, its strength from the
 * noise that Immerkær's mask finds (Computer Vision and Image Understanding 64, 1996). Edges are continued. */
#include "filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 3     /* pixels on each side */
#define STRENGTH 0.8 /* of the noise: h */
#define LOW 0.01
#define HIGH 0.99

struct slice {
	const double *values;
	ptrdiff_t width, height;
};

static double at(const struct slice *slice, ptrdiff_t x, ptrdiff_t y)
{
	x = x < 0 ? 0 : x >= slice->width ? slice->width - 1 : x;
	y = y < 0 ? 0 : y >= slice->height ? slice->height - 1 : y;
	return slice->values[y * slice->width + x];
}

static double median_at(const struct slice *slice, ptrdiff_t x, ptrdiff_t y)
{
	double sorted[9];
	size_t count = 0;
	for (ptrdiff_t dy = -1; dy <= 1; dy++)
		for (ptrdiff_t dx = -1; dx <= 1; dx++) {
			double value = at(slice, x + dx, y + dy);
			size_t place = count++;
			for (; place > 0 && sorted[place - 1] > value; place--)
				sorted[place] = sorted[place - 1];
			sorted[place] = value;
		}
	return sorted[4];
}

static double noise_of(const struct slice *slice)
{
	static const double mask[3][3] = {{1, -2, 1}, {-2, 4, -2}, {1, -2, 1}};
	double sum = 0;
	if (slice->width < 3 || slice->height < 3)
		return 0;
	for (ptrdiff_t y = 1; y < slice->height - 1; y++)
		for (ptrdiff_t x = 1; x < slice->width - 1; x++) {
			double response = 0;
			for (ptrdiff_t dy = -1; dy <= 1; dy++)
				for (ptrdiff_t dx = -1; dx <= 1; dx++)
					response += mask[dy + 1][dx + 1] * at(slice, x + dx, y + dy);
			sum += fabs(response);
		}
	const double sqrt_half_pi = 1.2533141373155002512;
	return sqrt_half_pi * sum / (6 * (double)(slice->width - 2) * (double)(slice->height - 2));
}

static double patch_distance(const struct slice *slice, ptrdiff_t x, ptrdiff_t y, ptrdiff_t dx, ptrdiff_t dy)
{
	double sum = 0;
	for (ptrdiff_t py = -1; py <= 1; py++)
		for (ptrdiff_t px = -1; px <= 1; px++) {
			double difference = at(slice, x + px, y + py) - at(slice, x + dx + px, y + dy + py);
			sum += difference * difference;
		}
	return sum / 9;
}

static double mean_at(const struct slice *slice, ptrdiff_t x, ptrdiff_t y, double noise)
{
	const double h2 = STRENGTH * noise * STRENGTH * noise;
	double sum = 0, weights = 0;
	for (ptrdiff_t dy = -WINDOW; dy <= WINDOW; dy++)
		for (ptrdiff_t dx = -WINDOW; dx <= WINDOW; dx++) {
			double beyond = patch_distance(slice, x, y, dx, dy) - 2 * noise * noise;
			double weight = exp(-(beyond > 0 ? beyond : 0) / h2);
			sum += weight * at(slice, x + dx, y + dy);
			weights += weight;
		}
	return sum / weights;
}

enum rs_code filter_slices(double *values, size_t width, size_t height, size_t slices,
                           enum rs_edge_filter filter, struct rs_error *err)
{
	size_t count = width * height;
	double *copy RS_CLEANUP(rs_free_pointer) = NULL;
	if (filter == RS_EDGE_UNFILTERED)
		return RS_OK;
	copy = rs_allocate_array(count, sizeof *copy);
	if (!copy)
		return rs_error_memory(err, count * sizeof *copy, "a slice");
	for (size_t z = 0; z < slices; z++) {
		struct slice slice = {copy, (ptrdiff_t)width, (ptrdiff_t)height};
		double *out = values + z * count;
		memcpy(copy, out, count * sizeof *copy);
		double noise = filter == RS_EDGE_NLM ? noise_of(&slice) : 0;
		if (filter == RS_EDGE_NLM && noise == 0)
			continue;
		for (size_t i = 0; i < count; i++) {
			ptrdiff_t x = (ptrdiff_t)(i % width), y = (ptrdiff_t)(i / width);
			out[i] = filter == RS_EDGE_NLM ? mean_at(&slice, x, y, noise)
			                               : median_at(&slice, x, y);
		}
	}
	return RS_OK;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

enum rs_code filter_normalise(double *values, size_t count, struct rs_error *err)
{
	double *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *sorted);
	if (!sorted)
		return rs_error_memory(err, count * sizeof *sorted, "a picture");
	memcpy(sorted, values, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	double low = sorted[(size_t)(LOW * (double)(count - 1))],
	       high = sorted[(size_t)(HIGH * (double)(count - 1))];
	for (size_t i = 0; i < count; i++) {
		double value = high > low ? (values[i] - low) / (high - low) : 0;
		values[i] = value < 0 ? 0 : value > 1 ? 1 : value;
	}
	return RS_OK;
}
