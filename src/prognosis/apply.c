/* What was fitted, applied to rows: of the evaluation and of predictions alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"

static int by_text(const void *a, const void *b) { return strcmp(a, *(const char *const *)b); }

/* A category that training did not have is taken for a missing one; where none was missing it is none of them. */
static uint32_t level_of(const struct fitted_column *column, const char *word)
{
	const char **found = bsearch(word, column->levels, column->level_count, sizeof *found, by_text);
	if (!found)
		found = bsearch("", column->levels, column->level_count, sizeof *found, by_text);
	return found ? (uint32_t)(found - column->levels) : INPUT_NUMBER;
}

static void count_gaps(const struct fitted *fitted, const struct probe *probe, size_t *missing,
                       size_t *unknown)
{
	for (size_t c = 0; c < fitted->column_count; c++) {
		const struct fitted_column *column = &fitted->columns[c];
		bool empty = column->categorical ? probe->words[c][0] == '\0' : isnan(probe->numbers[c]);
		uint32_t level = column->categorical ? level_of(column, probe->words[c]) : 0;
		*missing += empty;
		*unknown += column->categorical && !empty &&
		            (level == INPUT_NUMBER || column->levels[level][0] == '\0');
	}
}

void fitted_inputs(const struct fitted *fitted, const struct probe *probe, double *work, size_t *missing,
                   size_t *unknown)
{
	for (size_t i = 0; i < fitted->input_count; i++) {
		const struct input *input = &fitted->inputs[i];
		double value;
		if (input->level == INPUT_NUMBER)
			value = isnan(probe->numbers[input->column]) ? input->median
			                                             : probe->numbers[input->column];
		else
			value = level_of(&fitted->columns[input->column], probe->words[input->column]) ==
			        input->level;
		work[i] = (value - input->mean) / input->deviation;
	}
	if (missing && unknown)
		count_gaps(fitted, probe, missing, unknown);
}

double fitted_score(const struct fitted *fitted, const double *inputs)
{
	double shares[2], sum = fitted->intercept;
	if (!fitted->linear) {
		if (fitted->survival)
			return rs_forest_risk(&fitted->forest, inputs);
		rs_forest_classes(&fitted->forest, inputs, shares);
		return fmin(shares[1], 1);
	}
	for (size_t i = 0; i < fitted->input_count; i++)
		sum += fitted->coefficients[i] * inputs[i];
	return fitted->survival ? sum : 1 / (1 + exp(-sum));
}
