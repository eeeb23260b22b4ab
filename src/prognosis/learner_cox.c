/* Cox's proportional hazards, without a penalty. */
#include <math.h>

#include "linear.h"
#include "survival/survival_cox.h"

static enum rs_code fit_coefficients(const struct lesson *lesson, double *out, struct rs_error *err)
{
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	size_t columns = lesson->shape.columns, room = 0;
	double *x RS_CLEANUP(rs_free_pointer) = NULL;
	if (rs_mul_size(lesson->rows, columns, &room))
		x = rs_allocate_array(room, sizeof *x);
	if (!x)
		return rs_error_memory(err, room * sizeof *x, "Cox's model");
	for (size_t i = 0; i < lesson->rows; i++)
		for (size_t c = 0; c < columns; c++)
			x[i * columns + c] = lesson->x[c * lesson->rows + i];
	const struct rs_cox_data data = {
		.follow_up = {.count = lesson->rows, .time = lesson->time, .event = lesson->outcome},
		.columns = columns,
		.x = x};
	RS_TRY(rs_cox_fit(&data, &(struct rs_cox_options){.ties = RS_COX_EFRON}, &model, err));
	for (size_t c = 0; c < columns; c++)
		out[c] = isfinite(model.coefficients[c]) ? model.coefficients[c] : 0;
	return RS_OK;
}

static enum rs_code fit(const struct lesson *lesson, const void *options, double *own_scores,
                        void **out_state, struct rs_error *err)
{
	struct linear *linear;
	(void)options;
	(void)own_scores;
	RS_TRY(linear_create(&lesson->shape, &linear, err));
	enum rs_code code = lesson->shape.columns ? fit_coefficients(lesson, linear->coefficients, err)
	                                          : RS_OK;
	if (code != RS_OK)
		linear_finish(linear);
	else
		*out_state = linear;
	return code;
}

static const struct setting settings[] = {{NULL, SETTING_COUNT, 0, 0, 0, 0, NULL}};
const struct learner learner_cox = {
	.name = "cox",
	.targets = TARGET_SURVIVAL,
	.standardised = true,
	.settings = settings,
	.fit = fit,
	.finish = linear_finish,
	.score = linear_score,
	.importance = linear_importance,
	.explain = linear_explain,
	.write = linear_write,
	.read = linear_read,
};
