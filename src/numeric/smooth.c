/* Cleveland's LOWESS (1979): at a point, the weighted line through the nearest share of the points; between points that lie
 * closer together than a hundredth of the range, straight. */
#include <math.h>

#include "numeric/numeric_smooth.h"

#define SHARE (2.0 / 3.0)
#define NEAR 0.01 /* of the range of x */

/* The line's value at `at`, by points first … last (inclusive); NaN when their weights are all zero. */
static double line_at(const double *x, const double *y, size_t count, double at, size_t first, size_t last)
{
	double range = x[count - 1] - x[0], h = fmax(at - x[first], x[last] - at);
	double weights = 0, mean = 0, spread = 0, value = 0;
	for (size_t pass = 0; pass < 3; pass++) {
		for (size_t j = first; j < count; j++) {
			double far = fabs(x[j] - at), ratio = far / h;
			if (far > 0.999 * h) {
				if (x[j] > at)
					break;
				continue;
			}
			double w = far > 0.001 * h ? pow(1 - ratio * ratio * ratio, 3) : 1;
			if (pass == 0)
				weights += w;
			else if (pass == 1)
				mean += w / weights * x[j];
			else
				spread += w / weights * (x[j] - mean) * (x[j] - mean);
		}
		if (!(weights > 0))
			return NAN;
	}
	double slope = sqrt(spread) > 0.001 * range ? (at - mean) / spread : 0;
	for (size_t j = first; j < count; j++) {
		double far = fabs(x[j] - at), ratio = far / h;
		if (far > 0.999 * h) {
			if (x[j] > at)
				break;
			continue;
		}
		double w = (far > 0.001 * h ? pow(1 - ratio * ratio * ratio, 3) : 1) / weights;
		value += w * (1 + slope * (x[j] - mean)) * y[j];
	}
	return value;
}

static void between(const double *x, double *out, size_t from, size_t to)
{
	for (size_t j = from + 1; j < to; j++) {
		double share = (x[j] - x[from]) / (x[to] - x[from]);
		out[j] = share * out[to] + (1 - share) * out[from];
	}
}

enum rs_code rs_lowess(const double *x, const double *y, size_t count, double *out, struct rs_error *err)
{
	if (count == 0)
		return rs_error_set(err, RS_USAGE, "there is no point");
	double wanted = SHARE * (double)count + 1e-7, near = NEAR * (x[count - 1] - x[0]);
	size_t q = wanted < 2 ? 2 : wanted > (double)count ? count : (size_t)wanted;
	size_t first = 0, last = q - 1, i = 0, done = SIZE_MAX;
	if (count == 1) {
		out[0] = y[0];
		return RS_OK;
	}
	for (;;) {
		while (last + 1 < count && x[i] - x[first] > x[last + 1] - x[i]) {
			first++;
			last++;
		}
		out[i] = line_at(x, y, count, x[i], first, last);
		if (isnan(out[i]))
			out[i] = y[i];
		if (done != SIZE_MAX && done + 1 < i)
			between(x, out, done, i);
		done = i;
		for (i = done + 1; i < count && x[i] <= x[done] + near; i++)
			if (x[i] == x[done]) {
				out[i] = out[done];
				done = i;
			}
		if (done + 1 >= count)
			return RS_OK;
		i = i - 1 > done + 1 ? i - 1 : done + 1;
	}
}

double rs_quantile_of(const double *sorted, size_t count, double share)
{
	double place = share * (double)(count - 1);
	size_t below = (size_t)place;
	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}
