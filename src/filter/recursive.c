/* Coefficients of the recursive Gaussian. */
#include "filter/recursive.h"

#include <math.h>

/* A damped cosine is a cos(w x / sigma) + b sin(w x / sigma), times exp(l x / sigma). Frequencies and dampings are
 * the same for the Gaussian and its derivatives. */
#define W1 0.6681
#define L1 (-1.3932)
#define W2 2.0787
#define L2 (-1.3732)
struct pair {
	double a1, b1, a2, b2;
};
static const struct pair gaussian = {1.3530, 1.8151, -0.3531, 0.0902};
static const struct pair second_derivative = {-1.3563, 5.2318, 0.3446, -2.2355};

struct waves {
	double sin1, cos1, exp1, sin2, cos2, exp2;
};

/* A polynomial in 1/z with its value at z = 1 and its first two moments. */
struct polynomial {
	double c[4], sum, first, second;
};

static struct polynomial numerator(const struct pair *p, const struct waves *w)
{
	double n1 = w->exp2 * (p->b2 * w->sin2 - (p->a2 + 2 * p->a1) * w->cos2);
	n1 += w->exp1 * (p->b1 * w->sin1 - (p->a1 + 2 * p->a2) * w->cos1);
	double n2 = (p->a1 + p->a2) * w->cos2 * w->cos1;
	n2 -= p->b1 * w->cos2 * w->sin1 + p->b2 * w->cos1 * w->sin2;
	n2 *= 2 * w->exp1 * w->exp2;
	n2 += p->a2 * w->exp1 * w->exp1 + p->a1 * w->exp2 * w->exp2;
	double n3 = w->exp2 * w->exp1 * w->exp1 * (p->b2 * w->sin2 - p->a2 * w->cos2);
	n3 += w->exp1 * w->exp2 * w->exp2 * (p->b1 * w->sin1 - p->a1 * w->cos1);
	double n0 = p->a1 + p->a2;
	return (struct polynomial){
		{n0, n1, n2, n3}, n0 + n1 + n2 + n3, n1 + 2 * n2 + 3 * n3, n1 + 4 * n2 + 9 * n3};
}

/* 1 + d[0]/z + … + d[3]/z^4; returns its sums (c of the result is not used). */
static struct polynomial denominator(const struct waves *w, double d[4])
{
	d[3] = w->exp1 * w->exp1 * w->exp2 * w->exp2;
	d[2] = -2 * w->cos1 * w->exp1 * w->exp2 * w->exp2;
	d[2] += -2 * w->cos2 * w->exp2 * w->exp1 * w->exp1;
	d[1] = 4 * w->cos2 * w->cos1 * w->exp1 * w->exp2;
	d[1] += w->exp1 * w->exp1 + w->exp2 * w->exp2;
	d[0] = -2 * (w->exp2 * w->cos2 + w->exp1 * w->cos1);
	return (struct polynomial){{0},
	                           1.0 + d[0] + d[1] + d[2] + d[3],
	                           d[0] + 2 * d[1] + 3 * d[2] + 4 * d[3],
	                           d[0] + 4 * d[1] + 9 * d[2] + 16 * d[3]};
}

static struct waves waves_of(double sigma_voxels)
{
	return (struct waves){sin(W1 / sigma_voxels), cos(W1 / sigma_voxels), exp(L1 / sigma_voxels),
	                      sin(W2 / sigma_voxels), cos(W2 / sigma_voxels), exp(L2 / sigma_voxels)};
}

/* The backward filter is the forward one mirrored, without the centre, which would count twice. */
static bool complete(const struct polynomial *n, double scale, struct recursive *out)
{
	double *d = out->d;
	for (int k = 0; k < 4; k++)
		out->n[k] = n->c[k] * scale;
	for (int k = 0; k < 3; k++)
		out->m[k] = out->n[k + 1] - d[k] * out->n[0];
	out->m[3] = -d[3] * out->n[0];
	double sum_n = out->n[0] + out->n[1] + out->n[2] + out->n[3];
	double sum_m = out->m[0] + out->m[1] + out->m[2] + out->m[3];
	double sum_d = 1.0 + d[0] + d[1] + d[2] + d[3];
	bool finite = true;
	for (int k = 0; k < 4; k++) {
		out->bn[k] = d[k] * sum_n / sum_d;
		out->bm[k] = d[k] * sum_m / sum_d;
		finite = finite && isfinite(out->n[k]) && isfinite(out->bn[k]) && isfinite(out->bm[k]);
	}
	return finite;
}

bool recursive_smooth(double sigma, double spacing, struct recursive *out)
{
	struct waves w = waves_of(sigma / spacing);
	struct polynomial d = denominator(&w, out->d), n = numerator(&gaussian, &w);
	return complete(&n, 1.0 / (2 * n.sum / d.sum - n.c[0]), out);
}

bool recursive_second(double sigma, double spacing, struct recursive *out)
{
	struct waves w = waves_of(sigma / spacing);
	struct polynomial d = denominator(&w, out->d);
	struct polynomial zero = numerator(&gaussian, &w), n = numerator(&second_derivative, &w);
	/* as much of the Gaussian as makes the response to a constant vanish */
	double beta = -(2 * n.sum - d.sum * n.c[0]) / (2 * zero.sum - d.sum * zero.c[0]);
	for (int k = 0; k < 4; k++)
		n.c[k] += beta * zero.c[k];
	n.sum += beta * zero.sum;
	n.first += beta * zero.first;
	n.second += beta * zero.second;
	/* the response to x^2 / 2 */
	double alpha = n.second * d.sum * d.sum - d.second * n.sum * d.sum - 2 * n.first * d.first * d.sum +
	               2 * d.first * d.first * n.sum;
	alpha /= d.sum * d.sum * d.sum;
	return complete(&n, sigma * sigma / alpha, out);
}
