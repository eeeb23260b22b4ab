/* Elastic nets of classes, ranked classes and survival; folds of the training rows choose the penalty. */
#include <string.h>

#include "elastic.h"
#include "recipe/recipe_linear.h"

/* Of an ordinal target ranked. */
static enum rs_code take(const struct rs_model_shape *shape, const struct rs_elastic_net_path *path,
                         size_t lambda, struct rs_linear *out, struct rs_error *err)
{
	size_t columns = path->columns;
	bool several = shape->target == RS_TARGET_CLASSES;
	RS_TRY(rs_linear_init(shape, shape->target == RS_TARGET_ORDINAL, out, err));
	const double *b = &path->coefficients[lambda * path->outputs * columns];
	for (size_t k = 0; k < path->outputs; k++)
		memcpy(&out->coefficients[k * (columns + 1)], &b[k * columns], columns * sizeof *b);
	for (size_t k = 0; k < path->thresholds; k++) {
		double at = path->at[lambda * path->thresholds + k];
		out->coefficients[several ? k * (columns + 1) + columns : columns + k] =
			out->ranked || several ? at : -at;
	}
	return RS_OK;
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	size_t lambda;
	(void)own_scores;
	RS_TRY(elastic_fit(lesson, options, &path, &lambda, err));
	return take(&lesson->shape, &path, lambda, state, err);
}

static const struct rs_setting settings[] = {
	ELASTIC_SETTINGS(struct elastic_options, ELASTIC_BEST),
	{.name = NULL},
};
const struct rs_learner rs_learner_elastic_net = {
	.name = "elastic_net",
	.targets = RS_TARGET_BINARY | RS_TARGET_CLASSES | RS_TARGET_ORDINAL | RS_TARGET_SURVIVAL,
	.standardised = true,
	.needs_inputs = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(struct elastic_options),
	.state_size = sizeof(struct rs_linear),
	.fit = fit,
	.finish = rs_linear_finish,
	.score = rs_linear_score,
	.importance = rs_linear_importance,
	.explain = rs_linear_explain,
	.write = rs_linear_write,
	.read = rs_linear_read_ranked,
};

struct ordinal_options {
	double penalty; /* half of it times the sum of squares is added to the loss of all rows */
};

static enum rs_code fit_ordinal(const struct rs_lesson *lesson, const void *options, double *own_scores,
                                void *state, struct rs_error *err)
{
	const struct ordinal_options *o = options;
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	(void)own_scores;
	RS_TRY(elastic_fit_at(lesson, 0, o->penalty / (double)lesson->rows, &path, err));
	return take(&lesson->shape, &path, 0, state, err);
}

static const struct rs_setting ordinal_settings[] = {
	{"penalty", RS_SETTING_NUMBER, offsetof(struct ordinal_options, penalty), 0, 1e12, 1, NULL},
	{.name = NULL},
};
const struct rs_learner rs_learner_ordinal = {
	.name = "ordinal",
	.targets = RS_TARGET_ORDINAL,
	.standardised = true,
	.needs_inputs = true,
	.weighs = true,
	.settings = ordinal_settings,
	.options_size = sizeof(struct ordinal_options),
	.state_size = sizeof(struct rs_linear),
	.fit = fit_ordinal,
	.finish = rs_linear_finish,
	.score = rs_linear_score,
	.importance = rs_linear_importance,
	.explain = rs_linear_explain,
	.write = rs_linear_write,
	.read = rs_linear_read_ranked,
};
