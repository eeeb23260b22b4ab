/* Discrimination, calibration, usefulness and agreement against R (pROC, rms, psych) and scikit-learn. */
#include "numeric/numeric_reference.h"

#include "assess/assess.h"

struct study {
	size_t count;
	double *s100b, *ndka, *wfns, *p;
	uint8_t *outcome;
	json_t *roc, *logistic, *wdbc;
};
static struct study study;

static int open_study(void **state)
{
	struct rs_csv csv;
	(void)state;
	table_open("roc/aSAH.csv", &csv);
	study.count = csv.rows;
	study.s100b = column_of(&csv, "s100b");
	study.ndka = column_of(&csv, "ndka");
	study.wfns = column_of(&csv, "wfns");
	study.outcome = rs_allocate(csv.rows);
	study.p = rs_allocate_array(csv.rows, sizeof *study.p);
	study.roc = reference_open("roc_delong_aSAH.json");
	study.logistic = reference_open("logistic_calibration_aSAH.json");
	study.wdbc = reference_open("wdbc.json");
	for (size_t i = 0; i < csv.rows; i++) {
		study.outcome[i] = strcmp(rs_csv_cell(&csv, i, rs_csv_column(&csv, "outcome")), "Poor") == 0;
		study.p[i] = json_number_value(json_array_get(json_object_get(study.logistic, "pred"), i));
	}
	rs_csv_finish(&csv);
	return 0;
}

static int close_study(void **state)
{
	(void)state;
	rs_free(study.s100b);
	rs_free(study.ndka);
	rs_free(study.wfns);
	rs_free(study.p);
	rs_free(study.outcome);
	json_decref(study.roc);
	json_decref(study.logistic);
	json_decref(study.wdbc);
	return 0;
}

static void areas_are_those_of_proc(void **state)
{
	(void)state;
	const double *const scores[] = {study.s100b, study.ndka, study.wfns};
	static const char *const names[] = {"s100b", "ndka", "wfns"};
	double area[3], covariance[9], z;
	assert_int_equal(rs_auc_of(scores, 3, study.outcome, study.count, area, covariance, NULL), RS_OK);
	for (size_t s = 0; s < 3; s++) {
		json_t *want = reference_at(study.roc, names[s]);
		double half = 1.959963984540054 * sqrt(covariance[4 * s]);
		agrees(want, "auc", area[s], 1e-12);
		agrees(want, "var", covariance[4 * s], 1e-12);
		agrees(want, "delong_ci95/0", area[s] - half, 1e-12);
		struct rs_interval interval = rs_auc_interval(area[s], covariance[4 * s], 41, 0.95);
		assert_true(interval.lower > 0 && interval.lower < area[s] && area[s] < interval.upper &&
		            interval.upper < 1);
	}
	agrees(study.roc, "cov_s100b_ndka", covariance[1], 1e-12);
	double p = rs_auc_difference(area, covariance, 3, 0, 1, &z);
	agrees(study.roc, "delong_s100b_vs_ndka/z", z, 1e-11);
	agrees(study.roc, "delong_s100b_vs_ndka/p", p, 1e-11);
	p = rs_auc_difference(area, covariance, 3, 0, 2, &z);
	agrees(study.roc, "delong_s100b_vs_wfns/z", z, 1e-11);
	agrees(study.roc, "delong_s100b_vs_wfns/p", p, 1e-11);
}

static void curves_are_those_of_proc(void **state)
{
	(void)state;
	struct rs_roc roc;
	assert_int_equal(rs_roc_of(study.s100b, study.outcome, study.count, &roc, NULL), RS_OK);
	json_t *want = reference_at(study.roc, "roc_points");
	assert_int_equal(roc.count, json_array_size(reference_at(want, "threshold")));
	for (size_t i = 0; i < roc.count; i++) {
		char path[64];
		snprintf(path, sizeof path, "threshold/%zu", i);
		if (isfinite(roc.points[i].threshold))
			agrees(want, path, roc.points[i].threshold, 1e-12);
		snprintf(path, sizeof path, "sensitivity/%zu", i);
		agrees(want, path, roc.points[i].sensitivity, 1e-12);
		snprintf(path, sizeof path, "specificity/%zu", i);
		agrees(want, path, roc.points[i].specificity, 1e-12);
	}
	const struct rs_roc_point *best = rs_roc_youden(&roc);
	agrees(study.roc, "youden/threshold", best->threshold, 1e-12);
	struct rs_confusion confusion = rs_confusion_of(study.s100b, study.outcome, study.count,
	                                                best->threshold);
	struct rs_classification found;
	rs_classification_of(&confusion, 0.95, &found);
	agrees(study.roc, "youden/sensitivity", found.sensitivity.value, 1e-12);
	agrees(study.roc, "youden/specificity", found.specificity.value, 1e-12);
	agrees(study.roc, "youden/ppv", found.positive_value.value, 1e-12);
	agrees(study.roc, "youden/npv", found.negative_value.value, 1e-12);
	double partial, corrected;
	rs_partial_auc(&roc, 0.9, &partial, &corrected);
	agrees(study.roc, "pauc_spec_1_09", partial, 1e-12);
	agrees(study.roc, "pauc_corrected", corrected, 1e-12);
	rs_partial_auc(&roc, 0, &partial, &corrected);
	agrees(study.roc, "s100b/auc", partial, 1e-12);
	rs_roc_finish(&roc);
}

static void calibration_agrees(json_t *want, const double *p)
{
	struct rs_calibration found;
	assert_int_equal(rs_calibration_of(p, study.outcome, study.count, 0.95, &found, NULL), RS_OK);
	agrees(want, "Brier", found.brier, 1e-12);
	/* rms stops its search at 1e-7 or so. */
	assert_true(fabs(found.intercept.value - reference_number(want, "Intercept")) < 1e-6);
	assert_true(fabs(found.slope.value - reference_number(want, "Slope")) < 1e-6);
	agrees(want, "Emax", found.e_max, 1e-10);
	agrees(want, "E90", found.e90, 1e-10);
	agrees(want, "Eavg", found.ici, 1e-10);
	agrees(want, "S:z", found.spiegelhalter_z, 1e-10);
	agrees(want, "R2", found.r2, 1e-10);
	agrees(want, "D", found.discrimination, 1e-10);
	agrees(want, "U", found.unreliability, 1e-9);
	agrees(want, "Q", found.quality, 1e-9);
	assert_true(fabs(found.unreliability_p - reference_number(want, "U:p")) < 1e-8);
	agrees(want, "S:p", found.spiegelhalter_p, 1e-10);
}

/* R 4.2.2, glm() on logits of probabilities kept 1e-15 away from 0 and 1. */
static void certain_predictions_are_calibrated_too(void **state)
{
	static const double p[] = {0, 0, 0, 1, 1, 1, 0.2, 0.4, 0.6, 0.8};
	static const uint8_t outcome[] = {0, 1, 0, 1, 1, 0, 0, 1, 0, 1};
	struct rs_calibration found;
	(void)state;
	assert_int_equal(rs_calibration_of(p, outcome, RS_COUNT(p), 0.95, &found, NULL), RS_OK);
	assert_true(fabs(found.slope.value - 2.06736389773239e-02) < 1e-8);
	assert_true(fabs(found.intercept.value) < 1e-5);
}

static void calibration_is_that_of_rms(void **state)
{
	(void)state;
	double shrunk[256];
	struct rs_calibration found;
	calibration_agrees(reference_at(study.logistic, "val_prob_apparent"), study.p);
	for (size_t i = 0; i < study.count; i++)
		shrunk[i] = 1 / (1 + exp(-(0.3 + 0.7 * log(study.p[i] / (1 - study.p[i])))));
	calibration_agrees(reference_at(study.logistic, "val_prob_shrunk"), shrunk);
	assert_int_equal(rs_calibration_of(study.p, study.outcome, study.count, 0.95, &found, NULL), RS_OK);
	agrees(study.logistic, "logloss", found.log_loss, 1e-12);
	near("miscalibration", found.brier_miscalibration, 0.0209574696286126,
	     1e-12); /* scikit-learn 1.2.2 */
	near("discrimination", found.brier_discrimination, 0.106115036004138, 1e-12);
	near("uncertainty", found.brier_uncertainty, 0.231184900931945, 1e-12);
	agrees(study.logistic, "hosmer_lemeshow/chisq", found.hosmer_lemeshow, 1e-10);
	agrees(study.logistic, "hosmer_lemeshow/df", found.hosmer_lemeshow_df, 1e-12);
	agrees(study.logistic, "hosmer_lemeshow/p", found.hosmer_lemeshow_p, 1e-10);
	for (size_t t = 0; t < 12; t++) {
		struct rs_net_benefit benefit;
		char path[64];
		snprintf(path, sizeof path, "dca/threshold/%zu", t);
		rs_net_benefit_of(study.p, study.outcome, study.count, reference_number(study.logistic, path),
		                  &benefit);
		snprintf(path, sizeof path, "dca/net_benefit_model/%zu", t);
		agrees(study.logistic, path, benefit.model, 1e-12);
		snprintf(path, sizeof path, "dca/net_benefit_all/%zu", t);
		agrees(study.logistic, path, benefit.all, 1e-12);
	}
}

static void model_agrees(json_t *want, const double *p, const uint8_t *outcome, size_t n, double area,
                         double variance)
{
	struct rs_confusion confusion = rs_confusion_of(p, outcome, n, 0.5);
	struct rs_classification found;
	struct rs_calibration calibration;
	double average, half = 1.959963984540054 * sqrt(variance);
	rs_classification_of(&confusion, 0.95, &found);
	assert_int_equal(rs_average_precision(p, outcome, n, &average, NULL), RS_OK);
	assert_int_equal(rs_calibration_of(p, outcome, n, 0.95, &calibration, NULL), RS_OK);
	const struct {
		const char *path;
		double value;
	} members[] = {{"f1", found.f1},
	               {"mcc", found.mcc},
	               {"acc", found.accuracy.value},
	               {"bal_acc", found.balanced_accuracy},
	               {"rec", found.sensitivity.value},
	               {"prec", found.positive_value.value},
	               {"ap", average},
	               {"auc", area},
	               {"delong_se", sqrt(variance)},
	               {"ci/0", area - half},
	               {"ci/1", fmin(1, area + half)},
	               {"brier", calibration.brier},
	               {"logloss", calibration.log_loss},
	               {"cm/0/0", (double)confusion.true_negative},
	               {"cm/0/1", (double)confusion.false_positive},
	               {"cm/1/0", (double)confusion.false_negative},
	               {"cm/1/1", (double)confusion.true_positive}};
	for (size_t m = 0; m < RS_COUNT(members); m++)
		assert_true(fabs(members[m].value - reference_number(want, members[m].path)) < 1e-7);
}

/* Probabilities of a logistic regression and of XGBoost, whose are floats. */
static void classification_is_that_of_sklearn(void **state)
{
	(void)state;
	json_t *wants[] = {reference_at(study.wdbc, "lr_l2_C1"),
	                   reference_at(study.wdbc, "xgb_exact_d3_100")};
	struct rs_csv csv;
	double p[2][114], area[2], covariance[4], z;
	const double *const scores[] = {p[0], p[1]};
	uint8_t outcome[114];
	size_t n = 0;
	table_open("wdbc/wdbc.csv", &csv);
	for (size_t i = 0; i < csv.rows; i += 5, n++) { /* test rows: every fifth */
		outcome[n] = rs_csv_cell(&csv, i, rs_csv_column(&csv, "malignant"))[0] == '1';
		for (size_t m = 0; m < 2; m++)
			p[m][n] = json_number_value(json_array_get(json_object_get(wants[m], "p"), n));
	}
	assert_int_equal(n, 114);
	assert_int_equal(rs_auc_of(scores, 2, outcome, n, area, covariance, NULL), RS_OK);
	for (size_t m = 0; m < 2; m++)
		model_agrees(wants[m], p[m], outcome, n, area[m], covariance[3 * m]);
	double equal = rs_auc_difference(area, covariance, 2, 0, 1, &z);
	agrees(study.wdbc, "delong_lr_vs_xgb/z", z, 1e-10);
	agrees(study.wdbc, "delong_lr_vs_xgb/p", equal, 1e-10);
	rs_csv_finish(&csv);
}

static void agreement_is_that_of_psych(void **state)
{
	(void)state;
	json_t *root = reference_open("icc_shrout_fleiss.json");
	double ratings[24];
	struct rs_icc found[RS_ICC_KINDS];
	for (size_t i = 0; i < 24; i++) {
		char path[32];
		snprintf(path, sizeof path, "data/%zu/%zu", i / 4, i % 4);
		ratings[i] = reference_number(root, path);
	}
	assert_int_equal(rs_icc_of(ratings, 6, 4, 0.95, found, NULL), RS_OK);
	for (size_t k = 0; k < RS_ICC_KINDS; k++) {
		const struct {
			const char *name;
			double value;
		} members[] = {{"ICC", found[k].icc.value},
		               {"F", found[k].f},
		               {"df1", found[k].df1},
		               {"df2", found[k].df2},
		               {"p", found[k].p},
		               {"lower bound", found[k].icc.lower},
		               {"upper bound", found[k].icc.upper}};
		for (size_t m = 0; m < RS_COUNT(members); m++) {
			char path[64];
			snprintf(path, sizeof path, "icc/%s/%zu", members[m].name, k);
			agrees(root, path, members[m].value, 1e-10);
		}
	}
	json_decref(root);
}

/* Of 60 rows; R 4.2.2: pROC 1.18.0 multiclass.roc, Hmisc 4.8.0 rcorr.cens, the rest from the table of decisions. */
static void several_classes_are_those_of_proc(void **state)
{
	(void)state;
	static const uint8_t label[] = {1, 0, 0, 0, 2, 0, 2, 3, 3, 0, 2, 0, 0, 3, 1, 1, 3, 1, 3, 2,
	                                2, 3, 1, 1, 1, 2, 1, 2, 1, 1, 1, 0, 2, 1, 1, 3, 1, 1, 0, 0,
	                                3, 0, 1, 0, 3, 0, 3, 2, 2, 1, 0, 2, 2, 2, 2, 1, 0, 0, 2, 2};
	static const double p[] = {
		0.273, 0.459, 0.049, 0.219, 0.295, 0.202, 0.316, 0.187, 0.461, 0.377, 0.092, 0.07,  0.385,
		0.09,  0.309, 0.216, 0.084, 0.033, 0.531, 0.352, 0.615, 0.272, 0.094, 0.019, 0.023, 0.321,
		0.534, 0.122, 0.189, 0.074, 0.1,   0.637, 0.25,  0.17,  0.231, 0.349, 0.542, 0.101, 0.278,
		0.079, 0.123, 0.148, 0.426, 0.303, 0.526, 0.075, 0.36,  0.039, 0.288, 0.165, 0.467, 0.08,
		0.18,  0.093, 0.119, 0.608, 0.298, 0.367, 0.102, 0.233, 0.193, 0.441, 0.196, 0.17,  0.15,
		0.329, 0.39,  0.131, 0.17,  0.263, 0.181, 0.386, 0.131, 0.216, 0.196, 0.457, 0.086, 0.007,
		0.325, 0.582, 0.247, 0.152, 0.367, 0.234, 0.286, 0.27,  0.319, 0.125, 0.205, 0.363, 0.162,
		0.27,  0.347, 0.472, 0.136, 0.045, 0.5,   0.206, 0.2,   0.094, 0.041, 0.301, 0.658, 0,
		0.042, 0.558, 0.383, 0.017, 0.319, 0.313, 0.19,  0.178, 0.082, 0.607, 0.202, 0.109, 0.307,
		0.376, 0.013, 0.304, 0.125, 0.303, 0.026, 0.546, 0.251, 0.016, 0.359, 0.374, 0.165, 0.18,
		0.439, 0.216, 0.092, 0.497, 0.214, 0.197, 0.171, 0.22,  0.38,  0.229, 0.029, 0.308, 0.272,
		0.391, 0.49,  0.389, 0.089, 0.032, 0.162, 0.434, 0.066, 0.338, 0.238, 0.259, 0.022, 0.481,
		0.305, 0.264, 0.224, 0.207, 0.068, 0.246, 0.183, 0.503, 0.24,  0.357, 0.247, 0.156, 0.107,
		0.286, 0.306, 0.301, 0.5,   0.262, 0.23,  0.008, 0.228, 0.136, 0.393, 0.243, 0.517, 0.047,
		0.369, 0.067, 0.321, 0.033, 0.297, 0.349, 0.145, 0.11,  0.669, 0.076, 0.349, 0.053, 0.516,
		0.082, 0.273, 0.253, 0.327, 0.147, 0.417, 0.053, 0.353, 0.177, 0.215, 0.328, 0.452, 0.005,
		0.259, 0.179, 0.455, 0.107, 0.231, 0.236, 0.321, 0.212, 0.303, 0.052, 0.386, 0.259, 0.19,
		0.224, 0.216, 0.37,  0.252, 0.252, 0.378, 0.118, 0.623, 0.116, 0.121, 0.14,  0.365, 0.169,
		0.137, 0.329, 0.045, 0.468, 0.37,  0.117};
	const struct rs_class_scores scores = {RS_COUNT(label), 4, label, p};
	struct rs_classes found;
	assert_int_equal(rs_classes_of(&scores, &found, NULL), RS_OK);
	near("Hand & Till", found.hand_till, 0.84983362268518514, 1e-12);
	near("ordinal c", found.ordinal_c, 0.74699699699699695, 1e-12);
	near("macro F1", found.macro_f1, 0.64766940853897381, 1e-12);
	near("kappa", found.kappa, 0.55474452554744524, 1e-12);
	near("Brier", found.brier, 0.55153553333333338, 1e-12);
	near("log loss", found.log_loss, 0.99905713270792751, 1e-12);
	assert_int_equal(found.correct, 39);
}

/* No disagreement, or the same for all: what tiny disagreement comes close to. */
static size_t lung_of(const struct rs_csv *lung, const char *name, const char *by, double from, double to,
                      double *out)
{
	double *values = column_of(lung, name), *group = column_of(lung, by);
	size_t count = 0;
	for (size_t i = 0; i < lung->rows; i++)
		if (group[i] >= from && group[i] <= to && !isnan(values[i]))
			out[count++] = values[i];
	rs_free(values);
	rs_free(group);
	return count;
}

/* ks.test(…, exact = FALSE); the area between two ecdf()s. */
static void shifts_are_those_of_r(void **state)
{
	(void)state;
	struct rs_csv lung;
	double a[300], b[300];
	table_open("r_survival/lung.csv", &lung);
	size_t n = lung_of(&lung, "age", "sex", 1, 1, a), m = lung_of(&lung, "age", "sex", 2, 2, b);
	struct rs_shift found = rs_shift_of(a, n, b, m);
	near("D of age", found.ks, 0.144927536231884, 1e-12);
	near("its p", found.p, 0.202659800150690, 1e-10);
	near("area", found.wasserstein, 2.40579710144928, 1e-12);
	n = lung_of(&lung, "pat.karno", "ph.ecog", 0, 0, a);
	m = lung_of(&lung, "pat.karno", "ph.ecog", 1, 2, b);
	found = rs_shift_of(a, n, b, m);
	near("D of Karnofsky", found.ks, 0.325886595872570572, 1e-12);
	near("its p", found.p, 0.000148554640240328, 1e-9);
	near("area", found.wasserstein, 10.2143858946103, 1e-12);
	found = rs_shift_of(a, n, a, n); /* ties everywhere */
	assert_true(found.ks == 0 && found.p == 1 && found.wasserstein == 0);
	assert_true(isnan(rs_shift_of(a, 0, b, m).ks));
	rs_csv_finish(&lung);
}

static void perfect_agreement_has_its_limits(void **state)
{
	(void)state;
	double exact[12], nearly[12];
	struct rs_icc found[RS_ICC_KINDS], limit[RS_ICC_KINDS];
	for (int shifted = 0; shifted < 2; shifted++) {
		for (size_t i = 0; i < 12; i++) {
			exact[i] = (double)(i / 3 * i / 3) + shifted * (double)(i % 3);
			nearly[i] = exact[i] + 1e-6 * (double)(i * 7 % 5);
		}
		assert_int_equal(rs_icc_of(exact, 4, 3, 0.95, found, NULL), RS_OK);
		assert_int_equal(rs_icc_of(nearly, 4, 3, 0.95, limit, NULL), RS_OK);
		for (size_t k = 0; k < RS_ICC_KINDS; k++) {
			near("value", found[k].icc.value, limit[k].icc.value, 1e-5);
			near("lower", found[k].icc.lower, limit[k].icc.lower, 1e-5);
			near("upper", found[k].icc.upper, limit[k].icc.upper, 1e-5);
		}
	}
}

static void edges_are_defined(void **state)
{
	(void)state;
	const double score[] = {1, 2, 3, 4}, flat[] = {0.5, 0.5, 0.5, 0.5};
	const uint8_t apart[] = {0, 0, 1, 1}, all[] = {1, 1, 1, 1}, mixed[] = {0, 1, 0, 1};
	const double *const one[] = {score};
	double area, variance;
	struct rs_error err;
	struct rs_calibration found;
	assert_int_equal(rs_auc_of(one, 1, all, 4, &area, &variance, &err), RS_NOT_FOUND);
	assert_string_equal(err.message, "all 4 subjects have the outcome 1");
	assert_int_equal(rs_auc_of(one, 1, apart, 4, &area, &variance, &err), RS_OK);
	struct rs_interval interval = rs_auc_interval(area, variance, 2, 0.95);
	assert_true(area == 1 && variance == 0 && interval.upper == 1 && interval.lower > 0 &&
	            interval.lower < 0.3);
	assert_int_equal(rs_calibration_of(flat, mixed, 4, 0.95, &found, &err), RS_OK);
	assert_true(found.brier == 0.25 && isnan(found.slope.value) && fabs(found.in_the_large) < 1e-12);
	const double beyond[] = {0.5, 1.5, 0, 0};
	assert_int_equal(rs_calibration_of(beyond, mixed, 4, 0.95, &found, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 2: 1.5 is no probability");
	interval = rs_proportion_interval(0, 0, 0.95);
	assert_true(isnan(interval.value) && interval.lower == 0 && interval.upper == 1);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_are_those_of_proc),
		cmocka_unit_test(curves_are_those_of_proc),
		cmocka_unit_test(calibration_is_that_of_rms),
		cmocka_unit_test(certain_predictions_are_calibrated_too),
		cmocka_unit_test(classification_is_that_of_sklearn),
		cmocka_unit_test(agreement_is_that_of_psych),
		cmocka_unit_test(several_classes_are_those_of_proc),
		cmocka_unit_test(shifts_are_those_of_r),
		cmocka_unit_test(perfect_agreement_has_its_limits),
		cmocka_unit_test(edges_are_defined),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, open_study, close_study);
}
