#include "density.h"

#include <math.h>

#include "numeric/numeric_distribution.h"

static double error_lower(enum error_kind kind, double z)
{
	switch (kind) {
	case ERROR_EXTREME: return -expm1(-exp(z));
	case ERROR_NORMAL: return rs_normal_lower(z);
	default: return 1 / (1 + exp(-z));
	}
}

double error_upper(enum error_kind kind, double z)
{
	switch (kind) {
	case ERROR_EXTREME: return exp(-exp(z));
	case ERROR_NORMAL: return rs_normal_upper(z);
	default: return 1 / (1 + exp(z));
	}
}

double error_quantile(enum error_kind kind, double p)
{
	switch (kind) {
	case ERROR_EXTREME: return log(-log1p(-p));
	case ERROR_NORMAL: return rs_normal_quantile(p);
	default: return log(p / (1 - p));
	}
}

/* log f and its first two derivatives. */
static void log_density(enum error_kind kind, double z, double out[3])
{
	double e = exp(z), f = 1 / (1 + exp(-z));
	switch (kind) {
	case ERROR_EXTREME:
		out[0] = z - e;
		out[1] = 1 - e;
		out[2] = -e;
		return;
	case ERROR_NORMAL:
		out[0] = -0.5 * z * z - 0.5 * log(2 * M_PI);
		out[1] = -z;
		out[2] = -1;
		return;
	default:
		out[0] = -fabs(z) - 2 * log1p(exp(-fabs(z)));
		out[1] = 1 - 2 * f;
		out[2] = -2 * f * (1 - f);
	}
}

struct contribution error_seen(enum error_kind kind, double z, double scale)
{
	double g[3];
	log_density(kind, z, g);
	return (struct contribution){
		.value = g[0] - log(scale),
		.eta = -g[1] / scale,
		.tau = -z * g[1] - 1,
		.eta_eta = g[2] / (scale * scale),
		.eta_tau = (g[1] + z * g[2]) / scale,
		.tau_tau = z * g[1] + z * z * g[2],
	};
}

/* One end of what lies between: z (0 where infinite), density and its slope, by the probability between. */
struct end {
	double z, density, slope;
};

static struct end end_of(enum error_kind kind, double z, double log_between)
{
	double g[3];
	if (isinf(z))
		return (struct end){0, 0, 0};
	log_density(kind, z, g);
	double density = exp(g[0] - log_between);
	return (struct end){z, density, density * g[1]};
}

static double log_between(enum error_kind kind, double lower, double upper)
{
	if (isinf(upper) && kind == ERROR_EXTREME)
		return -exp(lower);
	if (isinf(upper))
		return log(error_upper(kind, lower));
	if (isinf(lower))
		return log(error_lower(kind, upper));
	return log(lower > 0 ? error_upper(kind, lower) - error_upper(kind, upper)
	                     : error_lower(kind, upper) - error_lower(kind, lower));
}

struct contribution error_between(enum error_kind kind, double lower, double upper, double scale)
{
	double all = log_between(kind, lower, upper);
	struct end l = end_of(kind, lower, all), u = end_of(kind, upper, all);
	double uu = u.slope - u.density * u.density, ll = -l.slope - l.density * l.density,
	       ul = u.density * l.density;
	return (struct contribution){
		.value = all,
		.eta = -(u.density - l.density) / scale,
		.tau = -(u.z * u.density - l.z * l.density),
		.eta_eta = (uu + ll + 2 * ul) / (scale * scale),
		.eta_tau = (u.density - l.density + u.z * (uu + ul) + l.z * (ll + ul)) / scale,
		.tau_tau = u.z * u.density - l.z * l.density + u.z * u.z * uu + l.z * l.z * ll +
	                   2 * u.z * l.z * ul,
	};
}
