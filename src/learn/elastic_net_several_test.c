/* Elastic nets of several classes without an order: glmnet's numbers, conditions of the optimum, small worlds.
 * R 4.2.2, glmnet 4.1.6: glmnet(x, y, family = "multinomial", thresh = 1e-20), cv.glmnet(…, thresh = 1e-18). */
#include "numeric/numeric_reference.h"

#include "learn/learn_elastic_net.h"

#define ROWS_MAX 256
#define COLUMNS_MAX 4
struct world {
	double values[COLUMNS_MAX * ROWS_MAX], weight[ROWS_MAX];
	uint32_t labels[ROWS_MAX], fold[ROWS_MAX];
	struct rs_matrix x;
};

/* Rows of a table that have all columns, and a label. */
static void read_world(struct world *w, const char *file, const char *const *names, size_t columns,
                       const char *class, const char *const *levels, size_t level_count)
{
	struct rs_csv csv;
	double kept[COLUMNS_MAX][ROWS_MAX];
	size_t rows = 0;
	table_open(file, &csv);
	for (size_t r = 0; r < csv.rows; r++) {
		const char *label = rs_csv_cell(&csv, r, rs_csv_column(&csv, class));
		size_t level = 0;
		bool whole = true;
		while (level < level_count && strcmp(levels[level], label) != 0)
			level++;
		for (size_t c = 0; c < columns; c++)
			whole = rs_parse_f64(rs_str_from(rs_csv_cell(&csv, r, rs_csv_column(&csv, names[c]))),
			                     &kept[c][rows]) &&
			        whole;
		if (!whole || level == level_count)
			continue;
		w->labels[rows] = (uint32_t)level;
		w->weight[rows] = 1 + (double)(rows % 3) / 2;
		w->fold[rows] = (uint32_t)(rows % 5);
		rows++;
		assert_true(rows < ROWS_MAX);
	}
	for (size_t c = 0; c < columns; c++)
		memcpy(&w->values[c * rows], kept[c], rows * sizeof(double));
	w->x = (struct rs_matrix){rows, columns, w->values};
	rs_csv_finish(&csv);
}

static const char *const veteran_columns[] = {"karno", "diagtime", "age", "prior"};
static const char *const veteran_levels[] = {"squamous", "smallcell", "adeno", "large"};

static void veteran_is_that_of_glmnet(void **state)
{
	(void)state;
	static const double lambdas[] = {0.1, 0.02, 0.002}, factors[] = {1, 2, 0.5, 1};
	static const double at[] = {0.159200599882319,   -0.0284562536938382, -0.0647765521129691,
	                            -0.0659677940755117, -0.295240715664447,  0.146800567223002,
	                            0.76798484048662,    -0.619544692045175,  -0.736133881028039,
	                            0.143381143411223,   1.35898290229541,    -0.766230164678595};
	static const double coefficients[] = {0,
	                                      0,
	                                      0,
	                                      0.00809353005849134,
	                                      -0.00828169857982532,
	                                      0,
	                                      0.01736050254,
	                                      0,
	                                      0,
	                                      0,
	                                      0,
	                                      -0.000400929232140392,
	                                      0,
	                                      0,
	                                      0,
	                                      0,
	                                      0.00150954875023045,
	                                      0.0150812785852709,
	                                      0,
	                                      0.0281804952936373,
	                                      -0.0156178736094877,
	                                      0,
	                                      0.0196319679960854,
	                                      -0.0222544089092805,
	                                      0,
	                                      -0.021697308757516,
	                                      -0.0125503785174453,
	                                      -0.0389627484947462,
	                                      0.0113489825141738,
	                                      0,
	                                      -0.00692365325569829,
	                                      0.0330366621103895,
	                                      0.00500901735753842,
	                                      0.0287444130377621,
	                                      0.00266368944935074,
	                                      0.0278553347275097,
	                                      -0.0171181235564686,
	                                      0.0101476091938555,
	                                      0.0211258146964202,
	                                      -0.0363958561833685,
	                                      -0.00299116129706639,
	                                      -0.0547595086559854,
	                                      -0.0154075697527899,
	                                      -0.0376480386378401,
	                                      0.0151002674959966,
	                                      0,
	                                      -0.00838193439298099,
	                                      0.0461885600936989};
	struct world w;
	struct rs_elastic_net_path path;
	read_world(&w, "r_survival/veteran.csv", veteran_columns, 4, "celltype", veteran_levels, 4);
	const struct rs_elastic_net_data data = {
		.x = &w.x, .weight = w.weight, .labels = w.labels, .classes = 4, .unordered = true};
	const struct rs_elastic_net_options options = {
		.mixing = 0.6, .penalty = factors, .lambdas = lambdas, .lambda_count = 3, .threshold = 1e-20};
	assert_int_equal(rs_elastic_net_fit(&data, &options, &path, NULL), RS_OK);
	assert_true(path.settled && path.outputs == 4 && path.thresholds == 4);
	for (size_t i = 0; i < RS_COUNT(at); i++)
		near("intercept", path.at[i], at[i], 1e-7);
	for (size_t i = 0; i < RS_COUNT(coefficients); i++)
		near("coefficient", path.coefficients[i], coefficients[i], 1e-7);
	rs_elastic_net_path_finish(&path);
}

static void lung_is_that_of_glmnet(void **state)
{
	(void)state;
	static const char *const columns[] = {"age", "sex", "pat.karno"}, *const levels[] = {"0", "1", "2"};
	static const double coefficients[] = {-0.004745926850362941, 0,
	                                      0.034814653239154239,  0,
	                                      -0.1696573619870649,   0,
	                                      0.05916784205822163,   0.16607370469587174,
	                                      -0.09274385650871574},
			    at[] = {-2.934894226880286, 0.565384839174991, 2.369509387705294};
	struct world w;
	struct rs_elastic_net_path path;
	read_world(&w, "r_survival/lung.csv", columns, 3, "ph.ecog", levels, 3);
	const struct rs_elastic_net_data data = {
		.x = &w.x, .labels = w.labels, .classes = 3, .unordered = true};
	const struct rs_elastic_net_options options = {.mixing = 1, .lambda_count = 50, .threshold = 1e-20};
	assert_int_equal(rs_elastic_net_fit(&data, &options, &path, NULL), RS_OK);
	assert_int_equal(path.count, 31);
	near("largest lambda", path.lambdas[0], 0.218355131739087, 1e-11);
	near("lambda", path.lambdas[19], 0.00613964124466004, 1e-11);
	near("explained", path.explained[1], 0.041730956195, 1e-9);
	near("explained", path.explained[9], 0.159893020262, 1e-9);
	near("explained", path.explained[30], 0.18208673531, 1e-9);
	for (size_t i = 0; i < 9; i++)
		near("coefficient", path.coefficients[19 * 9 + i], coefficients[i], 1e-7);
	for (size_t i = 0; i < 3; i++)
		near("intercept", path.at[19 * 3 + i], at[i], 1e-7);
	rs_elastic_net_path_finish(&path);
}

static void validation_is_that_of_glmnet(void **state)
{
	(void)state;
	static const double deviance[] = {2.71468214087, 2.75473929303, 2.83261324005},
			    error[] = {0.00822440556936, 0.0328982608207, 0.0718440129514};
	static const size_t at[] = {0, 5, 11};
	struct world w;
	struct rs_elastic_net_path path;
	struct rs_elastic_net_validation validation;
	double lambdas[12];
	for (int i = 0; i < 12; i++)
		lambdas[i] = exp(log(0.4) + i * (log(0.004) - log(0.4)) / 11);
	read_world(&w, "r_survival/veteran.csv", veteran_columns, 4, "celltype", veteran_levels, 4);
	const struct rs_elastic_net_data data = {
		.x = &w.x, .labels = w.labels, .classes = 4, .unordered = true};
	const struct rs_elastic_net_options options = {
		.mixing = 1, .lambdas = lambdas, .lambda_count = 12, .threshold = 1e-18};
	assert_int_equal(rs_elastic_net_validate(&data, &options, w.fold, 5, NULL, &path, &validation, NULL),
	                 RS_OK);
	for (size_t k = 0; k < 3; k++) {
		near("deviance", validation.deviance[at[k]], deviance[k], 1e-7);
		near("error", validation.error[at[k]], error[k], 1e-6);
	}
	assert_true(validation.best == 0 && validation.sparsest == 0);
	rs_elastic_net_path_finish(&path);
	rs_elastic_net_validation_finish(&validation);
}

/* Three classes that one column separates, a copy of it, a constant; of five classes two have no rows. */
static void small_worlds_are_defined(void **state)
{
	(void)state;
	double x[3 * 12], shares[5];
	uint32_t labels[12];
	struct rs_elastic_net_path path;
	struct rs_error err;
	for (size_t r = 0; r < 12; r++) {
		x[r] = x[12 + r] = (double)r;
		x[24 + r] = 7;
		labels[r] = r < 4 ? 0 : r < 8 ? 1 : 4;
	}
	const struct rs_matrix matrix = {12, 3, x};
	struct rs_elastic_net_data data = {.x = &matrix, .labels = labels, .classes = 5, .unordered = true};
	for (double mixing = 0; mixing <= 1; mixing += 0.5) {
		const struct rs_elastic_net_options options = {.mixing = mixing, .lambda_count = 20};
		assert_int_equal(rs_elastic_net_fit(&data, &options, &path, &err), RS_OK);
		assert_true(path.settled);
		for (size_t l = 0; l < path.count; l++) {
			rs_elastic_net_classes(&path, l, x, 12, shares);
			assert_true(fabs(shares[0] + shares[1] + shares[4] - 1) < 1e-12 && shares[2] == 0 &&
			            shares[3] == 0 && shares[0] >= shares[4]);
		}
		assert_true(path.coefficients[2] == 0 && (mixing == 0 || shares[0] > 0.9));
		rs_elastic_net_path_finish(&path);
	}
	memset(labels, 0, sizeof labels);
	const struct rs_elastic_net_options lasso = {.mixing = 1};
	assert_int_equal(rs_elastic_net_fit(&data, &lasso, &path, &err), RS_NOT_FOUND);
	assert_string_equal(err.message, "all 12 rows are of one class");
	labels[3] = 9;
	assert_int_equal(rs_elastic_net_fit(&data, &lasso, &path, &err), RS_USAGE);
	assert_string_equal(err.message, "row 4: there is no class 9");
	labels[3] = 1;
	memset(x, 0, sizeof x); /* nothing varies */
	assert_int_equal(rs_elastic_net_fit(&data, &lasso, &path, &err), RS_OK);
	rs_elastic_net_classes(&path, 0, x, 12, shares);
	assert_true(path.count == 1 && fabs(shares[0] - 11.0 / 12) < 1e-9 && isinf(path.at[2]));
	rs_elastic_net_path_finish(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_worlds_are_defined),
		cmocka_unit_test(veteran_is_that_of_glmnet),
		cmocka_unit_test(lung_is_that_of_glmnet),
		cmocka_unit_test(validation_is_that_of_glmnet),
	};
	const char *data = getenv("RADSEAL_DATA");
	size_t count = data && data[0] ? RS_COUNT(tests) : 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
}
