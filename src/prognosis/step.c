#include "step.h"

#include <math.h>
#include <string.h>

const struct step *const step_table[] = {
	&step_impute,      &step_gaps,       &step_scale, &step_combat, &step_near_zero,
	&step_correlation, &step_univariate, &step_keep,  &step_mrmr,   &step_rfe,
	&step_stable,      &step_lasso,      NULL};

const struct step *step_find(const char *name)
{
	for (size_t s = 0; step_table[s]; s++)
		if (strcmp(step_table[s]->name, name) == 0)
			return step_table[s];
	return NULL;
}

enum rs_code step_create_state(const struct step *step, void **out, struct rs_error *err)
{
	*out = rs_allocate(step->state_size);
	return *out ? RS_OK : rs_error_memory(err, step->state_size, step->name);
}

void step_destroy_state(const struct step *step, void *state)
{
	if (state)
		step->finish(state);
	rs_free(state);
}

void standardise(const double *x, size_t rows, double *out, double *out_mean, double *out_deviation)
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

double *standardised_inputs(const struct fitting *fitting)
{
	size_t rows = fitting->training->rows;
	double *out = rs_allocate_array(fitting->count, rows * sizeof *out), mean, deviation;
	for (size_t c = 0; out && c < fitting->count; c++)
		standardise(fitting->x + c * rows, rows, out + c * rows, &mean, &deviation);
	return out;
}
