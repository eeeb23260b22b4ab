/* Cox's model and the comparison of groups against R's coxph, cox.zph, survfit and survdiff. */
#include "numeric/numeric_reference.h"

#include "numeric/numeric_distribution.h"
#include "survival/survival_concordance.h"
#include "survival/survival_cox.h"

#define TOLERANCE 1e-8

struct study {
	struct rs_cox_data data;
	double *x, *time, *start;
	uint8_t *event;
	uint32_t *stratum, *cluster;
	size_t *row; /* of the table */
};

static void study_finish(struct study *study)
{
	rs_free(study->x);
	rs_free(study->time);
	rs_free(study->start);
	rs_free(study->event);
	rs_free(study->stratum);
	rs_free(study->cluster);
	rs_free(study->row);
}

static void take_column(struct study *study, const struct rs_csv *csv, const char *name, double *out,
                        size_t step)
{
	double *values = column_of(csv, name);
	for (size_t i = 0; i < study->data.follow_up.count; i++)
		out[i * step] = values[study->row[i]];
	rs_free(values);
}

static uint32_t *take_codes(struct study *study, const struct rs_csv *csv, const char *name)
{
	double *values = column_of(csv, name);
	uint32_t *codes = rs_allocate_array(csv->rows, sizeof *codes);
	for (size_t i = 0; i < study->data.follow_up.count; i++)
		codes[i] = (uint32_t)values[study->row[i]];
	rs_free(values);
	return codes;
}

/* Rows without NA in any of the columns, the last of which may name a stratum. */
static void choose_rows(struct study *study, const struct rs_csv *csv, const char *const *columns)
{
	study->row = rs_allocate_array(csv->rows, sizeof *study->row);
	for (size_t i = 0; i < csv->rows; i++) {
		bool whole = true;
		for (size_t c = 0; columns[c]; c++)
			whole = whole &&
			        strcmp(rs_csv_cell(csv, i, rs_csv_column(csv, columns[c])), "NA") != 0;
		if (whole)
			study->row[study->data.follow_up.count++] = i;
	}
}

/* columns: covariates, NULL-terminated. */
static void study_open(const char *file, const char *const *columns, const char *time, const char *status,
                       double event_value, const char *start, const char *stratum, const char *cluster,
                       struct study *out)
{
	struct rs_csv csv;
	*out = (struct study){0};
	table_open(file, &csv);
	choose_rows(out, &csv, columns);
	size_t n = out->data.follow_up.count;
	if (stratum) { /* rows without one are left out */
		size_t column = rs_csv_column(&csv, stratum), kept = 0;
		for (size_t i = 0; i < n; i++)
			if (strcmp(rs_csv_cell(&csv, out->row[i], column), "NA") != 0)
				out->row[kept++] = out->row[i];
		out->data.follow_up.count = n = kept;
	}
	while (columns[out->data.columns])
		out->data.columns++;
	out->x = rs_allocate_array(n, out->data.columns * sizeof *out->x);
	out->time = rs_allocate_array(n, sizeof *out->time);
	out->event = rs_allocate_array(n, 1);
	double *events = rs_allocate_array(n, sizeof *events);
	for (size_t c = 0; columns[c]; c++)
		take_column(out, &csv, columns[c], out->x + c, out->data.columns);
	take_column(out, &csv, time, out->time, 1);
	take_column(out, &csv, status, events, 1);
	for (size_t i = 0; i < n; i++)
		out->event[i] = events[i] == event_value;
	rs_free(events);
	if (start) {
		out->start = rs_allocate_array(n, sizeof *out->start);
		take_column(out, &csv, start, out->start, 1);
	}
	out->stratum = stratum ? take_codes(out, &csv, stratum) : NULL;
	out->cluster = cluster ? take_codes(out, &csv, cluster) : NULL;
	out->data.follow_up = (struct rs_follow_up){n, out->start, out->time, out->event, NULL};
	out->data.x = out->x;
	out->data.stratum = out->stratum;
	out->data.cluster = out->cluster;
	rs_csv_finish(&csv);
}

static void coefficients_agree(json_t *model, const struct rs_cox_model *fit, const char *const *columns)
{
	for (size_t j = 0; j < fit->columns; j++) {
		char path[64];
		snprintf(path, sizeof path, "coef/%s", columns[j]);
		agrees(model, path, fit->coefficients[j], TOLERANCE);
		double error = sqrt(fit->variance[j * fit->columns + j]);
		json_t *se = reference_at(model, "se");
		near("se", error,
		     json_number_value(json_is_array(se) ? json_array_get(se, j)
		                                         : json_object_get(se, columns[j])),
		     TOLERANCE);
	}
	agrees(model, "loglik/0", fit->log_likelihood[0], 1e-12);
	agrees(model, "loglik/1", fit->log_likelihood[1], 1e-12);
	assert_true(fit->converged);
}

static void concordance_agrees(json_t *model, const struct rs_cox_model *fit, const struct study *study)
{
	size_t n = study->data.follow_up.count;
	double *risk = rs_allocate_array(n, sizeof *risk);
	struct rs_concordance found;
	for (size_t i = 0; i < n; i++)
		risk[i] = rs_cox_linear_predictor(fit, &study->x[i * fit->columns]);
	assert_int_equal(rs_concordance_of(&study->data.follow_up, risk, &(struct rs_concordance_options){0},
	                                   &found, NULL),
	                 RS_OK);
	agrees(model, "concordance", found.c, 1e-10);
	agrees(model, "concordance_se", found.error, 1e-10);
	agrees(model, "concordance_counts/concordant", found.concordant, 1e-12);
	agrees(model, "concordance_counts/tied.x", found.tied_risk, 1e-12);
	if (json_is_number(reference_at(model, "uno_c"))) { /* late entry has none */
		const struct rs_concordance_options uno = {.weight = RS_CONCORDANCE_UNO};
		assert_int_equal(rs_concordance_of(&study->data.follow_up, risk, &uno, &found, NULL), RS_OK);
		agrees(model, "uno_c", found.c, 1e-10);
		agrees(model, "uno_se", found.error, 1e-10);
	}
	rs_free(risk);
}

static void rest_agrees(json_t *model, const struct rs_cox_model *fit, const struct study *study,
                        enum rs_cox_ties ties)
{
	size_t p = fit->columns, n = study->data.follow_up.count;
	double *martingale = rs_allocate_array(n, sizeof *martingale);
	struct rs_cox_trend_test trend[8];
	char path[64];
	agrees(model, "score/0", fit->score_test, TOLERANCE);
	near("wald", round(fit->wald_test * 100) / 100, reference_number(model, "wald/0"), 1e-12);
	agrees(model, "lrt/0", 2 * (fit->log_likelihood[1] - fit->log_likelihood[0]), TOLERANCE);
	agrees(model, "lrt/2",
	       rs_chi_square_upper(2 * (fit->log_likelihood[1] - fit->log_likelihood[0]), fit->df), 1e-7);
	for (size_t i = 0; i < json_array_size(reference_at(model, "basehaz_uncentered/time")); i++) {
		snprintf(path, sizeof path, "basehaz_uncentered/time/%zu", i);
		double time = reference_number(model, path);
		snprintf(path, sizeof path, "basehaz_uncentered/hazard/%zu", i);
		agrees(model, path, rs_cox_baseline_hazard(fit, 0, time), TOLERANCE);
	}
	assert_int_equal(rs_cox_residuals(fit, &study->data, ties, martingale, NULL, NULL), RS_OK);
	void *means = json_object_iter(reference_at(model, "means"));
	double shift = 0; /* R does not centre columns of -1, 0 and 1 only */
	for (size_t j = 0; j < p; j++, means = json_object_iter_next(reference_at(model, "means"), means))
		shift += fit->coefficients[j] *
		         (fit->means[j] - json_number_value(json_object_iter_value(means)));
	for (size_t i = 0; i < 12; i++) {
		snprintf(path, sizeof path, "martingale_head/%zu", i);
		agrees(model, path, martingale[i], 1e-7);
		snprintf(path, sizeof path, "deviance_head/%zu", i);
		agrees(model, path, rs_cox_deviance_residual(martingale[i], study->event[i]), 1e-7);
		snprintf(path, sizeof path, "lp_head/%zu", i);
		agrees(model, path, rs_cox_linear_predictor(fit, &study->x[i * p]) + shift, TOLERANCE);
	}
	assert_int_equal(rs_cox_proportionality(fit, &study->data,
	                                        &(struct rs_cox_trend_options){.ties = ties}, trend, NULL),
	                 RS_OK);
	for (size_t j = 0; j < json_array_size(reference_at(model, "zph/chisq")); j++) {
		snprintf(path, sizeof path, "zph/chisq/%zu", j);
		agrees(model, path, trend[p == 1 ? 0 : j].chi_square, 1e-7);
		snprintf(path, sizeof path, "zph/p/%zu", j);
		agrees(model, path, trend[p == 1 ? 0 : j].p, 1e-7);
	}
	rs_free(martingale);
}

static const char *const three[] = {"age", "sex", "ph.ecog", NULL}, *const sex_only[] = {"sex", NULL},
			 *const heart[] = {"age", "year", "surgery", "transplant", NULL},
			 *const kidney[] = {"age", "sex", NULL};

static void models_are_those_of_coxph(void **state)
{
	(void)state;
	static const struct {
		const char *name, *file, *time, *status;
		double event;
		const char *start;
		const char *const *columns;
		struct rs_cox_options options;
	} models[] = {
		{"lung_age_sex_ecog_efron", "r_survival/lung.csv", "time", "status", 2, NULL, three, {0}},
		{"lung_age_sex_ecog_breslow",
	         "r_survival/lung.csv",
	         "time",
	         "status",
	         2,
	         NULL,
	         three,
	         {RS_COX_BRESLOW, false}},
		{"lung_sex", "r_survival/lung.csv", "time", "status", 2, NULL, sex_only, {0}},
		{"heart_start_stop", "r_survival/heart.csv", "stop", "event", 1, "start", heart, {0}},
		{"kidney_cluster", "r_survival/kidney.csv", "time", "status", 1, NULL, kidney, {0}},
	};
	json_t *root = reference_open("coxph.json");
	for (size_t m = 0; m < RS_COUNT(models); m++) {
		struct study study;
		struct rs_cox_model fit;
		json_t *model = reference_at(root, models[m].name);
		study_open(models[m].file, models[m].columns, models[m].time, models[m].status,
		           models[m].event, models[m].start, NULL, NULL, &study);
		assert_int_equal(rs_cox_fit(&study.data, &models[m].options, &fit, NULL), RS_OK);
		print_message("# %s: %u steps\n", models[m].name, fit.iterations);
		coefficients_agree(model, &fit, models[m].columns);
		rest_agrees(model, &fit, &study, models[m].options.ties);
		concordance_agrees(model, &fit, &study);
		rs_cox_model_finish(&fit);
		study_finish(&study);
	}
	json_decref(root);
}

/* Standard errors of R 4.2's coxph(…, cluster = id) and coxph(…, robust = TRUE). */
static void robust_errors_are_those_of_coxph(void **state)
{
	(void)state;
	static const double by_row[] = {0.00729122516876, 0.41717227530919},
			    by_cluster[] = {0.00808874704275, 0.48346378285163};
	struct rs_cox_model fit;
	struct study study;
	for (size_t c = 0; c < 2; c++) {
		study_open("r_survival/kidney.csv", kidney, "time", "status", 1, NULL, NULL, c ? "id" : NULL,
		           &study);
		assert_int_equal(
			rs_cox_fit(&study.data, &(struct rs_cox_options){RS_COX_EFRON, true}, &fit, NULL),
			RS_OK);
		for (size_t j = 0; j < 2; j++)
			near("robust error", sqrt(fit.variance[3 * j]), (c ? by_cluster : by_row)[j], 1e-10);
		rs_cox_model_finish(&fit);
		study_finish(&study);
	}
}

static void strata_have_their_own_hazards(void **state)
{
	(void)state;
	json_t *root = reference_open("coxph.json");
	struct study study;
	struct rs_cox_model fit;
	study_open("r_survival/lung.csv", three, "time", "status", 2, NULL, "inst", NULL, &study);
	assert_int_equal(rs_cox_fit(&study.data, &(struct rs_cox_options){0}, &fit, NULL), RS_OK);
	coefficients_agree(reference_at(root, "lung_strata_inst"), &fit, three);
	rs_cox_model_finish(&fit);
	study_finish(&study);
	json_decref(root);
}

static void trend_agrees(const struct study *study, const struct rs_cox_model *fit,
                         const struct rs_cox_trend_options *options, const double *chi_square, size_t count)
{
	struct rs_cox_trend_test found[8];
	assert_int_equal(rs_cox_proportionality(fit, &study->data, options, found, NULL), RS_OK);
	for (size_t t = 0; t < count; t++)
		near("trend", found[t].chi_square, chi_square[t], 1e-8);
}

/* R's survival 3.5.3: cox.zph(coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, heart, ties = "breslow"),
 * transform = …). */
static void trends_are_those_of_cox_zph(void **state)
{
	(void)state;
	static const double by_trend[][5] = {
		{0.879762341927811, 1.699982915340878, 0.096978531309579, 0.200356969640490,
	         3.469524821920668},
		{0.843825736514162, 1.039304307089802, 0.003752980942241, 0.248735477495195,
	         2.682163521233582},
		{1.766728779273200, 1.499836307152188, 1.372242770193013, 0.122706286025603,
	         4.685238766354932},
		{0.445195830952120, 1.048809202792647, 0.009989486635841, 0.125267577419585,
	         2.115532519065210},
	};
	struct study study;
	struct rs_cox_model fit;
	struct rs_error err;
	study_open("r_survival/heart.csv", heart, "stop", "event", 1, "start", NULL, NULL, &study);
	assert_int_equal(rs_cox_fit(&study.data, &(struct rs_cox_options){RS_COX_BRESLOW, false}, &fit, NULL),
	                 RS_OK);
	for (enum rs_cox_trend trend = RS_COX_TREND_KM; trend <= RS_COX_TREND_LOG; trend++)
		trend_agrees(&study, &fit, &(struct rs_cox_trend_options){RS_COX_BRESLOW, trend, NULL, 0},
		             by_trend[trend], 5);
	study.time[0] = 0;
	study.start[0] = -1;
	struct rs_cox_trend_test none[5] = {{.chi_square = 7}};
	assert_int_equal(rs_cox_proportionality(&fit, &study.data,
	                                        &(struct rs_cox_trend_options){.trend = RS_COX_TREND_LOG},
	                                        none, &err),
	                 RS_MALFORMED);
	assert_string_equal(err.message, "row 1: a time of 0 has no logarithm; take another trend");
	assert_true(none[0].chi_square == 7);
	rs_cox_model_finish(&fit);
	study_finish(&study);
}

static void predictions_are_those_of_survfit(void **state)
{
	(void)state;
	json_t *root = reference_open("coxph.json"), *model = reference_at(root, "lung_pred_surv");
	static const double people[3][3] = {{50, 1, 0}, {60, 2, 1}, {70, 1, 2}},
			    times[] = {100, 200, 365, 600};
	struct study study;
	struct rs_cox_model fit;
	study_open("r_survival/lung.csv", three, "time", "status", 2, NULL, NULL, NULL, &study);
	assert_int_equal(rs_cox_fit(&study.data, &(struct rs_cox_options){0}, &fit, NULL), RS_OK);
	for (size_t t = 0; t < 4; t++)
		for (size_t i = 0; i < 3; i++) {
			double survival, lower, upper;
			char path[64];
			rs_cox_survival(&fit, 0, people[i], times[t], 0.95, &survival, &lower, &upper);
			snprintf(path, sizeof path, "surv/%zu/%zu", t, i);
			agrees(model, path, survival, TOLERANCE);
			snprintf(path, sizeof path, "lower/%zu/%zu", t, i);
			agrees(model, path, lower, TOLERANCE);
			snprintf(path, sizeof path, "upper/%zu/%zu", t, i);
			agrees(model, path, upper, TOLERANCE);
		}
	rs_cox_model_finish(&fit);
	study_finish(&study);
	json_decref(root);
}

static void comparisons_are_those_of_survdiff(void **state)
{
	(void)state;
	static const struct {
		const char *name, *file, *group, *stratum;
		double event, rho;
		uint32_t groups;
	} tests[] = {
		{"lung_sex", "lung.csv", "sex", NULL, 2, 0, 2},
		{"lung_sex_peto", "lung.csv", "sex", NULL, 2, 1, 2},
		{"lung_ecog", "lung.csv", "ph.ecog", NULL, 2, 0, 3},
		{"veteran_trt", "veteran.csv", "trt", NULL, 1, 0, 2},
		{"veteran_trt_strat_celltype", "veteran.csv", "trt", "celltype", 1, 0, 2},
		{"aml", "aml.csv", "x", NULL, 1, 0, 2},
	};
	json_t *root = reference_open("logrank.json");
	for (size_t t = 0; t < RS_COUNT(tests); t++) {
		struct study study;
		struct rs_survival_comparison found;
		char file[64], path[64];
		json_t *want = reference_at(root, tests[t].name);
		snprintf(file, sizeof file, "r_survival/%s", tests[t].file);
		study_open(file, (const char *const[]){tests[t].group, NULL}, "time", "status",
		           tests[t].event, NULL, tests[t].stratum, NULL, &study);
		size_t n = study.data.follow_up.count, kept = 0;
		uint32_t *group = rs_allocate_array(n, sizeof *group);
		double lowest = INFINITY;
		for (size_t i = 0; i < n; i++)
			lowest = fmin(lowest, study.x[i]);
		for (size_t i = 0; i < n; i++) { /* lung_ecog has the first three levels */
			uint32_t code = (uint32_t)(study.x[i] - lowest);
			if (code >= tests[t].groups)
				continue;
			study.time[kept] = study.time[i];
			study.event[kept] = study.event[i];
			group[kept++] = code;
		}
		study.data.follow_up.count = kept;
		assert_int_equal(rs_survival_compare(&study.data.follow_up, group, tests[t].groups,
		                                     study.stratum, tests[t].rho, &found, NULL),
		                 RS_OK);
		agrees(want, "chisq", found.chi_square, 1e-11);
		agrees(want, "p", found.p, 1e-10);
		for (size_t g = 0; g < tests[t].groups; g++) {
			snprintf(path, sizeof path, "obs/%zu", g);
			agrees(want, path, found.observed[g], 1e-11);
			snprintf(path, sizeof path, "exp/%zu", g);
			agrees(want, path, found.expected[g], 1e-11);
		}
		rs_survival_comparison_finish(&found);
		rs_free(group);
		study_finish(&study);
	}
	json_decref(root);
}

static void what_cannot_be_fitted_is_said(void **state)
{
	(void)state;
	double x[] = {1, 2, 3, 4, 5, 6}, time[] = {1, 2, 3, 4, 5, 6}, twice[12], start[] = {0, 2, 0, 0, 0, 0};
	uint8_t none[6] = {0}, all[6] = {1, 1, 1, 1, 1, 1};
	struct rs_cox_data data = {.follow_up = {6, NULL, time, none, NULL}, .columns = 1, .x = x};
	struct rs_cox_model fit;
	struct rs_error err;
	assert_int_equal(rs_cox_fit(&data, &(struct rs_cox_options){0}, &fit, &err), RS_NOT_FOUND);
	assert_string_equal(err.message, "nobody of 6 subjects had the event");
	data.follow_up.event = all;
	assert_int_equal(rs_cox_fit(&data, &(struct rs_cox_options){0}, &fit, &err), RS_OK);
	assert_true(!fit.converged && fit.endless[0]); /* who has more dies later: separated */
	rs_cox_model_finish(&fit);
	data.follow_up.start = start;
	assert_int_equal(rs_cox_fit(&data, &(struct rs_cox_options){0}, &fit, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 2: the start is not before the time");
	data.follow_up.start = NULL;
	time[1] = 9;
	for (size_t i = 0; i < 6; i++) {
		twice[2 * i] = x[i];
		twice[2 * i + 1] = 3 * x[i] - 1;
	}
	data.columns = 2;
	data.x = twice;
	assert_int_equal(rs_cox_fit(&data, &(struct rs_cox_options){0}, &fit, &err), RS_OK);
	assert_true(fit.aliased[1] && !fit.aliased[0] && fit.coefficients[1] == 0 && fit.df == 1);
	rs_cox_model_finish(&fit);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_those_of_coxph),
		cmocka_unit_test(robust_errors_are_those_of_coxph),
		cmocka_unit_test(strata_have_their_own_hazards),
		cmocka_unit_test(trends_are_those_of_cox_zph),
		cmocka_unit_test(predictions_are_those_of_survfit),
		cmocka_unit_test(comparisons_are_those_of_survdiff),
		cmocka_unit_test(what_cannot_be_fitted_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
