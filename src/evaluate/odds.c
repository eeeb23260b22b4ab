/* What covariates say of a class: a logistic regression without penalty. */
#include <math.h>

#include "assess/assess_logistic.h"
#include "design.h"
#include "numeric/numeric_distribution.h"

#define LOGISTIC "logistic"

/* NaN of columns that are aliased, or whose coefficients grow without end. */
static void tell_ratios(const struct told *told, const struct design *design, const struct rs_logistic *model)
{
	size_t width = model->columns + 1;
	double z = rs_normal_quantile(0.5 + 0.5 * told->asked->level);
	for (size_t j = 0; j < width; j++) {
		const char *of = j > 0 ? design->names[j - 1] : LOGISTIC;
		double beta = model->coefficients[j], error = sqrt(model->variance[j * width + j]);
		if (model->aliased[j] || model->endless[j])
			beta = error = NAN;
		finding_tell_value(told, of, j > 0 ? "coefficient" : "intercept", beta);
		finding_tell_value(told, of, "standard_error", error);
		if (j > 0)
			finding_tell(told, of, "odds_ratio", exp(beta), exp(beta - z * error),
			             exp(beta + z * error), rs_normal_two_sided(beta / error));
	}
}

static void tell_fit(const struct told *told, const struct rs_logistic *model)
{
	double ratio = model->null_deviance - model->deviance, df = (double)model->df;
	finding_tell_value(told, LOGISTIC, "converged", model->converged);
	finding_tell_value(told, LOGISTIC, "deviance", model->deviance);
	finding_tell_value(told, LOGISTIC, "null_deviance", model->null_deviance);
	finding_tell_value(told, LOGISTIC, "aic", model->deviance + 2 * (df + 1));
	finding_tell_value(told, LOGISTIC, "degrees_of_freedom", df);
	if (model->df > 0)
		finding_tell(told, LOGISTIC, "likelihood_ratio", ratio, NAN, NAN,
		             rs_chi_square_upper(fmax(0, ratio), df));
}

enum rs_code tell_odds(const struct told *told, struct rs_error *err)
{
	struct design design RS_CLEANUP(design_finish) = {.rows = 0};
	struct rs_logistic model RS_CLEANUP(rs_logistic_finish) = {0};
	if (told->asked->covariates.count == 0)
		return RS_OK;
	if (told->positives == 0 || told->positives == told->count)
		return rs_error_set(err, RS_NOT_FOUND, "all %zu rows have the same outcome", told->count);
	RS_TRY(design_read(told, &told->asked->covariates, &design, err));
	const struct rs_logistic_data data = {
		.count = told->count, .columns = design.columns, .x = design.x, .outcome = told->outcome};
	RS_TRY(rs_logistic_fit(&data, &model, err));
	tell_ratios(told, &design, &model);
	tell_fit(told, &model);
	return RS_OK;
}
