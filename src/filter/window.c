/* Gaussian and windowed-sinc interpolation: weights of the voxels around a position. */
#include <math.h>

#include "filter/interpolate.h"

#define SINC_RADIUS 5            /* SimpleITK's */
#define GAUSSIAN_SIGMA 0.8       /* voxels; this and the next three are SimpleITK's */
#define GAUSSIAN_CUTOFF 4.0      /* sigmas */
#define LABEL_GAUSSIAN_SIGMA 1.0 /* voxels */
#define LABEL_GAUSSIAN_CUTOFF 1.0
#define SERIES_MAX 100
#define SERIES_TOLERANCE 3.0e-7

static const double pi = 3.14159265358979323846;

static double window(enum rs_interpolator kind, double x)
{
	const double radius = SINC_RADIUS;
	switch (kind) {
	case RS_INTERPOLATE_COSINE: return cos(x * (pi / (2 * radius)));
	case RS_INTERPOLATE_HAMMING: return 0.54 + 0.46 * cos(x * (pi / radius));
	case RS_INTERPOLATE_WELCH: return 1.0 - x * (1.0 / (radius * radius)) * x;
	case RS_INTERPOLATE_LANCZOS: return x == 0 ? 1 : sin(pi / radius * x) / (pi / radius * x);
	default: return 0.42 + 0.5 * cos(x * (pi / radius)) + 0.08 * cos(x * (2.0 * pi / radius));
	}
}

static double sinc(double x) { return x == 0 ? 1 : sin(pi * x) / (pi * x); }

/* Beyond the ends of the volume the outer voxel again. */
void sinc_support(enum rs_interpolator kind, double position, double low, size_t whole, struct support *out,
                  double *indices)
{
	double distance = position - low, x = distance + SINC_RADIUS, last = (double)whole - 1;
	out->count = 2 * SINC_RADIUS;
	for (int k = 0; k < 2 * SINC_RADIUS; k++) {
		double index = low + k + 1 - SINC_RADIUS;
		indices[k] = index < 0 ? 0 : index > last ? last : index;
		x -= 1;
		out->weights[k] = distance == 0 ? (k == SINC_RADIUS - 1 ? 1 : 0) : window(kind, x) * sinc(x);
	}
}

/* The error function as VXL's vnl_erf has it, and with it ITK: the regularised incomplete gamma function P(1/2, x²),
 * by its series or its continued fraction (Lentz), stopped at a relative 3e-7; a better one would differ from ITK in
 * the seventh digit. Logarithm of Γ(1/2) by Lanczos' sum (coefficients: V. T. Toth). */
static double log_gamma_half(void)
{
	double sum = 2.50662827563479526904;
	sum += 225.525584619175212544 / 0.5;
	sum -= 268.295973841304927459 / 1.5;
	sum += 80.9030806934622512966 / 2.5;
	sum -= 5.00757863970517583837 / 3.5;
	sum += 0.0114684895434781459556 / 4.5;
	return log(sum) + (0.5 - 0.5) * log(0.5 + 4.65) - (0.5 + 4.65);
}

static double gamma_series(double x)
{
	double divisor = 0.5, term = 1 / 0.5, sum = term;
	if (!(x > 0))
		return 0;
	for (int i = 1; i <= SERIES_MAX; i++) {
		divisor += 1;
		term *= x / divisor;
		sum += term;
		if (fabs(term) < fabs(sum) * SERIES_TOLERANCE)
			break;
	}
	return sum * exp(-x + 0.5 * log(x) - log_gamma_half());
}

static double gamma_fraction(double x)
{
	const double tiny = 1.0e-30;
	double b = x + 1.0 - 0.5, c = 1.0 / tiny, d = 1.0 / b, fraction = d;
	for (int i = 1; i <= SERIES_MAX; i++) {
		double a = i * (0.5 - i);
		b += 2;
		d = a * d + b;
		d = fabs(d) < tiny ? tiny : d;
		c = b + a / c;
		c = fabs(c) < tiny ? tiny : c;
		d = 1 / d;
		fraction *= d * c;
		if (fabs(d * c - 1) < SERIES_TOLERANCE)
			break;
	}
	return exp(-x + 0.5 * log(x) - log_gamma_half()) * fraction;
}

static double error_function(double x)
{
	double square = x * x;
	double p = square < 1.5 ? gamma_series(square) : 1 - gamma_fraction(square);
	return x < 0 ? -p : p;
}

/* Integrals of the Gaussian over the voxels within the cut-off. */
void gaussian_support(enum rs_interpolator kind, double position, size_t whole, double spacing_mm,
                      struct support *out, double *indices)
{
	bool label = kind == RS_INTERPOLATE_LABEL_GAUSSIAN;
	double sigma_mm = (label ? LABEL_GAUSSIAN_SIGMA : GAUSSIAN_SIGMA) * spacing_mm;
	double scale = 1 / (sqrt(2.0) * sigma_mm / spacing_mm);
	double reach = sigma_mm * (label ? LABEL_GAUSSIAN_CUTOFF : GAUSSIAN_CUTOFF) / spacing_mm;
	double low = fmax(floor(position + 0.5 - reach), 0);
	double high = fmin(ceil(position + 0.5 + reach), (double)whole);
	double edge = (-0.5 - position + low) * scale, before = error_function(edge);
	out->count = 0;
	for (double i = low; i < high && out->count < TAPS_MAX; i++) {
		edge += scale;
		double now = error_function(edge);
		indices[out->count] = i;
		out->weights[out->count++] = now - before;
		before = now;
	}
}
