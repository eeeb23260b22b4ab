/* What was fitted, applied to rows: of the evaluation and of predictions alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_fit.h"

static int by_text(const void *a, const void *b) { return strcmp(a, *(const char *const *)b); }

/* A category that training did not have is taken for a missing one; where none was missing it is none of them. */
static uint32_t level_of(const struct rs_fitted_column *column, const char *word)
{
	const char **found = bsearch(word, column->levels, column->level_count, sizeof *found, by_text);
	if (!found)
		found = bsearch("", column->levels, column->level_count, sizeof *found, by_text);
	return found ? (uint32_t)(found - column->levels) : RS_INPUT_NUMBER;
}

static void count_gaps(const struct rs_fitted *fitted, const struct rs_probe *probe, size_t *missing,
                       size_t *unknown)
{
	for (size_t c = 0; c < fitted->column_count; c++) {
		const struct rs_fitted_column *column = &fitted->columns[c];
		bool empty = column->categorical ? probe->words[c][0] == '\0' : isnan(probe->numbers[c]);
		uint32_t level = column->categorical ? level_of(column, probe->words[c]) : 0;
		*missing += empty;
		*unknown += column->categorical && !empty &&
		            (level == RS_INPUT_NUMBER || column->levels[level][0] == '\0');
	}
}

void rs_fitted_row(const struct rs_fitted *fitted, const struct rs_probe *probe, double *values,
                   size_t *missing, size_t *unknown)
{
	size_t at = 0;
	for (size_t c = 0; c < fitted->column_count; c++) {
		const struct rs_fitted_column *column = &fitted->columns[c];
		uint32_t level = column->categorical        ? level_of(column, probe->words[c])
		                 : isnan(probe->numbers[c]) ? 0
		                                            : RS_INPUT_NUMBER;
		if (!column->categorical)
			values[at++] = probe->numbers[c];
		for (uint32_t l = 0; l < column->level_count; l++)
			values[at++] = l == level;
	}
	for (size_t s = 0; s < fitted->step_count; s++) {
		const struct rs_fitted_step *step = &fitted->steps[s];
		if (step->kept)
			for (size_t i = 0; i < step->width; i++)
				values[i] = values[step->kept[i]];
		else
			step->step->apply(step->state, &probe->row, values);
	}
	if (missing && unknown)
		count_gaps(fitted, probe, missing, unknown);
	for (size_t s = 0; unknown && s < fitted->step_count; s++) {
		const struct rs_fitted_step *step = &fitted->steps[s];
		*unknown += step->step->knows && !step->step->knows(step->state, &probe->row);
	}
}

struct rs_input rs_fitted_input(const struct rs_fitted *fitted, uint32_t index)
{
	uint32_t at = 0;
	for (uint32_t c = 0;; c++) {
		const struct rs_fitted_column *column = &fitted->columns[c];
		uint32_t width = (uint32_t)rs_fitted_width(column), level = index - at;
		if (index < at + width)
			return (struct rs_input){c, column->categorical ? level
			                            : level             ? level - 1
			                                                : RS_INPUT_NUMBER};
		at += width;
	}
}

void rs_fitted_inputs(const struct rs_fitted *fitted, uint32_t *out)
{
	for (size_t i = 0; i < fitted->width; i++)
		out[i] = (uint32_t)i;
	for (size_t s = 0; s < fitted->step_count; s++)
		for (size_t i = 0; fitted->steps[s].kept && i < fitted->steps[s].width; i++)
			out[i] = out[fitted->steps[s].kept[i]];
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool was_trained_on(const struct rs_fitted *fitted, uint32_t subject)
{
	return fitted->subject_count != 0 &&
	       bsearch(&subject, fitted->subjects, fitted->subject_count, sizeof subject, by_number) != NULL;
}

void rs_frame_cells(const struct rs_frame *frame, enum rs_view view, size_t row, double *numbers,
                    const char **words)
{
	for (size_t c = 0, to = 0; c < frame->column_count; c++)
		if (rs_view_holds(view, &frame->columns[c])) {
			numbers[to] = frame->numbers[c * frame->rows + row];
			words[to++] = frame->words[c * frame->rows + row];
		}
}

/* Room for one row on its way to the learner. */
struct passing {
	double *numbers, *values;
	const char **words;
};
static void passing_finish(struct passing *passing)
{
	rs_free(passing->numbers);
	rs_free(passing->values);
	rs_free(passing->words);
}

static enum rs_code passing_init(struct passing *passing, const struct rs_fitted *fitted,
                                 struct rs_error *err)
{
	passing->numbers = rs_allocate_array(fitted->column_count, sizeof *passing->numbers);
	passing->words = rs_allocate_array(fitted->column_count, sizeof *passing->words);
	passing->values = rs_allocate_array(fitted->width, sizeof *passing->values);
	return passing->numbers && passing->words && passing->values
	               ? RS_OK
	               : rs_error_memory(err, fitted->width * sizeof(double), "a row");
}

/* values: what the learner is given of the row. */
static enum rs_code pass(const struct rs_fitted *fitted, const struct rs_frame *frame, enum rs_view view,
                         size_t row, struct passing *passing, struct rs_error *err)
{
	if (was_trained_on(fitted, frame->subject[row]))
		return rs_error_set(err, RS_INTERNAL,
		                    "a subject that was trained on may not be judged by the same model");
	rs_frame_cells(frame, view, row, passing->numbers, passing->words);
	const struct rs_probe probe = {passing->numbers, passing->words, {rs_frame_centre(frame, row)}};
	rs_fitted_row(fitted, &probe, passing->values, NULL, NULL);
	return RS_OK;
}

enum rs_code rs_fitted_judge(const struct rs_fitted *fitted, const struct rs_frame *frame, enum rs_view view,
                             const size_t *rows, size_t count, double *out, struct rs_error *err)
{
	size_t columns = fitted->shape.columns, room = 0;
	bool fits = rs_mul_size(columns, count, &room);
	struct passing passing RS_CLEANUP(passing_finish) = {0};
	double *x RS_CLEANUP(rs_free_pointer) = fits ? rs_allocate_array(room, sizeof *x) : NULL;
	if (!x)
		return rs_error_memory(err, room * sizeof *x, "rows");
	RS_TRY(passing_init(&passing, fitted, err));
	for (size_t i = 0; i < count; i++) {
		RS_TRY(pass(fitted, frame, view, rows[i], &passing, err));
		for (size_t c = 0; c < columns; c++)
			x[c * count + i] = passing.values[c];
	}
	const struct rs_matrix matrix = {count, columns, x};
	return fitted->learner->score(fitted->state, &matrix, out, err);
}

enum rs_code rs_fitted_survival(const struct rs_fitted *fitted, const struct rs_frame *frame,
                                enum rs_view view, size_t row, const double *times, size_t count, double *out,
                                struct rs_error *err)
{
	struct passing passing RS_CLEANUP(passing_finish) = {0};
	RS_TRY(passing_init(&passing, fitted, err));
	RS_TRY(pass(fitted, frame, view, row, &passing, err));
	const struct rs_matrix matrix = {1, fitted->shape.columns, passing.values};
	return fitted->learner->survival(fitted->state, &matrix, times, count, out, err);
}
