/* Regressions of hazards: Cox's; with events that compete Fine and Gray's, too. */
#include <math.h>
#include <stdio.h>

#include "analysis.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_competing.h"
#include "survival/survival_concordance.h"

static struct rs_cox_data data_of(const struct analysis *a, bool of_event)
{
	return (struct rs_cox_data){.follow_up = analysis_seen(a, of_event),
	                            .columns = a->design.columns,
	                            .x = a->design.x,
	                            .stratum = a->strata.code,
	                            .cluster = a->clusters.code};
}

static void tell_named(const struct analysis *a, const char *of, const char *prefix, const char *name,
                       const struct rs_interval *found, double p)
{
	char full[64];
	snprintf(full, sizeof full, "%s%s", prefix, name);
	finding_tell(&a->told, of, full, found->value, found->lower, found->upper, p);
}

/* NaN of columns that are aliased, or whose coefficients grow without end. */
static void tell_ratios(const struct analysis *a, const struct rs_cox_model *model, const char *prefix)
{
	double z = rs_normal_quantile(0.5 + 0.5 * a->asked->level);
	for (size_t j = 0; j < model->columns; j++) {
		const char *of = a->design.names[j];
		double beta = model->coefficients[j], error = sqrt(model->variance[j * model->columns + j]);
		if (model->aliased[j] || model->endless[j])
			beta = error = NAN;
		double low = exp(beta - z * error), high = exp(beta + z * error);
		tell_named(a, of, prefix, "coefficient", &(struct rs_interval){beta, NAN, NAN}, NAN);
		tell_named(a, of, prefix, "standard_error", &(struct rs_interval){error, NAN, NAN}, NAN);
		tell_named(a, of, prefix, "hazard_ratio", &(struct rs_interval){exp(beta), low, high},
		           rs_normal_two_sided(beta / error));
	}
}

static enum rs_code tell_factors(const struct analysis *a, const struct rs_cox_model *model,
                                 struct rs_error *err)
{
	for (size_t c = 0, first = 0; c < a->design.count; first += a->design.terms[c++]) {
		double chi_square, df;
		if (a->design.terms[c] == 1)
			continue;
		RS_TRY(rs_cox_wald(model, first, a->design.terms[c], &chi_square, &df, err));
		if (df > 0)
			finding_tell(&a->told, a->design.covariates[c].name, "wald", chi_square, NAN, NAN,
			             rs_chi_square_upper(chi_square, df));
	}
	return RS_OK;
}

static void tell_tests(const struct analysis *a, const char *of, const struct rs_cox_model *model)
{
	double ratio = 2 * (model->log_likelihood[1] - model->log_likelihood[0]);
	const struct {
		const char *name;
		double value;
	} tests[] = {{"likelihood_ratio", ratio}, {"wald", model->wald_test}, {"score", model->score_test}};
	finding_tell_value(&a->told, of, "converged", model->converged);
	finding_tell_value(&a->told, of, "log_likelihood", model->log_likelihood[1]);
	finding_tell_value(&a->told, of, "degrees_of_freedom", model->df);
	for (size_t t = 0; t < RS_COUNT(tests) && model->df > 0; t++)
		finding_tell(&a->told, of, tests[t].name, tests[t].value, NAN, NAN,
		             rs_chi_square_upper(tests[t].value, model->df));
}

static enum rs_code tell_concordance(const struct analysis *a, const struct rs_cox_data *data,
                                     const struct rs_cox_model *model, struct rs_error *err)
{
	size_t n = data->follow_up.count;
	double *risk RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *risk);
	struct rs_concordance found;
	if (!risk)
		return rs_error_memory(err, n * sizeof *risk, "risks");
	for (size_t i = 0; i < n; i++)
		risk[i] = rs_cox_linear_predictor(model, &data->x[i * data->columns]);
	RS_TRY(rs_concordance_of(
		&data->follow_up, risk,
		&(struct rs_concordance_options){.stratum = data->stratum, .cluster = data->cluster}, &found,
		err));
	struct rs_interval interval = rs_share_interval(found.c, found.error, a->asked->level);
	finding_tell_interval(&a->told, "cox", "concordance", &interval);
	return RS_OK;
}

static enum rs_code tell_trends(const struct analysis *a, const struct rs_cox_data *data,
                                const struct rs_cox_model *model, struct rs_error *err)
{
	const struct design *design = &a->design;
	struct rs_cox_trend_test found[RS_COVARIATES_MAX + 1];
	const struct rs_cox_trend_options options = {a->asked->ties, a->asked->trend, design->terms,
	                                             design->count};
	if (!model->converged)
		return RS_OK;
	RS_TRY(rs_cox_proportionality(model, data, &options, found, err));
	for (size_t c = 0; c <= design->count; c++)
		finding_tell(&a->told, c < design->count ? design->covariates[c].name : "cox",
		             "proportionality", found[c].chi_square, NAN, NAN, found[c].p);
	return RS_OK;
}

/* Survival, or with `incidence` what is left of it, of those asked for, in each stratum. */
static enum rs_code tell_people(const struct analysis *a, const struct rs_cox_model *model, bool incidence,
                                struct rs_error *err)
{
	const struct rs_survival_analysis *asked = a->asked;
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(a->design.columns, sizeof *x);
	uint32_t strata = asked->stratum ? a->strata.count : 1;
	if (!x)
		return rs_error_memory(err, a->design.columns * sizeof *x, "a subject");
	for (size_t p = 0; p < asked->people_count; p++) {
		RS_TRY(design_person(&a->design, asked->people[p], x, err));
		for (uint32_t s = 0; s < strata && model->converged; s++) {
			char of[512];
			snprintf(of, sizeof of, "%s", asked->people[p]);
			if (asked->stratum)
				snprintf(of, sizeof of, "%s, %s = %s", asked->people[p], asked->stratum,
				         rs_csv_cell(asked->table, a->told.rows[a->strata.first[s]],
				                     rs_csv_column(asked->table, asked->stratum)));
			for (size_t t = 0; t < asked->time_count; t++) {
				struct rs_interval at;
				rs_cox_survival(model, s, x, asked->times[t], asked->level, &at.value,
				                &at.lower, &at.upper);
				if (incidence) /* whose error the weights have a part in: none is told */
					at = (struct rs_interval){1 - at.value, NAN, NAN};
				finding_tell_at(&a->told, of,
				                incidence ? "predicted_incidence" : "predicted_survival",
				                asked->times[t], &at, NAN);
			}
		}
	}
	return RS_OK;
}

static enum rs_code write_residuals(const struct analysis *a, const struct rs_cox_data *data,
                                    const struct rs_cox_model *model, struct rs_buffer *out,
                                    struct rs_error *err)
{
	size_t n = data->follow_up.count;
	double *martingale RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *martingale);
	if (!martingale)
		return rs_error_memory(err, n * sizeof *martingale, "residuals");
	RS_TRY(rs_cox_residuals(model, data, a->asked->ties, martingale, NULL, err));
	rs_buffer_append_text(out, "line,predictor,martingale,deviance\n");
	for (size_t i = 0; i < n; i++) {
		rs_buffer_printf(out, "%zu,", a->asked->table->lines[a->told.rows[i]]);
		rs_buffer_append_f64_text(out, rs_cox_linear_predictor(model, &data->x[i * data->columns]));
		rs_buffer_append_text(out, ",");
		rs_buffer_append_f64_text(out, martingale[i]);
		rs_buffer_append_text(out, ",");
		rs_buffer_append_f64_text(out, rs_cox_deviance_residual(martingale[i], a->only[i]));
		rs_buffer_append_text(out, "\n");
	}
	return rs_buffer_check(out, "the residuals", err);
}

static enum rs_code analyse_subdistribution(const struct analysis *a, struct rs_error *err)
{
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	const struct rs_cox_data data = data_of(a, false);
	RS_TRY(rs_fine_gray_fit(
		&data, 1, a->asked->ties == RS_COX_BRESLOW ? RS_FINE_GRAY_CMPRSK : RS_FINE_GRAY_SURVIVAL,
		&model, err));
	tell_ratios(a, &model, "subdistribution_");
	finding_tell_value(&a->told, "fine_gray", "converged", model.converged);
	finding_tell_value(&a->told, "fine_gray", "log_likelihood", model.log_likelihood[1]);
	if (model.df > 0)
		finding_tell(&a->told, "fine_gray", "wald", model.wald_test, NAN, NAN,
		             rs_chi_square_upper(model.wald_test, model.df));
	return tell_people(a, &model, true, err);
}

enum rs_code analyse_cox(const struct analysis *a, struct rs_error *err)
{
	const struct rs_survival_analysis *asked = a->asked;
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	const struct rs_cox_data data = data_of(a, true);
	const struct rs_cox_options options = {asked->ties, asked->robust || asked->cluster};
	RS_TRY(rs_cox_fit(&data, &options, &model, err));
	tell_ratios(a, &model, a->told.types > 1 ? "cause_specific_" : "");
	RS_TRY(tell_factors(a, &model, err));
	tell_tests(a, "cox", &model);
	RS_TRY(tell_concordance(a, &data, &model, err));
	RS_TRY(tell_trends(a, &data, &model, err));
	if (asked->residuals)
		RS_TRY(write_residuals(a, &data, &model, asked->residuals, err));
	return a->told.types > 1 ? analyse_subdistribution(a, err) : tell_people(a, &model, false, err);
}
