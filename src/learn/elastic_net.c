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

enum rs_code target_prepare(struct target *target, const struct standard *standard, struct rs_error *err)
{
	*target = (struct target){.rows = standard->rows, .weight = standard->weight};
	target->residual = rs_allocate_array(standard->stride, sizeof(double));
	target->curvature = rs_allocate_array(standard->stride, sizeof(double));
	if (!target->residual || !target->curvature)
		return rs_error_memory(err, standard->stride * sizeof(double), "a linear model");
	return RS_OK;
}

enum rs_code target_init(struct target *target, const struct rs_elastic_net_data *data,
                         const struct standard *standard, struct rs_error *err)
{
	RS_TRY(target_prepare(target, standard, err));
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

static bool is_several(const struct rs_elastic_net_data *data)
{
	return data->labels && data->unordered && data->classes > 2;
}

static enum rs_code path_init(struct rs_elastic_net_path *path, const struct rs_elastic_net_data *data,
                              const struct rs_elastic_net_options *options, struct rs_error *err)
{
	size_t count = options->lambda_count ? options->lambda_count : 100;
	path->columns = data->x->columns;
	path->outputs = is_several(data) ? data->classes : 1;
	path->thresholds = is_several(data) ? data->classes : data->labels ? data->classes - 1 : 0;
	path->settled = true;
	path->lambdas = rs_allocate_array(count, sizeof(double));
	path->explained = rs_allocate_array(count, sizeof(double));
	size_t cells;
	if (rs_mul_size(count * path->outputs, path->columns, &cells))
		path->coefficients = rs_allocate_array(cells, sizeof(double));
	path->at = rs_allocate_array(count, path->thresholds * sizeof(double));
	if (!path->lambdas || !path->explained || !path->coefficients || !path->at)
		return rs_error_memory(err, count * path->columns * sizeof(double), "a path of models");
	return RS_OK;
}

/* Either one net, or several. */
struct model {
	struct net net;
	struct several several;
};

static struct net *model_nets(struct model *model, size_t *out_count)
{
	*out_count = model->several.count ? model->several.count : 1;
	return model->several.count ? model->several.nets : &model->net;
}

static enum rs_code model_move(struct model *model, double before, double lambda, struct rs_error *err)
{
	return model->several.count ? several_move(&model->several, before, lambda, err)
	                            : net_move(&model->net, before, lambda, err);
}

static double model_largest_lambda(struct model *model)
{
	size_t count;
	const struct net *nets = model_nets(model, &count);
	double largest = 0;
	for (size_t k = 0; k < count; k++)
		largest = fmax(largest, net_largest_lambda(&nets[k]));
	return largest;
}

/* For columns as given. Returns Σ coefficient × mean. */
static double store_coefficients(const struct net *net, double *out)
{
	const struct standard *s = net->standard;
	double shift = 0;
	for (size_t c = 0; c < s->columns; c++) {
		out[c] = net->beta[c] != 0 ? net->beta[c] / s->deviation[c] : 0;
		shift += out[c] * s->mean[c];
	}
	return shift;
}

static void store_thresholds(const struct target *t, double shift, size_t count, double *at)
{
	for (uint32_t k = 0, class = 0; class < count; class ++) {
		while (k < t->classes && t->class_at[k] <= class)
			k++; /* how many of the fitted classes are at or below this one */
		at[class] = k == 0 ? -INFINITY : k == t->classes ? INFINITY : t->thresholds[k - 1] + shift;
	}
}

static void store_several(const struct several *s, double *coefficients, size_t classes, double *at)
{
	double mean = 0;
	for (size_t class = 0; class < classes; class ++)
		at[class] = -INFINITY;
	for (uint32_t k = 0; k < s->count; k++) {
		uint32_t class = s->class_at[k];
		at[class] = s->targets[k].intercept -
		            store_coefficients(&s->nets[k], &coefficients[class * s->standard->columns]);
		mean += at[class] / s->count;
	}
	for (uint32_t k = 0; k < s->count; k++)
		at[s->class_at[k]] -= mean;
}

static void store(struct model *model, double null_loss, struct rs_elastic_net_path *path)
{
	double *coefficients = &path->coefficients[path->count * path->outputs * path->columns];
	double *at = &path->at[path->count * path->thresholds];
	size_t nets;
	const struct net *last = model_nets(model, &nets) + nets - 1;
	if (model->several.count)
		store_several(&model->several, coefficients, path->thresholds, at);
	else
		store_thresholds(last->target, store_coefficients(last, coefficients), path->thresholds, at);
	double range = null_loss - last->target->saturated;
	path->explained[path->count] = range > 0 ? (null_loss - last->loss) / range : 0;
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

static enum rs_code follow(struct model *model, const struct rs_elastic_net_data *data,
                           const struct rs_elastic_net_options *options, struct rs_elastic_net_path *path,
                           struct rs_error *err)
{
	size_t nets, count = options->lambda_count ? options->lambda_count : 100;
	const struct net *first = model_nets(model, &nets);
	double null_loss = first->loss;
	RS_TRY(model_move(model, INFINITY, INFINITY, err));
	double before = model_largest_lambda(model), lambda = before, ratio = ratio_of(data, options, count);
	if (!options->lambdas && !(before > 0))
		count = 1; /* no column varies: there is nothing to choose from */
	for (size_t i = 0; i < count; i++) {
		lambda = options->lambdas ? options->lambdas[i] : i == 0 ? before : before * ratio;
		RS_TRY(model_move(model, fmax(before, lambda), lambda, err));
		path->lambdas[i] = lambda;
		store(model, null_loss, path);
		before = lambda;
		if (!options->lambdas && is_enough(path, !data->labels))
			break;
	}
	for (size_t k = 0; k < nets; k++)
		path->settled = path->settled && first[k].settled;
	return RS_OK;
}

static void model_finish(struct model *model)
{
	net_finish(&model->net);
	several_finish(&model->several);
}

enum rs_code rs_elastic_net_fit(const struct rs_elastic_net_data *data,
                                const struct rs_elastic_net_options *options, struct rs_elastic_net_path *out,
                                struct rs_error *err)
{
	struct standard standard RS_CLEANUP(standard_finish) = {0};
	struct target target RS_CLEANUP(target_finish) = {0};
	struct model model RS_CLEANUP(model_finish) = {.several = {.count = 0}};
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	if (data->labels && (data->classes < 2 || data->classes > 4096))
		return rs_error_set(err, RS_USAGE, "a linear model of classes has 2 … 4096 of them");
	RS_TRY(check_options(options, err));
	RS_TRY(standard_init(&standard, data, options, err));
	if (is_several(data)) {
		RS_TRY(several_init(&model.several, data, &standard, options, err));
	} else {
		RS_TRY(target_init(&target, data, &standard, err));
		RS_TRY(net_init(&model.net, &standard, &target, options, err));
	}
	RS_TRY(path_init(&path, data, options, err));
	RS_TRY(follow(&model, data, options, &path, err));
	*out = path;
	path = (struct rs_elastic_net_path){0};
	return RS_OK;
}

double path_predictor(const struct rs_elastic_net_path *path, size_t lambda, size_t output, const double *x,
                      size_t step)
{
	const double *coefficients = &path->coefficients[(lambda * path->outputs + output) * path->columns];
	double sum = 0;
	for (size_t c = 0; c < path->columns; c++)
		if (coefficients[c] != 0)
			sum += coefficients[c] * x[c * step];
	return sum;
}

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

static void share_out(const struct rs_elastic_net_path *path, size_t lambda, const double *x, size_t step,
                      double *out)
{
	double most = -INFINITY, sum = 0;
	for (size_t k = 0; k < path->outputs; k++) {
		out[k] = path->at[lambda * path->thresholds + k] + path_predictor(path, lambda, k, x, step);
		most = fmax(most, out[k]);
	}
	for (size_t k = 0; k < path->outputs; k++)
		sum += out[k] = exp(out[k] - most);
	for (size_t k = 0; k < path->outputs; k++)
		out[k] /= sum;
}

void rs_elastic_net_classes(const struct rs_elastic_net_path *path, size_t lambda, const double *x,
                            size_t step, double *out)
{
	const double *at = &path->at[lambda * path->thresholds];
	double before = 0, predictor = path_predictor(path, lambda, 0, x, step);
	if (path->outputs > 1) {
		share_out(path, lambda, x, step, out);
		return;
	}
	for (size_t k = 0; k < path->thresholds; k++) {
		double up_to = logistic(at[k] - predictor);
		out[k] = up_to - before;
		before = up_to;
	}
	out[path->thresholds] = path->thresholds ? logistic(predictor - at[path->thresholds - 1]) : 1;
}
