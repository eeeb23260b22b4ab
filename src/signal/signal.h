/* What magnetic resonance signals say of tissue, for one voxel: the equations forward, and their parameters from measured
 * values. Deterministic; no memory is taken. Signals are magnitudes in any unit.
 *
 * A fit is false when the values do not tell: fewer different settings than parameters, values that are not finite or not
 * positive, nothing above the noise floor. r2 is the share of the values' variance that the curve explains, 0 … 1. */
#ifndef RS_SIGNAL_H
#define RS_SIGNAL_H

#include "base/base.h"

#define RS_SIGNAL_POINTS_MAX 1024

/* Diffusion: b in s/mm2, coefficients in mm2/s.
 * source  Stejskal & Tanner 1965; Le Bihan et al., Radiology 168 (1988) 497 */
struct rs_adc {
	double s0, adc, r2;
	size_t used; /* of the values: those above the noise floor */
};
double rs_adc_signal(const struct rs_adc *adc, double b);
/* s0 exp(-b adc) by least squares; adc 0 … 0.02. Values at or below noise_floor (0: none) are left out: there the
 * magnitude is that of noise, and would make the coefficient too small. */
bool rs_adc_fit(const double *b, const double *values, size_t count, double noise_floor, struct rs_adc *out);

/* s0 (f exp(-b d_star) + (1 - f) exp(-b d)): blood that moves in many capillaries, beside diffusion. */
struct rs_ivim {
	double s0, f, d, d_star, r2;
};
#define RS_IVIM_SPLIT 200.0 /* from this b on, perfusion has decayed */
double rs_ivim_signal(const struct rs_ivim *ivim, double b);
/* Needs 4 different b, 2 of them from RS_IVIM_SPLIT on and 2 below. 0 <= f <= 1, d <= d_star. */
bool rs_ivim_fit(const double *b, const double *values, size_t count, struct rs_ivim *out);

/* Spoiled gradient echo: flip angles in radians, times in ms.
 * source  Ernst & Anderson 1966; variable flip angles: Deoni et al., Magn. Res. Med. 49 (2003) 515 */
struct rs_t1 {
	double m0, t1_ms, r2;
};
double rs_spoiled_signal(double m0, double t1_ms, double tr_ms, double flip);
bool rs_t1_fit(const double *flips, const double *values, size_t count, double tr_ms, struct rs_t1 *out);
/* Spin echo, for the long and the short of it: m0 (1 - exp(-tr / t1)) exp(-te / t2). */
double rs_spin_echo_signal(double m0, double t1_ms, double t2_ms, double tr_ms, double te_ms);

/* Contrast agent in mmol/l from how much brighter a spoiled gradient echo is than before it came.
 * t1_ms       before; relaxivity in l/(mmol s)
 * Returns NaN where no concentration gives so much signal. */
double rs_contrast_concentration(double before, double now, double t1_ms, double tr_ms, double flip,
                                 double relaxivity);
/* The other way: signal relative to that without agent. */
double rs_contrast_enhancement(double concentration, double t1_ms, double tr_ms, double flip,
                               double relaxivity);

/* Enhancement over time, without a model. Times in s, ascending, at least 3.
 * source  the measures of QIBA's and ESUR's DCE papers, from the curve relative to its baseline */
struct rs_enhancement {
	double baseline;       /* mean of the values before arrival */
	double arrival_s;      /* last time before the curve leaves its baseline */
	double peak;           /* the greatest (S - baseline) / baseline */
	double time_to_peak_s; /* from arrival */
	double wash_in;        /* 1/s: peak over time to peak */
	double wash_out; /* 1/s: slope of the line through peak and what follows; negative where it falls */
	double iauc; /* s: area below the relative curve in the first 90 s after arrival, or what there is of them */
};
#define RS_IAUC_SECONDS 90.0
/* before  how many first values are before the agent came; 0: found where the mean of all curves says, see
 *         rs_contrast_arrival() */
bool rs_enhancement_measure(const double *times_s, const double *values, size_t count, size_t before,
                            struct rs_enhancement *out);
/* How many values come before the agent: up to the last one that is not above the start by a fifth of the curve's range. */
size_t rs_contrast_arrival(const double *values, size_t count);

/* Concentration of agent in arterial blood, mmol/l, `t_s` after it came, for 0.1 mmol/kg.
 * source  Parker et al., Magn. Res. Med. 56 (2006) 993, table 1 */
double rs_parker_blood(double t_s);

/* Tofts' model, the extended one with plasma: C(t) = vp cp(t) + ktrans ∫ cp(u) exp(-ktrans / ve (t - u)) du.
 * Rates per minute, times in seconds, cp that of plasma: blood's divided by 1 - hematocrit.
 * source  Tofts et al., J. Magn. Res. Imaging 10 (1999) 223 */
struct rs_tofts {
	double ktrans, ve, vp, r2;
};
/* cp runs in straight lines between the times; the integral of these is exact. */
void rs_tofts_curve(const struct rs_tofts *tofts, const double *times_s, const double *cp, size_t count,
                    double *out);

#define RS_TOFTS_RATES 40
/* What may have come to a tissue, at moments fine enough for it, `at` which of them the tissue was measured: blood's first
 * pass is shorter than the gaps between images. The shapes are what it makes of tissues at those times, for fits to begin
 * with; the caller has the room. */
struct rs_tofts_input {
	const double *times_s, *cp; /* `count` of both, up to RS_SIGNAL_POINTS_MAX */
	size_t count;
	const size_t *at; /* `samples`, ascending */
	size_t samples;
	double *shapes; /* (RS_TOFTS_RATES + 1) * samples */
};
void rs_tofts_shapes(const struct rs_tofts_input *input);
/* concentration[samples]. Of several inputs, each a little later than the one before, the one that explains the tissue best;
 * *out_input which. Inputs have the same samples.
 * ktrans 0 … 10, ve 0.001 … 1, vp 0 … 1 (0 unless `extended`); at least 4 samples, 5 when extended. */
bool rs_tofts_fit(const struct rs_tofts_input *inputs, size_t input_count, const double *concentration,
                  bool extended, struct rs_tofts *out, size_t *out_input);

#endif
