#include <math.h>

#include "model.h"
#include "survival/survival_cox.h"

void curve_finish(struct curve *curve)
{
	rs_free(curve->times);
	rs_free(curve->hazard);
	*curve = (struct curve){0};
}

enum rs_code curve_fit(const struct frame *frame, const double *risk, struct curve *out, struct rs_error *err)
{
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	const struct rs_cox_data data = {
		.follow_up = {.count = frame->rows, .time = frame->time, .event = frame->outcome},
		.columns = 1,
		.x = risk};
	RS_TRY(rs_cox_fit(&data, &(struct rs_cox_options){.ties = RS_COX_EFRON}, &model, err));
	struct curve curve = {0};
	curve.times = rs_allocate_array(model.steps, sizeof *curve.times);
	curve.hazard = rs_allocate_array(model.steps, sizeof *curve.hazard);
	if (!curve.times || !curve.hazard) {
		curve_finish(&curve);
		return rs_error_memory(err, model.steps * sizeof *curve.times, "a curve");
	}
	curve.slope = isfinite(model.coefficients[0]) ? model.coefficients[0] : 0;
	for (size_t s = 0; s < model.steps; s++) {
		double hazard = rs_cox_baseline_hazard(&model, 0, model.baseline[s].time);
		if (!isfinite(hazard) || (curve.count > 0 && hazard <= curve.hazard[curve.count - 1]))
			continue;
		curve.times[curve.count] = model.baseline[s].time;
		curve.hazard[curve.count++] = hazard;
	}
	*out = curve;
	return RS_OK;
}

void curve_survival(const struct curve *curve, double risk, const double *times, size_t count, double *out)
{
	double ratio = exp(curve->slope * risk);
	for (size_t t = 0, known = 0; t < count; t++) {
		while (known < curve->count && curve->times[known] <= times[t])
			known++;
		out[t] = known ? exp(-curve->hazard[known - 1] * ratio) : 1;
	}
}

double curve_reaches(const struct curve *curve, double risk, double level)
{
	double ratio = exp(curve->slope * risk);
	size_t low = 0, high = curve->count;
	if (!(level > 0) || curve->count == 0)
		return NAN;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (1 - exp(-curve->hazard[middle] * ratio) >= level)
			high = middle;
		else
			low = middle + 1;
	}
	return curve->times[low < curve->count ? low : curve->count - 1];
}

enum rs_code curve_bounds(const struct curve *curve, const struct frame *frame, const double *risk,
                          struct rs_conformal *out, struct rs_error *err)
{
	double *by_own_time RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *by_own_time);
	if (!by_own_time)
		return rs_error_memory(err, frame->rows * sizeof *by_own_time, "conformal bounds");
	for (size_t i = 0; i < frame->rows; i++) {
		double survival;
		curve_survival(curve, risk[i], &frame->time[i], 1, &survival);
		by_own_time[i] = 1 - survival;
	}
	const struct rs_follow_up seen = {.count = frame->rows, .time = frame->time, .event = frame->outcome};
	return rs_conformal_fit(&seen, by_own_time, out, err);
}
