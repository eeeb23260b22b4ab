/* Gradient and spin echoes: T1 from several flip angles, and what contrast agent does to it. */
#include "signal/signal.h"

#include <math.h>

#include "numeric/numeric_curve.h"
#include "points.h"

#define T1_MIN_MS 1.0
#define T1_MAX_MS 20000.0

double rs_spoiled_signal(double m0, double t1_ms, double tr_ms, double flip)
{
	double e1 = exp(-tr_ms / t1_ms);
	return m0 * sin(flip) * (1 - e1) / (1 - cos(flip) * e1);
}

double rs_spin_echo_signal(double m0, double t1_ms, double t2_ms, double tr_ms, double te_ms)
{
	return m0 * (1 - exp(-tr_ms / t1_ms)) * exp(-te_ms / t2_ms);
}

struct flips {
	const double *angles;
	size_t count;
};

/* p: m0 and exp(-tr / t1) */
static void spoiled(const void *context, const double *p, double *values, double *slopes)
{
	const struct flips *flips = context;
	for (size_t i = 0; i < flips->count; i++) {
		double c = cos(flips->angles[i]), below = 1 - c * p[1];
		double shape = sin(flips->angles[i]) * (1 - p[1]) / below;
		values[i] = p[0] * shape;
		slopes[2 * i] = shape;
		slopes[2 * i + 1] = p[0] * sin(flips->angles[i]) * (c - 1) / (below * below);
	}
}

bool rs_t1_fit(const double *flips, const double *values, size_t count, double tr_ms, struct rs_t1 *out)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, n = (double)count;
	if (count > RS_SIGNAL_POINTS_MAX || points_different(flips, count, 2) < 2 || !(tr_ms > 0) ||
	    !points_above(values, count, 0) || !points_above(flips, count, 0))
		return false;
	/* S / sin = E1 S / tan + m0 (1 - E1) is a line. */
	for (size_t i = 0; i < count; i++) {
		double x = values[i] / tan(flips[i]), y = values[i] / sin(flips[i]);
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	const double low[2] = {0, exp(-tr_ms / T1_MIN_MS)}, high[2] = {HUGE_VAL, exp(-tr_ms / T1_MAX_MS)};
	double e1 = (n * sxy - sx * sy) / (n * sxx - sx * sx);
	e1 = e1 > low[1] && e1 < high[1] ? e1 : exp(-tr_ms / 1000);
	double p[2] = {(sy - e1 * sx) / n / (1 - e1), e1};
	const struct flips context = {flips, count};
	const struct rs_curve curve = {spoiled, &context, count, 2, low, high};
	double left = rs_curve_fit(&curve, values, p);
	if (!isfinite(left) || !(p[0] > 0))
		return false;
	*out = (struct rs_t1){p[0], -tr_ms / log(p[1]), points_explained(values, count, left)};
	return true;
}

double rs_contrast_enhancement(double concentration, double t1_ms, double tr_ms, double flip,
                               double relaxivity)
{
	double rate = 1 / t1_ms + relaxivity * concentration / 1000;
	return rs_spoiled_signal(1, 1 / rate, tr_ms, flip) / rs_spoiled_signal(1, t1_ms, tr_ms, flip);
}

double rs_contrast_concentration(double before, double now, double t1_ms, double tr_ms, double flip,
                                 double relaxivity)
{
	if (!(before > 0) || !(t1_ms > 0))
		return NAN;
	/* now = m0 sin (1 - e) / (1 - cos e), solved for e */
	double level = now / before * rs_spoiled_signal(1, t1_ms, tr_ms, flip) / sin(flip);
	double e1 = (1 - level) / (1 - cos(flip) * level);
	if (!(e1 > 0) || !(e1 < 1))
		return NAN;
	return (-log(e1) / tr_ms - 1 / t1_ms) * 1000 / relaxivity;
}
