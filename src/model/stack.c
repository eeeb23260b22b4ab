#include "model/model_stack.h"

#include <math.h>

#include "recipe/recipe_linear.h"
#include "model/model_merit.h"

#define EDGE 1e-6 /* probabilities nearer to 0 and 1 say no more than this */

static double linked(const struct rs_model_shape *shape, double score)
{
	if (shape->target == RS_TARGET_SURVIVAL)
		return score;
	double p = fmin(fmax(score, EDGE), 1 - EDGE);
	return log(p / (1 - p));
}

/* ---- one number for each part ---- */

static void scale_part(const struct rs_model_shape *shape, const double *score, size_t rows, double *out_mean,
                       double *out_deviation)
{
	double n = 0, sum = 0, squares = 0;
	for (size_t i = 0; i < rows; i++)
		if (!isnan(score[i])) {
			n++;
			sum += linked(shape, score[i]);
		}
	double mean = n > 0 ? sum / n : 0;
	for (size_t i = 0; i < rows; i++)
		if (!isnan(score[i]))
			squares += (linked(shape, score[i]) - mean) * (linked(shape, score[i]) - mean);
	*out_mean = mean;
	*out_deviation = n > 1 && squares > 1e-12 * n ? sqrt(squares / n) : 0;
}

static double scaled(const struct rs_stack *stack, const struct rs_model_shape *shape, size_t part,
                     double score)
{
	if (isnan(score) || stack->deviation[part] <= 0)
		return 0;
	return (linked(shape, score) - stack->mean[part]) / stack->deviation[part];
}

/* Weights of the parts that are still in; the others' stay 0. False when one came out negative, and is out now. */
static enum rs_code weigh_parts(const struct rs_lesson *lesson, const size_t *in, struct rs_stack *stack,
                                bool *out_done, struct rs_error *err)
{
	bool survival = lesson->shape.target == RS_TARGET_SURVIVAL;
	const struct rs_learner *learner = survival ? &rs_learner_cox : &rs_learner_ridge;
	struct rs_linear linear RS_CLEANUP(rs_linear_finish) = {0};
	struct rs_options options;
	rs_options_init(learner->settings, learner->options_size, &options);
	rs_options_set(learner->settings, "penalty", survival ? 0 : 1, &options);
	RS_TRY(learner->fit(lesson, &options, NULL, &linear, err));
	*out_done = true;
	for (size_t k = 0; k < lesson->shape.columns; k++) {
		stack->weight[in[k]] = fmax(linear.coefficients[k], 0);
		if (linear.coefficients[k] < 0)
			*out_done = false;
	}
	stack->intercept = linear.coefficients[lesson->shape.columns];
	return RS_OK;
}

static enum rs_code fit_single(const struct rs_model_shape *shape, double *const *scores, size_t rows,
                               const uint8_t *outcome, const double *time, struct rs_stack *stack,
                               struct rs_error *err)
{
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, stack->count * sizeof *x);
	bool done = false, out[RS_PARTS_MAX] = {0};
	if (!x)
		return rs_error_memory(err, rows * stack->count * sizeof *x, "fusion");
	for (size_t p = 0; p < stack->count; p++)
		scale_part(shape, scores[p], rows, &stack->mean[p], &stack->deviation[p]);
	while (!done) {
		size_t in[RS_PARTS_MAX], count = 0;
		for (size_t p = 0; p < stack->count; p++) {
			if (out[p] || stack->deviation[p] <= 0)
				continue;
			for (size_t i = 0; i < rows; i++)
				x[count * rows + i] = scaled(stack, shape, p, scores[p][i]);
			in[count++] = p;
		}
		const struct rs_lesson lesson = {.shape = {shape->target, shape->classes, count},
		                                 .rows = rows,
		                                 .x = x,
		                                 .outcome = outcome,
		                                 .time = time};
		RS_TRY(weigh_parts(&lesson, in, stack, &done, err));
		for (size_t k = 0; k < count; k++)
			out[in[k]] = stack->weight[in[k]] <= 0;
	}
	return RS_OK;
}

/* ---- several classes ---- */

static enum rs_code fit_several(const struct rs_model_shape *shape, double *const *scores, size_t rows,
                                const uint8_t *outcome, struct rs_stack *stack, struct rs_error *err)
{
	size_t width = shape->classes;
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, width * sizeof *score), sum = 0;
	uint8_t *label RS_CLEANUP(rs_free_pointer) = rs_allocate(rows);
	if (!score || !label)
		return rs_error_memory(err, rows * width * sizeof *score, "fusion");
	for (size_t p = 0; p < stack->count; p++) {
		size_t count = 0;
		double merit = NAN;
		for (size_t i = 0; i < rows; i++) {
			if (isnan(scores[p][i * width]))
				continue;
			for (size_t k = 0; k < width; k++)
				score[count * width + k] = scores[p][i * width + k];
			label[count++] = outcome[i];
		}
		const struct rs_judged judged = {shape->target, shape->classes, count, label,
		                                 NULL,          score,          NULL};
		if (count > 0)
			RS_TRY(rs_judged_merit(&judged, &merit, err));
		stack->weight[p] = merit > 0.5 ? merit - 0.5 : 0;
		sum += stack->weight[p];
	}
	for (size_t p = 0; p < stack->count && sum <= 0; p++)
		stack->weight[p] = 1;
	return RS_OK;
}

enum rs_code rs_stack_fit(const struct rs_model_shape *shape, double *const *scores, size_t parts,
                          size_t rows, const uint8_t *outcome, const double *time, struct rs_stack *out,
                          struct rs_error *err)
{
	struct rs_stack stack = {.count = parts};
	RS_TRY(rs_model_shape_width(shape) > 1 ? fit_several(shape, scores, rows, outcome, &stack, err)
	                                       : fit_single(shape, scores, rows, outcome, time, &stack, err));
	*out = stack;
	return RS_OK;
}

void rs_stack_score(const struct rs_stack *stack, const struct rs_model_shape *shape,
                    const double *const *scores, double *out)
{
	size_t width = rs_model_shape_width(shape);
	double all = 0, here = 0;
	for (size_t p = 0; p < stack->count; p++) {
		all += stack->weight[p];
		here += isnan(*scores[p]) ? 0 : stack->weight[p];
	}
	for (size_t k = 0; k < width; k++) {
		double sum = 0;
		for (size_t p = 0; p < stack->count; p++)
			if (!isnan(*scores[p]))
				sum += stack->weight[p] *
				       (width > 1 ? scores[p][k] : scaled(stack, shape, p, *scores[p]));
		if (width > 1)
			out[k] = here > 0 ? sum / here : 1 / (double)width;
		else
			out[k] = stack->intercept + (here > 0 ? sum * (all / here) : 0);
	}
	if (shape->target == RS_TARGET_BINARY)
		*out = 1 / (1 + exp(-*out));
}
