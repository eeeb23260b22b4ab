/* Gaussian and windowed-sinc interpolation: weights of the voxels around a position. */
#include <math.h>

#include "filter/interpolate.h"

#define SINC_RADIUS 5            /* SimpleITK's */
#define GAUSSIAN_SIGMA 0.8       /* voxels; this and the next three are SimpleITK's */
#define GAUSSIAN_CUTOFF 4.0      /* sigmas */
#define LABEL_GAUSSIAN_SIGMA 1.0 /* voxels */
#define LABEL_GAUSSIAN_CUTOFF 1.0
#define GAUSSIAN_TAPS 9
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
void sinc_taps(enum rs_interpolator kind, const struct samples *samples, const double at[3][LANES],
               struct taps *out)
{
	out->count = 2 * SINC_RADIUS;
	for (int a = 0; a < 3; a++)
		for (int n = 0; n < LANES; n++) {
			double low = itk_floor(at[a][n]), distance = at[a][n] - low;
			double x = distance + SINC_RADIUS, last = (double)samples->whole[a] - 1;
			for (int k = 0; k < 2 * SINC_RADIUS; k++) {
				double index = low + k + 1 - SINC_RADIUS;
				index = index < 0 ? 0 : index > last ? last : index;
				x -= 1;
				out->weights[a][k][n] = distance == 0 ? (k == SINC_RADIUS - 1 ? 1 : 0)
				                                      : window(kind, x) * sinc(x);
				out->offsets[a][k][n] = ((size_t)index - samples->first[a]) *
				                        stride_of(samples, a);
			}
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

struct gaussian {
	size_t first[3], count[3];
	double weights[3][GAUSSIAN_TAPS];
};

/* Integrals of the Gaussian over the voxels within `cutoff` sigmas of the position. */
static void gaussian_prepare(const struct samples *samples, const double at[3], double sigma, double cutoff,
                             struct gaussian *out)
{
	for (int a = 0; a < 3; a++) {
		double spacing = samples->spacing_mm[a], sigma_mm = sigma * spacing;
		double scale = 1 / (sqrt(2.0) * sigma_mm / spacing), reach = sigma_mm * cutoff / spacing;
		double low = floor(at[a] + 0.5 - reach), high = ceil(at[a] + 0.5 + reach);
		low = low < 0 ? 0 : low;
		high = high > (double)samples->whole[a] ? (double)samples->whole[a] : high;
		double edge = (-0.5 - at[a] + low) * scale, before = error_function(edge);
		out->first[a] = (size_t)low;
		out->count[a] = 0;
		for (double i = low; i < high && out->count[a] < GAUSSIAN_TAPS; i++) {
			edge += scale;
			double now = error_function(edge);
			out->weights[a][out->count[a]++] = now - before;
			before = now;
		}
	}
}

static double gaussian_voxel(const struct samples *samples, const struct gaussian *g, const size_t i[3])
{
	size_t offset = 0;
	for (int a = 0; a < 3; a++)
		offset += (g->first[a] + i[a] - samples->first[a]) * stride_of(samples, a);
	return samples->voxels[offset];
}

double gaussian_at(const struct samples *samples, const double at[3])
{
	struct gaussian g;
	double sum = 0, weights = 0;
	size_t i[3];
	gaussian_prepare(samples, at, GAUSSIAN_SIGMA, GAUSSIAN_CUTOFF, &g);
	for (i[2] = 0; i[2] < g.count[2]; i[2]++)
		for (i[1] = 0; i[1] < g.count[1]; i[1]++)
			for (i[0] = 0; i[0] < g.count[0]; i[0]++) {
				double w = g.weights[0][i[0]] * g.weights[1][i[1]] * g.weights[2][i[2]];
				sum += gaussian_voxel(samples, &g, i) * w;
				weights += w;
			}
	return sum / weights;
}

/* The value whose voxels weigh most; of equals the one that came first to that weight. */
double label_gaussian_at(const struct samples *samples, const double at[3])
{
	struct gaussian g;
	double values[GAUSSIAN_TAPS * GAUSSIAN_TAPS * GAUSSIAN_TAPS], sums[RS_COUNT(values)];
	double best = 0, best_value = 0;
	size_t i[3], count = 0, k;
	gaussian_prepare(samples, at, LABEL_GAUSSIAN_SIGMA, LABEL_GAUSSIAN_CUTOFF, &g);
	for (i[2] = 0; i[2] < g.count[2]; i[2]++)
		for (i[1] = 0; i[1] < g.count[1]; i[1]++)
			for (i[0] = 0; i[0] < g.count[0]; i[0]++) {
				double w = g.weights[0][i[0]] * g.weights[1][i[1]] * g.weights[2][i[2]];
				double value = gaussian_voxel(samples, &g, i);
				for (k = 0; k < count && values[k] != value;)
					k++;
				if (k == count) {
					values[count] = value;
					sums[count++] = 0;
				}
				sums[k] += w;
				if (sums[k] > best) {
					best = sums[k];
					best_value = value;
				}
			}
	return best_value;
}
