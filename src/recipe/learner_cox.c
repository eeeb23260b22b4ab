/* Cox's proportional hazards; with a ridge where one is asked for. */
#include <math.h>
#include <string.h>

#include "elastic.h"
#include "recipe/recipe_linear.h"
#include "survival/survival_cox.h"

struct options {
	double penalty; /* half of it times the sum of squares is added to the loss; ties are then Breslow's */
	uint32_t ties, strata;
};
static const char *const ties[] = {"efron", "breslow", NULL};
static const char *const strata[] = {"none", "centre", NULL};

static enum rs_code fit_coefficients(const struct rs_lesson *lesson, enum rs_cox_ties by, double *out,
                                     struct rs_error *err)
{
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	size_t columns = lesson->shape.columns, room = 0;
	double *x RS_CLEANUP(rs_free_pointer) = NULL;
	if (rs_mul_size(lesson->rows, columns, &room))
		x = rs_allocate_array(room, sizeof *x);
	if (!x)
		return rs_error_memory(err, room * sizeof *x, "Cox's model");
	for (size_t i = 0; i < lesson->rows; i++)
		for (size_t c = 0; c < columns; c++)
			x[i * columns + c] = lesson->x[c * lesson->rows + i];
	const struct rs_cox_data data = {
		.follow_up = {.count = lesson->rows, .time = lesson->time, .event = lesson->outcome},
		.columns = columns,
		.x = x,
		.stratum = lesson->stratum};
	RS_TRY(rs_cox_fit(&data, &(struct rs_cox_options){.ties = by}, &model, err));
	for (size_t c = 0; c < columns; c++)
		out[c] = isfinite(model.coefficients[c]) ? model.coefficients[c] : 0;
	return RS_OK;
}

static enum rs_code fit_ridge(const struct rs_lesson *lesson, double penalty, double *out,
                              struct rs_error *err)
{
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	RS_TRY(elastic_fit_at(lesson, 0, penalty / (double)lesson->rows, &path, err));
	memcpy(out, path.coefficients, path.columns * sizeof *out);
	return RS_OK;
}

/* Centres are strata; of each the first row that has it. */
static enum rs_code number_centres(const struct rs_lesson *lesson, uint32_t **out, struct rs_error *err)
{
	if (!lesson->centre || !lesson->centre[0][0])
		return rs_error_set(err, RS_USAGE, "strata of centres need a study that names its centre");
	uint32_t *codes = rs_allocate_array(lesson->rows, sizeof *codes);
	if (!codes)
		return rs_error_memory(err, lesson->rows * sizeof *codes, "strata");
	for (size_t i = 0; i < lesson->rows; i++)
		while (strcmp(lesson->centre[codes[i]], lesson->centre[i]) != 0)
			codes[i]++;
	*out = codes;
	return RS_OK;
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	const struct options *o = options;
	struct rs_linear *linear = state;
	struct rs_lesson own = *lesson;
	uint32_t *codes RS_CLEANUP(rs_free_pointer) = NULL;
	(void)own_scores;
	RS_TRY(rs_linear_init(&lesson->shape, false, linear, err));
	if (o->strata)
		RS_TRY(number_centres(lesson, &codes, err));
	own.stratum = codes;
	if (lesson->shape.columns == 0)
		return RS_OK;
	return o->penalty > 0 ? fit_ridge(&own, o->penalty, linear->coefficients, err)
	                      : fit_coefficients(&own, (enum rs_cox_ties)o->ties, linear->coefficients, err);
}

static const struct rs_setting settings[] = {
	{"penalty", RS_SETTING_NUMBER, offsetof(struct options, penalty), 0, 1e12, 0, NULL},
	{"ties", RS_SETTING_WORD, offsetof(struct options, ties), 0, 1, RS_COX_EFRON, ties},
	{"strata", RS_SETTING_WORD, offsetof(struct options, strata), 0, 1, 0, strata},
	{.name = NULL},
};
const struct rs_learner rs_learner_cox = {
	.name = "cox",
	.targets = RS_TARGET_SURVIVAL,
	.standardised = true,
	.settings = settings,
	.options_size = sizeof(struct options),
	.state_size = sizeof(struct rs_linear),
	.fit = fit,
	.finish = rs_linear_finish,
	.score = rs_linear_score,
	.importance = rs_linear_importance,
	.explain = rs_linear_explain,
	.write = rs_linear_write,
	.read = rs_linear_read,
};
