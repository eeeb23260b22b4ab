/* The ellipsoid of least volume around points, and the surface of an ellipsoid. */
#include <math.h>
#include <string.h>

#include "numeric/numeric.h"
#include "numeric/numeric_hull.h"

#define ITERATIONS_MAX 100000 /* a hundred to a thousand are usual */

/* Points, scaled to -1 … 1 along each axis, lifted to (x, y, z, 1); weights that sum to 1; the inverse of the weighted sum of
 * lifted products q qT; and of every point qT inverse q, which at the optimum is at most 4. */
struct lifted {
	size_t count;
	double (*points)[4];
	double *weight, *variance;
	double inverse[4][4];
	double middle[3], scale[3];
};

static void lifted_finish(struct lifted *l)
{
	rs_free(l->points);
	rs_free(l->weight);
	rs_free(l->variance);
}

static enum rs_code lifted_init(struct lifted *l, const double (*points)[3], size_t count,
                                struct rs_error *err)
{
	double low[3], high[3];
	l->count = count;
	l->points = rs_allocate_array(count, sizeof *l->points);
	l->weight = rs_allocate_array(count, sizeof *l->weight);
	l->variance = rs_allocate_array(count, sizeof *l->variance);
	if (l->points == NULL || l->weight == NULL || l->variance == NULL)
		return rs_error_memory(err, count * 48, "an enclosing ellipsoid");
	for (size_t i = 0; i < count; i++)
		for (int a = 0; a < 3; a++) {
			low[a] = i == 0 || points[i][a] < low[a] ? points[i][a] : low[a];
			high[a] = i == 0 || points[i][a] > high[a] ? points[i][a] : high[a];
		}
	for (int a = 0; a < 3 && count > 0; a++) {
		l->middle[a] = (low[a] + high[a]) / 2;
		l->scale[a] = (high[a] - low[a]) / 2;
	}
	for (size_t i = 0; i < count; i++) {
		for (int a = 0; a < 3; a++)
			l->points[i][a] = (points[i][a] - l->middle[a]) / l->scale[a];
		l->points[i][3] = 1;
	}
	return RS_OK;
}

/* The points farthest apart along three directions, each across those before, share the weight
 * (Kumar & Yildirim 2005). */
static void first_weights(struct lifted *l)
{
	double done[3][3] = {{0}};
	for (int k = 0; k < 3; k++) {
		double d[3] = {k == 0, k == 1, k == 2}, least = 0, most = 0;
		if (k == 1) { /* across the first line: the axis it is least along */
			int a = fabs(done[0][0]) < fabs(done[0][1]) ? 0 : 1;
			a = fabs(done[0][2]) < fabs(done[0][a]) ? 2 : a;
			for (int i = 0; i < 3; i++)
				d[i] = (i == a) - done[0][a] * done[0][i];
		} else if (k == 2) {
			for (int i = 0; i < 3; i++)
				d[i] = done[0][(i + 1) % 3] * done[1][(i + 2) % 3] -
				       done[0][(i + 2) % 3] * done[1][(i + 1) % 3];
		}
		size_t low = 0, high = 0;
		for (size_t i = 0; i < l->count; i++) {
			double h = 0;
			for (int a = 0; a < 3; a++)
				h += d[a] * l->points[i][a];
			if (i == 0 || h < least) {
				least = h;
				low = i;
			}
			if (i == 0 || h > most) {
				most = h;
				high = i;
			}
		}
		l->weight[low] = l->weight[high] = 1;
		double line[3], length = 0;
		for (int a = 0; a < 3; a++)
			line[a] = l->points[high][a] - l->points[low][a];
		for (int j = 0; j < k; j++) { /* keep the directions at right angles */
			double shared = 0;
			for (int a = 0; a < 3; a++)
				shared += line[a] * done[j][a];
			for (int a = 0; a < 3; a++)
				line[a] -= shared * done[j][a];
		}
		for (int a = 0; a < 3; a++)
			length += line[a] * line[a];
		for (int a = 0; a < 3; a++)
			done[k][a] = length > 0 ? line[a] / sqrt(length) : d[a];
	}
	double sum = 0;
	for (size_t i = 0; i < l->count; i++)
		sum += l->weight[i];
	for (size_t i = 0; i < l->count; i++)
		l->weight[i] /= sum;
}

/* Gauss-Jordan with pivoting; false when singular. */
static bool invert4(const double matrix[4][4], double out[4][4])
{
	double a[4][8] = {{0}};
	for (int i = 0; i < 4; i++) {
		memcpy(a[i], matrix[i], sizeof matrix[i]);
		a[i][4 + i] = 1;
	}
	for (int c = 0; c < 4; c++) {
		int pivot = c;
		for (int r = c + 1; r < 4; r++)
			pivot = fabs(a[r][c]) > fabs(a[pivot][c]) ? r : pivot;
		if (!(fabs(a[pivot][c]) > 1e-14))
			return false;
		for (int k = 0; k < 8; k++) {
			double keep = a[c][k];
			a[c][k] = a[pivot][k];
			a[pivot][k] = keep;
		}
		double divisor = a[c][c];
		for (int k = 0; k < 8; k++)
			a[c][k] /= divisor;
		for (int r = 0; r < 4; r++) {
			double factor = r == c ? 0 : a[r][c];
			for (int k = 0; k < 8; k++)
				a[r][k] -= factor * a[c][k];
		}
	}
	for (int i = 0; i < 4; i++)
		memcpy(out[i], a[i] + 4, sizeof out[i]);
	return true;
}

/* Inverse and variances from the weights, afresh. */
static bool refresh(struct lifted *l)
{
	double sum[4][4] = {{0}};
	for (size_t i = 0; i < l->count; i++) {
		const double *q = l->points[i];
		for (int r = 0; r < 4 && l->weight[i] > 0; r++)
			for (int c = 0; c < 4; c++)
				sum[r][c] += l->weight[i] * q[r] * q[c];
	}
	if (!invert4((const double(*)[4])sum, l->inverse))
		return false;
	for (size_t i = 0; i < l->count; i++) {
		const double *q = l->points[i];
		l->variance[i] = 0;
		for (int r = 0; r < 4; r++)
			l->variance[i] += q[r] * (l->inverse[r][0] * q[0] + l->inverse[r][1] * q[1] +
			                          l->inverse[r][2] * q[2] + l->inverse[r][3] * q[3]);
	}
	return true;
}

/* Moves the share `beta` of all weight to (or, below 0, from) point k; inverse and variances follow by
 * Sherman & Morrison. */
static void shift(struct lifted *l, size_t k, double beta)
{
	double column[4], variance = l->variance[k];
	for (int r = 0; r < 4; r++) {
		column[r] = 0;
		for (int c = 0; c < 4; c++)
			column[r] += l->inverse[r][c] * l->points[k][c];
	}
	double factor = beta / (1 - beta + beta * variance), rest = 1 / (1 - beta);
	for (int r = 0; r < 4; r++)
		for (int c = 0; c < 4; c++)
			l->inverse[r][c] = rest * (l->inverse[r][c] - factor * column[r] * column[c]);
	for (size_t i = 0; i < l->count; i++) {
		const double *q = l->points[i];
		double along = column[0] * q[0] + column[1] * q[1] + column[2] * q[2] + column[3];
		l->variance[i] = rest * (l->variance[i] - factor * along * along);
		l->weight[i] *= 1 - beta;
	}
	l->weight[k] = fmax(l->weight[k] + beta, 0);
}

/* Weight goes to the point farthest out, or away from the weighted one farthest in, by the exact best step. */
static bool improve(struct lifted *l, double tolerance)
{
	size_t out = 0, in = 0;
	bool any = false;
	for (size_t i = 0; i < l->count; i++) {
		if (l->variance[i] > l->variance[out])
			out = i;
		if (l->weight[i] > 0 && (!any || l->variance[i] < l->variance[in])) {
			in = i;
			any = true;
		}
	}
	double above = l->variance[out] / 4 - 1, below = 1 - l->variance[in] / 4;
	if (above <= tolerance && below <= tolerance)
		return false;
	size_t k = above >= below ? out : in;
	double v = l->variance[k], beta = (v - 4) / (4 * (v - 1));
	if (above <
	    below) { /* v < 4: away from the point, at most all it has; v <= 1 has no other best step */
		double most = -l->weight[k] / (1 - l->weight[k]);
		beta = v > 1 ? fmax(beta, most) : most;
	}
	bool emptied = beta < 0 && beta <= -l->weight[k] / (1 - l->weight[k]);
	shift(l, k, beta);
	if (emptied)
		l->weight[k] = 0;
	return true;
}

/* The ellipsoid (x - c)T E (x - c) <= 1 that the weights describe, blown up until it holds every point. */
static void semi_axes(const struct lifted *l, double out[3])
{
	double sum[4][4] = {{0}}, shape[3][3], eigenvalue[3], farthest = 0;
	for (size_t i = 0; i < l->count; i++) {
		farthest = fmax(farthest, l->variance[i]);
		for (int r = 0; r < 4; r++)
			for (int c = 0; c < 4; c++)
				sum[r][c] += l->weight[i] * l->points[i][r] * l->points[i][c];
	}
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			shape[r][c] = (sum[r][c] - sum[r][3] * sum[c][3]) * l->scale[r] * l->scale[c];
	rs_eigenvalues_symmetric3((const double(*)[3])shape, eigenvalue);
	for (int i = 0; i < 3; i++)
		out[i] = sqrt(fmax(eigenvalue[2 - i], 0) * (farthest - 1));
}

static enum rs_code flat(size_t count, struct rs_error *err)
{
	return rs_error_set(err, RS_REFUSED, "%zu points lie in one plane; no ellipsoid is the smallest",
	                    count);
}

enum rs_code rs_ellipsoid_minimum(const double (*points)[3], size_t count, double tolerance,
                                  double out_semi_axis[3], struct rs_error *err)
{
	struct lifted l RS_CLEANUP(lifted_finish) = {0};
	RS_TRY(lifted_init(&l, points, count, err));
	if (count < 4 || !(l.scale[0] > 0 && l.scale[1] > 0 && l.scale[2] > 0))
		return flat(count, err);
	first_weights(&l);
	for (unsigned i = 0; i < ITERATIONS_MAX; i++) {
		if (i % 64 == 0 && !refresh(&l)) /* rounding of many small steps does not add up */
			return flat(count, err);
		if (!improve(&l, tolerance)) {
			if (refresh(&l) && !improve(&l, tolerance))
				break;
		}
	}
	if (!refresh(&l))
		return rs_error_set(err, RS_INTERNAL, "the smallest ellipsoid of %zu points was lost", count);
	semi_axes(&l, out_semi_axis);
	return RS_OK;
}

double rs_ellipsoid_surface(const double semi_axis[3], unsigned terms)
{
	double a = semi_axis[0], b = semi_axis[1], c = semi_axis[2];
	double alpha2 = 1 - b * b / (a * a), beta2 = 1 - c * c / (a * a);
	/* product^n P_n(half / product) by the recurrence of P_n, free of the quotient, which a sphere lacks */
	double half = (alpha2 + beta2) / 2, product2 = alpha2 * beta2, before = 0, term = 1, sum = 0;
	for (unsigned n = 0; n < terms; n++) {
		double k = n;
		sum += term / (1 - 4 * k * k);
		double after = ((2 * k + 1) * half * term - k * product2 * before) / (k + 1);
		before = term;
		term = after;
	}
	return 4 * 3.14159265358979323846 * a * b * sum;
}
