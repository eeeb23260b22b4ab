/* What a fitted Cox model says of a subject. */
#include <math.h>

#include "numeric/numeric_distribution.h"
#include "survival/survival_cox.h"

double rs_cox_linear_predictor(const struct rs_cox_model *model, const double *x)
{
	double sum = 0;
	for (size_t j = 0; j < model->columns; j++)
		sum += model->coefficients[j] * (x[j] - model->means[j]);
	return sum;
}

/* The last step of the stratum at or before `time`, or SIZE_MAX. */
static size_t find_step(const struct rs_cox_model *model, uint32_t stratum, double time)
{
	size_t low = 0, high = model->steps;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rs_cox_step *step = &model->baseline[middle];
		if (step->stratum < stratum || (step->stratum == stratum && step->time <= time))
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && model->baseline[low - 1].stratum == stratum ? low - 1 : SIZE_MAX;
}

void rs_cox_survival(const struct rs_cox_model *model, uint32_t stratum, const double *x, double time,
                     double level, double *out, double *out_lower, double *out_upper)
{
	size_t p = model->columns, step = find_step(model, stratum, time);
	*out = *out_lower = *out_upper = 1;
	if (step == SIZE_MAX)
		return;
	const double *path = &model->paths[step * p];
	double risk = exp(rs_cox_linear_predictor(model, x)), hazard = model->baseline[step].hazard;
	double variance = model->baseline[step].variance;
	for (size_t j = 0; j < p; j++) {
		double far = path[j] - (x[j] - model->means[j]) * hazard, sum = 0;
		for (size_t k = 0; k < p; k++)
			sum += model->variance[j * p + k] * (path[k] - (x[k] - model->means[k]) * hazard);
		variance += far * sum;
	}
	double width = rs_normal_quantile(0.5 + 0.5 * level) * risk * sqrt(variance);
	*out = exp(-risk * hazard);
	*out_lower = exp(-risk * hazard - width);
	*out_upper = fmin(1, exp(-risk * hazard + width));
}

double rs_cox_baseline_hazard(const struct rs_cox_model *model, uint32_t stratum, double time)
{
	size_t step = find_step(model, stratum, time);
	double at_zero = 0;
	for (size_t j = 0; j < model->columns; j++)
		at_zero -= model->coefficients[j] * model->means[j];
	return step == SIZE_MAX ? 0 : model->baseline[step].hazard * exp(at_zero);
}
