/* Competing risks against R: survfit and finegray of survival 3.5.3, cuminc and crr of cmprsk 2.2-11. */
#include "numeric/numeric_reference.h"

#include "survival/survival_competing.h"

#define TOLERANCE 1e-8
#define PCM 1 /* of mgus2: plasma cell malignancy; 2: death without it */
#define DEATH 2

struct study {
	struct rs_csv csv;
	double *time, *covariates; /* age, whether male */
	uint8_t *event;
	uint32_t *male, *age_group;
	struct rs_follow_up seen;
};

static void study_open(struct study *out)
{
	table_open("r_survival/mgus2.csv", &out->csv);
	size_t n = out->csv.rows;
	double *progressed = column_of(&out->csv, "pstat"), *died = column_of(&out->csv, "death");
	double *until = column_of(&out->csv, "futime"), *age = column_of(&out->csv, "age");
	out->time = column_of(&out->csv, "ptime");
	out->covariates = rs_allocate_array(n, 2 * sizeof(double));
	out->event = rs_allocate(n);
	out->male = rs_allocate_array(n, sizeof(uint32_t));
	out->age_group = rs_allocate_array(n, sizeof(uint32_t));
	for (size_t i = 0; i < n; i++) {
		if (progressed[i] == 0)
			out->time[i] = until[i];
		out->event[i] = progressed[i] == 1 ? PCM : died[i] == 1 ? DEATH : 0;
		out->male[i] = strcmp(rs_csv_cell(&out->csv, i, rs_csv_column(&out->csv, "sex")), "M") == 0;
		out->age_group[i] = age[i] <= 60 ? 0 : age[i] <= 75 ? 1 : 2;
		out->covariates[2 * i] = age[i];
		out->covariates[2 * i + 1] = out->male[i];
	}
	out->seen = (struct rs_follow_up){.count = n, .time = out->time, .event = out->event};
	rs_free(progressed);
	rs_free(died);
	rs_free(until);
	rs_free(age);
}

static void study_finish(struct study *study)
{
	rs_free(study->time);
	rs_free(study->covariates);
	rs_free(study->event);
	rs_free(study->male);
	rs_free(study->age_group);
	rs_csv_finish(&study->csv);
}

static void incidence_agrees_with_survfit(void **state)
{
	struct study *study = *state;
	json_t *root = reference_open("competing.json");
	for (uint8_t type = PCM; type <= DEATH; type++) {
		struct rs_incidence found;
		assert_int_equal(rs_incidence_fit(&study->seen, NULL, study->seen.count, type,
		                                  RS_INTERVAL_LOG, 0.95, &found, NULL),
		                 RS_OK);
		for (size_t t = 0; t < 4; t++) {
			char path[64];
			snprintf(path, sizeof path, "aj/times/%zu", t);
			const struct rs_incidence_point *at = rs_incidence_at(&found,
			                                                      reference_number(root, path));
			snprintf(path, sizeof path, "aj/pstate/%zu/%d", t, type);
			agrees(root, path, at->incidence, TOLERANCE);
			snprintf(path, sizeof path, "aj/pstate/%zu/0", t);
			agrees(root, path, at->survival, TOLERANCE);
			snprintf(path, sizeof path, "aj/std_err/%zu/%d", t, type);
			agrees(root, path, at->error, TOLERANCE);
		}
		rs_incidence_finish(&found);
	}
	json_decref(root);
}

static void intervals_agree_with_survfit(void **state)
{
	struct study *study = *state;
	static const struct {
		enum rs_survival_interval type;
		double lower, upper; /* of the malignancy at 240 months */
	} expected[] = {
		{RS_INTERVAL_LOG, 0.0823656279743783, 0.1209579545966150},
		{RS_INTERVAL_LOG_LOG, 0.0816899507073978, 0.1200191317174126},
		{RS_INTERVAL_PLAIN, 0.0806357686261833, 0.1189916632447550},
		{RS_INTERVAL_LOGIT, 0.0822065086140829, 0.1206961482566170},
	};
	for (size_t i = 0; i < RS_COUNT(expected); i++) {
		struct rs_incidence found;
		assert_int_equal(rs_incidence_fit(&study->seen, NULL, study->seen.count, PCM,
		                                  expected[i].type, 0.95, &found, NULL),
		                 RS_OK);
		const struct rs_incidence_point *at = rs_incidence_at(&found, 240);
		near("lower", at->lower, expected[i].lower, TOLERANCE);
		near("upper", at->upper, expected[i].upper, TOLERANCE);
		for (size_t p = 0; p < found.count; p++)
			assert_false(found.points[p].lower < 0 || found.points[p].upper > 1);
		rs_incidence_finish(&found);
	}
}

/* cuminc's variances by sex; rows "F 1", "M 1", "F 2", "M 2". */
static void delta_errors_agree_with_cuminc(void **state)
{
	struct study *study = *state;
	json_t *root = reference_open("competing.json");
	size_t *rows = rs_allocate_array(study->seen.count, sizeof *rows);
	static const char *const times[] = {"60", "120", "240"};
	for (size_t which = 0; which < 4; which++) {
		struct rs_incidence found;
		size_t count = 0;
		for (size_t i = 0; i < study->seen.count; i++)
			if (study->male[i] == which % 2)
				rows[count++] = i;
		assert_int_equal(rs_incidence_fit(&study->seen, rows, count, which < 2 ? PCM : DEATH,
		                                  RS_INTERVAL_LOG_LOG, 0.95, &found, NULL),
		                 RS_OK);
		for (size_t t = 0; t < RS_COUNT(times); t++) {
			char path[64];
			const struct rs_incidence_point *at = rs_incidence_at(&found, t == 0   ? 60
			                                                              : t == 1 ? 120
			                                                                       : 240);
			snprintf(path, sizeof path, "cuminc_sex/est/%s/%zu", times[t], which);
			agrees(root, path, at->incidence, TOLERANCE);
			snprintf(path, sizeof path, "cuminc_sex/var/%s/%zu", times[t], which);
			near(path, at->delta_error, sqrt(reference_number(root, path)), TOLERANCE);
		}
		rs_incidence_finish(&found);
	}
	rs_free(rows);
	json_decref(root);
}

static void groups_compare_as_in_cuminc(void **state)
{
	struct study *study = *state;
	const struct {
		const uint32_t *group, *stratum;
		uint32_t groups;
		double rho;
		double chi_square[2]; /* of both types */
	} expected[] = {
		{study->male, NULL, 2, 0, {1.19450782507551, 11.6512590121277}},
		{study->age_group, NULL, 3, 0, {4.17292903071099, 271.14219012555168}},
		{study->age_group, study->male, 3, 0, {4.6860752607461, 274.9962272589613}},
		{study->age_group, NULL, 3, 1, {3.58569142395616, 209.69923096009612}},
		{study->age_group, study->male, 3, -1, {5.41761764015764, 255.64431190525474}},
	};
	for (size_t i = 0; i < RS_COUNT(expected); i++)
		for (uint8_t type = PCM; type <= DEATH; type++) {
			struct rs_survival_comparison found;
			assert_int_equal(rs_incidence_compare(&study->seen, type, expected[i].group,
			                                      expected[i].groups, expected[i].stratum,
			                                      expected[i].rho, &found, NULL),
			                 RS_OK);
			near("Gray", found.chi_square, expected[i].chi_square[type - 1], TOLERANCE);
			assert_true(found.df == expected[i].groups - 1);
			rs_survival_comparison_finish(&found);
		}
}

static void weighted_incidence_agrees_with_survfit(void **state)
{
	struct study *study = *state;
	double *weight = rs_allocate_array(study->seen.count, sizeof *weight);
	struct rs_follow_up seen = study->seen;
	struct rs_incidence found;
	for (size_t i = 0; i < seen.count; i++)
		weight[i] = i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 0.5;
	seen.weight = weight;
	assert_int_equal(rs_incidence_fit(&seen, NULL, seen.count, PCM, RS_INTERVAL_LOG, 0.95, &found, NULL),
	                 RS_OK);
	const struct rs_incidence_point *at = rs_incidence_at(&found, 240);
	near("incidence", at->incidence, 0.0964952946160868, TOLERANCE);
	near("error", at->error, 0.01082783507465012, TOLERANCE);
	rs_incidence_finish(&found);
	rs_free(weight);
}

/* competing.json's crr stopped at a gradient of 1e-6; these are with gtol = 1e-13 (and coxph with eps = 1e-12). */
static void regression_agrees_with_crr_and_finegray(void **state)
{
	struct study *study = *state;
	const struct {
		enum rs_fine_gray_kind kind;
		size_t columns;
		const uint32_t *stratum;
		double coefficients[2], errors[2], log_likelihood[2];
	} expected[] = {
		{RS_FINE_GRAY_CMPRSK,
	         2,
	         NULL,
	         {-0.0173381532193788, -0.260038237827949},
	         {0.00573710324167716, 0.185681034794130},
	         {-793.774420402522, -790.121315169541}},
		{RS_FINE_GRAY_SURVIVAL,
	         2,
	         NULL,
	         {-0.0173017048049786, -0.259756791344188},
	         {0.00570293164637865, 0.185634694773010},
	         {-793.575823936928, -789.935826379372}},
		{RS_FINE_GRAY_SURVIVAL,
	         1,
	         study->male,
	         {-0.0172206299297504},
	         {0.00567381797607696},
	         {-713.950519024668, -711.084149441618}},
	};
	double *age = rs_allocate_array(study->seen.count, sizeof *age);
	for (size_t i = 0; i < study->seen.count; i++)
		age[i] = study->covariates[2 * i];
	for (size_t i = 0; i < RS_COUNT(expected); i++) {
		size_t columns = expected[i].columns;
		const struct rs_cox_data data = {.follow_up = study->seen,
		                                 .columns = columns,
		                                 .x = columns == 2 ? study->covariates : age,
		                                 .stratum = expected[i].stratum};
		struct rs_cox_model model;
		assert_int_equal(rs_fine_gray_fit(&data, PCM, expected[i].kind, &model, NULL), RS_OK);
		for (size_t j = 0; j < columns; j++) {
			near("coefficient", model.coefficients[j], expected[i].coefficients[j], TOLERANCE);
			near("error", sqrt(model.variance[j * (columns + 1)]), expected[i].errors[j],
			     TOLERANCE);
		}
		for (size_t j = 0; j < 2; j++)
			near("log likelihood", model.log_likelihood[j], expected[i].log_likelihood[j],
			     TOLERANCE);
		rs_cox_model_finish(&model);
	}
	rs_free(age);
}

int main(void)
{
	static struct study study;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(incidence_agrees_with_survfit, &study),
		cmocka_unit_test_prestate(intervals_agree_with_survfit, &study),
		cmocka_unit_test_prestate(delta_errors_agree_with_cuminc, &study),
		cmocka_unit_test_prestate(groups_compare_as_in_cuminc, &study),
		cmocka_unit_test_prestate(weighted_incidence_agrees_with_survfit, &study),
		cmocka_unit_test_prestate(regression_agrees_with_crr_and_finegray, &study),
	};
	if (!data_is_here())
		return 0;
	study_open(&study);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	study_finish(&study);
	return failures;
}
