/* Curves of contrast agent as they are, without a model. */
#include "signal/signal.h"

#include <math.h>

#include "points.h"

#define ARRIVAL_SHARE 0.2

size_t rs_contrast_arrival(const double *values, size_t count)
{
	double top = count ? values[0] : 0;
	for (size_t i = 1; i < count; i++)
		top = values[i] > top ? values[i] : top;
	size_t before = 1;
	while (before < count && values[before] <= values[0] + ARRIVAL_SHARE * (top - values[0]))
		before++;
	return before < count ? before : 1;
}

/* Slope of the line by least squares through what follows the peak, the peak itself included. */
static double falling(const double *times, const double *relative, size_t count)
{
	double st = 0, sy = 0, stt = 0, sty = 0, n = (double)count;
	if (count < 2)
		return 0;
	for (size_t i = 0; i < count; i++) {
		double t = times[i] - times[0];
		st += t;
		sy += relative[i];
		stt += t * t;
		sty += t * relative[i];
	}
	return (n * sty - st * sy) / (n * stt - st * st);
}

static double area(const double *times, const double *relative, size_t count, double seconds)
{
	double sum = 0, end = times[0] + seconds;
	for (size_t i = 1; i < count && times[i - 1] < end; i++) {
		double step = times[i] - times[i - 1], to = times[i] < end ? 1 : (end - times[i - 1]) / step;
		double last = relative[i - 1] + to * (relative[i] - relative[i - 1]);
		sum += step * to * (relative[i - 1] + last) / 2;
	}
	return sum;
}

bool rs_enhancement_measure(const double *times_s, const double *values, size_t count, size_t before,
                            struct rs_enhancement *out)
{
	double relative[RS_SIGNAL_POINTS_MAX], baseline = 0;
	size_t peak;
	if (count < 3 || count > RS_SIGNAL_POINTS_MAX || !points_above(values, count, -HUGE_VAL))
		return false;
	if (before == 0)
		before = rs_contrast_arrival(values, count);
	if (before >= count)
		return false;
	for (size_t i = 0; i < before; i++)
		baseline += values[i] / (double)before;
	if (!(baseline > 0))
		return false;
	for (size_t i = 0; i < count; i++)
		relative[i] = (values[i] - baseline) / baseline;
	peak = before;
	for (size_t i = before; i < count; i++)
		peak = relative[i] > relative[peak] ? i : peak;
	const size_t start = before - 1;
	double to_peak = times_s[peak] - times_s[start];
	relative[start] = 0;
	*out = (struct rs_enhancement){
		.baseline = baseline,
		.arrival_s = times_s[start],
		.peak = relative[peak],
		.time_to_peak_s = to_peak,
		.wash_in = relative[peak] / to_peak,
		.wash_out = falling(times_s + peak, relative + peak, count - peak),
		.iauc = area(times_s + start, relative + start, count - start, RS_IAUC_SECONDS)};
	return true;
}
