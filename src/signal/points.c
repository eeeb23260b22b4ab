/* Small questions about a voxel's values. */
#include "points.h"

#include <math.h>

bool points_above(const double *values, size_t count, double floor)
{
	for (size_t i = 0; i < count; i++)
		if (!(values[i] > floor) || !isfinite(values[i]))
			return false;
	return true;
}

size_t points_different(const double *values, size_t count, size_t enough)
{
	size_t different = 0;
	for (size_t i = 0; i < count && different < enough; i++) {
		size_t j = 0;
		while (j < i && values[j] != values[i])
			j++;
		different += j == i;
	}
	return different;
}

double points_explained(const double *values, size_t count, double residual_sum)
{
	double mean = 0, total = 0;
	for (size_t i = 0; i < count; i++)
		mean += values[i] / (double)count;
	for (size_t i = 0; i < count; i++)
		total += (values[i] - mean) * (values[i] - mean);
	if (residual_sum <= 0)
		return 1;
	return total > residual_sum ? 1 - residual_sum / total : 0;
}
