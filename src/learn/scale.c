/* Scales of columns: mean and deviation, median and quartiles, range, powers. */
#include <math.h>

#include "learn/learn_scale.h"
#include "numeric/numeric.h"

/* Beyond, z-scores of some thousand rows leave the range of numbers that are told apart. */
#define POWER_LEAST (-10.0)
#define POWER_MOST 12.0

static size_t gather(const double *x, size_t count, double *out)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!isnan(x[i]))
			out[kept++] = x[i];
	return kept;
}

static void fit_deviation(const double *x, size_t count, double *out_shift, double *out_by)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += x[i];
	double mean = count > 0 ? sum / (double)count : 0;
	for (size_t i = 0; i < count; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	double deviation = count > 0 ? sqrt(squares / (double)count) : 0;
	*out_shift = mean;
	*out_by = isfinite(deviation) && deviation > 1e-12 * fabs(mean) ? deviation : 0;
}

/* Between the two values around it, as NumPy's percentiles. */
static double quantile(double *values, size_t count, double p)
{
	double at = p * (double)(count - 1);
	size_t below = (size_t)at;
	rs_select(values, 0, count, below);
	double low = values[below];
	if (below + 1 == count)
		return low;
	rs_select(values, 0, count, below + 1);
	return low + (values[below + 1] - low) * (at - (double)below);
}

static void fit_quartiles(double *values, size_t count, struct rs_scale *out)
{
	double distance = count > 0 ? quantile(values, count, 0.75) - quantile(values, count, 0.25) : 0;
	out->shift = count > 0 ? quantile(values, count, 0.5) : 0;
	out->by = distance > 0 && isfinite(distance) ? distance : 1;
}

static void fit_range(const double *x, size_t count, struct rs_scale *out)
{
	double least = INFINITY, most = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		least = fmin(least, x[i]);
		most = fmax(most, x[i]);
	}
	double width = most - least;
	out->shift = count > 0 ? least : 0;
	out->by = count > 0 && isfinite(width) && width > 1e-12 * fmax(fabs(least), fabs(most)) ? width : 0;
}

/* ---- powers (Yeo & Johnson 2000) ---- */

/* (e^(power × log) - 1) / power, with its derivative; log = ln(1 + |x|). */
static double raise(double power, double log, double *out_slope)
{
	if (fabs(power * log) < 1e-5) { /* series; the next terms are below rounding */
		*out_slope = log * log / 2 + power * log * log * log / 3;
		return log + power * log * log / 2 + power * power * log * log * log / 6;
	}
	double value = expm1(power * log) / power;
	*out_slope = (log * (value * power + 1) - value) / power;
	return value;
}
/* log: that of 1 + |x|, with the sign of x. */
static double transform(double power, double log, double *out_slope)
{
	double value = raise(log >= 0 ? power : 2 - power, fabs(log), out_slope);
	return log >= 0 ? value : -value; /* the slope's sign changes twice */
}
static double signed_log(double x) { return x >= 0 ? log1p(x) : -log1p(-x); }

/* Derivative of the log-likelihood by the power; logs: signed. */
static double steepness(const double *logs, size_t count, double power)
{
	double n = (double)count, sum = 0, slopes = 0, all = 0, squares = 0, products = 0;
	for (size_t i = 0; i < count; i++) {
		double slope, value = transform(power, logs[i], &slope);
		sum += value;
		slopes += slope;
		squares += value * value;
		products += value * slope;
		all += logs[i];
	}
	return all - n * (products - sum * slopes / n) / (squares - sum * sum / n);
}

/* The root of a falling function: two ends around it, then regula falsi, the stale end halved (Illinois). */
static double find_power(const double *logs, size_t count)
{
	double low = 0, high = 2, last = 1;
	double at_low = steepness(logs, count, low), at_high = steepness(logs, count, high);
	for (; !(at_low > 0) && low > POWER_LEAST; at_low = steepness(logs, count, low)) {
		high = low;
		at_high = at_low;
		low -= 2;
	}
	for (; !(at_high < 0) && high < POWER_MOST; at_high = steepness(logs, count, high)) {
		low = high;
		at_low = at_high;
		high += 2;
	}
	if (!(at_low > 0) || !(at_high < 0))
		return at_low > 0 ? high : low;
	for (int turn = 0, side = 0; turn < 200; turn++) {
		double at = (low * at_high - high * at_low) / (at_high - at_low);
		double found = steepness(logs, count, at);
		if (found == 0 || fabs(at - last) <= 1e-12)
			return at;
		last = at;
		if (found > 0) {
			low = at;
			at_low = found;
			at_high /= side == 1 ? 2 : 1;
			side = 1;
		} else {
			high = at;
			at_high = found;
			at_low /= side == -1 ? 2 : 1;
			side = -1;
		}
	}
	return last;
}

static void fit_power(double *values, size_t count, struct rs_scale *out)
{
	double slope;
	fit_deviation(values, count, &out->shift, &out->by);
	out->power = 1;
	if (!(out->by > 0))
		return;
	for (size_t i = 0; i < count; i++)
		values[i] = signed_log((values[i] - out->shift) / out->by);
	out->power = find_power(values, count);
	for (size_t i = 0; i < count; i++)
		values[i] = transform(out->power, values[i], &slope);
	fit_deviation(values, count, &out->power_shift, &out->power_by);
}

void rs_scale_fit(enum rs_scaling scaling, const double *x, size_t count, double *work, struct rs_scale *out)
{
	struct rs_scale scale = {0};
	size_t kept = gather(x, count, work);
	switch (scaling) {
	case RS_SCALE_DEVIATION: fit_deviation(work, kept, &scale.shift, &scale.by); break;
	case RS_SCALE_QUARTILES: fit_quartiles(work, kept, &scale); break;
	case RS_SCALE_RANGE: fit_range(work, kept, &scale); break;
	case RS_SCALE_POWER: fit_power(work, kept, &scale); break;
	}
	*out = scale;
}

double rs_scale_apply(enum rs_scaling scaling, const struct rs_scale *scale, double x)
{
	double slope;
	if (isnan(x))
		return x;
	if (!(scale->by > 0))
		return 0;
	double value = (x - scale->shift) / scale->by;
	if (scaling != RS_SCALE_POWER)
		return value;
	return scale->power_by > 0
	               ? (transform(scale->power, signed_log(value), &slope) - scale->power_shift) /
	                         scale->power_by
	               : 0;
}
