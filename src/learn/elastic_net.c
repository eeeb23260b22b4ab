/* Paths: the lambdas, a model at each, coefficients for columns as they were given. */
#include "elastic_net.h"

#include <math.h>
#include <string.h>

void rs_elastic_net_path_finish(struct rs_elastic_net_path *path)
{
	rs_free(path->lambdas);
	rs_free(path->explained);
	rs_free(path->coefficients);
	rs_free(path->at);
	*path = (struct rs_elastic_net_path){0};
}

void target_finish(struct target *target)
{
	void *const blocks[] = {target->residual, target->curvature, target->extra_weight,
	                        target->labels,   target->class_at,  target->thresholds,
	                        target->low,      target->high,      target->information,
	                        target->slope,    target->trial,     target->order,
	                        target->first,    target->last,      target->dying,
	                        target->at_risk,  target->risk};
	for (size_t i = 0; i < RS_COUNT(blocks); i++)
		rs_free(blocks[i]);
	*target = (struct target){0};
}

enum rs_code target_init(struct target *target, const struct rs_elastic_net_data *data,
                         const struct standard *standard, struct rs_error *err)
{
	*target = (struct target){.rows = standard->rows, .weight = standard->weight};
	target->residual = rs_allocate_array(standard->stride, sizeof(double));
	target->curvature = rs_allocate_array(standard->stride, sizeof(double));
	if (!target->residual || !target->curvature)
		return rs_error_memory(err, standard->stride * sizeof(double), "a linear model");
	return data->labels ? target_init_classes(target, data, err)
	                    : target_init_survival(target, data, err);
}

static enum rs_code check_options(const struct rs_elastic_net_options *options, struct rs_error *err)
{
	if (!(options->mixing >= 0 && options->mixing <= 1))
		return rs_error_set(err, RS_USAGE, "the mixing of an elastic net lies within 0 and 1");
	if (!(options->smallest_lambda >= 0 && options->smallest_lambda < 1) || options->threshold < 0)
		return rs_error_set(err, RS_USAGE, "the smallest lambda is a share of the largest below 1");
	for (size_t i = 0; options->lambdas && i < options->lambda_count; i++)
		if (!isfinite(options->lambdas[i]) || options->lambdas[i] < 0 ||
		    (i > 0 && options->lambdas[i] >= options->lambdas[i - 1]))
			return rs_error_set(err, RS_USAGE, "lambda %zu is not below the one before", i + 1);
	return RS_OK;
}

static enum rs_code path_init(struct rs_elastic_net_path *path, const struct rs_elastic_net_data *data,
                              const struct rs_elastic_net_options *options, struct rs_error *err)
{
	size_t count = options->lambda_count ? options->lambda_count : 100;
	path->columns = data->x->columns;
	path->thresholds = data->labels ? data->classes - 1 : 0;
	path->settled = true;
	path->lambdas = rs_allocate_array(count, sizeof(double));
	path->explained = rs_allocate_array(count, sizeof(double));
	size_t cells;
	if (rs_mul_size(count, path->columns, &cells))
		path->coefficients = rs_allocate_array(cells, sizeof(double));
	path->at = rs_allocate_array(count, path->thresholds * sizeof(double));
	if (!path->lambdas || !path->explained || !path->coefficients || !path->at)
		return rs_error_memory(err, count * path->columns * sizeof(double), "a path of models");
	return RS_OK;
}

static void store(const struct net *net, double null_loss, struct rs_elastic_net_path *path)
{
	const struct standard *s = net->standard;
	const struct target *t = net->target;
	double *coefficients = &path->coefficients[path->count * path->columns], shift = 0;
	double *at = &path->at[path->count * path->thresholds];
	for (size_t c = 0; c < s->columns; c++) {
		coefficients[c] = net->beta[c] != 0 ? net->beta[c] / s->deviation[c] : 0;
		shift += coefficients[c] * s->mean[c];
	}
	for (uint32_t k = 0, class = 0; class < path->thresholds; class ++) {
		while (k < t->classes && t->class_at[k] <= class)
			k++; /* how many of the fitted classes are at or below this one */
		at[class] = k == 0 ? -INFINITY : k == t->classes ? INFINITY : t->thresholds[k - 1] + shift;
	}
	double range = null_loss - t->saturated;
	path->explained[path->count] = range > 0 ? (null_loss - net->loss) / range : 0;
	path->count++;
}

/* As glmnet ends its paths: where more explains no more, or hardly anything is left to explain. */
static bool is_enough(const struct rs_elastic_net_path *path, bool survival)
{
	const double *explained = path->explained;
	size_t n = path->count;
	if (n < 5)
		return false;
	double last = explained[n - 1];
	bool flat = survival ? last - explained[n - 5] < 1e-3 * last : last - explained[n - 2] < 1e-5;
	return flat || last > 0.999;
}

/* The step from one made lambda to the next. */
static double ratio_of(const struct rs_elastic_net_data *data, const struct rs_elastic_net_options *options,
                       size_t count)
{
	double smallest = options->smallest_lambda > 0       ? options->smallest_lambda
	                  : data->x->rows < data->x->columns ? 0.01
	                                                     : 1e-4;
	return pow(smallest, 1 / (double)(count > 1 ? count - 1 : 1));
}

static enum rs_code follow(struct net *net, const struct rs_elastic_net_data *data,
                           const struct rs_elastic_net_options *options, struct rs_elastic_net_path *path,
                           struct rs_error *err)
{
	double null_loss = net->loss;
	RS_TRY(net_move(net, INFINITY, INFINITY, err));
	size_t count = options->lambda_count ? options->lambda_count : 100;
	double before = net_largest_lambda(net), lambda = before, ratio = ratio_of(data, options, count);
	if (!options->lambdas && !(before > 0))
		count = 1; /* no column varies: there is nothing to choose from */
	for (size_t i = 0; i < count; i++) {
		lambda = options->lambdas ? options->lambdas[i] : i == 0 ? before : before * ratio;
		RS_TRY(net_move(net, fmax(before, lambda), lambda, err));
		path->lambdas[i] = lambda;
		store(net, null_loss, path);
		before = lambda;
		if (!options->lambdas && is_enough(path, !data->labels))
			break;
	}
	path->settled = net->settled;
	return RS_OK;
}

enum rs_code rs_elastic_net_fit(const struct rs_elastic_net_data *data,
                                const struct rs_elastic_net_options *options, struct rs_elastic_net_path *out,
                                struct rs_error *err)
{
	struct standard standard RS_CLEANUP(standard_finish) = {0};
	struct target target RS_CLEANUP(target_finish) = {0};
	struct net net RS_CLEANUP(net_finish) = {0};
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	if (data->labels && (data->classes < 2 || data->classes > 4096))
		return rs_error_set(err, RS_USAGE, "a linear model of classes has 2 … 4096 of them");
	RS_TRY(check_options(options, err));
	RS_TRY(standard_init(&standard, data, options, err));
	RS_TRY(target_init(&target, data, &standard, err));
	RS_TRY(net_init(&net, &standard, &target, options, err));
	RS_TRY(path_init(&path, data, options, err));
	RS_TRY(follow(&net, data, options, &path, err));
	*out = path;
	path = (struct rs_elastic_net_path){0};
	return RS_OK;
}

double rs_elastic_net_predictor(const struct rs_elastic_net_path *path, size_t lambda, const double *x,
                                size_t step)
{
	const double *coefficients = &path->coefficients[lambda * path->columns];
	double sum = 0;
	for (size_t c = 0; c < path->columns; c++)
		if (coefficients[c] != 0)
			sum += coefficients[c] * x[c * step];
	return sum;
}

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

void rs_elastic_net_classes(const struct rs_elastic_net_path *path, size_t lambda, double predictor,
                            double *out)
{
	const double *at = &path->at[lambda * path->thresholds];
	double before = 0;
	for (size_t k = 0; k < path->thresholds; k++) {
		double up_to = logistic(at[k] - predictor);
		out[k] = up_to - before;
		before = up_to;
	}
	out[path->thresholds] = path->thresholds ? logistic(predictor - at[path->thresholds - 1]) : 1;
}
