/* Forests: what scikit-learn and ranger reach on the same data, the same bits on every number of threads, small worlds. */
#include "numeric/numeric_reference.h"

#include "assess/assess.h"
#include "learn/learn_forest.h"
#include "survival/survival_concordance.h"

static struct rs_matrix matrix_of(const struct rs_csv *csv, const char *const *names, size_t columns,
                                  size_t every, size_t rest, bool inverted)
{
	struct rs_matrix x = {0, columns, NULL};
	double *values = rs_allocate_array(csv->rows, columns * sizeof *values);
	for (size_t i = 0; i < csv->rows; i++)
		x.rows += (i % every == rest) != inverted;
	for (size_t c = 0; c < columns; c++) {
		double *column = column_of(csv, names ? names[c] : rs_csv_name(csv, c));
		for (size_t i = 0, r = 0; i < csv->rows; i++)
			if ((i % every == rest) != inverted)
				values[c * x.rows + r++] = column[i];
		rs_free(column);
	}
	x.values = values;
	return x;
}

static void free_matrix(struct rs_matrix *x) { rs_free((void *)(uintptr_t)x->values); }

static uint32_t *labels_of(const struct rs_csv *csv, const char *name, bool test)
{
	double *values = column_of(csv, name);
	uint32_t *labels = rs_allocate_array(csv->rows, sizeof *labels);
	for (size_t i = 0, r = 0; i < csv->rows; i++)
		if ((i % 5 == 0) == test)
			labels[r++] = (uint32_t)values[i];
	rs_free(values);
	return labels;
}

static double test_area(const struct rs_forest *forest, const struct rs_matrix *x, const uint32_t *labels)
{
	double score[128], row[64], shares[2], area;
	uint8_t outcome[128];
	assert_true(x->rows <= 128 && x->columns <= 64);
	for (size_t r = 0; r < x->rows; r++) {
		for (size_t c = 0; c < x->columns; c++)
			row[c] = x->values[c * x->rows + r];
		rs_forest_classes(forest, row, shares);
		assert_true(fabs(shares[0] + shares[1] - 1) < 1e-12);
		score[r] = shares[1];
		outcome[r] = labels[r] != 0;
	}
	assert_int_equal(rs_auc_of((const double *const[]){score}, 1, outcome, x->rows, &area, NULL, NULL),
	                 RS_OK);
	return area;
}

/* scikit-learn 1.2, ten seeds of 500 trees: mean area on the held-out fifth, its spread. */
static void classes_are_found_as_well_as_by_sklearn(void **state)
{
	(void)state;
	json_t *root = reference_open("wdbc.json");
	struct rs_csv csv;
	double sum = 0, accuracy = 0;
	table_open("wdbc/wdbc.csv", &csv);
	struct rs_matrix train = matrix_of(&csv, NULL, 30, 5, 0, true),
			 test = matrix_of(&csv, NULL, 30, 5, 0, false);
	uint32_t *train_labels = labels_of(&csv, "malignant", false),
		 *test_labels = labels_of(&csv, "malignant", true);
	double *unseen = rs_allocate_array(train.rows, 2 * sizeof *unseen), importance[30];
	const struct rs_forest_out_of_bag out_of_bag = {unseen, importance};
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct rs_forest forest;
		assert_int_equal(rs_forest_fit_classes(&train, train_labels, 2,
		                                       &(struct rs_forest_options){.seed = seed},
		                                       seed ? NULL : &out_of_bag, &forest, NULL),
		                 RS_OK);
		sum += test_area(&forest, &test, test_labels) / 10;
		rs_forest_finish(&forest);
	}
	for (size_t r = 0; r < train.rows; r++)
		accuracy += ((unseen[2 * r + 1] > 0.5) == (train_labels[r] != 0)) / (double)train.rows;
	double want = reference_number(root, "rf500_auc_10seeds/0"),
	       want_seen = reference_number(root, "rf500_oob_acc/0");
	print_message("# area %.4f (scikit-learn %.4f), out-of-bag accuracy %.4f (%.4f)\n", sum, want,
	              accuracy, want_seen);
	assert_true(fabs(sum - want) < 0.01 && fabs(accuracy - want_seen) < 0.015);
	size_t best = 0;
	for (size_t c = 1; c < 30; c++)
		if (importance[c] > importance[best])
			best = c;
	assert_true(importance[best] > 0.005 && importance[best] < 0.2);
	rs_free(unseen);
	rs_free(train_labels);
	rs_free(test_labels);
	free_matrix(&train);
	free_matrix(&test);
	rs_csv_finish(&csv);
	json_decref(root);
}

static void threads_change_nothing(void **state)
{
	(void)state;
	struct rs_csv csv;
	struct rs_forest one, two;
	struct rs_pool *pool;
	table_open("wdbc/wdbc.csv", &csv);
	struct rs_matrix x = matrix_of(&csv, NULL, 30, 5, 0, true);
	uint32_t *labels = labels_of(&csv, "malignant", false);
	double *unseen[2] = {rs_allocate_array(x.rows, 16), rs_allocate_array(x.rows, 16)}, importance[2][30];
	assert_int_equal(rs_pool_create(3, &pool, NULL), RS_OK);
	struct rs_forest_options options = {.trees = 60, .seed = 5};
	assert_int_equal(rs_forest_fit_classes(&x, labels, 2, &options,
	                                       &(struct rs_forest_out_of_bag){unseen[0], importance[0]}, &one,
	                                       NULL),
	                 RS_OK);
	options.pool = pool;
	assert_int_equal(rs_forest_fit_classes(&x, labels, 2, &options,
	                                       &(struct rs_forest_out_of_bag){unseen[1], importance[1]}, &two,
	                                       NULL),
	                 RS_OK);
	assert_int_equal(one.node_count, two.node_count);
	assert_memory_equal(one.nodes, two.nodes, one.node_count * sizeof *one.nodes);
	assert_memory_equal(unseen[0], unseen[1], x.rows * 16);
	assert_memory_equal(importance[0], importance[1], sizeof importance[0]);
	rs_forest_finish(&one);
	rs_forest_finish(&two);
	rs_pool_destroy(pool);
	rs_free(unseen[0]);
	rs_free(unseen[1]);
	rs_free(labels);
	free_matrix(&x);
	rs_csv_finish(&csv);
}

/* Veterans' lung cancer: ranger 0.14 (log-rank, 500 trees) has an out-of-bag concordance of 0.703. */
static void survival_is_found_as_well_as_by_ranger(void **state)
{
	(void)state;
	static const char *const names[] = {"trt", "celltype", "karno", "diagtime", "age", "prior"};
	struct rs_csv csv;
	double importance[6], mean = 0;
	table_open("r_survival/veteran.csv", &csv);
	struct rs_matrix x = matrix_of(&csv, names, 6, 1, 0, false);
	double *time = column_of(&csv, "time"), *status = column_of(&csv, "status");
	double *risk = rs_allocate_array(x.rows, sizeof *risk);
	uint8_t *event = rs_allocate(x.rows);
	for (size_t r = 0; r < x.rows; r++)
		event[r] = status[r] == 1;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct rs_forest forest;
		struct rs_concordance found;
		struct rs_follow_up seen = {x.rows, NULL, time, event, NULL};
		assert_int_equal(rs_forest_fit_survival(
					 &x, time, event, &(struct rs_forest_options){.seed = seed},
					 &(struct rs_forest_out_of_bag){risk, importance}, &forest, NULL),
		                 RS_OK);
		assert_int_equal(
			rs_concordance_of(&seen, risk, &(struct rs_concordance_options){0}, &found, NULL),
			RS_OK);
		mean += found.c / 5;
		double row[6], hazard[256];
		assert_true(forest.time_count <= 256);
		for (size_t c = 0; c < 6; c++)
			row[c] = x.values[c * x.rows];
		rs_forest_hazard(&forest, row, hazard);
		double sum = 0;
		for (size_t i = 0; i < forest.time_count; i++) {
			assert_true(i == 0 || hazard[i] >= hazard[i - 1]);
			sum += hazard[i];
		}
		assert_true(fabs(sum - rs_forest_risk(&forest, row)) < 1e-9 * sum);
		rs_forest_finish(&forest);
	}
	print_message("# out-of-bag concordance %.4f\n", mean);
	assert_true(mean > 0.68 && mean < 0.73);
	for (size_t c = 0; c < 6; c++)
		assert_true(importance[2] >= importance[c]); /* Karnofsky's score */
	rs_free(time);
	rs_free(status);
	rs_free(risk);
	rs_free(event);
	free_matrix(&x);
	rs_csv_finish(&csv);
}

static void odd_data_have_a_forest_or_a_sentence(void **state)
{
	(void)state;
	double values[] = {1, 1, 1, 1, 5, 6, 7, 8}, time[] = {1, 2, 2, 3}, row[] = {1, 6};
	const uint32_t labels[] = {0, 0, 1, 1}, same[] = {1, 1, 1, 1};
	const uint8_t none[4] = {0}, all[] = {1, 1, 1, 1};
	struct rs_matrix x = {4, 2, values};
	struct rs_forest forest;
	struct rs_forest_options options = {.trees = 10, .minimum_leaf = 1};
	struct rs_error err;
	double shares[2];
	assert_int_equal(rs_forest_fit_classes(&x, labels, 2, &options, NULL, &forest, &err), RS_OK);
	rs_forest_classes(&forest, row, shares);
	assert_true(shares[0] > 0.5);
	rs_forest_finish(&forest);
	assert_int_equal(rs_forest_fit_classes(&x, same, 2, &options, NULL, &forest, &err), RS_OK);
	assert_int_equal(forest.node_count, 10);
	rs_forest_finish(&forest);
	assert_int_equal(rs_forest_fit_survival(&x, time, none, &options, NULL, &forest, &err), RS_NOT_FOUND);
	assert_int_equal(rs_forest_fit_survival(&x, time, all, &options, NULL, &forest, &err), RS_OK);
	assert_int_equal(forest.time_count, 3);
	rs_forest_finish(&forest);
	values[6] = NAN;
	assert_int_equal(rs_forest_fit_classes(&x, labels, 2, &options, NULL, &forest, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 3, column 2: not a number");
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_found_as_well_as_by_sklearn),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(survival_is_found_as_well_as_by_ranger),
		cmocka_unit_test(odd_data_have_a_forest_or_a_sentence),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
