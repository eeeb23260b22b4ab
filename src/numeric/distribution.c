/* Distributions by series and continued fractions (Abramowitz & Stegun 6.5.29, 6.5.31, 26.5.8; modified Lentz algorithm),
 * quantiles by solving for them. */
#include "numeric/numeric_distribution.h"

#include <math.h>

#define TERMS_MAX 100000
#define SMALLEST 1e-300

static double log_gamma(double x)
{
	int sign;
	return lgamma_r(x, &sign);
}

double rs_normal_lower(double z) { return 0.5 * erfc(-z * M_SQRT1_2); }

double rs_normal_upper(double z) { return 0.5 * erfc(z * M_SQRT1_2); }

double rs_normal_two_sided(double z) { return erfc(fabs(z) * M_SQRT1_2); }

/* A rough start (A&S 26.2.23), then Halley's steps on the tail that is not near one. */
double rs_normal_quantile(double p)
{
	if (!(p >= 0 && p <= 1))
		return NAN;
	if (p == 0 || p == 1)
		return p == 0 ? -INFINITY : INFINITY;
	double tail = p < 0.5 ? p : 1 - p, t = sqrt(-2 * log(tail));
	double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
	                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
	for (int i = 0; i < 4; i++) {
		double density = exp(-0.5 * z * z) * 0.398942280401432677939946;
		double step = (rs_normal_upper(z) - tail) / density;
		z += step / (1 - 0.5 * z * step);
	}
	return p < 0.5 ? -z : z;
}

static double gamma_series(double a, double x)
{
	double term = 1 / a, sum = term;
	for (int n = 1; n < TERMS_MAX && term > sum * 1e-17; n++) {
		term *= x / (a + n);
		sum += term;
	}
	return sum * exp(a * log(x) - x - log_gamma(a));
}

static double away_from_zero(double x) { return fabs(x) < SMALLEST ? SMALLEST : x; }

static double gamma_fraction(double a, double x)
{
	double b = x + 1 - a, c = 1 / SMALLEST, d = 1 / b, h = d;
	for (int i = 1; i < TERMS_MAX; i++) {
		double an = -i * (i - a);
		b += 2;
		d = 1 / away_from_zero(an * d + b);
		c = away_from_zero(b + an / c);
		double change = d * c;
		h *= change;
		if (fabs(change - 1) < 1e-16)
			break;
	}
	return h * exp(a * log(x) - x - log_gamma(a));
}

/* Regularised, a > 0, x >= 0. */
static double gamma_upper(double a, double x)
{
	if (!(a > 0 && x >= 0))
		return NAN;
	if (x == 0)
		return 1;
	if (isinf(x))
		return 0;
	return x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}

static double beta_fraction(double x, double a, double b)
{
	double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;
	for (int m = 1; m < TERMS_MAX; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 / away_from_zero(1 + even * d);
		c = away_from_zero(1 + even / c);
		h *= d * c;
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 / away_from_zero(1 + odd * d);
		c = away_from_zero(1 + odd / c);
		double change = d * c;
		h *= change;
		if (fabs(change - 1) < 1e-16)
			break;
	}
	return h / a;
}

/* x and y = 1 - x, each as exact as the caller has it. */
static double beta_of(double x, double y, double a, double b)
{
	if (x <= 0 || y <= 0)
		return x <= 0 ? 0 : 1;
	double front = exp(a * log(x) + b * log(y) + log_gamma(a + b) - log_gamma(a) - log_gamma(b));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b);
	return 1 - front * beta_fraction(y, b, a);
}

double rs_beta_lower(double x, double a, double b)
{
	if (!(a > 0 && b > 0 && x >= 0 && x <= 1))
		return NAN;
	return beta_of(x, 1 - x, a, b);
}

/* The argument at which an increasing function of one reaches p: halving, to the last bit. */
static double solve(double (*lower)(double x, double a, double b), double p, double a, double b, double low,
                    double high)
{
	for (int i = 0; i < 2000; i++) {
		double middle = low + 0.5 * (high - low);
		if (middle == low || middle == high)
			break;
		if (lower(middle, a, b) < p)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double rs_beta_quantile(double p, double a, double b)
{
	if (!(a > 0 && b > 0 && p >= 0 && p <= 1))
		return NAN;
	return p == 0 || p == 1 ? p : solve(rs_beta_lower, p, a, b, 0, 1);
}

double rs_chi_square_upper(double x, double df) { return gamma_upper(0.5 * df, 0.5 * x); }

double rs_f_upper(double f, double df1, double df2)
{
	if (!(df1 > 0 && df2 > 0 && f >= 0))
		return NAN;
	if (isinf(f))
		return 0;
	double whole = df2 + df1 * f;
	return beta_of(df2 / whole, df1 * f / whole, 0.5 * df2, 0.5 * df1);
}

double rs_f_quantile(double p, double df1, double df2)
{
	if (!(df1 > 0 && df2 > 0 && p >= 0 && p <= 1))
		return NAN;
	double x = rs_beta_quantile(p, 0.5 * df1, 0.5 * df2);
	return df2 * x / (df1 * (1 - x));
}
