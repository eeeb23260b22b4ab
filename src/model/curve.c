#include <math.h>

#include "model/model_parts.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_cox.h"

void rs_curve_finish(struct rs_risk_curve *curve)
{
	rs_free(curve->times);
	rs_free(curve->hazard);
	rs_free(curve->spread);
	rs_free(curve->centre);
	*curve = (struct rs_risk_curve){0};
}

static void add_step(const struct rs_cox_model *model, size_t s, struct rs_risk_curve *curve)
{
	const struct rs_cox_step *step = &model->baseline[s];
	double hazard = rs_cox_baseline_hazard(model, 0, step->time);
	double spread = step->variance / (step->hazard * step->hazard),
	       centre = model->paths[s] / step->hazard + model->means[0];
	if (!isfinite(hazard) || (curve->count > 0 && hazard <= curve->hazard[curve->count - 1]))
		return;
	curve->times[curve->count] = step->time;
	curve->spread[curve->count] = isfinite(spread) ? spread : 0;
	curve->centre[curve->count] = isfinite(centre) ? centre : 0;
	curve->hazard[curve->count++] = hazard;
}

enum rs_code rs_risk_curve_fit(const struct rs_frame *frame, const double *risk, struct rs_risk_curve *out,
                               struct rs_error *err)
{
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	const struct rs_cox_data data = {
		.follow_up = {.count = frame->rows, .time = frame->time, .event = frame->outcome},
		.columns = 1,
		.x = risk};
	RS_TRY(rs_cox_fit(&data, &(struct rs_cox_options){.ties = RS_COX_EFRON}, &model, err));
	struct rs_risk_curve curve = {0};
	double **const columns[] = {&curve.times, &curve.hazard, &curve.spread, &curve.centre};
	for (size_t c = 0; c < RS_COUNT(columns); c++)
		*columns[c] = rs_allocate_array(model.steps, sizeof **columns[c]);
	if (!curve.times || !curve.hazard || !curve.spread || !curve.centre) {
		rs_curve_finish(&curve);
		return rs_error_memory(err, 4 * model.steps * sizeof *curve.times, "a curve");
	}
	bool known = isfinite(model.coefficients[0]) && isfinite(model.variance[0]);
	curve.slope = known ? model.coefficients[0] : 0;
	curve.slope_variance = known ? fmax(model.variance[0], 0) : 0;
	for (size_t s = 0; s < model.steps; s++)
		add_step(&model, s, &curve);
	*out = curve;
	return RS_OK;
}

void rs_curve_survival(const struct rs_risk_curve *curve, double risk, const double *times, size_t count,
                       double *out)
{
	double ratio = exp(curve->slope * risk);
	for (size_t t = 0, known = 0; t < count; t++) {
		while (known < curve->count && curve->times[known] <= times[t])
			known++;
		out[t] = known ? exp(-curve->hazard[known - 1] * ratio) : 1;
	}
}

void rs_curve_interval(const struct rs_risk_curve *curve, double risk, double time, double survival,
                       double *out_lower, double *out_upper)
{
	size_t low = 0, high = curve->count;
	*out_lower = *out_upper = survival;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (curve->times[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !(survival > 0 && survival < 1))
		return;
	double far = curve->centre[low - 1] - risk;
	double width = rs_normal_quantile(0.975) *
	               sqrt(curve->spread[low - 1] + far * far * curve->slope_variance);
	*out_lower = pow(survival, exp(width));
	*out_upper = pow(survival, exp(-width));
}

double rs_curve_reaches(const struct rs_risk_curve *curve, double risk, double level)
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

enum rs_code rs_curve_bounds(const struct rs_risk_curve *curve, const struct rs_frame *frame,
                             const double *risk, struct rs_conformal *out, struct rs_error *err)
{
	double *by_own_time RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *by_own_time);
	if (!by_own_time)
		return rs_error_memory(err, frame->rows * sizeof *by_own_time, "conformal bounds");
	for (size_t i = 0; i < frame->rows; i++) {
		double survival;
		rs_curve_survival(curve, risk[i], &frame->time[i], 1, &survival);
		by_own_time[i] = 1 - survival;
	}
	const struct rs_follow_up seen = {.count = frame->rows, .time = frame->time, .event = frame->outcome};
	return rs_conformal_fit(&seen, by_own_time, out, err);
}
