/* Cross-validation along a path: every fold is fitted at the lambdas of the path of all rows. */
#include <math.h>
#include <string.h>

#include "elastic_net.h"

#define PROBABILITY_MIN 1e-5 /* as glmnet has it; one certain error would else decide alone */

void rs_elastic_net_validation_finish(struct rs_elastic_net_validation *validation)
{
	rs_free(validation->deviance);
	rs_free(validation->error);
	*validation = (struct rs_elastic_net_validation){0};
}

struct validating {
	const struct rs_elastic_net_data *data;
	const struct rs_elastic_net_options *options;
	const struct rs_elastic_net_path *path;
	const uint32_t *fold;
	double *deviance, *weight; /* by fold, then lambda: per weight; by fold */
};

/* A copy of rows. */
struct part {
	struct rs_matrix x;
	double *values, *weight, *time;
	uint32_t *labels, *stratum;
	uint8_t *event;
	struct rs_elastic_net_data data;
};

static void part_finish(struct part *part)
{
	rs_free(part->values);
	rs_free(part->weight);
	rs_free(part->time);
	rs_free(part->labels);
	rs_free(part->stratum);
	rs_free(part->event);
}

static enum rs_code part_allocate(struct part *part, size_t rows, size_t columns, struct rs_error *err)
{
	part->values = rs_allocate_array(columns, rows * sizeof *part->values);
	part->weight = rs_allocate_array(rows, sizeof *part->weight);
	part->time = rs_allocate_array(rows, sizeof *part->time);
	part->labels = rs_allocate_array(rows, sizeof *part->labels);
	part->stratum = rs_allocate_array(rows, sizeof *part->stratum);
	part->event = rs_allocate_array(rows, sizeof *part->event);
	if (!part->values || !part->weight || !part->time || !part->labels || !part->stratum || !part->event)
		return rs_error_memory(err, rows * columns * sizeof *part->values, "a fold");
	part->x = (struct rs_matrix){rows, columns, part->values};
	return RS_OK;
}

static void part_take(struct part *part, const struct rs_elastic_net_data *from, const uint32_t *fold,
                      uint32_t without)
{
	size_t rows = from->x->rows, taken = 0;
	for (size_t r = 0; r < rows; r++) {
		if (fold[r] == without)
			continue;
		for (size_t c = 0; c < from->x->columns; c++)
			part->values[c * part->x.rows + taken] = from->x->values[c * rows + r];
		part->weight[taken] = from->weight ? from->weight[r] : 1;
		if (from->labels) {
			part->labels[taken] = from->labels[r];
		} else {
			part->time[taken] = from->time[r];
			part->event[taken] = from->event[r];
			part->stratum[taken] = from->stratum ? from->stratum[r] : 0;
		}
		taken++;
	}
	part->data = (struct rs_elastic_net_data){
		.x = &part->x,
		.weight = part->weight,
		.labels = from->labels ? part->labels : NULL,
		.classes = from->classes,
		.unordered = from->unordered,
		.time = part->time,
		.event = part->event,
		.stratum = part->stratum,
	};
}

static double class_deviance(const struct validating *v, const struct rs_elastic_net_path *path,
                             size_t lambda, uint32_t fold, double *probabilities)
{
	const struct rs_elastic_net_data *data = v->data;
	double sum = 0, weight = 0;
	for (size_t r = 0; r < data->x->rows; r++) {
		if (v->fold[r] != fold)
			continue;
		double own = data->weight ? data->weight[r] : 1;
		rs_elastic_net_classes(path, lambda, &data->x->values[r], data->x->rows, probabilities);
		double p = fmin(fmax(probabilities[data->labels[r]], PROBABILITY_MIN), 1 - PROBABILITY_MIN);
		sum -= 2 * own * log(p);
		weight += own;
	}
	return sum / weight;
}

/* Twice the loss by which a path's model falls short of the best there could be, for all the weight of the rows. */
static enum rs_code survival_deviance(const struct rs_elastic_net_data *data,
                                      const struct rs_elastic_net_path *path, double *out,
                                      struct rs_error *err)
{
	size_t rows = data->x->rows;
	struct target target RS_CLEANUP(target_finish) = {0};
	double *predictor RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *predictor);
	double *weight RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *weight);
	if (!predictor || !weight)
		return rs_error_memory(err, rows * sizeof *predictor, "a fold");
	for (size_t r = 0; r < rows; r++)
		weight[r] = data->weight ? data->weight[r] : 1;
	const struct standard standard = {.rows = rows, .stride = padded(rows), .weight = weight};
	RS_TRY(target_init(&target, data, &standard, err));
	for (size_t i = 0; i < path->count; i++) {
		for (size_t r = 0; r < rows; r++)
			predictor[r] = path_predictor(path, i, 0, &data->x->values[r], rows);
		out[i] = 2 * (target.evaluate(&target, predictor) - target.saturated);
	}
	return RS_OK;
}

static enum rs_code judge(const struct validating *v, const struct part *part,
                          const struct rs_elastic_net_path *path, uint32_t fold, struct rs_error *err)
{
	double *out = &v->deviance[fold * v->path->count];
	size_t size = path->count > path->thresholds + 1 ? path->count : path->thresholds + 1;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size, sizeof *work);
	if (!work)
		return rs_error_memory(err, size * sizeof *work, "a fold");
	for (size_t i = 0; v->data->labels && i < path->count; i++)
		out[i] = class_deviance(v, path, i, fold, work);
	if (v->data->labels)
		return RS_OK;
	RS_TRY(survival_deviance(v->data, path, out, err));
	RS_TRY(survival_deviance(&part->data, path, work, err));
	for (size_t i = 0; i < path->count && v->weight[fold] > 0; i++)
		out[i] = (out[i] - work[i]) / v->weight[fold];
	return RS_OK;
}

static enum rs_code run_fold(void *context, size_t index, struct rs_error *err)
{
	const struct validating *v = context;
	const struct rs_matrix *x = v->data->x;
	struct part part RS_CLEANUP(part_finish) = {.values = NULL};
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	struct rs_elastic_net_options options = *v->options;
	size_t rows = 0;
	for (size_t r = 0; r < x->rows; r++)
		rows += v->fold[r] != index;
	if (rows == x->rows)
		return RS_OK;
	options.lambdas = v->path->lambdas;
	options.lambda_count = v->path->count;
	RS_TRY(part_allocate(&part, rows, x->columns, err));
	part_take(&part, v->data, v->fold, (uint32_t)index);
	enum rs_code code = rs_elastic_net_fit(&part.data, &options, &path, err);
	if (code == RS_OK)
		code = judge(v, &part, &path, (uint32_t)index, err);
	if (code != RS_OK)
		rs_error_context(err, "fold %zu", index + 1);
	return code;
}

/* What a fold counts: the weight of its rows, of survival of its events. */
static void weigh_folds(struct validating *v)
{
	for (size_t r = 0; r < v->data->x->rows; r++)
		if (v->data->labels || v->data->event[r])
			v->weight[v->fold[r]] += v->data->weight ? v->data->weight[r] : 1;
}

static void summarise(const struct validating *v, uint32_t folds, struct rs_elastic_net_validation *out)
{
	size_t count = v->path->count;
	double total = 0, used = 0;
	for (uint32_t f = 0; f < folds; f++) {
		total += v->weight[f];
		used += v->weight[f] > 0;
	}
	for (size_t i = 0; i < count; i++) {
		double mean = 0, spread = 0;
		for (uint32_t f = 0; f < folds; f++)
			mean += v->weight[f] * v->deviance[f * count + i] / total;
		for (uint32_t f = 0; f < folds; f++) {
			double away = v->deviance[f * count + i] - mean;
			spread += v->weight[f] * away * away / total;
		}
		out->deviance[i] = mean;
		out->error[i] = used > 1 ? sqrt(spread / (used - 1)) : 0;
		if (mean < out->deviance[out->best])
			out->best = i;
	}
	double within = out->deviance[out->best] + out->error[out->best];
	while (out->deviance[out->sparsest] > within)
		out->sparsest++;
}

enum rs_code rs_elastic_net_validate(const struct rs_elastic_net_data *data,
                                     const struct rs_elastic_net_options *options, const uint32_t *fold,
                                     uint32_t folds, struct rs_pool *pool, struct rs_elastic_net_path *out,
                                     struct rs_elastic_net_validation *out_validation, struct rs_error *err)
{
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	struct rs_elastic_net_validation validation RS_CLEANUP(rs_elastic_net_validation_finish) = {0};
	for (size_t r = 0; r < data->x->rows; r++)
		if (fold[r] >= folds)
			return rs_error_set(err, RS_USAGE, "row %zu: there is no fold %u", r + 1, fold[r]);
	RS_TRY(rs_elastic_net_fit(data, options, &path, err));
	double *deviance RS_CLEANUP(rs_free_pointer) = rs_allocate_array(folds,
	                                                                 path.count * sizeof *deviance);
	double *weight RS_CLEANUP(rs_free_pointer) = rs_allocate_array(folds, sizeof *weight);
	validation.deviance = rs_allocate_array(path.count, sizeof(double));
	validation.error = rs_allocate_array(path.count, sizeof(double));
	if (!deviance || !weight || !validation.deviance || !validation.error)
		return rs_error_memory(err, folds * path.count * sizeof *deviance, "cross-validation");
	struct validating validating = {data, options, &path, fold, deviance, weight};
	weigh_folds(&validating);
	RS_TRY(rs_pool_for(pool, folds, run_fold, &validating, err));
	summarise(&validating, folds, &validation);
	*out = path;
	*out_validation = validation;
	path = (struct rs_elastic_net_path){0};
	validation = (struct rs_elastic_net_validation){0};
	return RS_OK;
}
