/* Diffusion weighted signals: one exponential, or perfusion beside it. */
#include "signal/signal.h"

#include <math.h>

#include "numeric/numeric_curve.h"
#include "points.h"

#define ADC_MAX 0.02
#define D_STAR_MAX 1.0

double rs_adc_signal(const struct rs_adc *adc, double b) { return adc->s0 * exp(-b * adc->adc); }

struct weightings {
	const double *b;
	size_t count;
};

static void one_exponential(const void *context, const double *p, double *values, double *slopes)
{
	const struct weightings *w = context;
	for (size_t i = 0; i < w->count; i++) {
		double decay = exp(-w->b[i] * p[1]);
		values[i] = p[0] * decay;
		slopes[2 * i] = decay;
		slopes[2 * i + 1] = -w->b[i] * values[i];
	}
}

/* The line through the logarithms, each as heavy as its value's square: where noise of one size moves it so. */
static void start_of_line(const double *b, const double *values, size_t count, double *out_s0,
                          double *out_adc)
{
	double w = 0, wb = 0, wl = 0, wbb = 0, wbl = 0;
	for (size_t i = 0; i < count; i++) {
		double weight = values[i] * values[i], logarithm = log(values[i]);
		w += weight;
		wb += weight * b[i];
		wl += weight * logarithm;
		wbb += weight * b[i] * b[i];
		wbl += weight * b[i] * logarithm;
	}
	double slope = (w * wbl - wb * wl) / (w * wbb - wb * wb);
	*out_adc = -slope;
	*out_s0 = exp((wl - slope * wb) / w);
}

bool rs_adc_fit(const double *b, const double *values, size_t count, double noise_floor, struct rs_adc *out)
{
	static const double low[2] = {0, 0}, high[2] = {HUGE_VAL, ADC_MAX};
	double kept[RS_SIGNAL_POINTS_MAX], signal[RS_SIGNAL_POINTS_MAX], p[2];
	size_t used = 0;
	for (size_t i = 0; i < count && i < RS_SIGNAL_POINTS_MAX; i++) {
		if (!isfinite(values[i]) || !(values[i] > noise_floor) || !(values[i] > 0))
			continue;
		kept[used] = b[i];
		signal[used++] = values[i];
	}
	if (used < 2 || points_different(kept, used, 2) < 2)
		return false;
	const struct weightings weightings = {kept, used};
	start_of_line(kept, signal, used, &p[0], &p[1]);
	const struct rs_curve curve = {one_exponential, &weightings, used, 2, low, high};
	double left = rs_curve_fit(&curve, signal, p);
	if (!isfinite(left))
		return false;
	*out = (struct rs_adc){p[0], p[1], points_explained(signal, used, left), used};
	return true;
}

double rs_ivim_signal(const struct rs_ivim *ivim, double b)
{
	return ivim->s0 * (ivim->f * exp(-b * ivim->d_star) + (1 - ivim->f) * exp(-b * ivim->d));
}

/* p: amplitude of perfusion, amplitude of diffusion, d_star - d, d */
static void two_exponentials(const void *context, const double *p, double *values, double *slopes)
{
	const struct weightings *w = context;
	for (size_t i = 0; i < w->count; i++) {
		double fast = exp(-w->b[i] * (p[2] + p[3])), slow = exp(-w->b[i] * p[3]);
		double *slope = slopes + 4 * i;
		values[i] = p[0] * fast + p[1] * slow;
		slope[0] = fast;
		slope[1] = slow;
		slope[2] = -w->b[i] * p[0] * fast;
		slope[3] = -w->b[i] * values[i];
	}
}

bool rs_ivim_fit(const double *b, const double *values, size_t count, struct rs_ivim *out)
{
	static const double low[4] = {0, 0, 0, 0}, high[4] = {HUGE_VAL, HUGE_VAL, D_STAR_MAX, ADC_MAX};
	double slow_b[RS_SIGNAL_POINTS_MAX], slow[RS_SIGNAL_POINTS_MAX], fast_b[RS_SIGNAL_POINTS_MAX],
		top = 0;
	size_t slow_count = 0, fast_count = 0;
	struct rs_adc diffusion;
	if (count > RS_SIGNAL_POINTS_MAX || points_different(b, count, 4) < 4 ||
	    !points_above(values, count, 0))
		return false;
	for (size_t i = 0; i < count; i++) {
		top = values[i] > top ? values[i] : top;
		if (b[i] >= RS_IVIM_SPLIT) {
			slow_b[slow_count] = b[i];
			slow[slow_count++] = values[i];
		} else {
			fast_b[fast_count++] = b[i];
		}
	}
	if (points_different(fast_b, fast_count, 2) < 2 ||
	    !rs_adc_fit(slow_b, slow, slow_count, 0, &diffusion))
		return false;
	double above = top > diffusion.s0 ? top - diffusion.s0 : 0.01 * top;
	double p[4] = {above, diffusion.s0, 10 * diffusion.adc + 1e-4, diffusion.adc};
	const struct weightings weightings = {b, count};
	const struct rs_curve curve = {two_exponentials, &weightings, count, 4, low, high};
	double left = rs_curve_fit(&curve, values, p), s0 = p[0] + p[1];
	if (!isfinite(left) || !(s0 > 0))
		return false;
	*out = (struct rs_ivim){s0, p[0] / s0, p[3], p[2] + p[3], points_explained(values, count, left)};
	return true;
}
