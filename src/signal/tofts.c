/* Tofts' models: agent that leaves plasma for tissue, and comes back. */
#include "signal/signal.h"

#include <math.h>

#include "numeric/numeric_curve.h"
#include "numeric/numeric_linear.h"
#include "points.h"

#define KTRANS_MAX 10.0
#define VE_MIN 0.001
#define KEP_MAX 100.0
#define PI 3.14159265358979323846

double rs_parker_blood(double t_s)
{
	static const double areas[2] = {0.809, 0.330}, times[2] = {0.17046, 0.365},
			    widths[2] = {0.0563, 0.132};
	static const double amplitude = 1.050, decay = 0.1685, steepness = 38.078, delay = 0.483;
	double t = t_s / 60, blood = 0;
	if (t < 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		double z = (t - times[i]) / widths[i];
		blood += areas[i] / (widths[i] * sqrt(2 * PI)) * exp(-z * z / 2);
	}
	return blood + amplitude * exp(-decay * t) / (1 + exp(-steepness * (t - delay)));
}

/* (1 - exp(-x)) / x and (x - 1 + exp(-x)) / x^2, and how they change with x: what a constant and a rising line leave. */
static void kernels(double x, double *flat, double *rising, double *flat_slope, double *rising_slope)
{
	if (x < 1e-3) { /* series; the next terms are below 1e-14 */
		*flat = 1 - x / 2 + x * x / 6 - x * x * x / 24 + x * x * x * x / 120;
		*rising = 0.5 - x / 6 + x * x / 24 - x * x * x / 120 + x * x * x * x / 720;
		*flat_slope = -0.5 + x / 3 - x * x / 8 + x * x * x / 30 - x * x * x * x / 144;
		*rising_slope = -1.0 / 6 + x / 12 - x * x / 40 + x * x * x / 180 - x * x * x * x / 1008;
		return;
	}
	double e = exp(-x);
	*flat = (1 - e) / x;
	*rising = (1 - *flat) / x;
	*flat_slope = (e - *flat) / x;
	*rising_slope = (-*flat_slope - *rising) / x;
}

struct plasma {
	const double *times_s, *cp;
	size_t count;
	bool extended;
};

/* The integral of cp(u) exp(-kep (t - u)) du at every time, and its change with kep. cp is 0 before the first time. */
static void convolve(const struct plasma *plasma, double kep, double *out, double *slope)
{
	out[0] = slope[0] = 0;
	for (size_t i = 1; i < plasma->count; i++) {
		double step = (plasma->times_s[i] - plasma->times_s[i - 1]) / 60, x = kep * step, e = exp(-x);
		double start = plasma->cp[i - 1], rise = plasma->cp[i] - start, flat, rising, flat_slope,
		       rising_slope;
		kernels(x, &flat, &rising, &flat_slope, &rising_slope);
		out[i] = out[i - 1] * e + step * (start * flat + rise * rising);
		slope[i] = slope[i - 1] * e - step * e * out[i - 1] +
		           step * step * (start * flat_slope + rise * rising_slope);
	}
}

/* p: ktrans, kep and, when extended, vp */
static void tofts(const void *context, const double *p, double *values, double *slopes)
{
	const struct plasma *plasma = context;
	const size_t n = plasma->extended ? 3 : 2;
	double passed[RS_SIGNAL_POINTS_MAX], change[RS_SIGNAL_POINTS_MAX];
	convolve(plasma, p[1], passed, change);
	for (size_t i = 0; i < plasma->count; i++) {
		values[i] = p[0] * passed[i] + (plasma->extended ? p[2] * plasma->cp[i] : 0);
		slopes[n * i] = passed[i];
		slopes[n * i + 1] = p[0] * change[i];
		if (plasma->extended)
			slopes[n * i + 2] = plasma->cp[i];
	}
}

void rs_tofts_curve(const struct rs_tofts *parameters, const double *times_s, const double *cp, size_t count,
                    double *out)
{
	const struct plasma plasma = {times_s, cp, count, false};
	double change[RS_SIGNAL_POINTS_MAX];
	convolve(&plasma, parameters->ktrans / parameters->ve, out, change);
	for (size_t i = 0; i < count; i++)
		out[i] = parameters->ktrans * out[i] + parameters->vp * cp[i];
}

/* C = (ktrans + kep vp) ∫cp - kep ∫C + vp cp is linear in its three factors. */
static void start_of_line(const struct plasma *plasma, const double *concentration, double *p)
{
	const size_t n = plasma->extended ? 3 : 2;
	double square[9] = {0}, toward[3] = {0}, row[3] = {0};
	for (size_t i = 1; i < plasma->count; i++) {
		double step = (plasma->times_s[i] - plasma->times_s[i - 1]) / 60;
		row[0] += step * (plasma->cp[i] + plasma->cp[i - 1]) / 2;
		row[1] -= step * (concentration[i] + concentration[i - 1]) / 2;
		row[2] = plasma->cp[i];
		for (size_t j = 0; j < n; j++) {
			toward[j] += row[j] * concentration[i];
			for (size_t k = 0; k < n; k++)
				square[n * j + k] += row[j] * row[k];
		}
	}
	rs_ldl(square, n, 1e-12);
	rs_ldl_solve(square, n, toward);
	p[2] = plasma->extended && toward[2] > 0 ? toward[2] : 0;
	p[1] = toward[1] > 0.01 ? toward[1] : 0.01;
	p[0] = toward[0] - p[1] * p[2] > 0.001 ? toward[0] - p[1] * p[2] : 0.001;
}

bool rs_tofts_fit(const double *times_s, const double *cp, const double *concentration, size_t count,
                  bool extended, struct rs_tofts *out)
{
	static const double low[3] = {0, 0, 0}, high[3] = {KTRANS_MAX, KEP_MAX, 1};
	const struct plasma plasma = {times_s, cp, count, extended};
	double p[3];
	if (count < (extended ? 5u : 4u) || count > RS_SIGNAL_POINTS_MAX ||
	    !points_above(concentration, count, -HUGE_VAL) || !points_above(cp, count, -HUGE_VAL))
		return false;
	start_of_line(&plasma, concentration, p);
	const struct rs_curve curve = {tofts, &plasma, count, extended ? 3 : 2, low, high};
	double left = rs_curve_fit(&curve, concentration, p);
	if (!isfinite(left))
		return false;
	/* ve is what ktrans and kep say of it; a curve that never comes back says nothing below its bounds. */
	double ve = p[0] > 0 && p[1] > 0 ? p[0] / p[1] : VE_MIN;
	ve = ve < VE_MIN ? VE_MIN : ve > 1 ? 1 : ve;
	*out = (struct rs_tofts){p[0], ve, extended ? p[2] : 0, points_explained(concentration, count, left)};
	return true;
}
