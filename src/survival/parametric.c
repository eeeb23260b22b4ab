/* Newton's method on the likelihood, over standardised columns and the logarithm of the scale. */
#include "survival/survival_parametric.h"

#include <math.h>
#include <string.h>

#include "density.h"
#include "numeric/numeric_distribution.h"
#include "numeric/numeric_linear.h"

#define STEPS_MAX 100u
#define ALIASED 1e-10
#define SETTLED 1e-12

static const struct family {
	enum error_kind kind;
	bool of_log;
	double scale; /* 0: fitted */
} families[] = {
	[RS_PARAMETRIC_WEIBULL] = {ERROR_EXTREME, true, 0},
	[RS_PARAMETRIC_EXPONENTIAL] = {ERROR_EXTREME, true, 1},
	[RS_PARAMETRIC_RAYLEIGH] = {ERROR_EXTREME, true, 0.5},
	[RS_PARAMETRIC_LOG_NORMAL] = {ERROR_NORMAL, true, 0},
	[RS_PARAMETRIC_LOG_LOGISTIC] = {ERROR_LOGISTIC, true, 0},
	[RS_PARAMETRIC_EXTREME] = {ERROR_EXTREME, false, 0},
	[RS_PARAMETRIC_NORMAL] = {ERROR_NORMAL, false, 0},
	[RS_PARAMETRIC_LOGISTIC] = {ERROR_LOGISTIC, false, 0},
};

/* Parameters: intercept, columns, log scale. */
struct fitting {
	const struct family *family;
	const struct rs_parametric_data *data;
	size_t columns, size;  /* columns in use; parameters searched for */
	double *lower, *upper; /* of y */
	double *x;             /* standardised, data->columns a row */
	double *mean, *deviation;
	double value, *score, *information,
		*outer; /* outer: Σ of the rows' scores squared, positive definite */
	double *step, *trial, *row;
	double jacobian; /* of the logarithm: -Σ y of those seen */
};

static void fitting_finish(struct fitting *f)
{
	rs_free(f->lower);
	rs_free(f->x);
	rs_free(f->mean);
	rs_free(f->score);
}

static enum rs_code read_row(struct fitting *f, size_t i, struct rs_error *err)
{
	double lower = f->data->lower[i], upper = f->data->upper[i];
	bool positive = f->family->of_log;
	if (positive && lower == 0 && upper > 0)
		lower = -INFINITY;
	if (!(lower <= upper) || (isinf(lower) && isinf(upper)) || lower == INFINITY || upper == -INFINITY)
		return rs_error_set(err, RS_MALFORMED, "row %zu: no time between %g and %g", i + 1, lower,
		                    upper);
	if (positive && !(upper > 0 && (isinf(lower) || lower > 0)))
		return rs_error_set(err, RS_MALFORMED, "row %zu: the time is not positive", i + 1);
	if (f->data->weight && !(isfinite(f->data->weight[i]) && f->data->weight[i] > 0))
		return rs_error_set(err, RS_MALFORMED, "row %zu: the weight is not positive", i + 1);
	f->lower[i] = positive && !isinf(lower) ? log(lower) : lower;
	f->upper[i] = positive && !isinf(upper) ? log(upper) : upper;
	if (positive && lower == upper)
		f->jacobian -= (f->data->weight ? f->data->weight[i] : 1) * f->lower[i];
	return RS_OK;
}

static enum rs_code standardise(struct fitting *f, struct rs_error *err)
{
	size_t n = f->data->count, p = f->data->columns;
	for (size_t j = 0; j < p; j++) {
		double sum = 0, squares = 0;
		for (size_t i = 0; i < n; i++) {
			if (!isfinite(f->data->x[i * p + j]))
				return rs_error_set(err, RS_MALFORMED, "row %zu, column %zu: not a number",
				                    i + 1, j + 1);
			sum += f->data->x[i * p + j];
		}
		f->mean[j] = sum / (double)n;
		for (size_t i = 0; i < n; i++)
			squares += pow(f->data->x[i * p + j] - f->mean[j], 2);
		f->deviation[j] = squares > 0 ? sqrt(squares / (double)n) : 1;
		for (size_t i = 0; i < n; i++)
			f->x[i * p + j] = (f->data->x[i * p + j] - f->mean[j]) / f->deviation[j];
	}
	return RS_OK;
}

static enum rs_code prepare(struct fitting *f, struct rs_error *err)
{
	size_t n = f->data->count, p = f->data->columns, all = p + 2, room;
	if (n == 0)
		return rs_error_set(err, RS_USAGE, "there is no subject");
	f->lower = rs_allocate_array(n, 2 * sizeof(double));
	f->x = rs_mul_size(n, p, &room) ? rs_allocate_array(room, sizeof(double)) : NULL;
	f->mean = rs_allocate_array(p, 2 * sizeof(double));
	f->score = rs_mul_size(2 * all + 4, all, &room) ? rs_allocate_array(room, sizeof(double)) : NULL;
	if (!f->lower || !f->x || !f->mean || !f->score)
		return rs_error_memory(err, n * (p + 2) * sizeof(double), "a model of times");
	f->upper = f->lower + n;
	f->deviation = f->mean + p;
	f->step = f->score + all;
	f->trial = f->step + all;
	f->row = f->trial + all;
	f->information = f->row + all;
	f->outer = f->information + all * all;
	size_t right = 0, left = 0;
	for (size_t i = 0; i < n; i++) {
		RS_TRY(read_row(f, i, err));
		right += f->upper[i] == INFINITY;
		left += f->lower[i] == -INFINITY;
	}
	if (right == n || left == n)
		return rs_error_set(err, RS_NOT_FOUND, "all %zu subjects are censored on the %s", n,
		                    right == n ? "right" : "left");
	return standardise(f, err);
}

static void add_row(struct fitting *f, const struct contribution *c, const double *x, double weight)
{
	size_t m = f->size, p = f->columns;
	f->value += weight * c->value;
	for (size_t j = 0; j < m; j++)
		f->row[j] = j > p ? c->tau : c->eta * (j ? x[j - 1] : 1);
	for (size_t j = 0; j < m; j++) {
		f->score[j] += weight * f->row[j];
		for (size_t k = 0; k <= j; k++) {
			double first = j > p ? 1 : j ? x[j - 1] : 1, second = k > p ? 1 : k ? x[k - 1] : 1;
			double curve = k > p ? c->tau_tau : j > p ? c->eta_tau : c->eta_eta;
			f->information[j * m + k] -= weight * curve * first * second;
			f->outer[j * m + k] += weight * f->row[j] * f->row[k];
		}
	}
}

static void evaluate(struct fitting *f, const double *parameters)
{
	size_t n = f->data->count, p = f->columns;
	double scale = f->family->scale > 0 ? f->family->scale : exp(parameters[p + 1]);
	f->value = f->jacobian;
	memset(f->score, 0, f->size * sizeof *f->score);
	memset(f->information, 0, f->size * f->size * sizeof *f->information);
	memset(f->outer, 0, f->size * f->size * sizeof *f->outer);
	for (size_t i = 0; i < n; i++) {
		const double *x = f->x + i * f->data->columns;
		double eta = parameters[0];
		for (size_t j = 0; j < p; j++)
			eta += parameters[j + 1] * x[j];
		double low = (f->lower[i] - eta) / scale, high = (f->upper[i] - eta) / scale;
		struct contribution c = low == high ? error_seen(f->family->kind, low, scale)
		                                    : error_between(f->family->kind, low, high, scale);
		add_row(f, &c, x, f->data->weight ? f->data->weight[i] : 1);
	}
}

/* Along a step of either matrix, halved until the likelihood grows. False when it does not. */
static bool advance(struct fitting *f, double *parameters, const double *matrix, double *work)
{
	size_t m = f->size;
	double before = f->value, *step = f->step;
	memcpy(work, matrix, m * m * sizeof *work);
	rs_ldl(work, m, ALIASED);
	memcpy(step, f->score, m * sizeof *step);
	rs_ldl_solve(work, m, step);
	for (unsigned halvings = 0; halvings < 20; halvings++) {
		for (size_t j = 0; j < m; j++)
			f->trial[j] = parameters[j] + step[j];
		evaluate(f, f->trial);
		if (f->value >= before - SETTLED * fabs(before)) {
			memcpy(parameters, f->trial, m * sizeof *parameters);
			return true;
		}
		for (size_t j = 0; j < m; j++)
			step[j] *= 0.5;
	}
	evaluate(f, parameters);
	return false;
}

/* Columns may be aliased; the scale, last, may not. */
static bool is_definite(const struct fitting *f, double *work)
{
	size_t last = f->size - 1;
	memcpy(work, f->information, f->size * f->size * sizeof *work);
	size_t rank = rs_ldl(work, f->size, ALIASED);
	if (f->family->scale == 0 && !(work[last * f->size + last] > 0))
		return false;
	memcpy(work, f->outer, f->size * f->size * sizeof *work);
	return rank == rs_ldl(work, f->size, ALIASED);
}

/* Twice what a step of Newton's would gain. */
static double decrement(struct fitting *f, double *work)
{
	double sum = 0;
	memcpy(work, f->information, f->size * f->size * sizeof *work);
	rs_ldl(work, f->size, ALIASED);
	memcpy(f->step, f->score, f->size * sizeof *f->step);
	rs_ldl_solve(work, f->size, f->step);
	for (size_t j = 0; j < f->size; j++)
		sum += f->step[j] * f->score[j];
	return sum;
}

static bool search(struct fitting *f, double *parameters, double *work)
{
	evaluate(f, parameters);
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		double before = f->value, largest = 0;
		bool definite = is_definite(f, work);
		if (!(definite && advance(f, parameters, f->information, work)) &&
		    !advance(f, parameters, f->outer, work))
			return definite && decrement(f, work) <= 1e-9 * (1 + fabs(f->value));
		for (size_t j = 0; j < f->size; j++)
			largest = fmax(largest, fabs(f->step[j]) / (1 + fabs(parameters[j])));
		if (fabs(f->value - before) <= SETTLED * (1 + fabs(f->value)) && largest < 1e-6)
			return true;
	}
	return false;
}

/* Mean and spread of y, ends that are infinite left out. */
static void start(const struct fitting *f, double *parameters)
{
	double sum = 0, squares = 0, n = (double)f->data->count;
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < f->data->count; i++) {
			double y = isinf(f->upper[i])   ? f->lower[i]
			           : isinf(f->lower[i]) ? f->upper[i]
			                                : 0.5 * (f->lower[i] + f->upper[i]);
			if (turn == 0)
				sum += y / n;
			else
				squares += (y - sum) * (y - sum) / n;
		}
	parameters[0] = sum + (f->family->kind == ERROR_EXTREME ? 0.5 : 0) * sqrt(squares);
	parameters[1] = squares > 0 ? 0.5 * log(squares) : 0;
}

/* From standardised columns to those given. map: rows of the new parameters by the old ones. */
static void unscale(const struct fitting *f, const double *parameters, const double *inverse,
                    struct rs_parametric_model *model, double *map)
{
	size_t p = f->data->columns, m = f->size, all = p + 2;
	memset(map, 0, all * all * sizeof *map);
	map[0] = 1;
	for (size_t j = 0; j < p; j++) {
		bool used = inverse[(j + 1) * m + j + 1] > 0;
		map[j + 1] = used ? -f->mean[j] / f->deviation[j] : 0;
		map[(j + 1) * all + j + 1] = used ? 1 / f->deviation[j] : 0;
	}
	if (m == all)
		map[(p + 1) * all + p + 1] = 1;
	for (size_t a = 0; a < all; a++) {
		for (size_t j = 0; j <= p; j++)
			if (a <= p)
				model->coefficients[a] += map[a * all + j] * parameters[j];
		for (size_t b = 0; b < all; b++)
			for (size_t j = 0; j < m; j++)
				for (size_t k = 0; k < m; k++)
					model->variance[a * all + b] += map[a * all + j] *
					                                inverse[j * m + k] * map[b * all + k];
	}
}

/* work: 3 × (columns + 2)² + columns + 2 */
static void fit(struct fitting *f, double *work, struct rs_parametric_model *model)
{
	size_t p = f->data->columns, all = p + 2;
	bool fixed = f->family->scale > 0;
	double *parameters = work, *inverse = work + all, *spare = inverse + all * all,
	       *map = spare + all * all;
	start(f, parameters);
	f->columns = 0;
	f->size = fixed ? 1 : 2;
	search(f, parameters, spare);
	model->log_likelihood[0] = f->value;
	f->columns = p;
	f->size = p + (fixed ? 1 : 2);
	double log_scale = parameters[1];
	memset(&parameters[1], 0, p * sizeof *parameters);
	parameters[p + 1] = log_scale;
	model->converged = search(f, parameters, spare);
	model->log_likelihood[1] = f->value;
	model->scale = fixed ? f->family->scale : exp(parameters[p + 1]);
	rs_ldl(f->information, f->size, ALIASED);
	rs_ldl_inverse(f->information, f->size, inverse);
	unscale(f, parameters, inverse, model, map);
}

void rs_parametric_model_finish(struct rs_parametric_model *model)
{
	rs_free(model->coefficients);
	rs_free(model->variance);
	*model = (struct rs_parametric_model){0};
}

enum rs_code rs_parametric_fit(const struct rs_parametric_data *data,
                               enum rs_parametric_distribution distribution, struct rs_parametric_model *out,
                               struct rs_error *err)
{
	size_t all, room;
	struct fitting f RS_CLEANUP(fitting_finish) = {.family = &families[distribution], .data = data};
	struct rs_parametric_model model RS_CLEANUP(rs_parametric_model_finish) = {
		.distribution = distribution, .columns = data->columns};
	if (!rs_add_size(data->columns, 2, &all) || !rs_mul_size(3 * all + 1, all, &room))
		return rs_error_set(err, RS_TOO_LARGE, "%zu columns", data->columns);
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *work);
	model.coefficients = rs_allocate_array(data->columns + 1, sizeof(double));
	model.variance = rs_allocate_array(all, all * sizeof(double));
	if (!work || !model.coefficients || !model.variance)
		return rs_error_memory(err, room * sizeof *work, "a model of times");
	RS_TRY(prepare(&f, err));
	fit(&f, work, &model);
	*out = model;
	model = (struct rs_parametric_model){0};
	return RS_OK;
}

static double linear_predictor(const struct rs_parametric_model *model, const double *x)
{
	double sum = model->coefficients[0];
	for (size_t j = 0; j < model->columns; j++)
		sum += model->coefficients[j + 1] * x[j];
	return sum;
}

void rs_parametric_quantile(const struct rs_parametric_model *model, const double *x, double p, double level,
                            double *out, double *out_lower, double *out_upper)
{
	const struct family *family = &families[model->distribution];
	size_t all = model->columns + 2;
	double far = model->scale * error_quantile(family->kind, p), variance = 0;
	double y = linear_predictor(model, x) + far, z = rs_normal_quantile(0.5 + 0.5 * level);
	for (size_t a = 0; a < all; a++)
		for (size_t b = 0; b < all; b++) {
			double first = a + 1 == all ? far : a ? x[a - 1] : 1;
			double second = b + 1 == all ? far : b ? x[b - 1] : 1;
			variance += first * model->variance[a * all + b] * second;
		}
	double ends[3] = {y, y - z * sqrt(variance), y + z * sqrt(variance)};
	for (size_t i = 0; family->of_log && i < RS_COUNT(ends); i++)
		ends[i] = exp(ends[i]);
	*out = ends[0];
	*out_lower = ends[1];
	*out_upper = ends[2];
}

double rs_parametric_survival(const struct rs_parametric_model *model, const double *x, double time)
{
	const struct family *family = &families[model->distribution];
	if (family->of_log && !(time > 0))
		return 1;
	double y = family->of_log ? log(time) : time;
	return error_upper(family->kind, (y - linear_predictor(model, x)) / model->scale);
}
