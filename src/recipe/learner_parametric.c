/* Parametric models of times: Weibull's and its kin. In a model file: [distribution, scale, coefficients]. */
#include <math.h>
#include <string.h>

#include "recipe/recipe_learner.h"
#include "recipe/recipe_packed.h"
#include "survival/survival_parametric.h"

static const char *const words[] = {"weibull", "exponential", "log_normal", "log_logistic", NULL};
static const enum rs_parametric_distribution distributions[] = {
	RS_PARAMETRIC_WEIBULL, RS_PARAMETRIC_EXPONENTIAL, RS_PARAMETRIC_LOG_NORMAL,
	RS_PARAMETRIC_LOG_LOGISTIC};

static void finish(void *state) { rs_parametric_model_finish(state); }

/* Of rows x columns, with times between lower and upper. */
struct table {
	size_t rows;
	double *x, *lower, *upper, *weight;
};

static void table_finish(struct table *table)
{
	rs_free(table->x);
	rs_free(table->lower);
}

/* An event at time 0 came before the first time that was told from 0; one who left at 0 says nothing. */
static enum rs_code table_of(const struct rs_lesson *lesson, struct table *out, struct rs_error *err)
{
	size_t columns = lesson->shape.columns, room;
	double first = INFINITY;
	out->x = rs_mul_size(lesson->rows, columns, &room) ? rs_allocate_array(room, sizeof *out->x) : NULL;
	out->lower = rs_allocate_array(lesson->rows, 3 * sizeof *out->lower);
	if (!out->x || !out->lower)
		return rs_error_memory(err, lesson->rows * columns * sizeof *out->x, "a model of times");
	out->upper = out->lower + lesson->rows;
	out->weight = out->upper + lesson->rows;
	for (size_t i = 0; i < lesson->rows; i++)
		if (lesson->time[i] > 0)
			first = fmin(first, lesson->time[i]);
	for (size_t i = 0; i < lesson->rows; i++) {
		size_t row = out->rows;
		double time = lesson->time[i];
		if (time < 0)
			return rs_error_set(err, RS_MALFORMED,
			                    "a time of %g: parametric models need times from 0 on", time);
		if (time == 0 && (!lesson->outcome[i] || isinf(first)))
			continue;
		out->lower[row] = time > 0 ? time : -INFINITY;
		out->upper[row] = time == 0 ? first : lesson->outcome[i] ? time : INFINITY;
		out->weight[row] = lesson->weight ? lesson->weight[i] : 1;
		for (size_t c = 0; c < columns; c++)
			out->x[row * columns + c] = lesson->x[c * lesson->rows + i];
		out->rows++;
	}
	return RS_OK;
}

static bool is_sound(const struct rs_parametric_model *model)
{
	bool sound = isfinite(model->scale) && model->scale > 1e-6;
	for (size_t c = 0; c <= model->columns; c++)
		sound = sound && isfinite(model->coefficients[c]);
	return sound;
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	struct table table RS_CLEANUP(table_finish) = {0};
	struct rs_parametric_model *model = state;
	(void)own_scores;
	RS_TRY(table_of(lesson, &table, err));
	const struct rs_parametric_data data = {table.rows, lesson->shape.columns, table.lower, table.upper,
	                                        table.x,    table.weight};
	RS_TRY(rs_parametric_fit(&data, distributions[*(const uint32_t *)options], model, err));
	if (!is_sound(model))
		return rs_error_set(
			err, RS_NOT_FOUND,
			"the columns explain all times exactly: keep fewer for a parametric model");
	return RS_OK;
}

/* Higher: earlier. */
static enum rs_code score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	const struct rs_parametric_model *model = state;
	(void)err;
	for (size_t i = 0; i < x->rows; i++) {
		out[i] = -model->coefficients[0];
		for (size_t c = 0; c < model->columns; c++)
			out[i] -= model->coefficients[c + 1] * x->values[c * x->rows + i];
	}
	return RS_OK;
}

static enum rs_code survival(const void *state, const struct rs_matrix *x, const double *times, size_t count,
                             double *out, struct rs_error *err)
{
	const struct rs_parametric_model *model = state;
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(model->columns, sizeof *row);
	if (!row)
		return rs_error_memory(err, model->columns * sizeof *row, "a row");
	for (size_t i = 0; i < x->rows; i++) {
		for (size_t c = 0; c < model->columns; c++)
			row[c] = x->values[c * x->rows + i];
		for (size_t t = 0; t < count; t++)
			out[i * count + t] = rs_parametric_survival(model, row, times[t]);
	}
	return RS_OK;
}

static bool importance(const void *state, double *out)
{
	const struct rs_parametric_model *model = state;
	for (size_t c = 0; c < model->columns; c++)
		out[c] = fabs(model->coefficients[c + 1]);
	return true;
}

static enum rs_code explain(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                            struct rs_error *err)
{
	const struct rs_parametric_model *model = state;
	size_t columns = model->columns;
	(void)of;
	(void)err;
	for (size_t i = 0; i < x->rows; i++) {
		double *row = out + i * (columns + 1);
		for (size_t c = 0; c < columns; c++)
			row[c] = -model->coefficients[c + 1] * x->values[c * x->rows + i];
		row[columns] = -model->coefficients[0];
	}
	return RS_OK;
}

static void write(const void *state, struct rs_buffer *out)
{
	const struct rs_parametric_model *model = state;
	uint32_t word = 0;
	while (distributions[word] != model->distribution)
		word++;
	rs_cbor_write_array(out, 3);
	rs_cbor_write_u64(out, word);
	rs_packed_write_f64s(out, &model->scale, 1);
	rs_packed_write_f64s(out, model->coefficients, model->columns + 1);
}

static enum rs_code read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                         struct rs_error *err)
{
	struct rs_parametric_model *model = state;
	uint64_t word;
	double *scale RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_packed_read_parts(reader, "parametric model", 3, err));
	RS_TRY(rs_packed_read_count(reader, "distribution", RS_COUNT(distributions) - 1, &word, err));
	RS_TRY(rs_packed_read_f64s_of(reader, "scale", 1, &scale, err));
	RS_TRY(rs_packed_read_f64s_of(reader, "coefficients", shape->columns + 1, &model->coefficients, err));
	model->columns = shape->columns;
	model->distribution = distributions[word];
	model->scale = *scale;
	return is_sound(model) ? RS_OK : rs_packed_wrong("scale", err);
}

static const struct rs_setting settings[] = {
	{"distribution", RS_SETTING_WORD, 0, 0, RS_COUNT(distributions) - 1, 0, words},
	{.name = NULL},
};
const struct rs_learner rs_learner_parametric = {
	.name = "parametric",
	.targets = RS_TARGET_SURVIVAL,
	.standardised = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(uint32_t),
	.state_size = sizeof(struct rs_parametric_model),
	.fit = fit,
	.finish = finish,
	.score = score,
	.survival = survival,
	.importance = importance,
	.explain = explain,
	.write = write,
	.read = read,
};
