/* Logistic regression against R's glm, isotonic regression against scikit-learn. */
#include "numeric/numeric_reference.h"

#include "assess/assess.h"
#include "assess/assess_isotonic.h"
#include "assess/assess_logistic.h"

/* glm(outcome ~ age + gender + s100b + ndka + as.integer(wfns)); its null deviance by R 4.2.2, as the file lacks it. */
static void coefficients_are_those_of_glm(void **state)
{
	static const char *const columns[] = {"age", "gender", "s100b", "ndka", "wfns"};
	static const char *const paths[] = {"(Intercept)", "age",  "genderFemale",
	                                    "s100b",       "ndka", "as.integer(wfns)"};
	struct rs_csv csv;
	struct rs_logistic model;
	json_t *root = reference_open("logistic_calibration_aSAH.json");
	(void)state;
	table_open("roc/aSAH.csv", &csv);
	double *x = rs_allocate_array(csv.rows, 5 * sizeof *x);
	uint8_t *outcome = rs_allocate(csv.rows);
	assert_true(x && outcome);
	for (size_t i = 0; i < csv.rows; i++) {
		for (size_t c = 0; c < 5; c++) {
			const char *cell = rs_csv_cell(&csv, i, rs_csv_column(&csv, columns[c]));
			x[5 * i + c] = c == 1 ? strcmp(cell, "Female") == 0 : strtod(cell, NULL);
		}
		outcome[i] = strcmp(rs_csv_cell(&csv, i, rs_csv_column(&csv, "outcome")), "Poor") == 0;
	}
	const struct rs_logistic_data data = {.count = csv.rows, .columns = 5, .x = x, .outcome = outcome};
	assert_int_equal(rs_logistic_fit(&data, &model, NULL), RS_OK);
	assert_true(model.converged);
	for (size_t j = 0; j < 6; j++) {
		char path[64];
		snprintf(path, sizeof path, "coef/%s", paths[j]);
		agrees(root, path, model.coefficients[j], 1e-9);
		snprintf(path, sizeof path, "se/%s", paths[j]);
		agrees(root, path, sqrt(model.variance[7 * j]), 1e-7); /* glm stops at 1e-8 */
	}
	agrees(root, "deviance", model.deviance, 1e-11);
	near("null deviance", model.null_deviance, 148.036816420924, 1e-12);
	rs_logistic_finish(&model);
	rs_free(x);
	rs_free(outcome);
	rs_csv_finish(&csv);
	json_decref(root);
}

/* The curve of training predictions, at those of the test rows. */
static void shares_are_those_of_sklearn(void **state)
{
	struct rs_csv csv;
	struct rs_isotonic curve;
	json_t *root = reference_open("wdbc.json");
	double *p = NULL;
	uint8_t *outcome = NULL;
	size_t training = 0, test = 0;
	(void)state;
	table_open("wdbc/wdbc.csv", &csv);
	p = rs_allocate_array(csv.rows, sizeof *p);
	outcome = rs_allocate(csv.rows);
	assert_true(p && outcome);
	for (size_t i = 0; i < csv.rows; i++) {
		double eta = reference_number(root, "lr_l2_C1/intercept");
		for (size_t c = 0; c < 30 && i % 5; c++) {
			char path[4][32];
			snprintf(path[0], sizeof path[0], "lr_l2_C1/coef/%zu", c);
			snprintf(path[1], sizeof path[1], "mean/%zu", c);
			snprintf(path[2], sizeof path[2], "sd_ddof0/%zu", c);
			eta += reference_number(root, path[0]) *
			       (strtod(rs_csv_cell(&csv, i, c), NULL) - reference_number(root, path[1])) /
			       reference_number(root, path[2]);
		}
		if (i % 5 == 0)
			continue;
		outcome[training] = rs_csv_cell(&csv, i, rs_csv_column(&csv, "malignant"))[0] == '1';
		p[training++] = 1 / (1 + exp(-eta));
	}
	assert_int_equal(rs_isotonic_fit(p, outcome, training, &curve, NULL), RS_OK);
	for (; test < 114; test++) {
		char path[2][32];
		snprintf(path[0], sizeof path[0], "lr_l2_C1/p/%zu", test);
		snprintf(path[1], sizeof path[1], "isotonic_test/%zu", test);
		agrees(root, path[1], rs_isotonic_at(&curve, reference_number(root, path[0])), 1e-12);
	}
	rs_isotonic_finish(&curve);
	rs_free(p);
	rs_free(outcome);
	rs_csv_finish(&csv);
	json_decref(root);
}

static void what_is_separated_or_told_twice(void **state)
{
	static const uint8_t outcome[] = {0, 0, 1, 0, 1, 1, 0, 1};
	static const double x[][2] = {{1, 7}, {2, 7}, {3, 7}, {4, 7}, {5, 7}, {6, 7}, {3, 7}, {4, 7}};
	double apart[8];
	struct rs_logistic model;
	struct rs_logistic_data data = {.count = 8, .columns = 2, .x = x[0], .outcome = outcome};
	(void)state;
	assert_int_equal(rs_logistic_fit(&data, &model, NULL), RS_OK);
	assert_true(model.converged && model.aliased[2] && !model.aliased[1]);
	assert_int_equal(model.df, 1);
	near("slope, as glm has it", model.coefficients[1], 1.54961378856, 1e-11);
	rs_logistic_finish(&model);
	for (size_t i = 0; i < 8; i++)
		apart[i] = outcome[i] + 1e-3 * (double)i;
	data.columns = 1;
	data.x = apart;
	assert_int_equal(rs_logistic_fit(&data, &model, NULL), RS_OK);
	assert_true(!model.converged && model.endless[1]);
	assert_true(model.deviance < 1e-6);
	rs_logistic_finish(&model);
	data.count = 0;
	assert_int_equal(rs_logistic_fit(&data, &model, NULL), RS_USAGE);
}

/* Equal scores become one point; a fall is levelled. */
static void small_curves(void **state)
{
	static const double score[] = {1, 1, 2, 3, 4, 5};
	static const uint8_t outcome[] = {0, 1, 0, 0, 1, 1};
	static const double at[] = {0, 1, 2.5, 3, 3.5, 4, 9}, want[] = {.25, .25, .25, .25, .625, 1, 1};
	struct rs_isotonic curve;
	(void)state;
	assert_int_equal(rs_isotonic_fit(score, outcome, 6, &curve, NULL), RS_OK);
	for (size_t i = 0; i < RS_COUNT(at); i++)
		near("share", rs_isotonic_at(&curve, at[i]), want[i], 1e-15);
	rs_isotonic_finish(&curve);
	assert_int_equal(rs_isotonic_fit((const double[]){NAN}, outcome, 1, &curve, NULL), RS_MALFORMED);
	assert_int_equal(rs_isotonic_fit(score, outcome, 0, &curve, NULL), RS_USAGE);
}

int main(void)
{
	const struct CMUnitTest alone[] = {
		cmocka_unit_test(what_is_separated_or_told_twice),
		cmocka_unit_test(small_curves),
	};
	const struct CMUnitTest against[] = {
		cmocka_unit_test(coefficients_are_those_of_glm),
		cmocka_unit_test(shares_are_those_of_sklearn),
		cmocka_unit_test(what_is_separated_or_told_twice),
		cmocka_unit_test(small_curves),
	};
	const char *data = getenv("RADSEAL_DATA");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return data && data[0] ? cmocka_run_group_tests(against, NULL, NULL)
	                       : cmocka_run_group_tests(alone, NULL, NULL);
}
