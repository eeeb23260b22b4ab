/* From training rows to a model: categories, medians, scales, selection, forest or line, threshold. */
#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assess/assess.h"
#include "numeric/numeric.h"
#include "survival/survival_cox.h"

#define FITTED_SIZE_MAX ((size_t)4 << 30)

void fitted_finish(struct fitted *fitted)
{
	rs_forest_finish(&fitted->forest);
	rs_arena_finish(&fitted->arena);
}

static enum rs_code take(struct fitted *fitted, size_t count, size_t size, void *out, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(&fitted->arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(err, count * size, "a model");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

/* ---- categories ---- */

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static enum rs_code keep_text(struct fitted *fitted, const char *text, const char **out, struct rs_error *err)
{
	size_t size = strlen(text) + 1;
	char *copy = NULL;
	RS_TRY(take(fitted, size, 1, &copy, err));
	memcpy(copy, text, size);
	*out = copy;
	return RS_OK;
}

static enum rs_code fit_levels(const struct training *t, size_t c, const char **work, struct fitted *out,
                               struct rs_error *err)
{
	struct fitted_column *column = &out->columns[c];
	size_t count = 0;
	memcpy(work, t->words + c * t->rows, t->rows * sizeof *work);
	qsort(work, t->rows, sizeof *work, by_text);
	for (size_t i = 0; i < t->rows; i++)
		if (count == 0 || strcmp(work[count - 1], work[i]) != 0)
			work[count++] = work[i];
	RS_TRY(take(out, count, sizeof *column->levels, &column->levels, err));
	for (size_t i = 0; i < count; i++)
		RS_TRY(keep_text(out, work[i], &column->levels[i], err));
	column->level_count = (uint32_t)count;
	return RS_OK;
}

static enum rs_code fit_columns(const struct training *t, struct fitted *out, struct rs_error *err)
{
	const char **work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, t->rows * sizeof *work, "categories");
	RS_TRY(take(out, t->column_count, sizeof *out->columns, &out->columns, err));
	out->column_count = t->column_count;
	for (size_t c = 0; c < t->column_count; c++) {
		out->columns[c].categorical = t->columns[c]->categorical;
		RS_TRY(keep_text(out, t->columns[c]->name, &out->columns[c].name, err));
		if (out->columns[c].categorical)
			RS_TRY(fit_levels(t, c, work, out, err));
		out->input_count += out->columns[c].categorical ? out->columns[c].level_count : 1;
	}
	return RS_OK;
}

/* ---- numbers ---- */

static double median_of(const double *values, size_t rows, double *work)
{
	size_t count = 0;
	for (size_t i = 0; i < rows; i++)
		if (!isnan(values[i]))
			work[count++] = values[i];
	if (count == 0)
		return 0;
	rs_select(work, 0, count, count / 2);
	double upper = work[count / 2];
	if (count % 2)
		return upper;
	rs_select(work, 0, count / 2, count / 2 - 1);
	return work[count / 2 - 1] / 2 + upper / 2;
}

static void fill_number(const struct training *t, size_t c, struct input *input, double *x, double *work)
{
	const double *values = t->numbers + c * t->rows;
	*input = (struct input){.column = (uint32_t)c, .level = INPUT_NUMBER};
	input->median = median_of(values, t->rows, work);
	for (size_t i = 0; i < t->rows; i++)
		x[i] = isnan(values[i]) ? input->median : values[i];
}

static void fill_level(const struct training *t, size_t c, uint32_t level, const char *text,
                       struct input *input, double *x)
{
	*input = (struct input){.column = (uint32_t)c, .level = level};
	for (size_t i = 0; i < t->rows; i++)
		x[i] = strcmp(t->words[c * t->rows + i], text) == 0;
}

static void fill(struct fitting *f, const struct fitted *out, double *work)
{
	size_t rows = f->training->rows, at = 0;
	for (size_t c = 0; c < out->column_count; c++) {
		const struct fitted_column *column = &out->columns[c];
		if (!column->categorical) {
			fill_number(f->training, c, &f->inputs[at], f->x + at * rows, work);
			at++;
		}
		for (uint32_t l = 0; l < column->level_count; l++, at++)
			fill_level(f->training, c, l, column->levels[l], &f->inputs[at], f->x + at * rows);
	}
	f->count = at;
}

/* Mean 0 and deviation 1 (of the rows, not of a population); what is as good as constant becomes 0. */
static void standardise(struct input *input, double *x, size_t rows)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < rows; i++)
		sum += x[i];
	input->mean = sum / (double)rows;
	for (size_t i = 0; i < rows; i++)
		squares += (x[i] - input->mean) * (x[i] - input->mean);
	input->deviation = sqrt(squares / (double)rows);
	if (!(input->deviation > 1e-12 * fabs(input->mean)) || !isfinite(input->deviation))
		input->deviation = INFINITY;
	for (size_t i = 0; i < rows; i++)
		x[i] = (x[i] - input->mean) / input->deviation;
}

static enum rs_code prepare(struct fitting *f, const struct fitted *out, struct rs_error *err)
{
	size_t rows = f->training->rows;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, rows * sizeof *work, "a column");
	fill(f, out, work);
	select_varied(f, work);
	size_t kept = 0;
	for (size_t i = 0; i < f->count; i++) {
		standardise(&f->inputs[i], f->x + i * rows, rows);
		if (!isfinite(f->inputs[i].deviation))
			continue;
		if (kept < i) {
			f->inputs[kept] = f->inputs[i];
			memcpy(f->x + kept * rows, f->x + i * rows, rows * sizeof *f->x);
		}
		kept++;
	}
	f->count = kept;
	select_uncorrelated(f);
	RS_TRY(select_univariate(f, err));
	return f->count || f->recipe->linear
	               ? RS_OK
	               : rs_error_set(err, RS_NOT_FOUND,
	                              "every column is constant or empty among the %zu training rows", rows);
}

/* ---- models ---- */

/* Youden's point of scores that are not NaN; 0.5 when there is none. */
static enum rs_code choose_threshold(const double *score, const uint8_t *outcome, size_t rows, double *out,
                                     struct rs_error *err)
{
	struct rs_roc roc RS_CLEANUP(rs_roc_finish) = {0};
	double *known RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *known);
	uint8_t *of RS_CLEANUP(rs_free_pointer) = rs_allocate(rows);
	size_t count = 0, positives = 0;
	if (!known || !of)
		return rs_error_memory(err, rows * sizeof *known, "a threshold");
	for (size_t i = 0; i < rows; i++)
		if (!isnan(score[i])) {
			known[count] = score[i];
			positives += outcome[i];
			of[count++] = outcome[i];
		}
	*out = 0.5;
	if (positives == 0 || positives == count)
		return RS_OK;
	RS_TRY(rs_roc_of(known, of, count, &roc, err));
	*out = fmin(fmax(rs_roc_youden(&roc)->threshold, 0), 1);
	return RS_OK;
}

static enum rs_code fit_forest(const struct fitting *f, struct fitted *out, struct rs_error *err)
{
	const struct training *t = f->training;
	const struct rs_matrix x = {t->rows, f->count, f->x};
	const struct rs_forest_options options = {.trees = f->recipe->trees,
	                                          .minimum_leaf = f->recipe->minimum_leaf,
	                                          .seed = f->recipe->seed,
	                                          .pool = f->recipe->pool};
	double *shares RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, 2 * sizeof *shares);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *labels);
	if (!shares || !labels)
		return rs_error_memory(err, t->rows * 2 * sizeof *shares, "a forest");
	if (t->survival)
		return rs_forest_fit_survival(&x, t->time, t->outcome, &options, NULL, &out->forest, err);
	const struct rs_forest_out_of_bag out_of_bag = {.predictions = shares};
	for (size_t i = 0; i < t->rows; i++)
		labels[i] = t->outcome[i];
	RS_TRY(rs_forest_fit_classes(&x, labels, 2, &options, &out_of_bag, &out->forest, err));
	for (size_t i = 0; i < t->rows; i++)
		shares[i] = shares[2 * i + 1];
	return choose_threshold(shares, t->outcome, t->rows, &out->threshold, err);
}

static enum rs_code fit_cox(const struct fitting *f, struct fitted *out, struct rs_error *err)
{
	const struct training *t = f->training;
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, f->count * sizeof *x);
	if (!x)
		return rs_error_memory(err, t->rows * f->count * sizeof *x, "Cox's model");
	for (size_t i = 0; i < t->rows; i++)
		for (size_t c = 0; c < f->count; c++)
			x[i * f->count + c] = f->x[c * t->rows + i];
	const struct rs_cox_data data = {
		.follow_up = {.count = t->rows, .time = t->time, .event = t->outcome},
		.columns = f->count,
		.x = x};
	const struct rs_cox_options options = {.ties = RS_COX_EFRON};
	RS_TRY(rs_cox_fit(&data, &options, &model, err));
	for (size_t c = 0; c < f->count; c++)
		out->coefficients[c] = isfinite(model.coefficients[c]) ? model.coefficients[c] : 0;
	return RS_OK;
}

static enum rs_code fit_linear(const struct fitting *f, struct fitted *out, struct rs_error *err)
{
	const struct training *t = f->training;
	double *p RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *p);
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *row);
	if (!p || !row)
		return rs_error_memory(err, t->rows * sizeof *p, "a linear model");
	RS_TRY(take(out, f->count, sizeof *out->coefficients, &out->coefficients, err));
	if (t->survival && f->count == 0)
		return RS_OK;
	if (t->survival)
		return fit_cox(f, out, err);
	RS_TRY(ridge_logistic(f->x, t->rows, f->count, t->outcome, 1, out->coefficients, &out->intercept,
	                      err));
	for (size_t i = 0; i < t->rows; i++) {
		for (size_t c = 0; c < f->count; c++)
			row[c] = f->x[c * t->rows + i];
		p[i] = fitted_score(out, row);
	}
	return choose_threshold(p, t->outcome, t->rows, &out->threshold, err);
}

static enum rs_code fit_model(const struct fitting *f, struct fitted *out, struct rs_error *err)
{
	const struct training *t = f->training;
	RS_TRY(take(out, f->count, sizeof *out->inputs, &out->inputs, err));
	RS_TRY(take(out, t->rows, sizeof *out->subjects, &out->subjects, err));
	memcpy(out->inputs, f->inputs, f->count * sizeof *out->inputs);
	memcpy(out->subjects, t->subjects, t->rows * sizeof *out->subjects);
	out->input_count = f->count;
	out->subject_count = out->rows = t->rows;
	out->positives = t->positives;
	out->survival = t->survival;
	out->linear = f->recipe->linear;
	out->training = t->digest;
	return out->linear ? fit_linear(f, out, err) : fit_forest(f, out, err);
}

static enum rs_code fit_all(const struct training *training, const struct recipe *recipe, struct fitted *out,
                            struct rs_error *err)
{
	RS_TRY(fit_columns(training, out, err));
	size_t room;
	if (!rs_mul_size(out->input_count, training->rows, &room))
		return rs_error_memory(err, SIZE_MAX, "a model");
	struct input *inputs RS_CLEANUP(rs_free_pointer) = rs_allocate_array(out->input_count,
	                                                                     sizeof *inputs);
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *x);
	if (!inputs || !x)
		return rs_error_memory(err, room * sizeof *x, "a model");
	struct fitting fitting = {.training = training, .recipe = recipe, .inputs = inputs, .x = x};
	RS_TRY(prepare(&fitting, out, err));
	return fit_model(&fitting, out, err);
}

enum rs_code fit(const struct training *training, const struct recipe *recipe, struct fitted *out,
                 struct rs_error *err)
{
	struct fitted fitted = {0};
	if (training->positives == 0 || (!training->survival && training->positives == training->rows))
		return rs_error_set(err, RS_NOT_FOUND, "all %zu training rows have the same outcome (%s)",
		                    training->rows,
		                    training->survival    ? "no event"
		                    : training->positives ? "positive"
		                                          : "not positive");
	rs_arena_init(&fitted.arena, FITTED_SIZE_MAX);
	enum rs_code code = fit_all(training, recipe, &fitted, err);
	if (code != RS_OK)
		fitted_finish(&fitted);
	else
		*out = fitted;
	return code;
}
