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
