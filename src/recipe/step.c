#include "recipe/recipe_step.h"

#include <math.h>
#include <string.h>

const struct rs_step *const rs_step_table[] = {&rs_step_impute,
                                               &rs_step_gaps,
                                               &rs_step_scale,
                                               &rs_step_combat,
                                               &rs_step_near_zero,
                                               &rs_step_correlation,
                                               &rs_step_univariate,
                                               &rs_step_keep,
                                               &rs_step_mrmr,
                                               &rs_step_rfe,
                                               &rs_step_stable,
                                               &rs_step_lasso,
                                               NULL};

const struct rs_step *rs_step_find(const char *name)
{
	for (size_t s = 0; rs_step_table[s]; s++)
		if (strcmp(rs_step_table[s]->name, name) == 0)
			return rs_step_table[s];
	return NULL;
}

enum rs_code rs_step_create_state(const struct rs_step *step, void **out, struct rs_error *err)
{
	*out = rs_allocate(step->state_size);
	return *out ? RS_OK : rs_error_memory(err, step->state_size, step->name);
}

void rs_step_destroy_state(const struct rs_step *step, void *state)
{
	if (state)
		step->finish(state);
	rs_free(state);
}

void rs_standardise(const double *x, size_t rows, double *out, double *out_mean, double *out_deviation)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < rows; i++)
		sum += x[i];
	double mean = sum / (double)rows;
	for (size_t i = 0; i < rows; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	double deviation = sqrt(squares / (double)rows);
	if (!(deviation > 1e-12 * fabs(mean)) || !isfinite(deviation))
		deviation = 0;
	for (size_t i = 0; i < rows; i++)
		out[i] = deviation > 0 ? (x[i] - mean) / deviation : 0;
	*out_mean = mean;
	*out_deviation = deviation;
}

double *rs_standardised_inputs(const struct rs_fitting *fitting)
{
	size_t rows = fitting->training->rows;
	double *out = rs_allocate_array(fitting->count, rows * sizeof *out), mean, deviation;
	for (size_t c = 0; out && c < fitting->count; c++)
		rs_standardise(fitting->x + c * rows, rows, out + c * rows, &mean, &deviation);
	return out;
}
