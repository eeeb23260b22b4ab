/* From training rows to a model: categories become inputs, steps change and choose them, a learner learns. */
#include "model/model_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void steps_finish(struct rs_fitted *fitted, size_t from)
{
	for (size_t s = from; s < fitted->step_count; s++) {
		struct rs_fitted_step *step = &fitted->steps[s];
		rs_free(step->kept);
		rs_step_destroy_state(step->step, step->state);
	}
	if (fitted->step_count > from)
		fitted->step_count = from;
}

static void state_finish(struct rs_fitted *fitted)
{
	rs_learner_destroy(fitted->learner, fitted->state);
	fitted->learner = NULL;
	fitted->state = NULL;
}

void rs_fitted_finish(struct rs_fitted *fitted)
{
	state_finish(fitted);
	steps_finish(fitted, 0);
	rs_arena_finish(&fitted->arena);
}

static enum rs_code take(struct rs_fitted *fitted, size_t count, size_t size, void *out, struct rs_error *err)
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

static enum rs_code keep_text(struct rs_fitted *fitted, const char *text, const char **out,
                              struct rs_error *err)
{
	size_t size = strlen(text) + 1;
	char *copy = NULL;
	RS_TRY(take(fitted, size, 1, &copy, err));
	memcpy(copy, text, size);
	*out = copy;
	return RS_OK;
}

static enum rs_code fit_levels(const struct rs_training *t, size_t c, const char **work,
                               struct rs_fitted *out, struct rs_error *err)
{
	struct rs_fitted_column *column = &out->columns[c];
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

static bool has_gaps(const struct rs_training *t, size_t c)
{
	bool gaps = false;
	for (size_t i = 0; i < t->rows; i++)
		gaps |= isnan(t->numbers[c * t->rows + i]);
	return gaps;
}

static enum rs_code mark_gaps(struct rs_fitted_column *column, struct rs_fitted *out, struct rs_error *err)
{
	RS_TRY(take(out, 1, sizeof *column->levels, &column->levels, err));
	column->levels[0] = "";
	column->level_count = 1;
	return RS_OK;
}

size_t rs_fitted_width(const struct rs_fitted_column *column)
{
	return column->level_count + (column->categorical ? 0 : 1);
}

static enum rs_code fit_columns(const struct rs_training *t, struct rs_fitted *out, struct rs_error *err)
{
	const char **work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, t->rows * sizeof *work, "categories");
	RS_TRY(take(out, t->column_count, sizeof *out->columns, &out->columns, err));
	RS_TRY(take(out, t->rows, sizeof *out->subjects, &out->subjects, err));
	memcpy(out->subjects, t->subjects, t->rows * sizeof *out->subjects);
	out->column_count = t->column_count;
	out->subject_count = out->rows = t->rows;
	out->positives = t->positives;
	out->shape = (struct rs_model_shape){t->target, t->classes, 0};
	out->training = t->digest;
	for (size_t c = 0; c < t->column_count; c++) {
		out->columns[c].categorical = t->columns[c]->categorical;
		out->columns[c].modality = t->columns[c]->modality;
		out->columns[c].indicator = t->columns[c]->indicator;
		RS_TRY(keep_text(out, t->columns[c]->name, &out->columns[c].name, err));
		if (out->columns[c].categorical)
			RS_TRY(fit_levels(t, c, work, out, err));
		else if (t->columns[c]->marked && has_gaps(t, c))
			RS_TRY(mark_gaps(&out->columns[c], out, err));
		out->width += rs_fitted_width(&out->columns[c]);
	}
	return RS_OK;
}

/* ---- levels ---- */

static void level_finish(struct rs_trial_level *level)
{
	rs_free(level->inputs);
	rs_free(level->x);
	*level = (struct rs_trial_level){0};
}

static enum rs_code level_init(struct rs_trial_level *level, size_t count, size_t rows, struct rs_error *err)
{
	size_t room = 0;
	bool fits = rs_mul_size(count, rows, &room);
	*level = (struct rs_trial_level){.count = count};
	level->inputs = rs_allocate_array(count, sizeof *level->inputs);
	level->x = fits ? rs_allocate_array(room, sizeof *level->x) : NULL;
	if (level->inputs && level->x)
		return RS_OK;
	level_finish(level);
	return rs_error_memory(err, fits ? room * sizeof *level->x : SIZE_MAX, "a model");
}

static void fill_words(const struct rs_training *t, size_t c, const char *text, double *x)
{
	for (size_t i = 0; i < t->rows; i++)
		x[i] = strcmp(t->words[c * t->rows + i], text) == 0;
}

static void fill_gaps(const struct rs_training *t, size_t c, double *x)
{
	for (size_t i = 0; i < t->rows; i++)
		x[i] = isnan(t->numbers[c * t->rows + i]);
}

static void fill(const struct rs_training *t, const struct rs_fitted *fitted, struct rs_trial_level *level)
{
	size_t at = 0;
	for (uint32_t c = 0; c < fitted->column_count; c++) {
		const struct rs_fitted_column *column = &fitted->columns[c];
		if (!column->categorical) {
			level->inputs[at] = (struct rs_input){c, RS_INPUT_NUMBER};
			memcpy(level->x + at++ * t->rows, t->numbers + c * t->rows,
			       t->rows * sizeof *level->x);
		}
		for (uint32_t l = 0; l < column->level_count; l++) {
			level->inputs[at] = (struct rs_input){c, l};
			if (column->categorical)
				fill_words(t, c, column->levels[l], level->x + at++ * t->rows);
			else
				fill_gaps(t, c, level->x + at++ * t->rows);
		}
	}
}

void rs_trial_finish(struct rs_trial *trial)
{
	rs_fitted_finish(&trial->fitted);
	for (size_t l = 0; l < RS_COUNT(trial->levels); l++)
		level_finish(&trial->levels[l]);
}

static enum rs_code check_outcomes(const struct rs_training *t, struct rs_error *err)
{
	size_t count[RS_CLASSES_MAX] = {0};
	for (size_t i = 0; i < t->rows; i++)
		count[t->outcome[i]]++;
	if (count[1] == 0 && t->target == RS_TARGET_SURVIVAL)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "all %zu training rows have the same outcome (no event)", t->rows);
	for (uint32_t c = 0; c < t->classes; c++)
		if (count[c] == t->rows)
			return rs_error_set(err, RS_NOT_FOUND,
			                    "all %zu training rows have the same outcome (%s)", t->rows,
			                    t->classes > 2 ? t->levels[c]
			                    : c            ? "positive"
			                                   : "not positive");
	for (uint32_t c = 0; c < t->classes; c++)
		if (count[c] == 0)
			return rs_error_set(
				err, RS_NOT_FOUND,
				"none of the %zu training rows is of class '%s': it has too few subjects for "
				"these folds; join it with another one, or take fewer folds",
				t->rows, t->levels[c]);
	return RS_OK;
}

enum rs_code rs_trial_begin(const struct rs_training *training, struct rs_trial *out, struct rs_error *err)
{
	struct rs_trial trial = {.training = training};
	RS_TRY(check_outcomes(training, err));
	rs_arena_init(&trial.fitted.arena, RS_FITTED_SIZE_MAX);
	enum rs_code code = fit_columns(training, &trial.fitted, err);
	if (code == RS_OK)
		code = level_init(&trial.levels[0], trial.fitted.width, training->rows, err);
	if (code == RS_OK)
		fill(training, &trial.fitted, &trial.levels[0]);
	if (code != RS_OK)
		rs_trial_finish(&trial);
	else
		*out = trial;
	return code;
}

/* ---- steps ---- */

static enum rs_code choose(const struct rs_fitting *before, const struct rs_planned *planned,
                           struct rs_fitted_step *out, struct rs_trial_level *after, struct rs_error *err)
{
	size_t rows = before->training->rows, kept = 0;
	bool *keep RS_CLEANUP(rs_free_pointer) = rs_allocate_array(before->count, sizeof *keep);
	if (!keep)
		return rs_error_memory(err, before->count, "selection");
	if (before->count > 0)
		RS_TRY(planned->step->choose(before, planned->options, keep, err));
	for (size_t c = 0; c < before->count; c++)
		kept += keep[c];
	out->kept = rs_allocate_array(kept, sizeof *out->kept);
	if (!out->kept)
		return rs_error_memory(err, kept * sizeof *out->kept, "selection");
	RS_TRY(level_init(after, kept, rows, err));
	for (size_t c = 0; c < before->count; c++) {
		if (!keep[c])
			continue;
		after->inputs[out->width] = before->inputs[c];
		memcpy(after->x + out->width * rows, before->x + c * rows, rows * sizeof *after->x);
		out->kept[out->width++] = (uint32_t)c;
	}
	return RS_OK;
}

static enum rs_code change(const struct rs_trial_level *before, const struct rs_planned *planned,
                           struct rs_fitting *fitting, struct rs_fitted_step *out,
                           struct rs_trial_level *after, struct rs_error *err)
{
	size_t rows = fitting->training->rows;
	RS_TRY(level_init(after, before->count, rows, err));
	memcpy(after->inputs, before->inputs, before->count * sizeof *after->inputs);
	memcpy(after->x, before->x, before->count * rows * sizeof *after->x);
	fitting->inputs = after->inputs;
	fitting->x = after->x;
	out->width = before->count;
	RS_TRY(rs_step_create_state(planned->step, &out->state, err));
	return planned->step->fit(fitting, planned->options, out->state, err);
}

static enum rs_code fit_step(struct rs_trial *trial, const struct rs_planned *planned, uint64_t seed,
                             struct rs_error *err)
{
	struct rs_fitted *fitted = &trial->fitted;
	size_t s = fitted->step_count;
	struct rs_trial_level *before = &trial->levels[s], *after = &trial->levels[s + 1];
	struct rs_fitting fitting = {trial->training, before->count, before->inputs, before->x, seed};
	struct rs_fitted_step step = {.step = planned->step};
	enum rs_code code = planned->step->choose ? choose(&fitting, planned, &step, after, err)
	                                          : change(before, planned, &fitting, &step, after, err);
	trial->planned[s] = *planned;
	fitted->steps[fitted->step_count++] = step; /* kept or freed with the others */
	if (trial->once)
		level_finish(before);
	return code == RS_OK ? RS_OK : rs_error_context(err, "step %s", planned->step->name);
}

static enum rs_code fit_steps(struct rs_trial *trial, const struct rs_recipe *recipe, struct rs_error *err)
{
	struct rs_fitted *fitted = &trial->fitted;
	size_t shared = 0;
	while (shared < fitted->step_count && shared < recipe->step_count &&
	       trial->planned[shared].step == recipe->steps[shared].step &&
	       trial->planned[shared].options == recipe->steps[shared].options)
		shared++;
	steps_finish(fitted, shared);
	for (size_t l = shared + 1; l < RS_COUNT(trial->levels); l++)
		level_finish(&trial->levels[l]);
	while (fitted->step_count < recipe->step_count)
		RS_TRY(fit_step(trial, &recipe->steps[fitted->step_count], recipe->seed, err));
	return RS_OK;
}

/* ---- the model ---- */

static enum rs_code check_inputs(const struct rs_trial *trial, const struct rs_trial_level *level,
                                 const struct rs_recipe *recipe, struct rs_error *err)
{
	size_t rows = trial->training->rows;
	if (level->count == 0 && recipe->learner->needs_inputs)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "every column is constant or empty among the %zu training rows", rows);
	for (size_t k = 0; k < level->count * rows; k++)
		if (!isfinite(level->x[k]) && !(recipe->learner->takes_gaps && isnan(level->x[k])))
			return rs_error_set(err, RS_MALFORMED, "column %s: the steps leave %s in it",
			                    trial->fitted.columns[level->inputs[k / rows].column].name,
			                    isnan(level->x[k]) ? "gaps" : "infinite numbers");
	return RS_OK;
}

/* Each class weighs alike in sum, the mean weight is 1. */
static enum rs_code weigh(const struct rs_training *t, double **out, struct rs_error *err)
{
	size_t count[RS_CLASSES_MAX] = {0};
	double *weight = rs_allocate_array(t->rows, sizeof *weight);
	if (!weight)
		return rs_error_memory(err, t->rows * sizeof *weight, "weights");
	for (size_t i = 0; i < t->rows; i++)
		count[t->outcome[i]]++;
	for (size_t i = 0; i < t->rows; i++)
		weight[i] = (double)t->rows / ((double)t->classes * (double)count[t->outcome[i]]);
	*out = weight;
	return RS_OK;
}

enum rs_code rs_trial_fit(struct rs_trial *trial, const struct rs_recipe *recipe, double *own_scores,
                          struct rs_error *err)
{
	struct rs_fitted *fitted = &trial->fitted;
	const struct rs_training *t = trial->training;
	double *weight RS_CLEANUP(rs_free_pointer) = NULL;
	state_finish(fitted);
	RS_TRY(fit_steps(trial, recipe, err));
	const struct rs_trial_level *level = &trial->levels[recipe->step_count];
	RS_TRY(check_inputs(trial, level, recipe, err));
	if (recipe->weigh_classes && t->classes)
		RS_TRY(weigh(t, &weight, err));
	fitted->shape.columns = level->count;
	fitted->threshold = 0.5;
	const struct rs_lesson lesson = {.shape = fitted->shape,
	                                 .rows = t->rows,
	                                 .x = level->x,
	                                 .outcome = t->outcome,
	                                 .time = t->time,
	                                 .weight = weight,
	                                 .centre = t->centre,
	                                 .subject = t->subject,
	                                 .seed = recipe->seed,
	                                 .pool = recipe->pool,
	                                 .thorough = recipe->thorough};
	double *own = recipe->learner->judges_own ? own_scores : NULL;
	if (rs_learner_fit(recipe->learner, &lesson, recipe->options, own, &fitted->state, err) != RS_OK)
		return rs_error_context(err, "%s", recipe->learner->name);
	fitted->learner = recipe->learner;
	const struct rs_matrix x = {t->rows, level->count, level->x};
	return recipe->apparent ? fitted->learner->score(fitted->state, &x, recipe->apparent, err) : RS_OK;
}

enum rs_code rs_fit(const struct rs_training *training, const struct rs_recipe *recipe, double *own_scores,
                    struct rs_fitted *out, struct rs_error *err)
{
	struct rs_trial trial RS_CLEANUP(rs_trial_finish) = {0};
	RS_TRY(rs_trial_begin(training, &trial, err));
	trial.once = true;
	RS_TRY(rs_trial_fit(&trial, recipe, own_scores, err));
	*out = trial.fitted;
	trial.fitted = (struct rs_fitted){0};
	return RS_OK;
}
