/* Scales that make volumes comparable. */
#include <math.h>
#include <string.h>

#include "numeric/numeric_smooth.h"
#include "region.h"

#define STRIPE_BINS 256
#define STRIPE_SMOOTH 4.0 /* bins: standard deviation of the Gaussian over the histogram */

static enum rs_code moments_scale(const double *values, size_t count, struct rs_scale *out,
                                  struct rs_error *err)
{
	double mean = 0, variance = 0;
	for (size_t i = 0; i < count; i++)
		mean += values[i];
	mean /= (double)count;
	for (size_t i = 0; i < count; i++)
		variance += (values[i] - mean) * (values[i] - mean);
	double deviation = sqrt(variance / (double)count);
	if (!(deviation > 0))
		return rs_error_set(err, RS_REFUSED, "the region's %zu values are equal: %g", count, mean);
	*out = (struct rs_scale){1 / deviation, -mean / deviation};
	return RS_OK;
}

enum rs_code rs_scale_zscore(const struct rs_volume *volume, const uint8_t *region, struct rs_scale *out,
                             struct rs_error *err)
{
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count;
	RS_TRY(region_sorted(volume, region, &values, &count, err));
	return moments_scale(values, count, out, err);
}

enum rs_code rs_scale_percentiles(const struct rs_volume *volume, const uint8_t *region, double low,
                                  double high, struct rs_scale *out, struct rs_error *err)
{
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count;
	if (!(low >= 0) || !(high <= 100) || !(low < high))
		return rs_error_set(err, RS_USAGE, "percentiles are 0 … 100, the lower one first");
	RS_TRY(region_sorted(volume, region, &values, &count, err));
	double from = rs_quantile_of(values, count, low / 100),
	       to = rs_quantile_of(values, count, high / 100);
	if (!(to > from))
		return rs_error_set(err, RS_REFUSED, "percentiles %g and %g of the region are equal: %g", low,
		                    high, from);
	*out = (struct rs_scale){1 / (to - from), -from / (to - from)};
	return RS_OK;
}

/* The highest bin of the smoothed histogram between the 1st and 99th percentile. */
static double mode_of(const double *values, size_t count, double low, double high)
{
	double counts[STRIPE_BINS] = {0}, best = -1;
	size_t mode = 0;
	for (size_t i = 0; i < count; i++) {
		double bin = (values[i] - low) / (high - low) * STRIPE_BINS;
		if (bin >= 0 && bin < STRIPE_BINS)
			counts[(size_t)bin]++;
	}
	for (size_t i = 0; i < STRIPE_BINS; i++) {
		double smooth = 0;
		for (size_t j = 0; j < STRIPE_BINS; j++) {
			double apart = ((double)i - (double)j) / STRIPE_SMOOTH;
			smooth += counts[j] * exp(-apart * apart / 2);
		}
		if (smooth > best) {
			best = smooth;
			mode = i;
		}
	}
	return low + ((double)mode + 0.5) * (high - low) / STRIPE_BINS;
}

/* Of ascending values, how many are below `value`. */
static size_t below(const double *values, size_t count, double value)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum rs_code rs_scale_stripe(const struct rs_volume *volume, const uint8_t *region, double width,
                             struct rs_scale *out, struct rs_error *err)
{
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count;
	if (!(width > 0) || !(width < 0.5))
		return rs_error_set(err, RS_USAGE, "a stripe's width is a share between 0 and 0.5, not %g",
		                    width);
	RS_TRY(region_sorted(volume, region, &values, &count, err));
	double low = rs_quantile_of(values, count, 0.01), high = rs_quantile_of(values, count, 0.99);
	if (!(high > low))
		return rs_error_set(err, RS_REFUSED, "the region's values are nearly all equal: %g", low);
	double share = (double)below(values, count, mode_of(values, count, low, high)) / (double)count;
	double from = share - width > 0 ? share - width : 0, to = share + width < 1 ? share + width : 1;
	size_t first = (size_t)(from * (double)count), end = (size_t)(to * (double)count);
	return moments_scale(values + first, end > first ? end - first : 1, out, err);
}
