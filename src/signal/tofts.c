/* Tofts' models: agent that leaves plasma for tissue, and comes back. */
#include "signal/signal.h"

#include <math.h>

#include "numeric/numeric_curve.h"
#include "points.h"

#define KTRANS_MAX 10.0
#define VE_MIN 0.001
#define KEP_MAX 100.0
#define RATE_FIRST 0.03 /* per minute: of shapes */
#define RATE_LAST 10.0
#define INPUT_STRIDE 4
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

/* The integral of cp(u) exp(-kep (t - u)) du at every moment, and its change with kep. cp is 0 before the first one. */
static void convolve(const struct rs_tofts_input *in, double kep, double *out, double *slope)
{
	double last = 0, e = 0, flat = 0, rising = 0, flat_slope = 0, rising_slope = 0;
	out[0] = slope[0] = 0;
	for (size_t i = 1; i < in->count; i++) {
		double step = (in->times_s[i] - in->times_s[i - 1]) / 60;
		double start = in->cp[i - 1], rise = in->cp[i] - start;
		if (!(fabs(step - last) <= 1e-12 * last)) {
			last = step;
			e = exp(-kep * step);
			kernels(kep * step, &flat, &rising, &flat_slope, &rising_slope);
		}
		out[i] = out[i - 1] * e + step * (start * flat + rise * rising);
		slope[i] = slope[i - 1] * e - step * e * out[i - 1] +
		           step * step * (start * flat_slope + rise * rising_slope);
	}
}

struct fitting {
	const struct rs_tofts_input *input;
	bool extended;
};

/* p: ktrans, kep and, when extended, vp */
static void tofts(const void *context, const double *p, double *values, double *slopes)
{
	const struct fitting *fitting = context;
	const struct rs_tofts_input *in = fitting->input;
	const size_t n = fitting->extended ? 3 : 2;
	double passed[RS_SIGNAL_POINTS_MAX], change[RS_SIGNAL_POINTS_MAX];
	convolve(in, p[1], passed, change);
	for (size_t i = 0; i < in->samples; i++) {
		const size_t at = in->at[i];
		values[i] = p[0] * passed[at] + (fitting->extended ? p[2] * in->cp[at] : 0);
		slopes[n * i] = passed[at];
		slopes[n * i + 1] = p[0] * change[at];
		if (fitting->extended)
			slopes[n * i + 2] = in->cp[at];
	}
}

void rs_tofts_curve(const struct rs_tofts *parameters, const double *times_s, const double *cp, size_t count,
                    double *out)
{
	const struct rs_tofts_input input = {.times_s = times_s, .cp = cp, .count = count};
	double change[RS_SIGNAL_POINTS_MAX];
	convolve(&input, parameters->ktrans / parameters->ve, out, change);
	for (size_t i = 0; i < count; i++)
		out[i] = parameters->ktrans * out[i] + parameters->vp * cp[i];
}

/* ---- where a fit begins ---- */

static double rate_of(size_t row)
{
	return RATE_FIRST * pow(RATE_LAST / RATE_FIRST, (double)row / (RS_TOFTS_RATES - 1));
}

void rs_tofts_shapes(const struct rs_tofts_input *in)
{
	double passed[RS_SIGNAL_POINTS_MAX], change[RS_SIGNAL_POINTS_MAX];
	for (size_t row = 0; row < RS_TOFTS_RATES; row++) {
		convolve(in, rate_of(row), passed, change);
		for (size_t i = 0; i < in->samples; i++)
			in->shapes[row * in->samples + i] = passed[in->at[i]];
	}
	for (size_t i = 0; i < in->samples; i++)
		in->shapes[RS_TOFTS_RATES * in->samples + i] = in->cp[in->at[i]];
}

static double product(const double *a, const double *b, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

struct start {
	const struct rs_tofts_input *input;
	double p[3], gain; /* gain: how much less is left than of no model at all */
};

/* At one rate the model is a sum of two shapes, neither of them taken away. cc, cy: of plasma with itself and the tissue. */
static struct start at_rate(const struct rs_tofts_input *in, size_t row, const double *concentration,
                            double cc, double cy)
{
	const double *passed = in->shapes + row * in->samples,
		     *cp = in->shapes + RS_TOFTS_RATES * in->samples;
	double ee = product(passed, passed, in->samples), ey = product(passed, concentration, in->samples);
	double ec = cc > 0 ? product(passed, cp, in->samples) : 0, below = ee * cc - ec * ec;
	double ktrans = ee > 0 && ey > 0 ? ey / ee : 0, vp = 0;
	if (below > 1e-12 * ee * cc) {
		double both = (ey * cc - cy * ec) / below, plasma = (ee * cy - ec * ey) / below;
		if (plasma > 0 && both > 0) {
			ktrans = both;
			vp = plasma;
		} else if (plasma > 0 && cy > 0) {
			ktrans = 0;
			vp = cy / cc;
		}
	}
	double gain = 2 * (ktrans * ey + vp * cy) - ktrans * ktrans * ee - 2 * ktrans * vp * ec -
	              vp * vp * cc;
	return (struct start){in, {ktrans, rate_of(row), vp}, gain};
}

/* Rates are apart: what the best one between them would gain is read off a parabola. *top: the best row for an input much like
 * this one, from which the way goes uphill. */
static void try_input(const struct rs_tofts_input *in, const double *concentration, bool extended,
                      size_t *top, struct start *best)
{
	const double *cp = in->shapes + RS_TOFTS_RATES * in->samples;
	double cc = extended ? product(cp, cp, in->samples) : 0,
	       cy = extended ? product(cp, concentration, in->samples) : 0;
	size_t row = *top;
	struct start here = at_rate(in, row, concentration, cc, cy),
		     below = at_rate(in, row - 1, concentration, cc, cy),
		     above = at_rate(in, row + 1, concentration, cc, cy);
	while (above.gain > here.gain && row + 2 < RS_TOFTS_RATES) {
		below = here;
		here = above;
		above = at_rate(in, ++row + 1, concentration, cc, cy);
	}
	while (below.gain > here.gain && row > 1) {
		above = here;
		here = below;
		below = at_rate(in, --row - 1, concentration, cc, cy);
	}
	double tilt = above.gain - below.gain, bend = 2 * here.gain - above.gain - below.gain;
	here.gain += bend > 0 ? tilt * tilt / (8 * bend) : 0;
	*top = row;
	if (!best->input || here.gain > best->gain)
		*best = here;
}

/* Some inputs, then all that are near the best of them. */
static struct start best_start(const struct rs_tofts_input *inputs, size_t count, const double *concentration,
                               bool extended)
{
	struct start best = {.input = NULL};
	size_t top = RS_TOFTS_RATES / 2;
	for (size_t i = 0; i < count; i += INPUT_STRIDE)
		try_input(&inputs[i], concentration, extended, &top, &best);
	size_t middle = (size_t)(best.input - inputs),
	       from = middle < INPUT_STRIDE ? 0 : middle - INPUT_STRIDE;
	for (size_t i = from + 1; i < count && i < middle + INPUT_STRIDE; i++)
		if (i != middle)
			try_input(&inputs[i], concentration, extended, &top, &best);
	return best;
}

bool rs_tofts_fit(const struct rs_tofts_input *inputs, size_t input_count, const double *concentration,
                  bool extended, struct rs_tofts *out, size_t *out_input)
{
	static const double low[3] = {0, 0, 0}, high[3] = {KTRANS_MAX, KEP_MAX, 1};
	const size_t samples = input_count ? inputs[0].samples : 0;
	if (samples < (extended ? 5u : 4u) || samples > RS_CURVE_POINTS_MAX ||
	    !points_above(concentration, samples, -HUGE_VAL))
		return false;
	struct start start = best_start(inputs, input_count, concentration, extended);
	double *p = start.p;
	const struct fitting fitting = {start.input, extended};
	const struct rs_curve curve = {tofts, &fitting, samples, extended ? 3 : 2, low, high};
	double left = rs_curve_fit(&curve, concentration, p);
	if (!isfinite(left))
		return false;
	/* ve is what ktrans and kep say of it; a curve that never comes back says nothing below its bounds. */
	double ve = p[0] > 0 && p[1] > 0 ? p[0] / p[1] : VE_MIN;
	ve = ve < VE_MIN ? VE_MIN : ve > 1 ? 1 : ve;
	*out = (struct rs_tofts){p[0], ve, extended ? p[2] : 0,
	                         points_explained(concentration, samples, left)};
	*out_input = (size_t)(start.input - inputs);
	return true;
}
