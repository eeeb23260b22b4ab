/* Newton's method on columns of mean 0 and deviation 1, so that units do not matter to what counts as a combination. */
#include "assess/assess_logistic.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric_linear.h"

#define STEPS_MAX 100
#define COMBINATION 1e-10
#define STAGNANT 1e-14
#define SMALL_MOVE 1e-3 /* where outcomes are separated each step goes on by about 1 */

void rs_logistic_finish(struct rs_logistic *model)
{
	rs_free(model->coefficients);
	rs_free(model->variance);
	rs_free(model->aliased);
	rs_free(model->endless);
	*model = (struct rs_logistic){0};
}

struct fitting {
	const struct rs_logistic_data *data;
	size_t width;                /* columns + 1 */
	double *z;                   /* rows of `width`: 1, then standardised columns */
	double *mean, *deviation;    /* width; of the 1 they are 0 and 1 */
	double *beta, *score, *move; /* width */
	double *information, *ldl;   /* width squared */
	double likelihood;
};
static void fitting_finish(struct fitting *f)
{
	rs_free(f->z);
	rs_free(f->mean);
	rs_free(f->information);
}

static enum rs_code fitting_init(const struct rs_logistic_data *data, struct fitting *f, struct rs_error *err)
{
	size_t width = data->columns + 1, cells, square;
	if (!rs_mul_size(data->count, width, &cells) || !rs_mul_size(width, 2 * width, &square))
		return rs_error_memory(err, SIZE_MAX, "a regression");
	*f = (struct fitting){.data = data, .width = width};
	f->z = rs_allocate_array(cells, sizeof *f->z);
	f->mean = rs_allocate_array(width, 5 * sizeof *f->mean);
	f->information = rs_allocate_array(square, sizeof *f->information);
	if (!f->z || !f->mean || !f->information)
		return rs_error_memory(err, cells * sizeof *f->z, "a regression");
	memset(f->mean, 0, 5 * width * sizeof *f->mean);
	f->deviation = f->mean + width;
	f->beta = f->deviation + width;
	f->score = f->beta + width;
	f->move = f->score + width;
	f->ldl = f->information + width * width;
	return RS_OK;
}

static void standardise(struct fitting *f)
{
	const struct rs_logistic_data *data = f->data;
	f->deviation[0] = 1;
	for (size_t j = 1; j < f->width; j++) {
		double sum = 0, squares = 0;
		for (size_t i = 0; i < data->count; i++)
			sum += data->x[i * data->columns + j - 1];
		f->mean[j] = sum / (double)data->count;
		for (size_t i = 0; i < data->count; i++) {
			double away = data->x[i * data->columns + j - 1] - f->mean[j];
			squares += away * away;
		}
		double deviation = sqrt(squares / (double)data->count);
		f->deviation[j] = deviation > COMBINATION * fabs(f->mean[j]) ? deviation : 0;
	}
	for (size_t i = 0; i < data->count; i++) {
		double *z = f->z + i * f->width;
		z[0] = 1;
		for (size_t j = 1; j < f->width; j++)
			z[j] = f->deviation[j] > 0
			               ? (data->x[i * data->columns + j - 1] - f->mean[j]) / f->deviation[j]
			               : 0;
	}
}

/* Likelihood, its slope and its curvature at beta. */
static void look(struct fitting *f)
{
	size_t w = f->width;
	f->likelihood = 0;
	memset(f->score, 0, w * sizeof *f->score);
	memset(f->information, 0, w * w * sizeof *f->information);
	for (size_t i = 0; i < f->data->count; i++) {
		const double *z = f->z + i * w;
		double eta = f->data->offset ? f->data->offset[i] : 0;
		bool positive = f->data->outcome[i] != 0;
		for (size_t j = 0; j < w; j++)
			eta += f->beta[j] * z[j];
		double q = 1 / (1 + exp(-eta)), miss = positive - q, weight = q * (1 - q);
		f->likelihood -= fmax(0, positive ? -eta : eta) + log1p(exp(-fabs(eta)));
		for (size_t j = 0; j < w; j++) {
			f->score[j] += miss * z[j];
			for (size_t k = 0; k <= j; k++)
				f->information[j * w + k] += weight * z[j] * z[k];
		}
	}
}

static double largest(const double *values, size_t count)
{
	double most = 0;
	for (size_t i = 0; i < count; i++)
		most = fmax(most, fabs(values[i]));
	return most;
}

static void step(struct fitting *f)
{
	memcpy(f->ldl, f->information, f->width * f->width * sizeof *f->ldl);
	rs_ldl(f->ldl, f->width, COMBINATION);
	memcpy(f->move, f->score, f->width * sizeof *f->move);
	rs_ldl_solve(f->ldl, f->width, f->move);
}

/* Until the likelihood does not grow and the moves are nothing, or grow the coefficients alone. */
static void climb(struct fitting *f)
{
	double before = -INFINITY;
	look(f);
	for (unsigned s = 0; s < STEPS_MAX; s++) {
		if (f->likelihood < before - STAGNANT * fabs(before)) { /* too far: half the way back */
			for (size_t j = 0; j < f->width; j++)
				f->beta[j] -= f->move[j] *= 0.5;
		} else {
			bool stagnant = s > 0 && f->likelihood - before <= STAGNANT * (1 + fabs(before));
			step(f);
			double most = largest(f->move, f->width);
			if (stagnant && (most > SMALL_MOVE || most < 1e-11))
				return;
			before = f->likelihood;
			for (size_t j = 0; j < f->width; j++)
				f->beta[j] += f->move[j];
		}
		look(f);
	}
}

/* To the columns' own units: b_j / s_j, and what that moves the intercept by. */
static void unscale(const struct fitting *f, struct rs_logistic *out)
{
	size_t w = f->width;
	double *inverse = f->information;
	rs_ldl_inverse(f->ldl, w, inverse);
	for (size_t j = 0; j < w; j++) {
		out->aliased[j] = f->ldl[j * w + j] == 0;
		out->endless[j] = !out->aliased[j] && fabs(f->move[j]) > SMALL_MOVE;
		out->converged &= !out->endless[j];
		out->df += j > 0 && !out->aliased[j];
		out->coefficients[j] = out->aliased[j] ? 0 : f->beta[j] / f->deviation[j];
		if (j > 0)
			out->coefficients[0] -= out->coefficients[j] * f->mean[j];
		for (size_t k = 0; k < w; k++)
			out->variance[j * w + k] = out->aliased[j] || f->deviation[k] == 0
			                                   ? 0
			                                   : inverse[j * w + k] /
			                                             (f->deviation[j] * f->deviation[k]);
	}
	for (size_t j = 1; j < w; j++) /* the intercept's row, then its column */
		for (size_t k = 0; k < w; k++)
			out->variance[k] -= f->mean[j] * out->variance[j * w + k];
	for (size_t j = 1; j < w; j++) {
		out->variance[0] -= f->mean[j] * out->variance[j];
		out->variance[j * w] = out->variance[j];
	}
}

static double null_likelihood(const struct rs_logistic_data *data, struct rs_error *err)
{
	struct rs_logistic none RS_CLEANUP(rs_logistic_finish) = {0};
	const struct rs_logistic_data alone = {data->count, 0, NULL, data->offset, data->outcome};
	return rs_logistic_fit(&alone, &none, err) == RS_OK ? none.deviance : NAN;
}

enum rs_code rs_logistic_fit(const struct rs_logistic_data *data, struct rs_logistic *out,
                             struct rs_error *err)
{
	struct fitting f RS_CLEANUP(fitting_finish) = {0};
	struct rs_logistic made = {.columns = data->columns, .converged = true};
	if (data->count == 0)
		return rs_error_set(err, RS_USAGE, "there is no subject");
	RS_TRY(fitting_init(data, &f, err));
	made.coefficients = rs_allocate_array(f.width, sizeof *made.coefficients);
	made.variance = rs_allocate_array(f.width * f.width, sizeof *made.variance);
	made.aliased = rs_allocate_array(f.width, sizeof *made.aliased);
	made.endless = rs_allocate_array(f.width, sizeof *made.endless);
	if (!made.coefficients || !made.variance || !made.aliased || !made.endless) {
		rs_logistic_finish(&made);
		return rs_error_memory(err, f.width * f.width * sizeof *made.variance, "a regression");
	}
	standardise(&f);
	climb(&f);
	unscale(&f, &made);
	made.deviance = -2 * f.likelihood;
	made.null_deviance = data->columns > 0 ? null_likelihood(data, err) : made.deviance;
	*out = made;
	return RS_OK;
}
