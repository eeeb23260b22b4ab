/* A regression of times, whose distribution is known up to its parameters. */
#include <math.h>

#include "analysis.h"
#include "numeric/numeric_distribution.h"

struct times {
	double *lower, *upper;
};
static void times_finish(struct times *times)
{
	rs_free(times->lower);
	rs_free(times->upper);
}

static enum rs_code times_of(const struct analysis *a, struct times *out, struct rs_error *err)
{
	size_t n = a->told.count;
	out->lower = rs_allocate_array(n, sizeof *out->lower);
	out->upper = rs_allocate_array(n, sizeof *out->upper);
	if (!out->lower || !out->upper)
		return rs_error_memory(err, 2 * n * sizeof *out->lower, "times");
	for (size_t i = 0; i < n; i++) {
		out->lower[i] = a->told.time[i];
		out->upper[i] = a->only[i] ? a->told.time[i] : INFINITY;
	}
	return RS_OK;
}

static bool is_of_logarithms(enum rs_parametric_distribution distribution)
{
	return distribution < RS_PARAMETRIC_EXTREME;
}

static void tell_coefficients(const struct analysis *a, const struct rs_parametric_model *model)
{
	bool logarithms = is_of_logarithms(model->distribution);
	double z = rs_normal_quantile(0.5 + 0.5 * a->asked->level);
	for (size_t j = 0; j <= model->columns; j++) {
		const char *of = j ? a->design.names[j - 1] : "intercept";
		double beta = model->coefficients[j], error = sqrt(model->variance[j * (model->columns + 3)]);
		double low = beta - z * error, high = beta + z * error;
		if (!(error > 0))
			beta = low = high = NAN;
		if (j > 0 && logarithms)
			finding_tell(&a->told, of, "time_ratio", exp(beta), exp(low), exp(high),
			             rs_normal_two_sided(beta / error));
		else
			finding_tell(&a->told, of, "time_coefficient", beta, low, high,
			             rs_normal_two_sided(beta / error));
	}
	finding_tell_value(&a->told, "parametric", "scale", model->scale);
	finding_tell_value(&a->told, "parametric", "log_likelihood", model->log_likelihood[1]);
	double ratio = 2 * (model->log_likelihood[1] - model->log_likelihood[0]);
	if (model->columns > 0)
		finding_tell(&a->told, "parametric", "likelihood_ratio", ratio, NAN, NAN,
		             rs_chi_square_upper(ratio, (double)model->columns));
}

static void tell_subject(const struct analysis *a, const struct rs_parametric_model *model, const char *of,
                         const double *x)
{
	struct rs_interval median;
	rs_parametric_quantile(model, x, 0.5, a->asked->level, &median.value, &median.lower, &median.upper);
	finding_tell_interval(&a->told, of, "parametric_median", &median);
	for (size_t t = 0; t < a->asked->time_count; t++) {
		struct rs_interval at = {rs_parametric_survival(model, x, a->asked->times[t]), NAN, NAN};
		finding_tell_at(&a->told, of, "parametric_survival", a->asked->times[t], &at, NAN);
	}
}

enum rs_code analyse_parametric(const struct analysis *a, struct rs_error *err)
{
	const struct rs_survival_analysis *asked = a->asked;
	struct rs_parametric_model model RS_CLEANUP(rs_parametric_model_finish) = {0};
	struct times times RS_CLEANUP(times_finish) = {0};
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(a->design.columns + 1, sizeof *x);
	if (!x)
		return rs_error_memory(err, a->design.columns * sizeof *x, "a subject");
	RS_TRY(times_of(a, &times, err));
	const struct rs_parametric_data data = {a->told.count, a->design.columns, times.lower,
	                                        times.upper,   a->design.x,       NULL};
	RS_TRY(rs_parametric_fit(&data, *asked->distribution, &model, err));
	finding_tell_value(&a->told, "parametric", "converged", model.converged);
	tell_coefficients(a, &model);
	if (a->design.columns == 0)
		tell_subject(a, &model, "", x);
	for (size_t p = 0; p < asked->people_count; p++) {
		RS_TRY(design_person(&a->design, asked->people[p], x, err));
		tell_subject(a, &model, asked->people[p], x);
	}
	return RS_OK;
}
